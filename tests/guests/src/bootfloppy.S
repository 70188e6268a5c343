/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot sector that reads the last sector of a floppy of 1.44M by the firmware's int 13h, sends its
 * text to COM1, and ends the machine by isa-debug-exit at port f4h with 10h; 11h on an error.
 */
    .code16
    .globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    sti
    mov $0x0201, %ax            /* read one sector */
    mov $0x8000, %bx
    mov $0x4f12, %cx            /* cylinder 79, sector 18 */
    mov $0x01, %dh              /* head 1; dl: the drive that was booted */
    int $0x13
    mov $0x11, %al
    jc end
    mov $0x8000, %si
1:  lodsb
    test %al, %al
    jz 2f
    mov $0x3f8, %dx
    out %al, %dx
    jmp 1b
2:  mov $0x10, %al
end:
    mov $0xf4, %dx
    out %al, %dx
3:  hlt
    jmp 3b
    .org 510
    .word 0xaa55
