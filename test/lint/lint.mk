# SPDX-License-Identifier: Apache-2.0
.PHONY: lint
lint: check-layers check-headers check-generated ## format, banned calls, library fences, caps, cppcheck, generated files
	$(Q)test/lint/lint.sh

# The units whose subject runs on more than one thread.
THREADED := test_loop test_pool test_log test_metrics test_workqueue test_informer test_lease test_kube_event \
            test_stream test_server test_client test_dial test_ws test_device_plugin

.PHONY: unit-asan
unit-asan: ## the unit tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined unit

.PHONY: unit-tsan
unit-tsan: ## the threaded unit tests under the thread sanitizer
	$(Q)TSAN_OPTIONS="suppressions=$(CURDIR)/test/lint/tsan.txt ignore_noninstrumented_modules=1" \
	  $(MAKE) --no-print-directory SAN=thread unit ONLY="$(THREADED)"
