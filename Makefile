# SPDX-License-Identifier: GPL-2.0-or-later
#
# All the rules. Run in the source root it configures and builds in build/;
# a build folder's own Makefile sets SRC and includes this file.
#
#   make             build/qemu-system and its links
#   make check       everything below plus lint; T=pattern selects programs
#   make lint        the rules of the house
#   make check-sanitize   the tests with AddressSanitizer and UndefinedBehaviorSanitizer, in build-sanitize/
#   make check-hosts tests on another kind of host, big-endian, by qemu-user
#   make fuzz        the fuzz targets, with clang, in build-fuzz/
#   make check-clients   real VNC viewers (packages from Debian)
#   make check-install   Debian installs itself, and what it installed boots (half an hour and more; a mirror of Debian)
#   make bench bench-block bench-ivshmem bench-9p bench-vnc demo install docs clean
#
# Sources are found by folder: a new .c file needs no line here. A room that
# needs more than that has a rules.mk, which is included below.

ifndef SRC
# ---------------------------------------------------------------- source root
NPROC := $(shell nproc 2>/dev/null || echo 1)
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(NPROC))

all:
# Before anything is configured: what the whole test or demonstration needs.
ifneq ($(filter check demo,$(MAKECMDGOALS)),)
build/config.mak: | setup
setup:
	@./scripts/setup-debian.sh || echo "Going on without."
.PHONY: setup
endif

# Every goal is the build folder's.
%: build/config.mak FORCE
	+@$(MAKE) --no-print-directory $(JOBS) -C build $@
all: build/config.mak
	+@$(MAKE) --no-print-directory $(JOBS) -C build all
build/config.mak:
	@./configure
Makefile: ;
FORCE:
.PHONY: all FORCE
# Folders of the same name as a goal must not hide it.
.PHONY: check check-clients check-install check-hosts check-sanitize check-oracle-long lint fuzz bench bench-block bench-ivshmem bench-9p bench-vnc demo install docs clean
check check-clients check-install check-hosts check-sanitize check-oracle-long lint fuzz bench bench-block bench-ivshmem bench-9p bench-vnc demo install docs clean: build/config.mak
	+@$(MAKE) --no-print-directory $(JOBS) -C build $@

else
# --------------------------------------------------------------- build folder
all:

include config.stamp
config.stamp: $(SRC)/configure
	@echo "configure changed: running it again"
	@./config.status

# Objects are shared between checkouts of the same text.
export CCACHE_NOHASHDIR := 1

# Position-independent with the executable's thread-local model: the same
# objects make the program and the library that the tests are linked with.
PIC := -fPIC -fno-semantic-interposition -ftls-model=initial-exec
CFLAGS := -std=gnu11 $(OPTIMISE) $(WARN) -fno-strict-aliasing -pthread $(PIC) $(SANFLAGS) \
          -fmacro-prefix-map=$(SRC)/= -I$(SRC) -Igenerated $(LIB_CFLAGS)
LDFLAGS := -pthread $(SANFLAGS) -Wl,-z,noexecstack,--as-needed
COMPILE = $(CCACHE) $(CC) $(CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

Q := @
ifeq ($(V),1)
Q :=
endif
say = @printf '  %-8s%s\n' $(1) $(2)

# ------------------------------------------------------------------- sources
ROOMS := util qobject qapi qom crypto vmstate memory tcg hw accel target block chardev net audio \
         fsdev ui migration dump monitor system libqmp libivshmem
SOURCES := $(sort $(shell cd $(SRC) && find $(ROOMS) -name '*.c' -o -name '*.S' 2>/dev/null))
SOURCES := $(filter-out qapi/gen/%,$(SOURCES))
ifneq ($(HOST_CPU),x86_64)
SOURCES := $(filter-out tcg/x86_64/%,$(SOURCES))
endif
TEST_SOURCES := $(sort $(shell cd $(SRC) && find tests -name 'test-*.c' -not -path 'tests/lib/*'))
TEST_LIB_SOURCES := $(sort $(shell cd $(SRC) && find tests/lib -name '*.c'))
TEST_SCRIPTS := $(sort $(shell cd $(SRC) && find tests -name 'test-*.sh'))
FUZZ_SOURCES := $(sort $(shell cd $(SRC) && find tests/fuzz -name 'fuzz-*.c' 2>/dev/null))
FUZZ_LIB_OBJS := tests/fuzz/machine.o tests/fuzz/image.o tests/lib/ivshmem-peer.o
BENCH_SOURCES := $(sort $(shell cd $(SRC) && find tests/bench -name 'bench-*.c' 2>/dev/null))

# --------------------------------------- the monitor's schema and its generator
# qapi-gen -o FOLDER SCHEMA writes exactly these files into FOLDER.
QAPI_GEN_FILES :=
QAPI_SCHEMA := qapi/schema.json
-include $(SRC)/qapi/rules.mk
QAPI_GEN_SOURCES := $(addprefix generated/qapi/,$(filter %.c,$(QAPI_GEN_FILES)))
QAPI_GEN_TOOL_OBJS := $(patsubst %.c,%.o,$(shell cd $(SRC) && \
                        find qapi/gen qobject -name '*.c' 2>/dev/null))

GENERATED_STAMPS :=
ifneq ($(QAPI_GEN_FILES),)
GENERATED_STAMPS += generated/qapi.stamp
generated/qapi.stamp: qapi/gen/qapi-gen $(shell find $(SRC)/qapi -name '*.json' -o -name '*.names')
	$(call say,QAPI,$(QAPI_SCHEMA))
	$(Q)rm -rf generated/qapi.new && mkdir -p generated/qapi generated/qapi.new
	$(Q)$(RUN) ./qapi/gen/qapi-gen -o generated/qapi.new -d generated/qapi.new \
	    -c $(SRC)/qapi/qemu-7.2.names $(SRC)/$(QAPI_SCHEMA)
	$(Q)for f in $(QAPI_GEN_FILES); do \
	    cmp -s generated/qapi.new/$$f generated/qapi/$$f || \
	        cp generated/qapi.new/$$f generated/qapi/$$f || exit 1; \
	done
	$(Q)rm -rf generated/qapi.new; touch $@
$(addprefix generated/qapi/,$(QAPI_GEN_FILES)): generated/qapi.stamp ;
endif

qapi/gen/qapi-gen: $(QAPI_GEN_TOOL_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# ------------------------------------------------------------------ firmware
# firmware/rules.mk adds what it builds to FIRMWARE, by its path here.
FIRMWARE :=
-include $(SRC)/firmware/rules.mk

# ------------------------------------------------------------------- objects
OBJS := $(addsuffix .o,$(basename $(SOURCES))) $(QAPI_GEN_SOURCES:.c=.o)
MAIN_OBJ := system/main.o
CORE_OBJS := $(filter-out $(MAIN_OBJ),$(OBJS))
# What compares with the host's own processor is for hosts that have it.
ifneq ($(HOST_CPU),x86_64)
TEST_LIB_SOURCES := $(filter-out tests/lib/x86-%,$(TEST_LIB_SOURCES))
endif
TEST_LIB_OBJS := $(TEST_LIB_SOURCES:.c=.o)
TEST_PROGRAMS := $(TEST_SOURCES:.c=)
# Each fuzz target is also an ordinary program that replays its corpus.
REPLAYS := $(patsubst tests/fuzz/fuzz-%.c,tests/fuzz/replay-%,$(FUZZ_SOURCES))
ALL_OBJS := $(sort $(OBJS) $(QAPI_GEN_TOOL_OBJS) $(TEST_LIB_OBJS) $(TEST_SOURCES:.c=.o) \
            $(FUZZ_SOURCES:.c=.o) $(BENCH_SOURCES:.c=.o) $(patsubst %.c,%.o,$(shell cd $(SRC) && \
            find tools -name '*.c' 2>/dev/null)) tests/harness/tap-run.o tests/fuzz/replay.o $(FUZZ_LIB_OBJS))

$(shell mkdir -p $(sort $(dir $(ALL_OBJS))))

# Programs beside the emulator: tools/NAME/*.c with the rooms that they may use, and of the others
# what these need.
TOOLS := $(filter-out qemu-smb-peer,$(notdir $(wildcard $(SRC)/tools/*)))
TOOL_SOURCES := $(sort $(shell cd $(SRC) && find tools -name '*.c' 2>/dev/null))
TOOL_OBJS := $(TOOL_SOURCES:.c=.o)
TOOL_LIB_OBJS = $(filter util/% qobject/% qapi/% qom/% crypto/% libqmp/% libivshmem/% generated/qapi/%,$(CORE_OBJS))
TOOL_ROOM_OBJS = $(filter block/%,$(CORE_OBJS))

PROGRAM := qemu-system
ARCHS := x86_64 i386 m68k
LINKS := $(addprefix qemu-system-,$(ARCHS))

LIBQMP :=
LIBIVSHMEM :=
-include $(SRC)/libqmp/rules.mk $(SRC)/libivshmem/rules.mk $(SRC)/tools/qemu-smb-peer/rules.mk

# Man pages: tools/NAME/NAME.SECTION, and the program's from what -help prints.
MAN_PAGES := $(patsubst $(SRC)/%,%,$(wildcard $(SRC)/tools/*/*.[18]))
$(PROGRAM).1: $(PROGRAM) $(SRC)/scripts/man-options.awk
	$(call say,MAN,$@)
	$(Q)./$(PROGRAM) -help | awk -f $(SRC)/scripts/man-options.awk >$@.new && mv $@.new $@

all: $(PROGRAM) $(PROGRAM).1 $(LINKS) $(TOOLS) $(LIBQMP) $(LIBIVSHMEM) $(FIRMWARE)

$(filter-out $(QAPI_GEN_TOOL_OBJS),$(ALL_OBJS)): | $(GENERATED_STAMPS)

C_OBJS := $(filter-out generated/%,$(ALL_OBJS))
S_OBJS := $(patsubst %.S,%.o,$(filter %.S,$(SOURCES)))
# Loops over pixels: worth more of the compiler's time.
PIXEL_OBJS := $(filter ui/vnc/enc%.o,$(OBJS)) $(patsubst %,ui/vnc/vnc-%.o,format screen job motion) \
              hw/display/vga-paint.o
$(PIXEL_OBJS): CFLAGS += $(if $(filter -O2,$(OPTIMISE)),-O3)
$(filter-out $(S_OBJS),$(C_OBJS)): %.o: $(SRC)/%.c config.mak
	$(call say,CC,$@)
	$(Q)$(COMPILE)
$(S_OBJS): %.o: $(SRC)/%.S config.mak
	$(call say,AS,$@)
	$(Q)$(COMPILE)
$(QAPI_GEN_SOURCES:.c=.o): %.o: %.c config.mak
	$(call say,CC,$@)
	$(Q)$(COMPILE)

# The list of objects is a dependency of its own: a removed file relinks.
OBJS_NOW := $(OBJS)
ifneq ($(OBJS_NOW),$(file <objects.list))
$(file >objects.list,$(OBJS_NOW))
endif

# Libraries that few runs need are loaded when they are (util/lazy-lib.h).
ifneq ($(LAZY_LIBS),)
LAZY_OBJ := generated/lazy-libs.o
generated/lazy-libs.stamp: $(OBJS) objects.list $(SRC)/util/lazy-lib.awk config.mak
	$(call say,LAZY,generated/lazy-libs.S)
	$(Q){ for lib in $(LAZY_LIBS); do \
	    echo "lib $$(LC_ALL=C readelf -d $$lib | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')"; \
	    nm -D --defined-only $$lib | sed -n 's/^[0-9a-f]* [TWi] \([^@]*\).*/fn \1/p'; \
	done; nm -u $(OBJS) | sed -n 's/^ *U /use /p'; } | awk -f $(SRC)/util/lazy-lib.awk > $@
	$(Q)cmp -s $@ generated/lazy-libs.S || cp $@ generated/lazy-libs.S
generated/lazy-libs.S: generated/lazy-libs.stamp ;
generated/lazy-libs.o: generated/lazy-libs.S
	$(call say,AS,$@)
	$(Q)$(CC) $(PIC) -c -o $@ $<
endif

$(PROGRAM): $(OBJS) $(LAZY_OBJ) objects.list
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(OBJS) $(LAZY_OBJ) $(EAGER_LIBS)
$(LINKS): | $(PROGRAM)
	$(Q)ln -sf $(PROGRAM) $@

libtools.a: $(TOOL_LIB_OBJS) objects.list
	$(Q)rm -f $@ && ar rcs $@ $(TOOL_LIB_OBJS)
$(filter-out qemu-state,$(TOOLS)): %: $(TOOL_OBJS) $(TOOL_ROOM_OBJS) libtools.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter tools/$@/%,$^) $(TOOL_ROOM_OBJS) libtools.a $(LIBS)

# Knows every device.
qemu-state: $(filter tools/qemu-state/%,$(TOOL_OBJS)) $(CORE_OBJS) objects.list
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

# --------------------------------------------------------------------- tests
# Everything but main() as a shared library: a test program links in no time,
# and needs no new link when only the library has changed.
CORE_LIB := libqemu-core.so
$(CORE_LIB): $(CORE_OBJS) objects.list
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -shared $(ZDEFS) -Wl,-Bsymbolic -o $@ $(CORE_OBJS) $(LIBS)

TEST_LINK = $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) \
            -L. -Wl,--no-as-needed -lqemu-core -Wl,--as-needed -Wl,-rpath,$(CURDIR) $(LIBS)
$(TEST_PROGRAMS): %: %.o $(TEST_LIB_OBJS) | $(CORE_LIB)
	$(call say,LINK,$@)
	$(Q)$(TEST_LINK)
$(REPLAYS): tests/fuzz/replay-%: tests/fuzz/fuzz-%.o tests/fuzz/replay.o $(FUZZ_LIB_OBJS) | $(CORE_LIB)
	$(call say,LINK,$@)
	$(Q)$(TEST_LINK)
tests/bench/bench-vnc: tests/lib/rfb-client.o tests/lib/rfb-decode.o
$(BENCH_SOURCES:.c=): %: %.o | $(CORE_LIB)
	$(call say,LINK,$@)
	$(Q)$(TEST_LINK)

tests/harness/tap-run: tests/harness/tap-run.o
	$(Q)$(CC) $(LDFLAGS) -o $@ $<

# Limits are there to end what hangs; a busy host is no fault. How many times as long tests may take:
PATIENCE := $(if $(SANFLAGS),10,3)

T :=
ALL_TESTS := $(TEST_PROGRAMS) $(REPLAYS) $(addprefix $(SRC)/,$(TEST_SCRIPTS))
TESTS_TO_RUN := $(if $(T),$(shell printf '%s\n' $(ALL_TESTS) | grep -E -e '$(value T)'),$(ALL_TESTS))

test-programs: $(TEST_PROGRAMS) $(REPLAYS) $(BENCH_SOURCES:.c=) $(CORE_LIB)
check: all $(filter $(TEST_PROGRAMS) $(REPLAYS),$(TESTS_TO_RUN)) $(CORE_LIB) tests/harness/tap-run
	@+$(if $(T),,$(MAKE) -k --no-print-directory lint > lint.log 2>&1; echo $$? > lint.status)
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) SRC_DIR=$(abspath $(SRC)) BUILD_DIR=$(CURDIR) \
	 CHECK_PATIENCE=$(PATIENCE) tests/harness/tap-run $(if $(T),,$(SRC)/tests/lint/result.sh) $(TESTS_TO_RUN)

check-hosts:
	+$(Q)$(SRC)/scripts/check-hosts.sh

# A build folder of its own, whose check takes the same T.
check-sanitize:
	$(Q)mkdir -p $(abspath $(SRC))/build-sanitize
	$(Q)cd $(abspath $(SRC))/build-sanitize && { test -e config.mak || ../configure \
	    --enable-sanitizers=address,undefined; }
	+$(Q)$(MAKE) --no-print-directory -C $(abspath $(SRC))/build-sanitize check T='$(subst $$,$$$$,$(value T))'

lint: all

# Random x86 instructions against the host CPU, some ORACLE million of them, with a seed a round.
ORACLE ?= 50
check-oracle-long: tests/target/i386/test-native tests/target/i386/test-native-vec
	$(Q)$(SRC)/tests/target/i386/oracle-long.sh $(ORACLE)

# ---------------------------------------------------------------------- fuzz
ifeq ($(FUZZING),yes)
$(FUZZ_SOURCES:.c=): %: %.o $(FUZZ_LIB_OBJS) | $(CORE_LIB)
	$(call say,LINK,$@)
	$(Q)$(TEST_LINK) $(FUZZLINK)
fuzz: $(FUZZ_SOURCES:.c=) $(CORE_LIB)
else
fuzz:
	$(Q)mkdir -p $(abspath $(SRC))/build-fuzz
	$(Q)cd $(abspath $(SRC))/build-fuzz && { test -e config.mak || ../configure --cc=clang \
	    --enable-fuzzing --enable-sanitizers=address,undefined; }
	+$(Q)$(MAKE) --no-print-directory -C $(abspath $(SRC))/build-fuzz fuzz
endif

# ------------------------------------------------- use: demo, bench, install
demo: all
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) BUILD_DIR=$(CURDIR) $(SRC)/scripts/demo.sh
bench: all $(BENCH_SOURCES:.c=) $(CORE_LIB)
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) BUILD_DIR=$(CURDIR) SRC_DIR=$(abspath $(SRC)) \
	 $(SRC)/tests/bench/run.sh $(BENCH_ARGS)

# What each decision of the code generator brings, by leaving it out.
.PHONY: bench-ablation
bench-ablation: all
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) BUILD_DIR=$(CURDIR) SRC_DIR=$(abspath $(SRC)) \
	 $(SRC)/tests/bench/ablation.sh $(BENCH_ARGS)

# Programs it wasn't tuned on.
.PHONY: bench-programs
bench-programs: all
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) $(SRC)/tests/bench/programs.sh $(BENCH_ARGS)

bench-block: all
	@BUILD_DIR=$(CURDIR) $(SRC)/tests/bench/bench-block.sh $(BENCH_ARGS)
bench-9p: all
	@BUILD_DIR=$(CURDIR) $(SRC)/tests/bench/bench-9p.sh $(BENCH_ARGS)
bench-ivshmem: all tests/bench/bench-ivshmem
	@BUILD_DIR=$(CURDIR) $(SRC)/tests/bench/bench-ivshmem.sh $(BENCH_ARGS)

bench-vnc: all tests/bench/bench-vnc $(CORE_LIB)
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) SRC_DIR=$(abspath $(SRC)) tests/bench/bench-vnc
# Slow, and they need viewers and an X server: not a part of check.
check-clients: all tests/harness/tap-run
	@QEMU_BIN=$(CURDIR)/qemu-system-x86_64 SRC_DIR=$(abspath $(SRC)) BUILD_DIR=$(CURDIR) CHECK_JOBS=1 \
	 tests/harness/tap-run $(sort $(wildcard $(abspath $(SRC))/tests/clients/*.sh))
# Half an hour and more; INSTALL='seabios ovmf libvirt' takes some of them.
check-install: all
	@QEMU_BIN=$(CURDIR)/$(PROGRAM) SRC_DIR=$(abspath $(SRC)) BUILD_DIR=$(CURDIR) \
	 $(abspath $(SRC))/tests/guests/install.sh $(INSTALL)

DOCS := $(sort $(shell cd $(SRC) && find docs -name '*.md' 2>/dev/null))
GENERATED_DOCS := $(addprefix generated/qapi/,$(filter %.md %.html,$(QAPI_GEN_FILES)))
docs: $(GENERATED_DOCS)
	$(Q)mkdir -p $(sort $(dir $(DOCS)) docs)
	$(Q)for f in $(DOCS); do cp $(SRC)/$$f $$f || exit 1; done
	$(Q)cp $(SRC)/docs/*.svg docs/
	$(Q)for f in $(GENERATED_DOCS); do cp $$f docs/ || exit 1; done
	@echo "The manual is in $(CURDIR)/docs"

DATADIR := $(DESTDIR)$(PREFIX)/share/$(PROGRAM)
DOCDIR := $(DESTDIR)$(PREFIX)/share/doc/$(PROGRAM)
MANDIR := $(DESTDIR)$(PREFIX)/share/man
install: all docs
	install -d $(DESTDIR)$(PREFIX)/bin $(DATADIR) $(DOCDIR)
	install -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/
	for l in $(LINKS); do ln -sf $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/$$l || exit 1; done
	for t in $(TOOLS); do install -m 755 $$t $(DESTDIR)$(PREFIX)/bin/ || exit 1; done
	for f in $(FIRMWARE); do install -m 644 $$f $(DATADIR)/ || exit 1; done
	install -d $(MANDIR)/man1 $(MANDIR)/man8
	install -m 644 $(PROGRAM).1 $(MANDIR)/man1/
	for l in $(LINKS); do ln -sf $(PROGRAM).1 $(MANDIR)/man1/$$l.1 || exit 1; done
	for m in $(MAN_PAGES); do install -m 644 $(SRC)/$$m $(MANDIR)/man$${m##*.}/ || exit 1; done
	cp -r $(SRC)/guest $(DATADIR)/
	cp -r docs/. $(DOCDIR)/
	$(MAKE) install-libqmp install-libivshmem

clean:
	$(Q)find . -name '*.[od]' -delete
	$(Q)rm -rf $(PROGRAM) $(PROGRAM).1 $(LINKS) $(TOOLS) libtools.a $(CORE_LIB) $(TEST_PROGRAMS) generated/qapi generated/*.stamp

.PHONY: all check check-clients check-install check-hosts check-sanitize lint fuzz bench bench-block bench-ivshmem bench-9p bench-vnc demo install docs clean test-programs
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

-include $(wildcard $(SRC)/tests/rules.mk $(SRC)/docs/rules.mk $(SRC)/guest/rules.mk)
-include $(ALL_OBJS:.o=.d)
endif
