# SPDX-License-Identifier: GPL-2.0-or-later
# The trap flag and the debug registers (SDM vol. 3B, chapter 17).
.include "boot.inc"
.macro steps_on
    pushfd
    or dword ptr [esp], 0x100
    popfd
.endm
.macro steps_off
    pushfd
    and dword ptr [esp], ~0x100
    popfd
.endm
tests:
protected
# Counts the traps; shows nothing.
case "steps of four instructions"
    hook counted
    mov dword ptr [V_COUNT], 0
    steps_on
    nop
    nop
    nop
    steps_off
    mov eax, [V_COUNT]
    show eax
    unhook
endcase
case "the trap is taken behind the instruction"
    hook 1f
    steps_on
2:  inc eax
    steps_off
1:  mov eax, [esp + 8]
    sub eax, offset 2b
    show eax
    mov eax, dr6
    show eax
    mov ecx, 0xffff0ff0
    mov dr6, ecx
    unhook
endcase
case "mov ss: none behind it"
    hook counted
    mov dword ptr [V_COUNT], 0
    mov ebx, ss
    steps_on
    mov ss, ebx
    nop
    steps_off
    mov eax, [V_COUNT]
    show eax
    unhook
endcase
case "loop to itself"
    hook counted
    mov dword ptr [V_COUNT], 0
    mov ecx, 5
    steps_on
1:  loop 1b
    steps_off
    mov eax, [V_COUNT]
    show eax
    unhook
endcase
case "rep movsb, each round"
    hook counted
    mov dword ptr [V_COUNT], 0
    mov esi, 0x600
    mov edi, 0x700
    mov ecx, 5
    cld
    steps_on
    rep movsb
    steps_off
    mov eax, [V_COUNT]
    show eax
    unhook
endcase
case "rep stosb of nothing"
    hook counted
    mov dword ptr [V_COUNT], 0
    xor ecx, ecx
    steps_on
    rep stosb
    steps_off
    mov eax, [V_COUNT]
    show eax
    unhook
endcase
case "jump to itself, three times"
    hook 2f
    mov dword ptr [V_COUNT], 0
    steps_on
1:  jmp 1b
2:  inc dword ptr [V_COUNT]
    add esp, 8
    cmp dword ptr [V_COUNT], 3
    jz 3f
    iretd
3:  mov eax, [esp]
    sub eax, offset 1b
    show eax
    unhook
endcase
case "int clears it"
    hook 2f
    mov dword ptr [V_COUNT], 0
    steps_on
1:  int 0x12
2:  mov eax, [esp]
    show eax
    pushfd
    pop eax
    and eax, 0x100
    show eax
    unhook
endcase
case "a fault goes before the trap"
    hook 2f
    steps_on
1:  ud2
2:  mov eax, [esp]
    show eax
    mov eax, [esp + 16]
    and eax, 0x100
    show eax
    unhook
endcase
case "int1"
    hook 2f
    mov eax, 0xffff0ff0
    mov dr6, eax
1:  .byte 0xf1
2:  mov eax, [esp]
    show eax
    mov eax, [esp + 8]
    sub eax, offset 1b
    show eax
    mov eax, dr6
    show eax
    unhook
endcase

# --- breakpoints ---
case "of an instruction"
    hook 2f
    mov eax, offset 1f + BASE
    mov dr0, eax
    mov eax, 0x702
    mov dr7, eax
    xor ecx, ecx
    inc ecx
1:  inc ecx
    unhook
    jmp 3f
2:  mov eax, [esp + 8]
    sub eax, offset 1b
    show eax
    mov eax, dr6
    show eax
    show ecx
3:  xor eax, eax
    mov dr7, eax
    unhook
endcase
case "resumed with rf"
    hook 2f
    mov dword ptr [V_COUNT], 0
    mov eax, 0xffff0ff0
    mov dr6, eax
    mov eax, offset 1f + BASE
    mov dr0, eax
    mov eax, 0x702
    mov dr7, eax
    xor ecx, ecx
1:  inc ecx
    inc ecx
    jmp 3f
2:  inc dword ptr [V_COUNT]
    add esp, 8
    mov eax, [esp + 8]
    and eax, 0x10000
    show eax
    or dword ptr [esp + 8], 0x10000
    iretd
3:  show ecx
    mov eax, [V_COUNT]
    show eax
    xor eax, eax
    mov dr7, eax
    unhook
endcase
.macro data_breakpoint dr7
    mov eax, 0xffff0ff0
    mov dr6, eax
    mov dword ptr [V_COUNT], 0
    hook counted
    mov eax, 0x804
    mov dr1, eax
    mov eax, \dr7
    mov dr7, eax
.endm
.macro data_result
    mov eax, [V_COUNT]
    show eax
    mov eax, dr6
    show eax
    xor eax, eax
    mov dr7, eax
    unhook
.endm
case "write of 4 bytes: a write"
    data_breakpoint 0x00d00708
    mov [0x804], eax
    data_result
endcase
case "write of 4 bytes: a read"
    data_breakpoint 0x00d00708
    mov eax, [0x804]
    data_result
endcase
case "write of 4 bytes: its last byte"
    data_breakpoint 0x00d00708
    mov [0x807], al
    data_result
endcase
case "write of 4 bytes: beside it"
    data_breakpoint 0x00d00708
    mov [0x808], al
    mov [0x803], al
    data_result
endcase
case "write of 4 bytes: across its begin"
    data_breakpoint 0x00d00708
    mov [0x801], eax
    data_result
endcase
case "access of 4 bytes: read and write"
    data_breakpoint 0x00f00708
    mov eax, [0x804]
    mov [0x804], eax
    data_result
endcase
case "access of 1 byte: add"
    data_breakpoint 0x00300708
    add byte ptr [0x804], 1
    data_result
endcase
case "access of 4 bytes: push"
    data_breakpoint 0x00f00708
    mov ecx, esp
    mov esp, 0x808
    push eax
    mov esp, ecx
    data_result
endcase
case "write of 1 byte in rep stosb: the round"
    hook 2f
    mov eax, 0x804
    mov dr1, eax
    mov eax, 0x00100708
    mov dr7, eax
    mov edi, 0x800
    mov ecx, 10
    mov al, 0
    rep stosb
2:  show ecx
    show edi
    xor eax, eax
    mov dr7, eax
    unhook
endcase
case "general detect"
    hook 2f
    mov eax, 0xffff0ff0
    mov dr6, eax
    mov eax, 0x2700
    mov dr7, eax
1:  mov ebx, dr0
2:  mov eax, [esp + 8]
    sub eax, offset 1b
    show eax
    mov eax, dr6
    show eax
    mov eax, dr7
    show eax
    xor eax, eax
    mov dr7, eax
    unhook
endcase
case "dr4 is dr6"
    mov eax, dr6
    .byte 0x0f, 0x21, 0xe3      # MOV EBX,DR4
    sub eax, ebx
    show eax
endcase
.macro io_breakpoint dr7
    mov eax, 0xffff0ff0
    mov dr6, eax
    mov dword ptr [V_COUNT], 0
    hook counted
    mov eax, 0x80
    mov dr2, eax
    mov eax, \dr7
    mov dr7, eax
.endm
case "i/o: out to it, and beside it"
    mov eax, cr4
    or eax, 8
    mov cr4, eax
    io_breakpoint 0x02000720
    out 0x80, al
    nop
    out 0x81, al
    data_result
endcase
case "i/o: a wider access over it"
    io_breakpoint 0x0a000720
    mov dx, 0x7e
    in eax, dx
    data_result
endcase
case "i/o: where the trap is taken"
    hook 2f
    mov eax, 0x02000720
    mov dr7, eax
1:  in al, 0x80
    nop
2:  mov eax, [esp + 8]
    sub eax, offset 1b
    show eax
    xor eax, eax
    mov dr7, eax
    unhook
endcase
case "i/o: rep outsb, each round"
    io_breakpoint 0x02000720
    mov esi, 0x600
    mov edx, 0x80
    mov ecx, 3
    cld
    rep outsb
    data_result
endcase
case "dr4 with cr4.de"
    mov eax, cr4
    or eax, 8
    mov cr4, eax
    .byte 0x0f, 0x21, 0xe3
endcase
case "reserved bits of dr6 and dr7"
    xor eax, eax
    mov dr6, eax
    mov dr7, eax
    mov eax, dr6
    show eax
    mov eax, dr7
    show eax
endcase
    finish
counted:
    inc dword ptr [V_COUNT]
    add esp, 8
    iretd
