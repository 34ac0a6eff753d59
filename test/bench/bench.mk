# SPDX-License-Identifier: Apache-2.0
$(BUILD)/bench/baseline: test/bench/baseline.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) -std=gnu17 -O2 -o $@ $< -lmicrohttpd -ljansson

REVIEWS_ARCHIVES := $(filter $(patsubst %,$(BUILD)/lib%.a,webhooks kube openapi certs http base),$(ARCHIVES))
$(BUILD)/bench/reviews: test/bench/reviews.c test/fuzz/ask_webhooks.h $(REVIEWS_ARCHIVES)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS_) $(CFLAGS_) $(LDFLAGS_) -o $@ $< -Wl,--start-group $(REVIEWS_ARCHIVES) -Wl,--end-group $(libs_common)

# Streams: client, yardstick, the world around virt-api, virt-handler's end.
STREAM_BENCHES := $(patsubst %,$(BUILD)/bench/stream-%,client relay world qemu)
STREAM_ARCHIVES := $(filter $(patsubst %,$(BUILD)/lib%.a,handler kube openapi certs http base),$(ARCHIVES))
$(BUILD)/bench/stream-%: test/bench/stream_%.c test/bench/stream_peer.h $(BUILD)/libfake.a $(STREAM_ARCHIVES)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS_) $(CFLAGS_) $(LDFLAGS_) -o $@ $< -Wl,--start-group $(BUILD)/libfake.a $(STREAM_ARCHIVES) -Wl,--end-group $(libs_virt-handler)

.PHONY: bench
bench: all $(BUILD)/bench/baseline $(BUILD)/bench/reviews $(STREAM_BENCHES) ## measure, on the local node with cvirt on it (make deploy), and write docs/BENCHMARKS.md
	$(Q)test/bench/run.sh --write

.PHONY: bench-instructions
bench-instructions: all $(BUILD)/bench/reviews ## instructions of a review, by callgrind, into docs/BENCHMARKS.md
	$(Q)test/bench/run.sh --write instructions

BENCH_MINUTES ?= 5
.PHONY: bench-load
bench-load: all $(BUILD)/bench/baseline ## virt-api's memory under load for BENCH_MINUTES (5), into docs/BENCHMARKS.md; fails when it is over 20 MB or grows
	$(Q)BENCH_MINUTES=$(BENCH_MINUTES) BENCH_LIMIT=$$(($(BENCH_MINUTES) * 60 + 120)) test/bench/run.sh --write load
