# SPDX-License-Identifier: GPL-2.0-or-later
# Four CPUs: independent writers seen by independent readers, and causality through a third CPU (SDM vol. 3A, 8.2.3.6,
# 8.2.3.7). Each case counts what must not be seen.
# ARGUMENTS: -smp 4
.include "boot.inc"
.include "others.inc"
.equ V_READY, 0x530
.equ V_DONE, 0x534
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
    others_ready
protected
    others_start 3
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
others
