# SPDX-License-Identifier: Apache-2.0
# make help lists the goals.  Profiles are variables with a build folder each:
#   make SAN=address,undefined check      V=1 shows commands
SHELL := /bin/bash
.DEFAULT_GOAL := all

VERSION ?= v0.1.0
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null)
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

comma := ,
SAN ?=
BUILD ?= build$(if $(SAN),/$(subst $(comma),+,$(SAN)))

CC ?= gcc
CSTD := -std=gnu17
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla \
        -Wswitch-enum -Wformat=2 -Wno-unused-parameter -Werror
OPT := -O2 -g $(if $(SAN),-fno-omit-frame-pointer -fsanitize=$(SAN),-D_FORTIFY_SOURCE=2)
HARDEN := -fstack-protector-strong -fPIE
CPPFLAGS_ := -I. -I$(BUILD)/gen -D_GNU_SOURCE -MMD -MP
CFLAGS_ := $(CSTD) $(OPT) $(HARDEN) $(WARN) -ffunction-sections -fdata-sections $(CFLAGS)
LDFLAGS_ := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# Lower first; a later folder may use earlier ones (docs/layers.txt).
LAYERS := base http certs openapi kube webhooks subresources controller handler launcher cli apiserver
PROGRAMS := virt-api virt-controller virt-handler virt-launcher virt-probe kubectl-virt virt-gen

main_virt-api        := apiserver/main.c
main_virt-controller := controller/main.c
main_virt-handler    := handler/main.c
main_virt-launcher   := launcher/main.c
main_virt-probe      := launcher/probe_main.c
main_kubectl-virt    := cli/main.c
main_virt-gen        := apiserver/gen.c

# The folders a program is made of; its own comes first.
lower := kube openapi certs http base
layers_virt-api        := apiserver webhooks subresources $(lower)
layers_virt-controller := controller $(lower)
layers_virt-handler    := handler $(lower)
layers_virt-launcher   := launcher $(lower)
layers_virt-probe      := launcher base
layers_kubectl-virt    := cli $(lower)
layers_virt-gen        := apiserver webhooks subresources $(lower)

libs_common := -lyaml -luv -lmicrohttpd -lgnutls -lcurl -ljansson -luuid -lpthread -lm
libs_virt-api        := $(libs_common)
libs_virt-controller := $(libs_common)
libs_virt-handler    := -lwebsockets -lnghttp2 -lprotobuf-c -lnftables -lnl-route-3 -lnl-3 $(libs_common)
libs_virt-launcher   := -lvirt -lvirt-qemu $(libs_common)
libs_virt-probe      := -ljansson -luuid -lpthread
libs_kubectl-virt    := $(libs_common)
libs_virt-gen        := $(libs_common)
libs_test            := -lcmocka -llzma -lwebsockets -lnghttp2 -lprotobuf-c -lnftables -lnl-route-3 -lnl-3 -lvirt -lvirt-qemu $(libs_common)

CPPFLAGS_ += -I/usr/include/libnl3

mains := $(foreach p,$(PROGRAMS),$(main_$(p)))
sources = $(filter-out $(mains),$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
# Archives in link order: users before the used.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
have := $(foreach l,$(LAYERS),$(if $(call sources,$(l)),$(l)))
archives_of = $(foreach l,$(layers_$(1)),$(if $(filter $(l),$(have)),$(BUILD)/lib$(l).a))
ARCHIVES := $(patsubst %,$(BUILD)/lib%.a,$(call reverse,$(have)))
built_programs := $(foreach p,$(PROGRAMS),$(if $(wildcard $(main_$(p))),$(p)))

.PHONY: all
all: $(patsubst %,$(BUILD)/%,$(built_programs)) ## build every program into build/

define archive_rule
$(BUILD)/lib$(1).a: $(call objects,$(1))
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(have),$(eval $(call archive_rule,$(l))))

$(BUILD)/%.o: %.c | $(BUILD)/gen/version.h
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS_) $(CFLAGS_) -c $< -o $@

# Written again only when it says something else.
$(BUILD)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define CVIRT_VERSION "%s"\n#define CVIRT_COMMIT "%s"\n' '$(VERSION)' '$(COMMIT)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

.PHONY: FORCE
FORCE:

define program_rule
$(BUILD)/$(1): $(BUILD)/$(patsubst %.c,%.o,$(main_$(1))) $(call archives_of,$(1))
	@echo "  LD    $$@"
	$$(Q)$$(CC) $$(LDFLAGS_) -o $$@ $$^ $(libs_$(1))
endef
$(foreach p,$(built_programs),$(eval $(call program_rule,$(p))))

# ---- unit tests: one program a source file of test/unit ----
unit_names := $(patsubst test/unit/%.c,%,$(wildcard test/unit/test_*.c))
unit_programs := $(patsubst %,$(BUILD)/unit/%,$(unit_names))

# Fakes that tests share.
fakes := $(if $(wildcard test/fake/*.c),$(BUILD)/libfake.a)
$(BUILD)/libfake.a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard test/fake/*.c))
	$(Q)rm -f $@ && ar rcs $@ $^

unit_wanted := $(if $(ONLY),$(patsubst %,$(BUILD)/unit/%,$(ONLY)),$(unit_programs))

# They run the program itself.
$(BUILD)/unit/test_cli $(BUILD)/unit/test_cli_streams: $(BUILD)/kubectl-virt

$(BUILD)/unit/%: test/unit/%.c $(fakes) $(ARCHIVES) $(wildcard test/unit/*.h)
	@mkdir -p $(@D)
	@echo "  TEST  $<"
	$(Q)$(CC) $(CPPFLAGS_) $(CFLAGS_) $(LDFLAGS_) -o $@ $< -Wl,--start-group $(fakes) $(ARCHIVES) -Wl,--end-group $(libs_test)

.PHONY: unit
unit: $(unit_wanted) ## build and run the unit tests (ONLY="test_x test_y": those)
	$(Q)test/run-unit.sh $(unit_wanted)

# ---- the main job ----
CLUSTER ?= local

.PHONY: deps
deps: ## install what this machine lacks (Debian packages)
	$(Q)deploy/deps.sh

# What needs the libraries is made in a second step, after they were installed.
.PHONY: run
run: deps ## a Kubernetes node, cvirt on it, a machine, its login prompt (CLUSTER=existing: on yours)
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)deploy/run.sh $(CLUSTER)

.PHONY: deploy
deploy: all ## bring what was built to the local node
	$(Q)deploy/run.sh deploy

.PHONY: stop
stop: ## undo make run: the machines, the installation, the node
	$(Q)deploy/run.sh stop

.PHONY: env
env: ## for eval "$$(make -s env)": a shell that reaches the local node
	@deploy/local/node.sh env

.PHONY: check
check: all ## the quick tests: lint and units
	$(Q)test/run.sh quick

.PHONY: test
test: deps ## all tests, also under sanitizers and end to end on the local node
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)test/run.sh all

.PHONY: man
man: all ## manual pages from the option tables into build/man
	$(Q)mkdir -p $(BUILD)/man
	$(Q)for p in virt-api virt-controller virt-handler virt-launcher virt-probe; do $(BUILD)/$$p --man > $(BUILD)/man/$$p.8; done
	$(Q)$(BUILD)/kubectl-virt __man $(BUILD)/man

.PHONY: images
images: all ## build the container images into the cache
	$(Q)deploy/images/build.sh

include deploy/gen.mk
include web/web.mk
include apiserver/web.mk
-include test/lint/lint.mk
-include test/bench/bench.mk
-include test/fuzz/fuzz.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- checks ----
.PHONY: check-layers
check-layers: ## every #include stays inside docs/layers.txt
	@grep -rEo --include='*.[ch]' '^#include "[a-z]+/' $(LAYERS) test | \
	sed -E 's|^([a-z]+)/[^:]*:#include "([a-z]+)/|\1 \2|' | sort -u | \
	awk 'NR == FNR { split($$0, a, ": *"); may[a[1]] = " " a[1] " " a[2] " "; next } \
	     !index(may[$$1], " " $$2 " ") { print $$1 "/ must not include " $$2 "/"; bad = 1 } \
	     END { exit bad }' docs/layers.txt -

.PHONY: check-headers
check-headers: | $(BUILD)/gen/version.h ## every header compiles alone
	@for h in $$(ls $(patsubst %,%/*.h,$(LAYERS)) 2>/dev/null); do \
	  echo "#include \"$$h\"" | $(CC) -I. -I$(BUILD)/gen -I/usr/include/libnl3 -D_GNU_SOURCE $(CSTD) -fsyntax-only -Wall -Werror -x c - || { echo "$$h does not compile alone"; exit 1; }; \
	done

.PHONY: fmt
fmt: ## clang-format in place
	@clang-format -i $$(ls $(patsubst %,%/*.[ch],$(LAYERS)) test/unit/*.[ch] 2>/dev/null | grep -v pb-c)

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
