/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot ROMs that firmware/ makes, as data of the program. */
        .section .rodata
        .globl rom_linuxboot, rom_linuxboot_end, rom_elfboot, rom_elfboot_end
        .hidden rom_linuxboot, rom_linuxboot_end, rom_elfboot, rom_elfboot_end
rom_linuxboot:
        .incbin "firmware/linuxboot.bin"
rom_linuxboot_end:
rom_elfboot:
        .incbin "firmware/elfboot.bin"
rom_elfboot_end:
        .section .note.GNU-stack, "", %progbits
