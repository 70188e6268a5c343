# SPDX-License-Identifier: GPL-2.0-or-later
# The 8086, by what tells it from others (old.inc).
# ARGUMENTS: -cpu 8086
.include "old.inc"
