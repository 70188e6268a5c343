# SPDX-License-Identifier: GPL-2.0-or-later
# Four CPUs: independent writers seen by independent readers, and causality through a third CPU (SDM vol. 3A, 8.2.3.6,
# 8.2.3.7). Each case counts what must not be seen.
# ARGUMENTS: -smp 4
.include "boot.inc"
.equ APIC, 0xfee00000
.equ V_JOBS, 0x520              # a word for each CPU: where to go
.equ V_READY, 0x530
.equ V_DONE, 0x534
.equ V_BUSY, 0x538
.equ X, 0x100000                # a line for each cell: X[i], Y[i]
.equ Y, 0x180000
.equ R, 0x200000                # and what was read: sixteen bytes a cell
.equ CELLS, 8192
.equ ROUNDS, 6

.macro for_cells action
    xor edi, edi
    mov ebx, R
8803: \action
    add edi, 64
    add ebx, 16
    cmp ebx, R + CELLS * 16
    jb 8803b
.endm
.macro part action
    call meet
    for_cells \action
    lock inc dword ptr [V_DONE]
    ret
.endm
# The four CPUs' actions on every cell, then what the first one finds.
.macro litmus first second third fourth check
    mov dword ptr [V_COUNT], 0
    mov ecx, ROUNDS
8801:
    push ecx
    call clear
    mov dword ptr [V_READY], 0
    mov dword ptr [V_DONE], 0
    mov dword ptr [V_JOBS + 4], offset 8811f
    mov dword ptr [V_JOBS + 8], offset 8812f
    mov dword ptr [V_JOBS + 12], offset 8813f
    call meet
    for_cells \first
8805: pause
    cmp dword ptr [V_DONE], 3
    jb 8805b
    for_cells \check
    pop ecx
    dec ecx
    jnz 8801b
    mov eax, [V_COUNT]
    show eax
    jmp 8807f
8811: part \second
8812: part \third
8813: part \fourth
8807:
.endm

.macro store_x
    mov dword ptr [X + edi], 1
.endm
.macro store_y
    mov dword ptr [Y + edi], 1
.endm
.macro exchange_x
    mov eax, 1
    xchg [X + edi], eax
.endm
.macro exchange_y
    mov eax, 1
    xchg [Y + edi], eax
.endm
.macro load_x_load_y
    mov eax, [X + edi]
    mov edx, [Y + edi]
    mov [ebx], eax
    mov [ebx + 4], edx
.endm
.macro load_y_load_x
    mov eax, [Y + edi]
    mov edx, [X + edi]
    mov [ebx + 8], eax
    mov [ebx + 12], edx
.endm
.macro different_orders         # one saw X before Y, the other Y before X
    mov eax, [ebx]
    sub eax, [ebx + 4]
    mov edx, [ebx + 8]
    sub edx, [ebx + 12]
    add eax, edx
    cmp eax, 2
    jnz 7701f
    inc dword ptr [V_COUNT]
7701:
.endm
.macro load_x_store_y           # Y tells what was seen of X
    mov eax, [X + edi]
    mov [Y + edi], eax
.endm
.macro flag_without_cause
    mov eax, [ebx + 8]
    sub eax, [ebx + 12]
    cmp eax, 1
    jnz 7702f
    inc dword ptr [V_COUNT]
7702:
.endm

tests:
    mov byte ptr ds:[0x8000], 0xea
    mov word ptr ds:[0x8001], offset other_cpu
    mov word ptr ds:[0x8003], 0xf000
    mov dword ptr ds:[V_BUSY], 0
    mov dword ptr ds:[V_JOBS + 4], 0
    mov dword ptr ds:[V_JOBS + 8], 0
    mov dword ptr ds:[V_JOBS + 12], 0
protected
    mov edi, APIC + 0x300
    mov dword ptr [edi], 0xc4500        # INIT, then where to start, to all others
    mov ecx, 100000
1:  pause
    loop 1b
    mov dword ptr [edi], 0xc4608
1:  pause
    cmp dword ptr [V_BUSY], 3
    jb 1b
case "two writers, two readers: different orders"
    litmus store_x, store_y, load_x_load_y, load_y_load_x, different_orders
endcase
case "the same with exchanges"
    litmus exchange_x, exchange_y, load_x_load_y, load_y_load_x, different_orders
endcase
case "a writer's cause passed on by another: flag without it"
    litmus store_x, load_x_store_y, load_x_load_y, load_y_load_x, flag_without_cause
endcase
    finish

meet:                           # all are here
    lock inc dword ptr [V_READY]
1:  pause
    cmp dword ptr [V_READY], 4
    jb 1b
    ret
clear:
    mov edi, X
    mov ecx, 0x180000 / 4
    xor eax, eax
    rep stosd
    ret

.code16
.set MODE, 16
other_cpu:
    cli
    lgdtd cs:[gdtr]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    .byte 0xea
    .word 1f, CODE32
.code32
1:  mov eax, DATA32
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esi, [APIC + 0x20]
    shr esi, 24
    mov esp, esi
    shl esp, 10
    add esp, 0x60000
    lock inc dword ptr [V_BUSY]
2:  pause
    mov eax, [V_JOBS + esi * 4]
    test eax, eax
    jz 2b
    mov dword ptr [V_JOBS + esi * 4], 0
    push esi
    call eax
    pop esi
    jmp 2b
