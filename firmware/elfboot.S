/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boots what is entered in 32-bit protected mode: a multiboot kernel or an
 * ELF kernel with a PVH note. The image and the block of information that
 * goes with it are in fw_cfg; hw/i386/elf-boot.c has laid them out.
 *
 * State at entry (Multiboot 0.6.96, 3.2; Xen, docs/misc/pvh): flat 4 GiB
 * segments, paging off, interrupts off, A20 on, %ebx at the information,
 * %eax the multiboot magic, which PVH leaves undefined.
 */
#include "firmware/option-rom.inc"

#define PORT92          0x92
#define MULTIBOOT_MAGIC 0x2badb002
#define INFO_STACK      0x7c00

        ROM_HEADER "ELF kernel"

boot:
        cli
        cld
        xorw %ax, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movw $STACK_TOP, %sp
        LOAD INITRD_ADDR, INITRD_SIZE, INITRD_DATA
        LOAD KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        FETCH32 INITRD_ADDR
        movl %eax, %ebx
        FETCH32 KERNEL_ENTRY
        movl %eax, %esi

        inb $PORT92, %al
        orb $2, %al
        andb $0xfe, %al
        outb %al, $PORT92

        /* The descriptor tables are in this ROM: %cs tells where. */
        xorl %eax, %eax
        movw %cs, %ax
        shll $4, %eax
        addl $gdt, %eax
        movw $(gdt_end - gdt - 1), DMA_VALUE
        movl %eax, DMA_VALUE + 2
        lgdtl DMA_VALUE
        subl $(gdt - protected), %eax
        movl %eax, DMA_VALUE + 8
        movw $8, DMA_VALUE + 12
        movl %cr0, %eax
        orl $1, %eax
        movl %eax, %cr0
        ljmpl *DMA_VALUE + 8

        .code32
protected:
        movw $16, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %fs
        movw %ax, %gs
        movw %ax, %ss
        movl $INFO_STACK, %esp
        movl $MULTIBOOT_MAGIC, %eax
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %edi, %edi
        xorl %ebp, %ebp
        jmpl *%esi

        .code16
        .balign 8
gdt:
        .quad 0
        .quad 0x00cf9b000000ffff        /* 8: code, 4 GiB */
        .quad 0x00cf93000000ffff        /* 16: data, 4 GiB */
gdt_end:

        FETCH_FUNCTIONS
        ROM_END
