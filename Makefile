# SPDX-License-Identifier: Apache-2.0
#
# make            the programs            make demo     try it: everything started, shown and stopped again
# make check      all tests               make help     every target
#
# Everything that is built lands in build/<variant>/; SAN=address,undefined or CC=clang pick another variant.

VERSION  := 0.1.0
CC       ?= gcc
CXX      ?= g++
V        ?= 0
Q        := $(if $(filter 1,$(V)),,@)
SAN      ?=
BUILD    ?= build/$(if $(SAN),$(subst $() ,-,$(subst $(comma), ,$(SAN))),$(if $(filter clang%,$(CC)),clang,gcc))
comma    := ,

PKGS     := libevent_core libevent_extra rdkafka hiredis jansson libfyaml openssl icu-uc icu-i18n
WARN     := -Wall -Wextra -Wshadow -Wformat=2 -Wundef $(if $(CI),-Werror)
WARN_C   := -Wstrict-prototypes -Wmissing-prototypes -Wvla
HARDEN   := -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fPIE
OPT      ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
CPPFLAGS += -I. -D_GNU_SOURCE -DLEADROUTER_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS))
CFLAGS   += -std=c11 $(OPT) $(WARN) $(WARN_C) $(HARDEN) -fvisibility=hidden $(SANFLAGS)
CXXFLAGS += -std=c++17 $(OPT) -Wall -Wextra $(if $(CI),-Werror) $(HARDEN) -fvisibility=hidden $(SANFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -rdynamic $(SANFLAGS)
LIBS     := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lphonenumber -lcctz -lre2 -lstdc++ -ldl -lpthread -lm
# Only who imports holidays needs it: leadrouterd links without.
LIBS     += -Wl,--push-state,--as-needed $(shell pkg-config --libs-only-L --libs-only-l libical 2>/dev/null) -Wl,--pop-state

RULES_C  := $(wildcard rules/*.c rules/*/*.c)
RULES_CC := $(wildcard rules/text/*.cc)
DAEMON_C := $(filter-out daemon/main.c,$(wildcard daemon/*.c))
CTL_C    := $(wildcard daemon/ctl/*.c)
TEST_C   := $(wildcard tests/unit/test_*.c)
PLUGINS  := $(patsubst plugins/%.c,$(BUILD)/plugins/%.so,$(wildcard plugins/*.c))
PLUGIN_LIBS_enrich_geo := -lmaxminddb

RULES_O  := $(RULES_C:%.c=$(BUILD)/%.o) $(RULES_CC:%.cc=$(BUILD)/%.o)
DAEMON_O := $(DAEMON_C:%.c=$(BUILD)/%.o)
UNIT     := $(TEST_C:tests/unit/%.c=$(BUILD)/unit/%)

.PHONY: all clean check-unit demo help
all: $(BUILD)/librules.a $(BUILD)/libleadrouterd.a $(PLUGINS) $(if $(wildcard daemon/main.c),$(BUILD)/leadrouterd) $(if $(wildcard daemon/ctl/main.c),$(BUILD)/leadctl)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC    $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CXX   $<")
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@

# Taken in by .incbin, which the compiler's dependency lists do not show.
$(BUILD)/daemon/view_scripts.o: $(wildcard daemon/*.lua)
$(BUILD)/daemon/ctl/schemas.o: $(wildcard config/schemas/*.json)

$(BUILD)/librules.a: $(RULES_O)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libleadrouterd.a: $(DAEMON_O)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/leadrouterd: $(BUILD)/daemon/main.o $(BUILD)/libleadrouterd.a $(BUILD)/librules.a
	$(if $(Q),@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/leadctl: $(CTL_C:%.c=$(BUILD)/%.o) $(BUILD)/libleadrouterd.a $(BUILD)/librules.a
	$(if $(Q),@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ $(LIBS) -o $@

# A plug-in links against nothing of ours.
$(BUILD)/plugins/%.so: plugins/%.c plugins/plugin.h
	@mkdir -p $(@D)
	$(if $(Q),@echo "  SO    $@")
	$(Q)$(CC) -I. -D_GNU_SOURCE $(CFLAGS) -fPIC -shared -Wl,-z,relro,-z,now $< $(PLUGIN_LIBS_$*) -o $@

# One executable per module, so that a crash or leak fails only its own.
$(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libleadrouterd.a $(BUILD)/librules.a
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD    $@")
	$(Q)$(CC) $(LDFLAGS) $^ -lcmocka $(LIBS) -o $@

# What is installed here is needed to read this file again, so the build is a make of its own.
BROKER ?= dev
demo:
	$(Q)tests/packages $(if $(filter kafka,$(BROKER)),demo-kafka,demo)
	$(Q)$(MAKE) --no-print-directory $(if $(findstring j,$(filter-out --%,$(MAKEFLAGS))),,-j$(shell nproc)) all
	$(Q)BUILD=$(BUILD) tests/demo --broker $(BROKER)

check-unit: $(UNIT)
	$(Q)tests/run-unit $(UNIT)

# ---- checks. Each ends with "N passed, N failed, N skipped" or counts as one test; tests/check adds them up.

.PHONY: check check-fast check-deps check-examples check-headers check-options check-systemd check-clang check-asan check-tidy
check:
	$(Q)tests/packages check
	$(Q)tests/check

# Under a minute, no network.
check-fast:
	$(Q)tests/check check-deps check-headers check-unit check-scenario check-test-verb check-examples check-fuzz-seeds

check-deps:
	$(Q)tests/check-deps

check-headers:
	$(Q)CC="$(CC)" CPPFLAGS='$(CPPFLAGS)' tests/check-headers

check-options:
	$(Q)tests/check-options

check-systemd:
	$(Q)tests/check-systemd

check-examples: $(BUILD)/leadctl
	$(Q)tests/check-examples $(BUILD)/leadctl

check-clang:
	$(Q)$(MAKE) --no-print-directory CC=clang CXX=clang++ CI=1 BUILD=build/clang all

check-asan:
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined check-unit check-scenario check-test-verb check-fuzz-seeds sim
	$(Q)build/address-undefined/sim/sim-toy --seeds 1:501 >/dev/null
	$(Q)build/address-undefined/sim/sim-real --seeds 1:501 >/dev/null

check-tidy:
	$(Q)tests/check-tidy

# ---- manual, installation, release

MAN        := $(patsubst config/man/%.scd,build/man/%,$(wildcard config/man/*.scd))
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
CONF       := $(SYSCONFDIR)/leadrouter
SAMPLES    := leadrouter.yaml $(patsubst config/%,%,$(wildcard config/conf.d/*.yaml config/territories/*.csv config/tests/*.yaml))
PROCESSES  := $(patsubst config/%,%,$(wildcard $(foreach depth,* */* */*/*,$(foreach kind,md yaml csv,config/processes/$(depth).$(kind)))))
into        = $(DESTDIR)$(PREFIX)/$1

.PHONY: man install uninstall dist
man: $(MAN)

build/man/%: config/man/%.scd
	@mkdir -p $(@D)
	$(if $(Q),@echo "  MAN   $@")
	$(Q)scdoc <$< >$@.new && mv $@.new $@

# The units name the programs of /usr; another PREFIX is written into them. Where there is a configuration, no sample is
# added: it would define things twice.
install: all man
	install -d $(call into,sbin) $(call into,bin) $(call into,lib/leadrouter/plugins) $(call into,lib/systemd/system) \
	  $(call into,lib/sysusers.d) $(call into,share/leadrouter/schemas) $(call into,share/doc/leadrouter/examples)
	install -m 755 $(BUILD)/leadrouterd $(call into,sbin)
	install -m 755 $(BUILD)/leadctl $(call into,bin)
	install -m 644 $(PLUGINS) $(call into,lib/leadrouter/plugins)
	for unit in $(wildcard systemd/*.service systemd/*.target); do \
	  sed 's,/usr/sbin/,$(PREFIX)/sbin/,; s,/usr/bin/,$(PREFIX)/bin/,' $$unit >$(call into,lib/systemd/system)/$${unit##*/} || exit 1; done
	install -m 644 systemd/leadrouterd.sysusers $(call into,lib/sysusers.d)/leadrouter.conf
	for page in $(MAN); do install -D -m 644 -t $(call into,share/man)/man$${page##*.} $$page || exit 1; done
	$(if $(wildcard config/schemas/*),install -m 644 $(wildcard config/schemas/*.json config/schemas/*.yaml) $(call into,share/leadrouter/schemas))
	install -m 644 README.md LICENSE config/redis-acl.example $(call into,share/doc/leadrouter)
	install -m 644 config/examples/*.jsonl $(call into,share/doc/leadrouter/examples)
	for file in $(PROCESSES); do install -D -m 644 config/$$file $(call into,share/doc/leadrouter/examples)/$$file || exit 1; done
	if [ -e $(DESTDIR)$(CONF)/leadrouter.yaml ]; then echo "kept: $(DESTDIR)$(CONF)"; else \
	  for file in $(SAMPLES); do install -D -m 644 config/$$file $(DESTDIR)$(CONF)/$$file || exit 1; done; fi

# The configuration and the system user stay.
uninstall:
	rm -f $(call into,sbin/leadrouterd) $(call into,bin/leadctl) $(call into,lib/sysusers.d/leadrouter.conf) \
	  $(patsubst systemd/%,$(call into,lib/systemd/system)/%,$(wildcard systemd/*.service systemd/*.target)) \
	  $(foreach page,$(MAN),$(call into,share/man)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page)))
	rm -rf $(call into,lib/leadrouter) $(call into,share/leadrouter) $(call into,share/doc/leadrouter)

# What is committed, and nothing else.
dist:
	@mkdir -p build
	git archive --prefix=leadrouter-$(VERSION)/ -o build/leadrouter-$(VERSION).tar.gz HEAD
	@echo build/leadrouter-$(VERSION).tar.gz

help:
	@echo 'make                    the programs, in $(BUILD)'
	@echo 'make demo               try it: everything started, shown and stopped again; BROKER=kafka for a real Kafka'
	@echo 'make check              all tests; installs what they need. STAGES: tests/check STAGE…'
	@echo 'make check-fast         without network, in a minute'
	@echo 'make check-chaos        faults while many leads are routed: LEADS=100000 FAULTS=20'
	@echo 'make check-scenario-live  every scenario file through the real daemon, on a real broker and Redis'
	@echo 'make check-reload       changed configurations while leads are routed: N=10000'
	@echo 'make bench              figures on a real broker, beside their budgets: LEADS=50000 TIMERS=200000 (default: ten million)'
	@echo 'make check-sim          the fault simulator: N=1000000 FROM=1'
	@echo 'make check-calendar     random calendars against a minute-by-minute reference: N=100000 SEED=1'
	@echo 'make check-examples     the configurations of config/ and config/processes: check, tests, coverage'
	@echo 'make check-schemas      examples and real events against config/schemas'
	@echo 'make fuzz               each parser for FUZZ_SECONDS=60'
	@echo 'make man                the manual pages, in build/man'
	@echo 'make install uninstall  PREFIX=/usr/local SYSCONFDIR=/etc DESTDIR='
	@echo 'make dist clean         a release archive; nothing that was built'
	@echo 'CC=clang, SAN=address,undefined, CI=1 (-Werror), V=1 (show commands) go with each of them.'

.SECONDARY:

clean:
	rm -rf build

-include $(RULES_O:.o=.d) $(DAEMON_O:.o=.d) $(BUILD)/daemon/main.d $(CTL_C:%.c=$(BUILD)/%.d) $(TEST_C:%.c=$(BUILD)/%.d)
-include tests/*/Makefile.inc
