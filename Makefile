# retailml: build, test, bench.  `make help` lists the targets.
#
# Nothing here names a source file: a new src/<area>/X.c, src/<area>/X_sql.c, sql/modules/NN-X.sql,
# test/unit/test_X.c, test/sql/X.sql, test/fuzz/X.c or test/t/X.sh is picked up by being there.

EXTENSION = retailml
MODULE_big = retailml
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" retailml.control)

# everything generated goes under $(BUILD), except the two files PGXS wants beside the control file
BUILD ?= build
# absolute, so that make and the harness, which calls it, mean the same targets
override BUILD := $(abspath $(BUILD))
# WERROR=1 is the build of the tests: warnings are errors, assertions are on
WERROR ?=
OBJDIR := $(BUILD)/$(if $(WERROR),strict,release)

SOURCES := $(sort $(wildcard src/*/*.c))
BINDING_SRC := $(filter %_sql.c,$(SOURCES))
KERNEL_SRC := $(filter-out %_sql.c,$(SOURCES))
KERNEL_OBJS := $(KERNEL_SRC:%.c=$(OBJDIR)/%.o)
BINDING_OBJS := $(BINDING_SRC:%.c=$(OBJDIR)/%.o)
OBJS = $(KERNEL_OBJS) $(BINDING_OBJS)

INSTALL_SQL := sql/retailml--$(EXTVERSION).sql
SQL_MODULES := $(sort $(wildcard sql/modules/*.sql))
# `make demo DATA=log.csv` takes a variable that PGXS also has
DEMO_DATA := $(if $(filter command environment,$(firstword $(origin DATA))),$(DATA))
override DATA = $(wildcard sql/retailml--*--*.sql)
DATA_built = $(INSTALL_SQL)

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=. --load-extension=pgtap --load-extension=retailml

# A kernel sees neither PostgreSQL's include path nor its flags.  Results must be the same on every
# machine: no contraction to FMA, no fast-math, no -march.  Hidden, because PostgreSQL loads
# modules with RTLD_GLOBAL; only kernels, because hiding the bindings hides Pg_magic_func before 16.
KERNEL_CFLAGS = -std=gnu11 -O3 -g -fPIC -fvisibility=hidden -fstack-protector-strong \
	-ffp-contract=off -fno-strict-aliasing -fno-math-errno -fno-trapping-math -pthread -Wall -Wmissing-prototypes \
	-Wpointer-arith
KERNEL_CPPFLAGS = -Iinclude -D_GNU_SOURCE
# -Wno-unused-parameter: callbacks have signatures that others fixed
WARNINGS = -Wall -Wextra -Werror -Wno-unused-parameter
DEPFLAGS = -MMD -MP

# --as-needed is in PostgreSQL's LDFLAGS: a library that nothing calls is not loaded.
# OpenBLAS is absent on purpose: it is opened at run time by the first fit that needs it.
SHLIB_LINK = -pthread -ldl -lm

PG_CPPFLAGS = -Iinclude
PG_CFLAGS = -ffp-contract=off
ifneq ($(WERROR),)
KERNEL_CFLAGS += $(WARNINGS)
# PostgreSQL's headers compare signed with unsigned and leave fields out in inline functions
PG_CFLAGS += $(WARNINGS) -Wno-sign-compare -Wno-missing-field-initializers
PG_CPPFLAGS += -DUSE_ASSERT_CHECKING=1
endif

# bitcode would need the very clang that PostgreSQL was built with, and inlines nothing here
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
HARNESS = test/harness
export PG_CONFIG BUILD

EXTRA_CLEAN = $(addprefix $(BUILD)/,release strict san clang corpus log regress modules.list .lock) \
	results regression.diffs regression.out

ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
# a fresh machine: `make test`, `make demo` and `make setup` install what is missing and come back
all install uninstall installcheck:
	@echo "PostgreSQL's server headers are not installed: run make setup" >&2; exit 1
clean:
	rm -rf $(INSTALL_SQL) retailml.so $(EXTRA_CLEAN)
.PHONY: all install uninstall installcheck clean
endif

# ---------------------------------------------------------------- the module

$(KERNEL_OBJS): $(OBJDIR)/%.o: %.c $(OBJDIR)/kernel.flags
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) $(KERNEL_CPPFLAGS) $(DEPFLAGS) -c -o $@ $<

$(BINDING_OBJS): $(OBJDIR)/%.o: %.c $(OBJDIR)/binding.flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(DEPFLAGS) -c -o $@ $<

# changed flags rebuild, unchanged ones do not
$(OBJDIR)/kernel.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(KERNEL_CFLAGS) $(KERNEL_CPPFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(KERNEL_CFLAGS) $(KERNEL_CPPFLAGS)' > $@
$(OBJDIR)/binding.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(CPPFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(CPPFLAGS)' > $@

# a source that was removed must leave the module too
$(OBJDIR)/objects.list: FORCE
	@mkdir -p $(@D)
	@echo '$(OBJS)' | cmp -s - $@ || echo '$(OBJS)' > $@
retailml.so: $(OBJDIR)/objects.list

# the module of this build directory, which the private installation takes (moved into place, so
# that a server that has the old one mapped keeps it)
$(OBJDIR)/retailml.so: $(OBJS) $(OBJDIR)/objects.list
	$(CC) $(CFLAGS) -shared -o $@.new $(OBJS) $(LDFLAGS) $(LDFLAGS_SL) $(SHLIB_LINK)
	mv -f $@.new $@

# modules are numbered, so sorted order is the order of dependencies
$(INSTALL_SQL): $(SQL_MODULES) retailml.control $(BUILD)/modules.list
	@{ echo '/* generated from sql/modules by make: do not edit */'; \
	   printf '%s\n' '\echo Use "CREATE EXTENSION retailml" to load this file. \quit'; \
	   for module in $(SQL_MODULES); do echo; cat "$$module"; done; } > $@.new
	mv -f $@.new $@
$(BUILD)/modules.list: FORCE
	@mkdir -p $(@D)
	@echo '$(SQL_MODULES)' | cmp -s - $@ || echo '$(SQL_MODULES)' > $@

# into the tree that $(DESTDIR) holds, by the paths of pg_config
private-install: $(OBJDIR)/retailml.so $(INSTALL_SQL)
	$(if $(DESTDIR),,$(error private-install needs DESTDIR))
	mkdir -p '$(DESTDIR)$(pkglibdir)' '$(DESTDIR)$(datadir)/extension'
	install -m 755 $(OBJDIR)/retailml.so '$(DESTDIR)$(pkglibdir)/'
	install -m 644 retailml.control $(INSTALL_SQL) $(DATA) '$(DESTDIR)$(datadir)/extension/'

# ---------------------------------------------------------------- unit tests and fuzz targets

SAN_CFLAGS = -std=gnu11 -O1 -g -fno-omit-frame-pointer -ffp-contract=off -pthread \
	-fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wmissing-prototypes $(WARNINGS)
SAN_CPPFLAGS = -Iinclude -Itest/unit -D_GNU_SOURCE -DRMLTEST_GOLDEN='"$(CURDIR)/test/golden"'
SANDIR := $(BUILD)/san
SAN_KERNEL_OBJS := $(KERNEL_SRC:%.c=$(SANDIR)/%.o)
SAN_UNIT_OBJS := $(SANDIR)/test/unit/unit.o
UNIT_SRC := $(sort $(wildcard test/unit/test_*.c))
UNIT_PROGRAMS := $(UNIT_SRC:test/unit/%.c=$(SANDIR)/%)
FUZZ_SRC := $(sort $(wildcard test/fuzz/*.c))
FUZZ_PROGRAMS := $(FUZZ_SRC:test/fuzz/%.c=$(SANDIR)/fuzz_%)
FUZZ_CLANG := $(FUZZ_SRC:test/fuzz/%.c=$(BUILD)/clang/fuzz_%)

$(SANDIR)/%.o: %.c $(SANDIR)/san.flags
	@mkdir -p $(@D)
	$(CC) $(SAN_CFLAGS) $(SAN_CPPFLAGS) $(DEPFLAGS) -c -o $@ $<
$(SANDIR)/san.flags: FORCE
	@mkdir -p $(@D)
	@echo "$(CC) $(SAN_CFLAGS) $(KERNEL_SRC)" | cmp -s - $@ || \
		echo "$(CC) $(SAN_CFLAGS) $(KERNEL_SRC)" > $@
$(SANDIR)/test_%: $(SANDIR)/test/unit/test_%.o $(SAN_UNIT_OBJS) $(SAN_KERNEL_OBJS)
	$(CC) $(SAN_CFLAGS) -o $@ $^ -ldl -lm
$(SANDIR)/fuzz_%: $(SANDIR)/test/fuzz/%.o $(SANDIR)/test/harness/fuzz_main.o $(SAN_UNIT_OBJS) \
		$(SAN_KERNEL_OBJS)
	$(CC) $(SAN_CFLAGS) -o $@ $^ -ldl -lm
.SECONDARY:

unit-programs: $(UNIT_PROGRAMS)
fuzz-programs: $(FUZZ_PROGRAMS)

unit: unit-programs
	@$(HARNESS)/run.sh unit

# `make fuzz` explores (libFuzzer, clang); `make test` only replays a bounded, fixed run (gcc)
CLANG ?= $(firstword $(shell command -v clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14))
FUZZ_SECONDS ?= 60
FUZZ_CFLAGS = -std=gnu11 -O1 -g -fno-omit-frame-pointer -ffp-contract=off \
	-fsanitize=address,undefined -fno-sanitize-recover=all
$(BUILD)/clang/fuzz_%: test/fuzz/%.c test/unit/unit.c $(KERNEL_SRC)
	@test -n "$(CLANG)" || { echo "make fuzz needs clang" >&2; exit 1; }
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer $(SAN_CPPFLAGS) -o $@ $^ -ldl -lm
fuzz: $(FUZZ_CLANG)
	@for program in $(FUZZ_CLANG); do \
		corpus=$(BUILD)/corpus/$$(basename $$program); mkdir -p $$corpus; \
		echo "== $$program"; \
		$$program -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(BUILD)/ $$corpus || exit 1; \
	done

# ---------------------------------------------------------------- everything else

test:
	@$(HARNESS)/run.sh

setup:
	@$(HARNESS)/setup.sh

# A transaction log of your own: make demo DATA=log.csv CUSTOMER=... ORDER=... DATE=... PRODUCT=...
demo: setup
	@DATA='$(DEMO_DATA)' $(HARNESS)/server.sh run $(HARNESS)/demo.sh

bench: setup
	@$(HARNESS)/server.sh run test/bench/run

reference: setup
	@$(HARNESS)/server.sh run $(HARNESS)/reference.sh docs/reference.md

# fills in the output below the SQL of the pages that show some (test/t/demo.sh checks them)
PAGES = README.md docs/tutorial.md docs/tutorial-segments.md docs/tutorial-churn.md docs/tutorial-recommend.md \
	docs/tutorial-monthly.md docs/operations.md docs/registry.md docs/snapshot.md docs/evaluation.md \
	docs/tuning.md docs/explain.md $(addprefix docs/algorithms/, \
	kmeans.md kprototypes.md matching.md segment-names.md segment-rules.md linreg.md logreg.md tree.md \
	forest.md boost.md churn.md ltv.md svdpp.md)
pages: setup
	@$(HARNESS)/server.sh run $(HARNESS)/demo_pages.sh write $(PAGES)
pages-list:
	@echo $(PAGES)

C_FILES = $(wildcard include/retailml/*.h src/*/*.[ch] test/unit/*.[ch] test/fuzz/*.[ch] \
	test/harness/*.[ch])
SH_FILES = $(wildcard test/harness/*.sh test/t/*.sh) .ci/run
lint:
	@$(HARNESS)/lint.sh $(C_FILES) $(SH_FILES)
format:
	clang-format-14 -i $(C_FILES)

help:
	@echo 'make                 build the extension for the PostgreSQL of $$PG_CONFIG'
	@echo 'make install         install it (as root)'
	@echo 'make test            everything: setup, strict build, all tests; ends with the counts'
	@echo 'make unit            unit tests of the kernels, under sanitizers'
	@echo 'make installcheck    the SQL tests against a running server'
	@echo 'make demo            the demonstration, on a private server (DATA=file.csv[.gz] for yours)'
	@echo 'make bench           measurements, ours and the peers'
	@echo 'make fuzz            libFuzzer on every target, FUZZ_SECONDS=60 each (needs clang)'
	@echo 'make reference       write docs/reference.md from the comments of the catalog'
	@echo 'make pages           run the SQL of the pages that have some, and fill in its output'
	@echo 'make lint / format   check / apply clang-format; shellcheck'
	@echo 'make setup           install the packages that are missing'
	@echo 'make clean           remove what was built'
	@echo 'test/harness/server.sh start    a private server to play with'

.PHONY: test setup unit unit-programs fuzz-programs demo bench fuzz lint format help reference pages \
	pages-list \
	private-install FORCE
FORCE:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
