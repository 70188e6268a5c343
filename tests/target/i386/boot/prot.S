# SPDX-License-Identifier: GPL-2.0-or-later
# Segments of protected mode: limits, expand-down, types, presence (SDM vol. 3A, 5.3 to 5.6), and tasks (chapter 8).
.include "boot.inc"
tests:
    descriptor OWN,    0x10000, 0xfff, 0x4093       # 28: 4 KiB
    descriptor OWN+8,  0x10000, 0xfff, 0x4097       # 30: expand-down, 32 bits: 1000 to ffffffff
    descriptor OWN+16, 0x10000, 0xfff, 0x0097       # 38: expand-down, 16 bits: 1000 to ffff
    descriptor OWN+24, 0x10000, 0x1, 0xc093         # 40: 8 KiB by pages
    descriptor OWN+32, 0, 0xfffff, 0xc091           # 48: read only
    descriptor OWN+40, BASE, 0xffff, 0x4099         # 50: code that can't be read
    descriptor OWN+48, 0, 0xfffff, 0xc013           # 58: not present
    descriptor OWN+56, TSS, 0x67, 0x0089            # 60: a task
    descriptor OWN+64, TSS+0x100, 0x67, 0x0089      # 68: another
    descriptor OWN+72, 0x10000, 0, 0x4097           # 70: expand-down, 1 to ffffffff
    mov dword ptr ds:[GDT + 0x78], 0x00680000       # 78: a task gate to 68
    mov dword ptr ds:[GDT + 0x7c], 0x00008500
protected
    mov esi, 0x10000
    mov dword ptr [esi + 0xffc], 0x11223344
    mov dword ptr [esi + 0x1000], 0x55667788
    mov eax, OWN
    mov fs, eax
case "last byte"
    mov al, fs:[0xfff]
endcase
case "one beyond"
    mov al, fs:[0x1000]
endcase
case "dword across the limit"
    mov eax, fs:[0xffd]
endcase
case "a negative offset"
    mov ebx, -4
    mov eax, fs:[ebx]
endcase
case "write across the limit writes nothing"
    hook 1f
    mov dword ptr fs:[0xffd], 0
1:  add esp, 20
    mov eax, ss:[0x10ffc]
    show eax
    unhook
endcase
    mov eax, OWN+24
    mov gs, eax
case "8 KiB by pages"
    mov al, gs:[0x1fff]
    mov al, gs:[0x2000]
endcase
    mov eax, OWN+8
    mov gs, eax
case "expand-down, below"
    mov al, gs:[0xfff]
endcase
case "expand-down, across its begin"
    mov eax, gs:[0xffe]
endcase
case "expand-down, first"
    mov eax, gs:[0x1000]
    show eax
endcase
case "expand-down, up to the top"
    mov ebx, 0xffff0000
    mov eax, gs:[ebx + 4]
endcase
case "expand-down, over the top"
    mov ebx, 0xfffffffe
    mov eax, gs:[ebx]
endcase
    mov eax, OWN+16
    mov gs, eax
case "expand-down of 16 bits, up to ffff"
    mov al, gs:[0xffff]
endcase
case "expand-down of 16 bits, beyond"
    mov al, gs:[0x10000]
endcase
case "expand-down of 16 bits, across ffff"
    mov ax, gs:[0xffff]
endcase
case "expand-down stack"
    mov eax, OWN+8
    mov ss, eax
    mov esp, 0x2000
    push 0x1234
    pop eax
    show eax
    mov eax, ss:[0xffc]
endcase
    mov eax, DATA32
    mov ss, eax
    mov esp, 0x70000
    mov eax, OWN+32
    mov gs, eax
case "read of read-only"
    mov eax, gs:[0]
endcase
case "write of read-only"
    mov gs:[0], eax
endcase
case "add to read-only"
    add dword ptr gs:[0], 0
endcase
case "xchg with read-only"
    xchg gs:[0], eax
endcase
case "bts of read-only"
    bts dword ptr gs:[0], 0
endcase
case "stack read-only"
    mov eax, OWN+32
    mov ss, eax
endcase
case "write through cs"
    mov cs:[0], eax
endcase
case "code that can't be read, into ds"
    mov eax, OWN+40
    mov gs, eax
endcase
case "read through code that can't be read"
    .byte 0xea
    .long 1f
    .word OWN+40
1:  mov eax, cs:[0]
endcase
    .byte 0xea
    .long 1f
    .word CODE32
1:
case "null selector"
    xor eax, eax
    mov gs, eax
    mov al, gs:[0]
endcase
case "null selector into ss"
    xor eax, eax
    mov ss, eax
endcase
case "selector beyond the table"
    mov eax, 0x200
    mov gs, eax
endcase
case "selector of a local table that isn't there"
    mov eax, 0xc
    mov gs, eax
endcase
case "not present"
    mov eax, OWN+48
    mov gs, eax
endcase
case "not present into ss"
    mov eax, OWN+48
    mov ss, eax
endcase
case "a system descriptor into ds"
    mov eax, OWN+56
    mov gs, eax
endcase
case "rpl 3 into ss"
    mov eax, DATA32 + 3
    mov ss, eax
endcase
case "far jump to data"
    .byte 0xea
    .long 0
    .word DATA32
endcase
case "far jump beyond the limit"
    .byte 0xea
    .long 0x10000
    .word CODE32
endcase
    mov edi, 0x100000           # for who gets there
    mov byte ptr [edi], 0xea
    mov dword ptr [edi + 1], offset missed
    mov word ptr [edi + 5], CODE32
case "near jump beyond the limit"
    .byte 0xe9
    .long 0x10000 - . - 4
endcase
case "far call pushes nothing if it faults"
    hook 1f
    .byte 0x9a
    .long 0x10000
    .word CODE32
1:  add esp, 20
    mov eax, esp
    show eax
    unhook
endcase
case "les with a bad selector leaves its register"
    hook 1f
    mov ebx, 0x12345
    mov dword ptr [0x600], 0
    mov word ptr [0x604], 0x200
    les ebx, [0x600]
1:  add esp, 20
    show ebx
    unhook
endcase
case "lar lsl of 4 KiB"
    mov eax, OWN
    lar ebx, eax
    lsl ecx, eax
    show ebx
    show ecx
endcase
case "lsl of 8 KiB"
    mov eax, OWN+24
    lsl ecx, eax
    show ecx
endcase
case "verr verw"
    mov eax, OWN+32
    verr ax
    setz bl
    verw ax
    setz bh
    movzx ebx, bx
    show ebx
endcase
case "str before ltr"
    str eax
    show eax
endcase

# --- tasks ---
    mov edi, TSS
    mov ecx, 0x80
    xor eax, eax
    rep stosd
    mov edi, TSS + 0x100
    mov dword ptr [edi + 0x20], offset other
    mov dword ptr [edi + 0x24], 2
    mov dword ptr [edi + 0x28], 0xaaaa
    mov dword ptr [edi + 0x38], 0x60000
    mov dword ptr [edi + 0x48], DATA32
    mov dword ptr [edi + 0x4c], CODE32
    mov dword ptr [edi + 0x50], DATA32
    mov dword ptr [edi + 0x54], DATA32
case "ltr"
    mov eax, OWN+56
    ltr ax
    mov eax, [GDT + OWN + 60]
    show eax
endcase
case "ltr of a busy task"
    mov eax, OWN+56
    ltr ax
endcase
case "call of a task and iret"
    mov eax, 0x1111
    mov dword ptr [V_COUNT], 0
    lcall OWN+64, 0
    show eax
    mov eax, [V_COUNT]
    show eax
    mov eax, [GDT + OWN + 68]
    show eax
endcase
case "the other task's saved state"
    mov eax, [TSS + 0x128]
    show eax
    mov eax, [TSS + 0x124]
    show eax
    movzx eax, word ptr [TSS + 0x100]
    show eax
endcase
case "cr0.ts"
    mov eax, cr0
    and eax, 8
    clts
    show eax
endcase
case "call of it through a gate"
    lcall OWN+80, 0
    mov eax, [V_COUNT]
    show eax
endcase
case "jump to it and back"
    ljmp OWN+64, 0
    mov eax, [V_COUNT]
    show eax
    pushfd
    pop eax
    and eax, 0x4000
    show eax
endcase
case "iret without nt's task"
    pushfd
    or dword ptr [esp], 0x4000
    popfd
    mov word ptr [TSS], 0
    iretd
endcase
    pushfd
    and dword ptr [esp], ~0x4000
    popfd
case "a task whose limit is too small"
    mov word ptr [GDT + OWN + 64], 0x66
    ljmp OWN+64, 0
endcase
    mov word ptr [GDT + OWN + 64], 0x67
case "the trap bit"
    mov word ptr [TSS + 0x164], 1
    hook 1f
    ljmp OWN+64, 0
1:  mov eax, [esp]
    show eax
    mov eax, [esp + 8]
    sub eax, offset other_again
    show eax
    mov eax, dr6
    show eax
    unhook
endcase
    finish

missed:
    say " missed"
    mov esp, [V_SP]
    jmp dword ptr [V_RESUME]
other:
    pushfd
    pop eax
    and eax, 0x4000
    inc dword ptr [V_COUNT]
    mov eax, 0xbbbb
    iretd
other_again:
    inc dword ptr [V_COUNT]
    pushfd
    test dword ptr [esp], 0x4000
    jz 1f
    popfd
    iretd
1:  popfd
    ljmp OWN+56, 0
    jmp other_again
