# SPDX-License-Identifier: GPL-2.0-or-later
# Limits of real mode (SDM vol. 3B, 21.1 and 24.16), and segments whose limits protected mode has set ("big real mode").
.include "boot.inc"
tests:
case "byte at ffff"
    mov al, [0xffff]
endcase
case "word at fffe"
    mov ax, [0xfffe]
endcase
case "word at ffff"
    nop
    mov ax, [0xffff]
endcase
case "dword at fffd"
    mov eax, [0xfffd]
endcase
case "write of a word at ffff"
    mov [0xffff], ax
endcase
case "add to a word at ffff"
    add word ptr [0xffff], 1
endcase
case "word at ss:ffff"
    mov ax, ss:[0xffff]
endcase
case "word at bp=ffff"
    mov bp, 0xffff
    mov ax, [bp]
endcase
case "word at es:ffff"
    mov ax, es:[0xffff]
endcase
case "word at cs:ffff"
    mov ax, cs:[0xffff]
endcase
case "pop with sp ffff"
    mov sp, 0xffff
    pop ax
endcase
case "pop of a dword with sp fffd"
    mov sp, 0xfffd
    pop eax
endcase
case "pop with sp fffe wraps sp"
    mov sp, 0xfffe
    pop ax
    movzx esp, sp
    mov eax, esp
    mov esp, 0x7c00
    show eax
endcase
    mov ax, 0x1000              # where no limit is checked the way leads to what says so
    mov es, ax
    mov byte ptr es:[0], 0
case "iret with sp fffb"
    mov ax, offset missed
    mov [0xfffb], ax
    mov word ptr [0xfffd], 0xf000
    mov byte ptr [0xffff], 2
    mov sp, 0xfffb
    iret
endcase
case "ret with sp ffff"
    mov ax, offset missed
    mov byte ptr [0xffff], al
    mov es:[0], ah
    mov sp, 0xffff
    ret
endcase
case "leave with bp ffff"
    mov bp, 0xffff
    leave
endcase
case "popa with sp fff1"
    mov sp, 0xfff1
    popa
endcase
case "32-bit address 10000"
    mov ebx, 0x10000
    mov al, [ebx]
endcase
case "32-bit address ffff, byte"
    mov ebx, 0xffff
    mov al, [ebx]
endcase
case "32-bit address with ebp"
    mov ebp, 0x10000
    mov al, [ebp]
endcase
case "16-bit sum wraps"
    mov byte ptr [0x600], 0x5a
    mov bx, 0xff00
    mov al, [bx + 0x700]
    movzx eax, al
    show eax
endcase
case "movsw from ffff"
    mov si, 0xffff
    mov di, 0x600
    movsw
endcase
case "movsw to ffff"
    mov si, 0x600
    mov di, 0xffff
    movsw
endcase
case "rep movsw up to the end"
    hook 1f
    mov si, 0xfffb
    mov di, 0x600
    mov cx, 4
    cld
    rep movsw
    say "missed"
1:  movzx eax, si
    show eax
    movzx eax, di
    show eax
    movzx eax, cx
    show eax
    add sp, 8
    unhook
endcase
case "rep movsb wraps"
    mov si, 0xfffe
    mov di, 0x600
    mov cx, 4
    rep movsb
    movzx eax, si
    show eax
endcase
case "rep stosb with a 32-bit address"
    hook 1f
    mov edi, 0xfffe
    mov ecx, 4
    mov al, 0
    rep stosb es:[edi]
    say "missed"
1:  show edi
    show ecx
    add sp, 8
    unhook
endcase
case "xlat wraps"
    mov bx, 0xffff
    mov al, 1
    mov byte ptr [0], 0
    xlatb
    mov byte ptr [0], 0
endcase
case "lds at fffd"
    lds bx, [0xfffd]
endcase
case "lgdt at fffc"
    lgdt [0xfffc]
endcase
case "bound at fffd"
    mov ax, 0
    bound ax, [0xfffd]
endcase
case "cmpxchg8b at fff9"
    cmpxchg8b [0xfff9]
endcase
case "fld of 10 bytes at fff7"
    fninit
    fld tbyte ptr [0xfff7]
endcase
case "movups at fff1"
    mov eax, cr4
    or ax, 0x200
    mov cr4, eax
    movups xmm0, [0xfff1]
endcase
# --- limits from protected mode ---
    descriptor OWN, 0, 0x0fff, 0x0093           # 4 KiB
    descriptor OWN+8, 0, 0xfffff, 0x8093        # 4 GiB, 16-bit
    descriptor OWN+16, 0, 0xfffff, 0xc093       # 4 GiB, 32-bit
    descriptor OWN+24, BASE, 0xfffff, 0x809b    # code: 4 GiB, 16-bit
    descriptor OWN+32, 0, 0x0fff, 0x0097        # expand-down
protected
    mov eax, OWN
    mov fs, eax
    mov eax, OWN+8
    mov ds, eax
    mov es, eax
    mov eax, OWN+32
    mov gs, eax
    mov eax, DATA16
    mov ss, eax
    to_real_keeping_segments
    xor eax, eax
    mov ss, ax
    mov esp, 0x7c00
case "ds of 4 GiB"
    mov ebx, 0x200000
    mov dword ptr [ebx], 0x12345678
    mov eax, [ebx]
    show eax
endcase
case "ds of 4 GiB, loaded in real mode"
    xor ax, ax
    mov ds, ax
    mov eax, [ebx]
    show eax
endcase
case "ds of 4 GiB, another selector"
    mov ax, 0x10
    mov ds, ax
    mov eax, [ebx - 0x100]
    xor cx, cx
    mov ds, cx
    show eax
endcase
case "word at ffff of 4 GiB"
    mov ax, [0xffff]
endcase
case "fs of 4 KiB"
    mov al, fs:[0x0fff]
    mov al, fs:[0x1000]
endcase
case "fs of 4 KiB, loaded in real mode"
    xor ax, ax
    mov fs, ax
    mov al, fs:[0x1000]
endcase
case "rep movsd above 1 MiB"
    mov esi, 0x200000
    mov edi, 0x210000
    mov ecx, 2
    rep movsd es:[edi], ds:[esi]
    mov eax, [edi - 8]
    show eax
    show esi
endcase
case "an interrupt keeps the limits"
    hook 1f
    int 3
1:  add sp, 8
    unhook
    mov eax, [ebx]
    show eax
endcase
    mov ebx, 0x100000           # F000:10000, for who gets there
    mov byte ptr [ebx], 0xea
    mov word ptr [ebx + 1], offset missed
    mov word ptr [ebx + 3], 0xf000
case "jump to 10000"
    .byte 0x66, 0xe9
    .long 0x10000 - . - 4
endcase
case "conditional jump to 10000, taken"
    stc
    .byte 0x66, 0x0f, 0x82
    .long 0x10000 - . - 4
endcase
case "conditional jump to 10000, not taken"
    clc
    .byte 0x66, 0x0f, 0x82
    .long 0x10000 - . - 4
endcase
case "jump to 10000 in a register"
    mov eax, 0x10000
    jmp eax
endcase
case "call to 10000 pushes nothing"
    hook 1f
    mov eax, 0x10000
    call eax
1:  add sp, 8
    movzx eax, sp
    show eax
    unhook
endcase
case "return to 10000"
    mov eax, 0x10000
    push eax
    .byte 0x66, 0xc3
endcase
case "instruction across the end of its segment"
    hook 1f
    push 0x100                  # 100:ffff is 10fff, 100:10000 11000
    push 0xffff
    mov ax, 0x100
    mov es, ax
    mov byte ptr es:[0xffff], 0xb0              # MOV AL, of which the second byte is at 10000
    mov ebx, 0x11000
    mov word ptr [ebx], 0xea00
    mov word ptr [ebx + 2], offset missed
    mov word ptr [ebx + 4], 0xf000
    retf
1:  pop ax
    pop ax
    movzx eax, ax
    show eax
    unhook
endcase
protected
    mov eax, OWN+16
    mov ss, eax
    to_real_keeping_segments
    call zero_segments
case "a stack of 4 GiB, 32 bits"
    mov esp, 0x200010
    push 0x1234
    push eax
    mov eax, esp
    mov esp, 0x7c00
    show eax
    mov edx, 0x20000e
    mov eax, [edx]
    movzx eax, ax
    show eax
endcase
case "its bp is 16 bits in a 16-bit address"
    mov ebp, 0x200000
    mov dword ptr [0], 0
    mov ax, [bp]
endcase
case "enter and leave with esp"
    mov esp, 0x200010
    mov ebp, 0x12345678
    .byte 0x66
    enter 8, 0
    mov eax, esp
    .byte 0x66
    leave
    mov ecx, esp
    mov esp, 0x7c00
    show eax
    show ecx
endcase
protected
    real
    protected
    .byte 0xea                                  # code of 4 GiB: 16 bits, then real mode
    .long 1f
    .word OWN+24
    .code16
    .set MODE, 16
1:  mov eax, cr0
    and al, 0xfe
    mov cr0, eax
    jmp 2f
2:  lidtd cs:[ivtr]
    call zero_segments
    mov esp, 0x7c00
case "code above 64 KiB"                        # CS base F0000: offset 110000 is 200000
    mov ebx, 0x200000
    mov dword ptr [ebx], 0x9066c366             # 66 ret
    mov eax, 0x110000
    call eax
endcase
case "data through cs"
    mov ebx, 0x110000
    mov eax, cs:[ebx]
    show eax
endcase
    finish
missed:
    say " missed"
    xor ax, ax
    mov ss, ax
    jmp word ptr [V_RESUME]
