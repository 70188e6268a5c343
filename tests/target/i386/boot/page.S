# SPDX-License-Identifier: GPL-2.0-or-later
# Faults that straddle pages, in the middle of string instructions, LOCK over lines and pages; code that is rewritten, also under
# another linear address (SDM vol. 3A, 4.7, 9.1.2 and 9.1.3; vol. 1, 7.3.9).
#
# Pages from 100000 on (physical too): 100 present, 101 not, 102 read-only for the user and the supervisor (CR0.WP), 103 present,
# 104 is 103 once more, 105 present, 106 present.
.include "boot.inc"
.equ DIR, 0x20000
.equ TABLE, 0x21000
.macro fault                    # behind the hook: what is on the stack and CR2
    mov eax, [esp]
    show eax
    mov eax, [esp + 4]
    show eax
    mov eax, cr2
    show eax
    add esp, 20
    unhook
.endm
.macro pte page value
    mov dword ptr [TABLE + 4 * \page], \value
    invlpg [\page * 0x1000]
.endm
tests:
protected
    mov edi, DIR
    mov ecx, 1024
    xor eax, eax
    rep stosd
    mov dword ptr [DIR], TABLE + 7
    mov edi, TABLE
    mov eax, 3
1:  stosd
    add eax, 0x1000
    cmp edi, TABLE + 0x1000
    jb 1b
    mov dword ptr [TABLE + 4 * 0x101], 0
    mov dword ptr [TABLE + 4 * 0x102], 0x102001
    mov dword ptr [TABLE + 4 * 0x104], 0x103003
    mov eax, DIR
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
    mov esi, 0x100ffe
case "read across into a page that isn't there"
    hook 1f
    mov eax, [esi]
1:  fault
endcase
case "write across: nothing is written"
    mov word ptr [esi], 0x1234
    hook 1f
    mov dword ptr [esi], 0
1:  fault
    movzx eax, word ptr [esi]
    show eax
endcase
case "write from a page that isn't there into one that is"
    hook 1f
    mov esi, 0x101ffe
    mov dword ptr [esi], 0
1:  fault
    mov esi, 0x100ffe
endcase
case "read-modify-write across"
    hook 1f
    add dword ptr [esi], 1
1:  fault
endcase
case "locked, across"
    hook 1f
    lock add dword ptr [esi], 1
1:  fault
endcase
case "movdqu across"
    mov eax, cr4
    or eax, 0x200
    mov cr4, eax
    hook 1f
    movdqu xmm0, [esi - 8]
1:  fault
endcase
case "push across: esp stays"
    mov ebx, esp
    hook 1f
    mov esp, 0x102002
    pop eax
1:  mov ecx, esp
    mov esp, ebx
    show ecx
    mov eax, cr2
    show eax
    unhook
endcase
case "instruction across"
    hook 1f
    mov byte ptr [0x100fff], 0xb8
    descriptor OWN, 0, 0xfffff, 0xc09b
    .byte 0xea
    .long 0x100fff
    .word OWN
1:  fault
endcase
case "read-only, supervisor with wp"
    hook 1f
    mov byte ptr [0x102000], 0
1:  fault
endcase
case "cmpxchg that doesn't match writes all the same"
    hook 1f
    mov eax, 1
    cmpxchg [0x102000], ecx
1:  fault
endcase
case "bt of read-only"
    bt dword ptr [0x102000], 3
endcase
case "xadd to read-only leaves its register"
    hook 1f
    mov ecx, 5
    xadd [0x102000], ecx
1:  fault
    show ecx
endcase
case "accessed and dirty"
    pte 0x105 0x105003
    mov al, [0x105000]
    mov eax, [TABLE + 4 * 0x105]
    show eax
    mov [0x105000], al
    mov eax, [TABLE + 4 * 0x105]
    show eax
endcase
case "a read of a writable page, then a write: dirty"
    pte 0x105 0x105003
    pte 0x106 0x106003
    add byte ptr [0x105001], 0
    mov eax, [TABLE + 4 * 0x105]
    show eax
endcase

# --- string instructions ---
case "rep movsd into a page that isn't there"
    hook 1f
    mov esi, 0x600
    mov edi, 0x100ff4
    mov ecx, 6
    cld
2:  rep movsd
1:  mov eax, [esp + 8]
    sub eax, offset 2b
    show eax
    fault
    show esi
    show edi
    show ecx
endcase
case "rep movsd, an element across"
    hook 1f
    mov esi, 0x600
    mov edi, 0x100ff6
    mov ecx, 6
    rep movsd
1:  fault
    show edi
    show ecx
endcase
case "rep stosb downwards"
    hook 1f
    mov edi, 0x102002
    mov ecx, 6
    std
    mov al, 0
    pte 0x102 0x102003
    rep stosb
1:  cld
    fault
    show edi
    show ecx
    pte 0x102 0x102001
endcase
case "rep lodsd from it: eax of the last element"
    hook 1f
    mov dword ptr [0x100ffc], 0x77
    mov esi, 0x100ffc
    mov ecx, 3
    rep lodsd
1:  mov ebx, eax
    fault
    show ebx
    show ecx
endcase
case "repe cmpsb: flags of the element before"
    hook 1f
    mov byte ptr [0x100fff], 0
    mov byte ptr [0x600], 0
    mov esi, 0x600
    mov edi, 0x100fff
    mov ecx, 3
    stc
    repe cmpsb
1:  mov ebx, [esp + 16]
    and ebx, 0x41
    fault
    show ebx
    show ecx
    show edi
endcase
case "rep movsb over itself"
    mov dword ptr [0x103000], 0x04030201
    mov dword ptr [0x103004], 0
    mov esi, 0x103000
    mov edi, 0x103001
    mov ecx, 7
    rep movsb
    mov eax, [0x103004]
    show eax
endcase
case "insb into a page that isn't there reads no port"
    hook 1f
    mov edi, 0x101000
    mov dx, 0xe9
    insb
1:  fault
    show edi
endcase

# --- LOCK ---
case "locked over two lines"
    mov dword ptr [0x10303e], 0xffffffff
    lock inc dword ptr [0x10303e]
    mov eax, [0x10303e]
    show eax
endcase
case "locked over two pages"
    pte 0x104 0x104003
    mov esi, 0x103ffd
    mov dword ptr [esi], 0x00ffffff
    lock inc dword ptr [esi]
    mov eax, [esi]
    show eax
    mov eax, 5
    lock xadd [esi], eax
    show eax
    mov eax, [esi]
    show eax
    lock cmpxchg8b [esi - 4]
    pte 0x104 0x103003
endcase
case "lock where there is none"
    .byte 0xf0, 0x8b, 0x00
endcase
case "lock of a register"
    .byte 0xf0, 0x01, 0xc0
endcase

# --- code that is rewritten ---
    mov esi, offset patched
    mov edi, 0x103000
    mov ecx, 64
1:  mov al, cs:[esi]
    mov [edi], al
    inc esi
    inc edi
    loop 1b
case "the next instruction"
    mov edi, 0x103000
    mov ebx, 0x103000 + patched_imm - patched + 1
    mov ecx, ebx
    call far_call
    show eax
endcase
case "under another address"
    mov ebx, 0x104000 + patched_imm - patched + 1
    mov byte ptr [ebx], 0x11
    call far_call
    show eax
endcase
case "in the same block, far on"
    mov edi, 0x103000 + second - patched
    mov ebx, 0x103000 + second_imm - patched + 1
    call far_call
    show eax
endcase
case "rep stosb over itself"
    mov edi, 0x103000 + third - patched
    mov ebx, edi
    call far_call
    show ecx
endcase
case "remapped to another page"
    mov edi, 0x105000
    mov dword ptr [0x105000], 0xcb01b0 + 0x90000000      # MOV AL,1; RETF
    mov dword ptr [0x106000], 0xcb02b0 + 0x90000000
    xor eax, eax
    call far_call
    show eax
    pte 0x105 0x106003
    call far_call
    show eax
    mov eax, cr3
    mov dword ptr [TABLE + 4 * 0x105], 0x105003
    mov cr3, eax
    call far_call
    show eax
endcase
    finish

far_call:                       # to EDI
    push cs
    push offset 1f
    push OWN
    push edi
    retf
1:  ret

patched:
    mov byte ptr ds:[ebx], 0x42
patched_imm:
    mov al, 0x99
    movzx eax, al
    retf
second:
    mov byte ptr ds:[ebx], 0x33
    nop
    nop
    inc edx
    dec edx
second_imm:
    mov al, 0x99
    movzx eax, al
    retf
third:                          # the prefixed instruction itself is overwritten while it runs
    mov ecx, 9
    mov al, 0x90
    rep stosb
    retf
