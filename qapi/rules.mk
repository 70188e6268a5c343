# SPDX-License-Identifier: GPL-2.0-or-later
# What qapi-gen writes: three pairs for each module of the schema, and the list.
QAPI_MODULES := schema $(shell sed -n "s/^{ 'include': '\(.*\)\.json' }/\1/p" $(SRC)/$(QAPI_SCHEMA))
QAPI_GEN_FILES := schema.c qmp-reference.md \
    $(foreach m,$(QAPI_MODULES),$(foreach k,types commands events,$(k)-$(m).c $(k)-$(m).h))
