# SPDX-License-Identifier: Apache-2.0
.PHONY: lint
lint: check-layers check-headers check-generated ## format, banned calls, library fences, caps, cppcheck, generated files
	$(Q)test/lint/selftest.sh > $(BUILD)/lint.log || { cat $(BUILD)/lint.log; exit 1; }
	$(Q)test/lint/lint.sh

# The units whose subject, or whose fake, runs on more than one thread.
THREADED := test_loop test_pool test_log test_metrics test_workqueue test_informer test_lease test_kube_event \
            test_kube_client test_stream test_server test_server_end test_client test_dial test_ws test_device_plugin test_handler_vmi \
            test_index test_probe test_reaper test_rotation test_tls test_hypervisor test_authz test_document test_virt_api test_vm_types \
            test_connect test_direct test_limits test_mux test_pods test_portforward test_relay test_secure test_tokens test_vsock \
            test_vsock_addresses test_ws_viewers test_wsock

.PHONY: unit-asan
unit-asan: ## the unit tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined unit

# What is named here but was not written, or was renamed, is left out.
.PHONY: unit-tsan
unit-tsan: ## the threaded unit tests under the thread sanitizer
	$(Q)$(MAKE) --no-print-directory SAN=thread unit ONLY="$(filter $(THREADED),$(unit_names))"
