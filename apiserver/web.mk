# SPDX-License-Identifier: Apache-2.0
# The page as part of virt-api: what web/ bundles (build/web, whatever the profile), made C.
WEB_DIST := build/web

$(BUILD)/gen/web_files.c: $(WEB_DIST)/bundle.stamp apiserver/embed.sh
	@mkdir -p $(@D)
	@echo "  EMBED $(WEB_DIST)"
	$(Q)apiserver/embed.sh $(WEB_DIST) $(BUILD)/gen/web > $@.new && mv $@.new $@

$(BUILD)/gen/web_files.o: $(BUILD)/gen/web_files.c
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS_) $(CFLAGS_) -c $< -o $@

$(BUILD)/virt-api: $(BUILD)/gen/web_files.o
