# SPDX-License-Identifier: GPL-2.0-or-later
# The 286, by what tells it from others (old.inc).
# ARGUMENTS: -cpu 286
.include "old.inc"
