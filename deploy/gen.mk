# SPDX-License-Identifier: Apache-2.0
# Files that follow from tables of the code; see apiserver/gen.c.
GENERATED := deploy/crds deploy/rbac.yaml deploy/webhooks.yaml docs/reference.md docs/not-acted-on.md

.PHONY: gen
gen: $(BUILD)/virt-gen ## write the generated files (CRDs, RBAC, webhooks, pages)
	$(Q)$(BUILD)/virt-gen .

.PHONY: check-generated
check-generated: $(BUILD)/virt-gen ## the generated files are what the tables say
	$(Q)rm -rf $(BUILD)/generated && $(BUILD)/virt-gen $(BUILD)/generated
	$(Q)for f in $(GENERATED); do \
	  diff -r $$f $(BUILD)/generated/$$f > /dev/null || { echo "$$f is not what the tables say: make gen"; exit 1; }; \
	done
