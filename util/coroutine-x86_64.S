/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch between two stacks: what the System V ABI (x86-64 psABI 3.2.1, 3.2.3)
 * says belongs to the caller of a function is saved on the old stack and loaded
 * from the new one.
 */
#if defined(__x86_64__)
        .text

/* void co_switch(void **save_sp, void *load_sp) */
        .globl  co_switch
        .hidden co_switch
        .type   co_switch, @function
co_switch:
        .cfi_startproc
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $8, %rsp
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .cfi_endproc
        .size   co_switch, . - co_switch

/* Where a new stack begins: calls %r13(%r12), which doesn't return. */
        .globl  co_first
        .hidden co_first
        .type   co_first, @function
co_first:
        .cfi_startproc
        .cfi_undefined rip
        xorl    %ebp, %ebp
        movq    %r12, %rdi
        call    *%r13
        ud2
        .cfi_endproc
        .size   co_first, . - co_first
#endif
        .section .note.GNU-stack, "", %progbits
