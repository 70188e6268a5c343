# SPDX-License-Identifier: GPL-2.0-or-later
#
# make lint: the rules of the house, checked. Each check leaves a stamp and runs
# again only when what it reads has changed.

LINT := $(SRC)/tests/lint
LINT_FILES := $(shell cd $(SRC) && find $(ROOMS) tools guest tests -name '*.[chS]' 2>/dev/null)
# Programs for guests are not part of this house.
LINT_FILES := $(filter-out tests/guests/src/%,$(LINT_FILES))
LINT_HEADERS := $(sort $(filter %.h,$(LINT_FILES)))
LINT_HEADER_OBJS := $(LINT_HEADERS:%=lint/%.o)
ifneq ($(filter lint check,$(MAKECMDGOALS)),)
$(shell mkdir -p $(sort $(dir $(LINT_HEADER_OBJS))))
endif

# Every header compiles alone.
$(LINT_HEADER_OBJS): lint/%.o: $(SRC)/% config.mak | $(GENERATED_STAMPS)
	@echo '#include "$*"' > $(@:.o=.c)
	@$(CCACHE) $(CC) $(CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $(@:.o=.c)
-include $(LINT_HEADER_OBJS:.o=.d)

lint/rooms.ok: $(addprefix $(SRC)/,$(LINT_FILES)) $(LINT)/rooms.awk
	@cd $(SRC) && awk -f tests/lint/rooms.awk $(LINT_FILES)
	@touch $@

lint/libc.ok: $(filter qobject/% libqmp/% libivshmem/%,$(OBJS)) $(LINT)/libc.awk
	@nm -A -u $(filter %.o,$^) | awk -f $(LINT)/libc.awk
	@touch $@

LINT_OBJECT_CHECKS :=
# A sanitizer adds data and calls of its own.
ifeq ($(SANFLAGS),)
LINT_OBJECT_CHECKS := lint/data.ok lint/quiet.ok
endif
LINT_REGISTRIES := $(wildcard $(LINT)/registries/*.txt)

lint/data.ok: $(OBJS) $(LINT)/data.awk $(LINT_REGISTRIES)
	@nm -A -f sysv --defined-only $(OBJS) 2>/dev/null | \
	    awk -f $(LINT)/data.awk $(LINT_REGISTRIES) -
	@touch $@

lint/quiet.ok: $(OBJS) $(LINT)/quiet.awk
	@objdump -dr $(filter monitor/%,$(OBJS)) \
	    $$(grep -l 'qmp_[a-z]' $(filter-out monitor/% generated/% qapi/% libqmp/%,$(OBJS))) \
	    /dev/null 2>/dev/null | awk -f $(LINT)/quiet.awk
	@touch $@

lint: $(LINT_HEADER_OBJS) lint/rooms.ok lint/libc.ok $(LINT_OBJECT_CHECKS)
	@echo "lint: $(words $(LINT_FILES)) files"
