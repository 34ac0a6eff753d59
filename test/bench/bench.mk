# SPDX-License-Identifier: Apache-2.0
$(BUILD)/bench/baseline: test/bench/baseline.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) -std=gnu17 -O2 -o $@ $< -lmicrohttpd -ljansson

.PHONY: bench
bench: all $(BUILD)/bench/baseline ## measure, on the local node with cvirt on it (make deploy), and write docs/BENCHMARKS.md
	$(Q)test/bench/run.sh --write
