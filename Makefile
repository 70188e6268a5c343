# SPDX-License-Identifier: GPL-2.0-or-later
# Bootstrap; see configure and docs/architecture.md.
all:
	@echo nothing yet
