# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual-8086 mode: what IOPL forbids, and what CR4.VME makes of it (SDM vol. 3B, 21.2 and 21.3); CR4.PVI.
# A case runs code at 2000:0 in that mode, up to an exception or INT 30h of protected mode.
.include "boot.inc"
.macro v86 iopl extra code:vararg
    mov esi, offset 8801f
    jmp 8802f
8801: .byte \code, 0xcd, 0x30
8802:
    mov edx, 0x20002 | \iopl << 12 | \extra
    call run
.endm
tests:
    mov al, 0                   # vector 30 is for all
    descriptor OWN, TSS, 0x2ff, 0x0089
    mov dword ptr ds:[IDT + 0x30 * 8], CODE32 << 16
    mov dword ptr ds:[IDT + 0x30 * 8 + 4], 0xee00
    mov word ptr ds:[IDT + 0x30 * 8], offset done
protected
    mov ecx, 0x100
    mov edi, TSS
    xor eax, eax
    rep stosd
    mov dword ptr [TSS + 4], 0x68000            # ESP0, SS0
    mov dword ptr [TSS + 8], DATA32
    mov dword ptr [TSS + 0x64], 0x00880000      # bitmap at 88; redirection before it, at 68
    mov ecx, 32
    mov edi, TSS + 0x88
    mov eax, -1
    rep stosd
    and byte ptr [TSS + 0x88 + 0xe9 / 8], ~(1 << (0xe9 & 7))
    mov byte ptr [TSS + 0x68 + 6], 1            # INT 30 is protected mode's in any case
    mov eax, OWN
    ltr ax
    mov dword ptr [0x21 * 4], 0x20000100        # INT 21 of the virtual machine: 2000:100
    mov dword ptr [0x20100], 0x9030cd90
    lidt cs:[idtr_big]
case "iopl 3: cli"
    v86 3 0x200 0xfa
endcase
case "iopl 3: pushf shows if"
    v86 3 0x200 0x9c, 0x58
endcase
case "iopl 0: cli"
    v86 0 0x200 0xfa
endcase
case "iopl 0: sti"
    v86 0 0 0xfb
endcase
case "iopl 0: pushf"
    v86 0 0 0x9c
endcase
case "iopl 0: popf"
    v86 0 0 0x9d
endcase
case "iopl 0: iret"
    v86 0 0 0xcf
endcase
case "iopl 0: int 21"
    v86 0 0 0xcd, 0x21
endcase
case "iopl 0: int3"
    v86 0 0 0xcc
endcase
case "iopl 0: hlt"
    v86 0 0 0xf4
endcase
case "iopl 0: in that the bitmap forbids"
    v86 0 0 0xe4, 0x80
endcase
case "iopl 3: in that the bitmap forbids"
    v86 3 0 0xe4, 0x80
endcase
case "iopl 0: in that it allows"
    v86 0 0 0xe4, 0xe9
endcase
case "word in of which it allows half"
    v86 0 0 0xe5, 0xe9
endcase
case "lgdt"
    v86 3 0 0x0f, 0x01, 0x16, 0x00, 0x00
endcase
case "sldt"
    v86 3 0 0x0f, 0x00, 0xc0
endcase
case "mov cr0"
    v86 3 0 0x0f, 0x20, 0xc0
endcase
case "a word at ffff"
    v86 3 0 0xa1, 0xff, 0xff
endcase
case "mov ds, ax then a read"
    v86 3 0 0xb8, 0x34, 0x12, 0x8e, 0xd8, 0xa0, 0x00, 0x00
endcase
case "segments above fff0"
    v86 3 0 0xb8, 0xff, 0xff, 0x8e, 0xd8, 0xa0, 0x10, 0x00
endcase

    mov eax, cr4
    or eax, 1
    mov cr4, eax
case "vme: cli clears vif"
    v86 0 0x80200 0xfa
endcase
case "vme: sti sets vif"
    v86 0 0x200 0xfb
endcase
case "vme: sti with vip"
    v86 0 0x100200 0xfb
endcase
case "vme: pushf shows vif and iopl 3"
    v86 0 0x80000 0x9c, 0x58
endcase
case "vme: pushf of 32 bits"
    v86 0 0x80000 0x66, 0x9c
endcase
case "vme: popf sets vif"
    v86 0 0x200 0xb8, 0x02, 0x02, 0x50, 0x9d
endcase
case "vme: popf with tf"
    v86 0 0x200 0xb8, 0x02, 0x01, 0x50, 0x9d
endcase
case "vme: popf of if with vip"
    v86 0 0x100200 0xb8, 0x02, 0x02, 0x50, 0x9d
endcase
case "vme: int 21, redirected"
    v86 0 0x80200 0xcd, 0x21, 0x9c, 0x58
endcase
case "vme: the frame of a redirected int"
    mov dword ptr [0x20100], 0x30cd5858         # POP AX; POP AX; INT 30: CS ...
    mov dword ptr [0x20100], 0x58585890
    mov word ptr [0x20104], 0x30cd              # flags in AX
    v86 0 0x80200 0xcd, 0x21
endcase
case "vme: iret sets vif"
    v86 0 0x200 0xb8, 0x02, 0x02, 0x50, 0x0e, 0x6a, 0x09, 0xcf, 0xf4, 0x90
endcase
case "vme, iopl 3: int 21 redirected"
    v86 3 0x200 0xcd, 0x21
endcase
    or byte ptr [TSS + 0x68 + 4], 2             # INT 21 goes to protected mode
case "vme: int 21, not redirected, iopl 0"
    v86 0 0x200 0xcd, 0x21
endcase
case "vme: int 21, not redirected, iopl 3, dpl 0"
    v86 3 0x200 0xcd, 0x21
endcase
    finish

run:                            # ESI: code, EDX: EFLAGS; shows AX, EFLAGS, SP and IP at its end
    pop dword ptr [V_COUNT]
    mov edi, 0x20000
    mov ecx, 32
1:  mov al, cs:[esi]
    mov [edi], al
    inc esi
    inc edi
    loop 1b
    hook ended
    xor eax, eax
    push eax
    push eax
    push eax
    push eax
    push 0x3000
    push 0x1000
    push edx
    push 0x2000
    push eax
    iretd
done:
    push 0
    push 0x30
ended:                          # vector, error, EIP, CS, EFLAGS, ESP
    push DATA32
    pop ds
    push DATA32
    pop es
    mov ebx, [esp]
    show ebx
    mov ebx, [esp + 4]
    show ebx
    mov ebx, [esp + 8]
    show ebx
    movzx eax, ax
    show eax
    mov ebx, [esp + 16]
    show ebx
    mov ebx, [esp + 20]
    show ebx
    unhook
    mov esp, [V_SP]
    jmp dword ptr [V_COUNT]

    .balign 4

idtr_big: .word 0x187
    .long IDT
