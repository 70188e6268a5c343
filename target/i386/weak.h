/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other rooms are about to provide. */
#ifndef TARGET_I386_WEAK_H
#define TARGET_I386_WEAK_H
#pragma weak tcg_raise
#pragma weak tcg_tlb_flush
#pragma weak tcg_tlb_flush_page
#pragma weak tcg_tlb_flush_non_global
#pragma weak tcg_mode_changed
#pragma weak tcg_ldu8
#pragma weak tcg_ldu16
#pragma weak tcg_ldu32
#pragma weak tcg_ldu64
#pragma weak tcg_stu8
#pragma weak tcg_stu16
#pragma weak tcg_stu32
#pragma weak tcg_stu64
#pragma weak tcg_probe
#pragma weak tcg_phys_ld
#pragma weak tcg_phys_st
#pragma weak tcg_phys_cmpxchg
#pragma weak tcg_register_target
#pragma weak x86_get_eflags
#pragma weak x86_set_eflags
#pragma weak x86_translate
#endif
