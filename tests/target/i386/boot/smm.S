# SPDX-License-Identifier: GPL-2.0-or-later
# System management mode: what the CPU saves and where, RSM, SMBASE (SDM vol. 3C, 31; APM vol. 2, 10). The local APIC sends the
# CPU an SMI. The state save map is the one of CPUs with long mode (APM table 10-1).
.include "boot.inc"
.equ APIC, 0xfee00000
.equ SAVE, 0x3fe00              # of SMBASE 30000: FE00 to FFFF
.macro smi
    mov edi, APIC + 0x300
    mov dword ptr [edi], 0x44200
    push offset 8805f           # somewhere it is certainly seen
    ret
8805:
.endm
tests:
protected
    mov edi, APIC + 0xf0
    mov dword ptr [edi], 0x1ff
    mov esi, offset handler
    mov edi, 0x38000
    mov ecx, handler_end - handler
1:  mov al, cs:[esi]
    mov [edi], al
    inc esi
    inc edi
    loop 1b
    mov dword ptr [V_COUNT], 0
    mov ecx, 0
case "registers come back"
    mov eax, 0x11111111
    mov ebx, 0x22222222
    mov ecx, 0
    mov edx, 0x44444444
    mov esi, 0x66666666
    mov ebp, 0x77777777
    smi
    nop
    nop
    show eax
    show ebx
    show edx
    show esi
    show ebp
    mov eax, [V_COUNT]
    show eax
endcase
case "the mode in it: cr0, cs, ds limit"
    mov eax, [0x600]
    and eax, 0x80000001
    show eax
    mov eax, [0x604]
    show eax
    mov eax, [0x608]
    show eax
endcase
case "the mode after it"
    mov eax, cr0
    and eax, 1
    show eax
    mov eax, cs
    show eax
    mov eax, ds
    show eax
endcase
case "saved: rax, cr0, cr3, revision, smbase"
    mov eax, [SAVE + 0x1f8]
    show eax
    mov eax, [SAVE + 0x158]
    and eax, 1
    show eax
    mov eax, [SAVE + 0x150]
    show eax
    mov eax, [SAVE + 0xfc]
    and eax, 0x2ffff
    show eax
    mov eax, [SAVE + 0x100]
    show eax
endcase
case "saved: cs, its limit and base, ds"
    movzx eax, word ptr [SAVE + 0x10]
    show eax
    mov eax, [SAVE + 0x14]
    show eax
    mov eax, [SAVE + 0x18]
    show eax
    movzx eax, word ptr [SAVE + 0x30]
    show eax
endcase
case "a register changed in it"
    mov ecx, 1                  # the handler writes the saved RBX
    xor ebx, ebx
    smi
    nop
    nop
    show ebx
endcase
case "rip changed in it"
    mov ecx, 2                  # it moves RIP by what is at 610
    mov dword ptr [0x610], 2
    xor ebx, ebx
    smi
    nop
    nop
    inc ebx
    inc ebx
    show ebx
endcase
case "4 gib of data in it"
    mov dword ptr [0x200000], 0
    mov ecx, 3
    smi
    nop
    nop
    mov eax, [0x200000]
    show eax
endcase
case "smbase"
    mov ecx, 4                  # it sets SMBASE to 40000
    smi
    nop
    nop
    mov esi, 0x38000
    mov edi, 0x48000
    mov ecx, handler_end - handler
    rep movsb
    mov dword ptr [V_COUNT], 0
    mov ecx, 0
    smi
    nop
    nop
    mov eax, [V_COUNT]
    show eax
    mov eax, [0x4ff00]
    show eax
    mov eax, [0x604]
    show eax
endcase
case "rsm outside"
    rsm
endcase
    finish
.code16
handler:                        # ECX says what it does
    xor ax, ax
    mov ds, ax
    inc dword ptr [V_COUNT]
    mov eax, cr0
    mov [0x600], eax
    xor eax, eax
    mov ax, cs
    mov [0x604], eax
    mov ebx, 0x200000
    mov eax, [ebx]              # its limit is 4 GiB
    mov dword ptr [0x608], 1
    cmp cl, 1
    jnz 1f
    mov dword ptr cs:[0xffe0], 0xbbbb
1:  cmp cl, 2
    jnz 1f
    mov eax, [0x610]
    add cs:[0xff78], eax
1:  cmp cl, 3
    jnz 1f
    mov dword ptr [ebx], 0x4b4b
1:  cmp cl, 4
    jnz 1f
    mov dword ptr cs:[0xff00], 0x40000
1:  rsm
handler_end:
