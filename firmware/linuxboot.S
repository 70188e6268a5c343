/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boots a Linux bzImage that is in fw_cfg: the setup part, the command line,
 * the kernel and the initial RAM disk go to their places, then the setup part
 * is entered in real mode (Linux, Documentation/x86/boot: "The Real-Mode
 * Code"). hw/i386/linux-boot.c has filled in the header.
 */
#include "firmware/option-rom.inc"

        ROM_HEADER "Linux kernel"

boot:
        cli
        cld
        xorw %ax, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movw $STACK_TOP, %sp
        LOAD SETUP_ADDR, SETUP_SIZE, SETUP_DATA
        LOAD CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
        LOAD KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        LOAD INITRD_ADDR, INITRD_SIZE, INITRD_DATA

        /* The stack and heap end below the command line. */
        FETCH32 CMDLINE_ADDR
        movl %eax, %esi
        FETCH32 SETUP_ADDR
        subl %eax, %esi
        subl $16, %esi
        shrl $4, %eax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %fs
        movw %ax, %gs
        movw %ax, %ss
        movl %esi, %esp
        addw $0x20, %ax                 /* past the boot sector */
        pushw %ax
        pushw $0
        xorl %eax, %eax
        xorl %ebx, %ebx
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        xorl %edi, %edi
        xorl %ebp, %ebp
        lretw

        FETCH_FUNCTIONS
        ROM_END
