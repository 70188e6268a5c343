/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the translator is about to provide. */
#ifndef TARGET_I386_WEAK_H
#define TARGET_I386_WEAK_H
#pragma weak x86_get_eflags
#pragma weak x86_set_eflags
#pragma weak x86_translate
#endif
