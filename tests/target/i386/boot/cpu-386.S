# SPDX-License-Identifier: GPL-2.0-or-later
# The 386, by what tells it from others (old.inc).
# ARGUMENTS: -cpu 386
.include "old.inc"
