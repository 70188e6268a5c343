# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes the trampolines of util/lazy-lib.h for x86-64. Input: lines "lib FILE", each followed by
# "fn NAME" for the functions that the library has; then "use NAME" for what the program uses.

$1 == "lib" { file[++libs] = $2 }
$1 == "fn" && !($2 in has) { has[$2] = libs }
$1 == "use" && $2 in has && !($2 in used) { used[$2] = 1; l = has[$2]; name[l, ++count[l]] = $2 }

END {
    print "        .text"
    print "lazy_enter:"     # the slot is on the stack; keeps all that may hold an argument
    print "        .cfi_startproc"
    print "        .cfi_def_cfa_offset 16"
    n = split("rax rcx rdx rsi rdi r8 r9 r10", saved, " ")
    for (i = 1; i <= n; i++)
        printf "        pushq %%%s\n        .cfi_adjust_cfa_offset 8\n", saved[i]
    print "        subq $128, %rsp\n        .cfi_adjust_cfa_offset 128"
    for (i = 0; i < 8; i++)
        printf "        movups %%xmm%d, %d(%%rsp)\n", i, i * 16
    # Called with the stack at a multiple of 16: 8 bytes of return address, 8 of the slot, 64, 128.
    printf "        movq %d(%%rsp), %%rdi\n", 128 + n * 8
    print "        call lazy_lib_resolve\n        movq %rax, %r11"
    for (i = 0; i < 8; i++)
        printf "        movups %d(%%rsp), %%xmm%d\n", i * 16, i
    print "        addq $128, %rsp\n        .cfi_adjust_cfa_offset -128"
    for (i = n; i >= 1; i--)
        printf "        popq %%%s\n        .cfi_adjust_cfa_offset -8\n", saved[i]
    print "        addq $8, %rsp\n        .cfi_adjust_cfa_offset -8\n        jmp *%r11"
    print "        .cfi_endproc"
    for (l = 1; l <= libs; l++)
        for (i = 1; i <= count[l]; i++) {
            f = name[l, i]
            # Hidden, so that the library itself doesn't come here for its own functions.
            printf "        .globl %s\n        .hidden %s\n        .type %s, @function\n", f, f, f
            printf "%s:\n        endbr64\n        jmp *slot_%d_%d(%%rip)\n", f, l, i
            printf "        .size %s, . - %s\n", f, f
            printf "first_%d_%d:\n        leaq slot_%d_%d(%%rip), %%r11\n", l, i, l, i
            print "        pushq %r11\n        jmp lazy_enter"
        }
    print "        .data\n        .balign 8"
    for (l = 1; l <= libs; l++) {
        printf "slots_%d:\n", l
        for (i = 1; i <= count[l]; i++)
            printf "slot_%d_%d: .quad first_%d_%d\n", l, i, l, i
    }
    print "        .section .rodata"
    for (l = 1; l <= libs; l++) {
        printf "file_%d: .asciz \"%s\"\nnames_%d:\n", l, file[l], l
        for (i = 1; i <= count[l]; i++)
            printf "        .asciz \"%s\"\n", name[l, i]
    }
    print "        .section .data.rel.ro, \"aw\"\n        .balign 8"
    print "        .globl lazy_libs\n        .hidden lazy_libs\nlazy_libs:"
    for (l = 1; l <= libs; l++)
        printf "        .quad file_%d, names_%d, slots_%d, %d\n", l, l, l, count[l]
    print "        .quad 0, 0, 0, 0"
    print "        .section .note.GNU-stack, \"\", %progbits"
}
