# SPDX-License-Identifier: GPL-2.0-or-later
# When interrupts are taken (SDM vol. 2, STI, MOV; vol. 3A, 6.8), and the A20 line. The local APIC sends itself vector 40; port 92h
# is A20.
.include "boot.inc"
.equ APIC, 0xfee00000
.macro pend                     # vector 40, from now on
    mov edi, APIC + 0x300
    mov dword ptr [edi], 0x44040
.endm
.macro arm
    mov dword ptr [V_COUNT], 0
    cli
    pend
.endm
.macro result                   # offset in the case at which it came, or "none"
    cli
    mov eax, [V_COUNT]
    show eax
    mov ebx, APIC + 0xb0
    mov dword ptr [ebx], 0
    push ebx
    sti
    nop
    nop
    cli
    pop ebx
    mov dword ptr [ebx], 0
.endm
tests:
    mov dword ptr ds:[IDT + 0x40 * 8], CODE32 << 16
    mov dword ptr ds:[IDT + 0x40 * 8 + 4], 0x8e00
    mov word ptr ds:[IDT + 0x40 * 8], offset taken
    mov word ptr ds:[0x40 * 4], offset taken_16
    mov word ptr ds:[0x40 * 4 + 2], 0xf000
protected
    lidt cs:[idtr_big]
    mov edi, APIC + 0xf0
    mov dword ptr [edi], 0x1ff
case "sti; nop; nop"
    arm
    mov ebx, offset 1f
    sti
1:  nop
2:  nop
    result
endcase
case "sti; cli"
    arm
    mov ebx, offset 1f
    sti
1:  cli
    result
endcase
case "sti; nop; cli"
    arm
    mov ebx, offset 1f
    sti
1:  nop
    cli
    result
endcase
case "sti with if set already"
    mov dword ptr [V_COUNT], 0
    mov ebx, offset 1f
    sti
    nop
    cli
    mov eax, [V_COUNT]
    show eax
    arm
    mov ebx, offset 1f
    sti
    sti
1:  nop
    result
endcase
case "mov ss while it waits"
    mov dword ptr [V_COUNT], 0
    mov ebx, offset 1f
    mov ecx, ss
    mov edi, APIC + 0x300
    mov eax, 0x44040
    cli
    mov [edi], eax
    pushfd
    or dword ptr [esp], 0x200
    popfd
1:  nop
    result
endcase
case "popf takes it at once"
    arm
    mov ebx, offset 1f
    push 0x202
    popfd
1:  nop
    nop
    result
endcase
case "iret takes it at once"
    arm
    mov ebx, offset 1f
    pushfd
    or dword ptr [esp], 0x200
    push cs
    push offset 1f
    iretd
1:  nop
    nop
    result
endcase
case "sti; hlt"
    arm
    mov ebx, offset 1f
    sti
1:  hlt
    result
endcase
case "sti; ret"
    arm
    mov ebx, offset 1f
    push offset 1f
    sti
    ret
1:  nop
    result
endcase
case "in a repeated string instruction"
    mov dword ptr [V_COUNT], 0
    mov ebx, offset 1f
    mov esi, 0x40000
    mov edi, 0x50000
    mov ecx, 0x1000
    cld
    mov edx, APIC + 0x300
    mov eax, 0x44040
    sti
    mov [edx], eax
1:  rep movsb
    cli
    show ecx
    mov ebx, APIC + 0xb0
    mov dword ptr [ebx], 0
endcase
case "the task priority holds it back"
    mov edi, APIC + 0x80
    mov dword ptr [edi], 0x40
    arm
    mov ebx, 0
    sti
    call wait
    mov eax, [V_COUNT]
    show eax
    mov edi, APIC + 0x80
    mov dword ptr [edi], 0
    call wait
    cmp dword ptr [V_COUNT], 0
    setnz al
    movzx eax, al
    show eax
    cli
    mov ebx, APIC + 0xb0
    mov dword ptr [ebx], 0
endcase

# --- A20 ---
.macro a20 on                   # the keyboard controller's gate and port 92's are ORed
    mov al, 0xd1
    out 0x64, al
    mov al, 0xdd | \on << 1
    out 0x60, al
    in al, 0x92
    and al, 0xfc
    or al, \on << 1
    out 0x92, al
.endm
case "a20 as it comes"
    in al, 0x92
    movzx eax, al
    and eax, 2
    show eax
    a20 1
endcase
case "a20 open, then shut: data"
    mov dword ptr [0x800], 0x11111111
    mov edi, 0x100800
    mov dword ptr [edi], 0x22222222
    mov eax, [edi]
    show eax
    a20 0
    mov eax, [edi]
    show eax
    mov dword ptr [edi], 0x33333333
    mov eax, [0x800]
    show eax
    a20 1
    mov eax, [edi]
    show eax
    mov eax, [0x800]
    show eax
endcase
case "a20 shut: every odd megabyte"
    mov edi, 0x300800
    mov dword ptr [edi], 0x44444444
    mov dword ptr [edi - 0x100000], 0x55555555
    a20 0
    mov eax, [edi]
    show eax
    a20 1
endcase
case "a20 shut: code"
    mov edi, 0x900
    mov dword ptr [edi], 0xcb01b0 + 0x90000000
    mov dword ptr [edi + 0x100000], 0xcb02b0 + 0x90000000
    descriptor OWN, 0, 0xfffff, 0xc09b
    mov edi, 0x100900
    xor eax, eax
    call far_call
    show eax
    a20 0
    call far_call
    show eax
    a20 1
    call far_call
    show eax
endcase
case "a20 shut: the page tables' own addresses"
    mov edi, 0x120000           # 20000 with A20 shut: a directory at both
    mov dword ptr [edi], 0x83
    mov dword ptr [edi + 4], 0
    mov dword ptr [0x20000], 0x400083
    mov dword ptr [0x900], 0x66
    mov dword ptr [0x400900], 0x77
    mov eax, cr4
    or eax, 0x10
    mov cr4, eax
    mov eax, [0x900]
    show eax
    a20 1
endcase
real
case "real mode: ffff:810 with a20"
    mov ax, 0xffff
    mov es, ax
    mov dword ptr es:[0x810], 0x12121212
    mov dword ptr ds:[0x800], 0x34343434
    mov eax, es:[0x810]
    show eax
    a20 0
    mov eax, es:[0x810]
    show eax
    a20 1
endcase
    finish
taken_16:
    iret
.code32
taken:
    push eax
    mov eax, [esp + 4]
    sub eax, ebx
    inc eax
    mov [V_COUNT], eax
    pop eax
    iretd
wait:
    mov ecx, 100
1:  loop 1b
    ret
far_call:                       # to EDI
    push cs
    push offset 1f
    push OWN
    push edi
    retf
1:  ret
    .balign 4
idtr_big: .word 0x207
    .long IDT
