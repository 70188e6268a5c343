/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tcg/exec.h"

/* Weak references: null in a program without the accelerator. */
TcgSlowPaths tcg_slow_paths = {
    .ld = tcg_slow_ld, .st = tcg_slow_st, .ld_buf = tcg_slow_ld_buf, .st_buf = tcg_slow_st_buf,
    .probe = tcg_slow_probe, .atomic = tcg_slow_atomic,
};

TcgSwitches tcg_switches = { .page_hints = true, .page_sharing = true, .residents = true, .quick_thunks = true,
                              .bulk = true };
