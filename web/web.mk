# SPDX-License-Identifier: Apache-2.0
# The browser page: bundled into build/web (README.md says how), the same in every profile.

web_sources := $(wildcard web/*.html web/*.svg web/*.mjs web/css/*.css web/src/*.js web/src/*/*.js)

# Packages as the lock file pins them; nothing of theirs is run.
build/web/npm/stamp: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "web: install Node.js 20 with npm" >&2; exit 1; }
	@mkdir -p $(@D)
	$(Q)cp $^ $(@D)/ && cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

build/web/bundle.stamp: $(web_sources) build/web/npm/stamp
	$(Q)node web/build.mjs build/web build/web/npm/node_modules
	@touch $@

.PHONY: web
web: build/web/bundle.stamp ## bundle the browser page into build/web

test/web/node_modules/stamp: test/web/package.json test/web/package-lock.json
	$(Q)cd test/web && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.PHONY: test-web
test-web: build/web/bundle.stamp test/web/node_modules/stamp ## the page in a real browser, without a cluster
	$(Q)cd test/web && npm test --silent
