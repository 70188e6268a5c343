# SPDX-License-Identifier: GPL-2.0-or-later
# What qapi-gen writes: three pairs for each module of the schema, and the list.
QAPI_MODULES := schema $(shell sed -n "s/^{ 'include': '\(.*\)\.json' }/\1/p" $(SRC)/$(QAPI_SCHEMA))
QAPI_GEN_FILES := schema.c qmp-calls.c qmp-calls.h qmp-reference.md qmp-reference.html qmp-coverage.md \
    $(foreach m,$(QAPI_MODULES),$(foreach k,types commands events,$(k)-$(m).c $(k)-$(m).h))

# A second schema, for the generator's own test.
QAPI_TEST_SCHEMA := tests/qapi/schema-test.json
generated/tests-qapi.stamp: qapi/gen/qapi-gen $(SRC)/$(QAPI_TEST_SCHEMA)
	$(call say,QAPI,$(QAPI_TEST_SCHEMA))
	$(Q)mkdir -p generated/tests/qapi/gen
	$(Q)$(RUN) ./qapi/gen/qapi-gen -o generated/tests/qapi/gen -p test- -i tests/qapi/gen \
	    -d generated/tests/qapi/gen $(SRC)/$(QAPI_TEST_SCHEMA)
	$(Q)touch $@
tests/qapi/test-qapi.o: generated/tests-qapi.stamp

# The page in docs/ is the generated one; tests/monitor/test-coverage.sh looks.
.PHONY: qmp-coverage
qmp-coverage: generated/qapi/qmp-coverage.md
	$(Q)cp $< $(SRC)/docs/qmp-coverage.md
