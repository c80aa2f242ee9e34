# Makefile - bmd-alert: build, test and run everything.  Start with `make help`.
# SPDX-License-Identifier: GPL-2.0-or-later
# Out of tree of Kamailio: headers come from the Debian source package, unpacked into build/.

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
JOBS ?= 2

# KAM names the unpacked source of the targeted Kamailio release.
KAM ?= build/kamailio-5.6
KAM_SUITE ?= bookworm
O ?= build/obj
MODDIR ?= build/modules
BIN ?= build/bin

include modules/Makefile.common

TOOLS := bmd-catalogue bmd-collector bmd-sim bmd-watch
MODULES := $(patsubst modules/%/Makefile.part,%,$(wildcard modules/*/Makefile.part))
include $(wildcard modules/*/Makefile.part) $(wildcard tools/*/Makefile.part)

.PHONY: all setup build modules tools run help clean
all: setup ## set up what is missing and build everything
	@$(MAKE) -s -j$(JOBS) build
build: modules tools
modules: $(MODULES:%=$(MODDIR)/%.so)
tools: $(foreach t,$(TOOLS),$(if $(wildcard tools/$t/Makefile.part),$(BIN)/$t))

setup: ## install missing Debian packages, unpack Kamailio's headers, compare releases
	@sh tools/setup/setup.sh packages
	@sh tools/setup/setup.sh headers $(KAM_SUITE) $(KAM)
	@sh tools/setup/kamailio-check.sh $(KAM)

run: all ## the whole system on one screen; DURATION=20 make run ends by itself
	@bash tools/bmd-run/bmd-run

PREFIX ?= /usr/local
MANUALS := $(patsubst tools/man/%.scd,build/man/%,$(wildcard tools/man/*.scd))
.PHONY: man install
man: $(MANUALS) ## manual pages, into build/man
build/man/%: tools/man/%.scd
	@mkdir -p $(@D)
	@scdoc < $< > $@
install: build man ## modules, programs, SQL, configuration and manual pages, below PREFIX
	install -d $(DESTDIR)$(PREFIX)/lib/bmd-alert/modules $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/bmd-alert
	install -m 644 $(MODULES:%=$(MODDIR)/%.so) $(DESTDIR)$(PREFIX)/lib/bmd-alert/modules
	install $(foreach t,$(TOOLS),$(wildcard $(BIN)/$t)) $(DESTDIR)$(PREFIX)/bin
	install tools/bmd-migrate/bmd-migrate tools/bmd-ca/bmd-ca $(DESTDIR)$(PREFIX)/bin
	cp -r sql kamailio-cfg $(DESTDIR)$(PREFIX)/share/bmd-alert
	for m in $(MANUALS); do \
		d=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; install -d $$d; install -m 644 $$m $$d; done

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST) | sort -u

clean: ## remove what was built; keeps the unpacked headers
	rm -rf build/obj build/asan build/bin build/modules build/modules-6.0 build/obj-6.0

include tests/Makefile.part tests/bench/Makefile.part tests/torture/Makefile.part tests/fuzz/Makefile.part tests/defences/Makefile.part

-include $(shell find $(O) build/asan -name '*.d' 2>/dev/null)
