# SPDX-License-Identifier: Apache-2.0
# test/fuzz/README.md.  A build of its own: clang with libFuzzer, or else whatever CC is with a
# main() that replays the corpus.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/fuzz_*.c))
FUZZ_BUILD := build/fuzz
FUZZ_ARCHIVES := $(filter $(patsubst %,$(BUILD)/lib%.a,handler launcher webhooks kube openapi certs http base),$(ARCHIVES))

# Recursive: asked only where it is used.
has_libfuzzer = $(shell echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null && echo yes)
fuzz_vars = $(if $(has_libfuzzer),CC=clang FUZZ_MAIN=-fsanitize=fuzzer CFLAGS="-w -fsanitize=fuzzer-no-link -fno-sanitize-recover=all",FUZZ_MAIN=test/fuzz/replay.c CFLAGS="-fno-sanitize-recover=all") BUILD=$(FUZZ_BUILD) SAN=address,undefined

$(BUILD)/test/%: test/fuzz/%.c $(wildcard test/fuzz/*.h) test/fuzz/replay.c $(FUZZ_ARCHIVES)
	@mkdir -p $(@D)
	@echo "  FUZZ  $<"
	$(Q)$(CC) $(CPPFLAGS_) $(CFLAGS_) $(LDFLAGS_) -o $@ $< $(FUZZ_MAIN) \
	  -Wl,--start-group $(FUZZ_ARCHIVES) -Wl,--end-group $(libs_test)

.PHONY: fuzz-build
fuzz-build:
	$(Q)$(MAKE) --no-print-directory $(fuzz_vars) $(patsubst %,$(FUZZ_BUILD)/test/%,$(FUZZ_TARGETS))

.PHONY: fuzz
fuzz: fuzz-build ## every fuzz target for FUZZ_SECONDS (600), under sanitizers (ONLY=fuzz_x: that one)
	$(Q)test/fuzz/run.sh $(FUZZ_SECONDS) $(or $(ONLY),$(FUZZ_TARGETS))

.PHONY: fuzz-smoke
fuzz-smoke: fuzz-build ## every fuzz target for seconds, from the kept corpus
	$(Q)test/fuzz/run.sh 5 $(FUZZ_TARGETS)
