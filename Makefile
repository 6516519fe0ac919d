# shipfrom.  `make demo` to see it, `make test` to prove it, `make check` while
# working on it.  CONTRIBUTING.md explains each; `make help` lists them.

BUILD   ?= build
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
ifeq ($(origin CC),default)
CC       = gcc
endif

# What C is written in, and what the compiler is asked to find.
STD      = -std=gnu2x -D_GNU_SOURCE -I. -pthread
WARN     = -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings \
	   -Wformat=2 -Wvla -Wundef -Wold-style-definition \
	   -Wmissing-prototypes -Wstrict-prototypes \
	   $(call cc_has,-Wno-format-truncation)
# A warning ends the build, except a plain `make` with whatever compiler there
# is, by somebody who wants to run or install it.
WERROR  ?= $(if $(filter-out all install,$(MAKECMDGOALS)),-Werror)
# Some of these are of one processor or compiler: cc_has asks.
HARDEN  ?= -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	   -fno-common -fPIE $(call cc_has,-fstack-clash-protection) \
	   $(call cc_has,-fcf-protection) \
	   $(call cc_has,-ftrivial-auto-var-init=zero)
OPT     ?= -O2 -g
LINKHARD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
CFLAGS_ALL  = $(STD) $(OPT) $(WARN) $(WERROR) $(CACHED_HARDEN) $(CFLAGS) -MMD -MP
LDFLAGS_ALL = $(LINKHARD) -pthread $(LDFLAGS)
LIBS     = -lmicrohttpd -lcjson -lssl -lcrypto -lcurl -llmdb -lqrencode -lexpat
MATH     = -lm # the benchmark's arrivals

# `make V=1` shows the commands.
ifndef V
Q        = @echo "  $(1) $@";
endif

cc_has   = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null \
	   >/dev/null 2>&1 && echo $(1))
CACHED_HARDEN := $(HARDEN)
WARN    := $(WARN)

# Every .c of these folders is part of the product; main.c is its main().
SRC     := $(sort $(shell find base store centra handlers server -name '*.c'))
OBJ      = $(SRC:%.c=$(BUILD)/%.o)
OBJ_LIB  = $(filter-out $(BUILD)/server/main.o,$(OBJ))

# The stand-in for Centra shares no code with the product.
SIM_SRC  = $(sort $(wildcard tests/sim/*.c))
SIM_OBJ  = $(SIM_SRC:%.c=$(BUILD)/%.o)

# tests/unit/test_X.c and tests/store/test_X.c (what holds for every engine of
# the store) link the product's objects; tests/e2e/test_X.c only the harness: it
# meets the built binary as a user does; tests/wms/test_X.c as a warehouse system
# does.
SUITE    = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/store/test_*.c)))
UNIT     = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
WMS      = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/wms/test_*.c)))
E2E      = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/e2e/test_*.c))) $(WMS)
WMS_HELP = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/wms/test_%.c,$(sort $(wildcard tests/wms/*.c))))
HARNESS  = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/harness/*.c)))
UNIT_HELP = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/unit/test_%.c,$(sort $(wildcard tests/unit/*.c))))
BENCH    = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bench/bench_*.c)))
BENCH_HELP = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/bench/bench_%.c,$(sort $(wildcard tests/bench/*.c))))
FAULTS   = $(patsubst %.c,$(BUILD)/%.so,$(sort $(wildcard tests/faults/*.c)))
TORTURE  = $(BUILD)/tests/e2e/torture
FUZZ     = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

# Each test is run by this: it keeps the log, counts, and adds up.
RUN      = BUILD=$(BUILD) sh tests/run.sh

all: $(BUILD)/shipfrom $(BUILD)/centra-sim ## build the server and the stand-in for Centra

$(BUILD)/shipfrom: $(OBJ)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/centra-sim: $(SIM_OBJ)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lmicrohttpd -lcjson -lcrypto -lcurl

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CFLAGS_ALL) -c -o $@ $<

# Built into the binary, so that it can be asked for its own description.
$(BUILD)/server/admin/health.o: openapi.yaml
$(BUILD)/server/page/page.o: $(wildcard server/page/*)

# What a unit test may answer in Centra's place (tests/unit/stub_centra.c).
SEAM     = centra_conn_lane centra_take centra_take_change centra_give_back \
	   order_api_check_first order_api_requests order_api_request \
	   graphql_orders graphql_order_shipments \
	   graphql_confirm_order graphql_create_shipment \
	   graphql_capture_shipment graphql_good_to_go graphql_complete_shipment \
	   graphql_waiting

$(UNIT): $(BUILD)/%: $(BUILD)/%.o $(UNIT_HELP) $(OBJ_LIB)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) $(SEAM:%=-Wl,--wrap=%) -o $@ $^ -lcmocka $(LIBS) $(MATH)

$(BUILD)/tests/unit/test_bench: $(BENCH_HELP)

$(SUITE): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/store/suite.o $(OBJ_LIB)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

$(E2E): $(BUILD)/%: $(BUILD)/%.o $(HARNESS)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lcurl -lcjson -lcrypto

# A warehouse system's client, written from Centra's guides alone.
$(WMS): $(WMS_HELP)

$(filter-out %/bench_growth %/bench_retention,$(BENCH)): $(BUILD)/%: $(BUILD)/%.o $(BENCH_HELP)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcrypto $(MATH)

# They fill their stores with the product's own rules.
GROWTH   = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/bench/growth/*.c)))
$(BUILD)/tests/bench/bench_growth $(BUILD)/tests/bench/bench_retention: $(BUILD)/%: $(BUILD)/%.o $(GROWTH) $(BENCH_HELP) $(OBJ_LIB)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) $(MATH)

# What stands between the server and its disk, in tests: sanitizers stay out.
$(FAULTS): $(BUILD)/%.so: %.c tests/faults/watch.h tests/faults/real.h
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(STD) -O2 -g $(WARN) $(WERROR) -shared -fPIC -o $@ $< -ldl

# ---- variants of the server that only tests and the benchmark run ----
#
# Only store/ differs.  No setting of the shipped binary does what these do.

NOT_STORE = $(filter-out $(BUILD)/store/%,$(OBJ))
VARIANT   = $(patsubst store/%.c,$(BUILD)/$(1)/store/%.o,$(filter store/%,$(SRC)))

# Never syncs: shows that the durability test can fail.
$(BUILD)/nosync/store/%.o: store/%.c
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CFLAGS_ALL) -DSTORE_TEST_NOSYNC -c -o $@ $<
$(BUILD)/nosync/shipfrom: $(call VARIANT,nosync) $(NOT_STORE)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# One transaction, and so one sync, for each write: what group commit is
# measured against.
$(BUILD)/bench-onetxn/store/%.o: store/%.c
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CFLAGS_ALL) -DSTORE_BENCH_ONE_TXN_PER_WRITE -c -o $@ $<
$(BUILD)/bench-onetxn/shipfrom: $(call VARIANT,bench-onetxn) $(NOT_STORE)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# Acknowledges webhooks and stores nothing: the ceiling, the path without the
# store.
$(BUILD)/bench-nostore/store/%.o: store/%.c
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CFLAGS_ALL) -DSTORE_BENCH_NO_STORE -c -o $@ $<
$(BUILD)/bench-nostore/shipfrom: $(call VARIANT,bench-nostore) $(NOT_STORE)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

nosync: $(BUILD)/nosync/shipfrom

# ---- what there is to run ----

deps: ## install what a build needs (apt; elsewhere names it)
	@sh tests/deps.sh build

demo: ## run it with a stand-in for Centra and three shops
	@sh tests/deps.sh build
	@$(MAKE) --no-print-directory -j$(JOBS) WERROR= all
	@BUILD=$(BUILD) sh tests/demo.sh

# Everything that tests run, built; tests themselves run one at a time.
built: all nosync $(UNIT) $(SUITE) $(E2E) $(BENCH) $(FAULTS)

unit: $(UNIT) $(SUITE)
	@$(RUN) $(UNIT) $(SUITE)

e2e: all nosync $(E2E) $(FAULTS)
	@$(RUN) $(E2E)

# Both, side by side.
tests: all nosync $(UNIT) $(SUITE) $(E2E) $(FAULTS)
	@$(RUN) $(E2E) $(UNIT) $(SUITE)

# One rule of the store on a second engine; needs PostgreSQL, as no other test does.
pg-spike: ## the rule of recording over LMDB and PostgreSQL
	@sh tests/deps.sh build test database
	@$(MAKE) --no-print-directory $(BUILD)/tests/spike/pg_record
	@$(RUN) --as pg-spike sh tests/spike/pg_record.sh $(BUILD)/tests/spike/pg_record

$(BUILD)/tests/spike/pg_record.o: CFLAGS += $(shell pkg-config --cflags libpq 2>/dev/null)
$(BUILD)/tests/spike/pg_record: $(BUILD)/tests/spike/pg_record.o $(OBJ_LIB)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lpq $(LIBS)

# The long runs.  `make test` and `make check` have a short form of each.
$(TORTURE): $(BUILD)/%: $(BUILD)/%.o $(HARNESS)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lcurl -lcjson -lcrypto

torture: all $(TORTURE) $(FAULTS) ## fail, or die at, each system call of each scenario
	@BUILD=$(BUILD) sh tests/torture.sh

torture-short: all $(TORTURE) $(FAULTS)
	@TORTURE_EVERY=60 $(RUN) --as torture sh tests/torture.sh

chaos: all $(BUILD)/tests/e2e/test_chaos ## ten storms: lost calls and webhooks, kill -9, 200 orders
	@BUILD=$(BUILD) sh tests/chaos.sh

MINUTES ?= 30
soak: all $(BUILD)/tests/e2e/test_chaos ## one storm of MINUTES=30, and the memory it took
	@BUILD=$(BUILD) SOAK_MINUTES=$(MINUTES) $(BUILD)/tests/e2e/test_chaos

limits: all $(BENCH) ## 2,000 slow connections, and what good deliveries feel of them
	@BUILD=$(BUILD) $(BUILD)/tests/bench/bench_limits 9

limits-short: all $(BENCH)
	@$(RUN) --as limits $(BUILD)/tests/bench/bench_limits 2.5

# Ten seconds of each.
fuzz-short:
	@$(RUN) --as fuzz $(MAKE) --no-print-directory FUZZ_SECONDS=10 FUZZ_JOBS=2 fuzz

# Rules that a reader cannot be trusted to keep, one script each.
RULES    = includes includes_can_fail links links_can_fail source settings routes metrics hardening supervisor page install secrets logs codes enums docs citations citations_can_fail promises mutants
$(RULES:%=rule-%): rule-%: all
	@$(RUN) --as rule-$* sh tests/checks/$*.sh
rules: $(RULES:%=rule-%)

check: ## build with -Werror, unit and end to end tests, rules of the source
	@sh tests/deps.sh build test
	@$(MAKE) --no-print-directory -j$(JOBS) built
	@$(RUN) --begin
	@HISTORY_EVENTS=1 MODEL_SECONDS=2 $(MAKE) --no-print-directory -k -j2 tests rules; $(RUN) --end $$?

test: ## everything: check, the API's contract, the page, the image, a little torture, fuzzing and planting
	@sh tests/deps.sh build test browser image database
	@$(MAKE) --no-print-directory -j$(JOBS) built
	@$(RUN) --begin
	@status=0; \
	$(MAKE) --no-print-directory -k -j2 tests rules || status=1; \
	$(MAKE) --no-print-directory -k api browser image torture-short \
		pg-spike limits-short fuzz-short mutants-short || status=1; \
	$(RUN) --end $$status

image: ## build deploy/Dockerfile and run the image on a read-only root
	@sh tests/deps.sh build image
	@$(RUN) --as image sh tests/image.sh

# openapi.yaml against the linter and against recorded answers.
api: all tests/api/node_modules/.package-lock.json
	@$(RUN) --as api node tests/api/run.js

tests/api/node_modules/.package-lock.json: tests/api/package-lock.json
	cd tests/api && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The page, in a browser, against the server and the stand-in.
BROWSER  = tests/browser/node_modules/.package-lock.json
browser: all $(BROWSER) ## the page's tests in chromium (WORD= runs those whose name has it)
	@sh tests/deps.sh browser
	@TEST_SECONDS=1800 $(RUN) --as browser node tests/browser/run.mjs "$$WORD"

screenshots: $(BROWSER) ## every view of the page, into build/screenshots
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@BUILD=$(BUILD) node tests/browser/screenshots.mjs

$(BROWSER): tests/browser/package-lock.json
	@sh tests/deps.sh browser
	cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The binaries under test are the sanitized ones too: tests follow BUILD.
SAN      = OPT="-O1 -g -fno-omit-frame-pointer $(1)" HARDEN="-fno-common" \
	   LINKHARD= LDFLAGS="$(1)"
ASAN     = -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN     = -fsanitize=thread
# A report of any process, one that a test killed included, fails the run.
SAN_LOG  = log_path=$(CURDIR)/build/$(1)/reports/report

check-san: ## the tests again, with address+undefined and with thread sanitizers
	@sh tests/deps.sh build test
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/asan $(call SAN,$(ASAN)) built
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/tsan $(call SAN,$(TSAN)) built
	@rm -rf build/asan/reports build/tsan/reports
	@mkdir -p build/asan/reports build/tsan/reports
	@$(RUN) --begin
	@export RESULTS=$(BUILD)/results TEST_JOBS=3 HISTORY_EVENTS=1; \
	ASAN_OPTIONS=$(call SAN_LOG,asan):detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=$(call SAN_LOG,asan):print_stacktrace=1 \
	$(MAKE) --no-print-directory -k BUILD=build/asan $(call SAN,$(ASAN)) tests; \
	one=$$?; \
	TSAN_OPTIONS=$(call SAN_LOG,tsan):halt_on_error=1:second_deadlock_stack=1 \
	$(MAKE) --no-print-directory -k BUILD=build/tsan $(call SAN,$(TSAN)) tests; \
	two=$$?; \
	$(RUN) --as reports sh tests/checks/reports.sh build/asan/reports build/tsan/reports; \
	$(RUN) --end $$((one + two + $$?))

# One program with a sanitizer, for the planted faults that only it finds.
asan/%: ; @$(MAKE) --no-print-directory BUILD=build/asan $(call SAN,$(ASAN)) build/asan/$*
tsan/%: ; @$(MAKE) --no-print-directory BUILD=build/tsan $(call SAN,$(TSAN)) build/tsan/$*

mutants: all ## plant each fault of tests/mutants/: a test must find it
	@BUILD=$(BUILD) sh tests/mutants.sh $(NAMES)

mutants-short: all
	@SOME=4 $(RUN) --as mutants sh tests/mutants.sh

lint: ## gcc's and clang's analysers, more warnings of both, shellcheck
	@sh tests/deps.sh build test lint
	@sh tests/checks/lint.sh $(JOBS)

# What people would write instead, and what it needs; nothing else does.
PEERS    = $(BUILD)/bench/peers/node_modules/.package-lock.json
BENCHED  = $(BUILD)/shipfrom $(BUILD)/bench-onetxn/shipfrom \
	   $(BUILD)/bench-nostore/shipfrom
bench: ## webhooks a second side by side with what people would write instead: docs/benchmarks.md
	@sh tests/deps.sh build bench browser
	@$(MAKE) --no-print-directory -j$(JOBS) $(BENCHED) $(BENCH) all
	@$(MAKE) --no-print-directory $(PEERS) $(BROWSER)
	@BUILD=$(BUILD) sh tests/bench.sh

$(PEERS): $(wildcard tests/bench/peers/*)
	@mkdir -p $(BUILD)/bench/peers
	cp tests/bench/peers/* $(BUILD)/bench/peers
	cd $(BUILD)/bench/peers && npm_config_nodedir=/usr npm ci \
		--build-from-source --no-audit --no-fund --loglevel=error
	@touch $@

# Each parser of outside bytes, for a while; the corpus grows in build/.
FUZZ_SECONDS ?= 600
FUZZ_JOBS ?= 1
fuzz: ## feed each parser hostile bytes (FUZZ_SECONDS=600 each)
	@sh tests/deps.sh build test lint
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/fuzz CC=clang \
		OPT="-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" \
		HARDEN="-fno-common" LINKHARD= \
		LDFLAGS="-fsanitize=fuzzer,address,undefined" fuzzers
	@BUILD=build/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_JOBS=$(FUZZ_JOBS) \
		sh tests/fuzz.sh

fuzzers: $(FUZZ)
$(FUZZ): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/unit/fixture.o $(OBJ_LIB)
	$(call Q,LD)$(CC) $(LDFLAGS_ALL) $(FUZZ_LD) -o $@ $^ $(LIBS)
# Centra's replies come from the fuzzer.
FUZZ_REPLIES = $(addprefix $(BUILD)/tests/fuzz/,fuzz_reply fuzz_feeds fuzz_goods fuzz_order_api)
$(FUZZ_REPLIES): FUZZ_LD = -Wl,--wrap=transport_post
$(FUZZ_REPLIES): $(BUILD)/tests/fuzz/reply.o

UNITDIR  = $(PREFIX)/lib/systemd/system
DOCDIR   = $(PREFIX)/share/doc/shipfrom
# put FILE PLACE: what is installed names no path but its own.
put      = put() { sed 's|/usr/local|$(PREFIX)|g' "$$1" >"$(DESTDIR)$$2" && \
	   chmod 0644 "$(DESTDIR)$$2"; }
DOCS     = README.md CHANGELOG.md CONTRIBUTING.md openapi.yaml \
	   handlers/OFFERS.md centra/CONTRACT.md $(sort $(wildcard docs/*.md)) \
	   $(addprefix deploy/,shipfrom.ini haproxy.cfg nginx.conf alerts.yml)

# Builds nothing: run as root it would leave root's files in the tree, and
# without the libraries it would fail in the middle.
install: ## install under PREFIX what `make` has built (DESTDIR is put before it)
	@$(MAKE) --no-print-directory -q $(BUILD)/shipfrom 2>/dev/null || { \
		echo "$(BUILD)/shipfrom is not built, or older than its source."; \
		echo "As yourself:  make deps && make"; \
		echo "Then:         sudo make install"; exit 1; } >&2
	@install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(DOCDIR)/docs $(DESTDIR)$(DOCDIR)/deploy \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d
	@install -m 0755 $(BUILD)/shipfrom $(DESTDIR)$(PREFIX)/bin/shipfrom
	@install -m 0644 deploy/shipfrom.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/shipfrom.conf
	@install -m 0644 LICENSE $(DESTDIR)$(DOCDIR)/LICENSE
	@install -d $(DESTDIR)$(DOCDIR)/deploy/screenshots \
		$(DESTDIR)$(DOCDIR)/handlers $(DESTDIR)$(DOCDIR)/centra
	@install -m 0644 $(wildcard deploy/screenshots/*.png) \
		$(DESTDIR)$(DOCDIR)/deploy/screenshots
	@set -e; $(put); for unit in shipfrom.service shipfrom.socket; do \
		put deploy/$$unit $(UNITDIR)/$$unit; done; \
	for file in $(DOCS); do put $$file $(DOCDIR)/$$file; done
	@echo "installed: $(DESTDIR)$(PREFIX)/bin/shipfrom, the unit in" \
		"$(DESTDIR)$(UNITDIR), the documents in $(DESTDIR)$(DOCDIR)"

clean: ## remove all that was built
	rm -rf build tests/api/node_modules tests/browser/node_modules

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

.PHONY: all mutants mutants-short deps demo built unit e2e tests rules $(RULES:%=rule-%) check test api \
	image browser screenshots check-san lint bench fuzz fuzz-short fuzzers torture \
	torture-short limits limits-short chaos soak nosync install clean help
.SECONDARY:
.DELETE_ON_ERROR:
-include $(patsubst %.o,%.d,$(foreach v,nosync bench-onetxn bench-nostore,$(call VARIANT,$(v))))
-include $(OBJ:.o=.d) $(SIM_OBJ:.o=.d) $(HARNESS:.o=.d) $(WMS_HELP:.o=.d) $(UNIT_HELP:.o=.d) \
	$(UNIT:=.d) $(SUITE:=.d) $(BUILD)/tests/store/suite.d $(E2E:=.d) $(BENCH:=.d) $(TORTURE:=.d) \
	$(BENCH_HELP:.o=.d) $(FUZZ:=.d) $(BUILD)/tests/fuzz/reply.d
