# SPDX-License-Identifier: Apache-2.0
# Remake the committed message code after a change of the .proto file: make -f handler/gen.mk
handler/deviceplugin.pb-c.c handler/deviceplugin.pb-c.h: handler/deviceplugin.proto
	protoc-c --c_out=. $<
