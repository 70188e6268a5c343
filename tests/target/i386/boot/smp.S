# SPDX-License-Identifier: GPL-2.0-or-later
# Two CPUs: orders of memory accesses that x86 forbids (SDM vol. 3A, 8.2.3), locked operations, code that the other
# CPU rewrites (8.1.3), a mapping that it changes (4.10.5). Each case counts what must not be seen.
# ARGUMENTS: -smp 2
.include "boot.inc"
.include "others.inc"
.equ V_JOB, V_JOBS + 4
.equ V_READY, 0x530
.equ V_DONE, 0x534
.equ X, 0x100000                # a line for each cell: X[i], Y[i], and what the CPUs read
.equ Y, 0x200000
.equ R0, 0x300000
.equ R1, 0x380000
.equ CELLS, 8192
.equ ROUNDS, 8
.equ DIR, 0x20000
.equ TABLE, 0x21000

.macro meet                     # both are here
    lock inc dword ptr [V_READY]
8804: pause
    cmp dword ptr [V_READY], 2
    jb 8804b
.endm
# for every cell: \first on this CPU, \second on the other; EDI is the offset in X and Y, EBX that in R0 and R1.
.macro litmus first second check
    mov dword ptr [V_COUNT], 0
    mov ecx, ROUNDS
8801:
    push ecx
    call clear
    mov dword ptr [V_READY], 0
    mov dword ptr [V_DONE], 0
    mov dword ptr [V_JOB], offset 8802f
    meet
    xor edi, edi
    xor ebx, ebx
8803: \first
    add edi, 64
    add ebx, 4
    cmp ebx, CELLS * 4
    jb 8803b
8805: pause
    cmp dword ptr [V_DONE], 0
    jz 8805b
    xor edi, edi
    xor ebx, ebx
8806: \check
    add edi, 64
    add ebx, 4
    cmp ebx, CELLS * 4
    jb 8806b
    pop ecx
    dec ecx
    jnz 8801b
    mov eax, [V_COUNT]
    show eax
    jmp 8807f
8802:
    meet
    xor edi, edi
    xor ebx, ebx
8808: \second
    add edi, 64
    add ebx, 4
    cmp ebx, CELLS * 4
    jb 8808b
    mov dword ptr [V_DONE], 1
    ret
8807:
.endm

.macro store_x_fence_load_y
    mov dword ptr [X + edi], 1
    mfence
    mov eax, [Y + edi]
    mov [R0 + ebx], eax
.endm
.macro store_y_fence_load_x
    mov dword ptr [Y + edi], 1
    mfence
    mov eax, [X + edi]
    mov [R1 + ebx], eax
.endm
.macro xchg_x_load_y
    mov eax, 1
    xchg [X + edi], eax
    mov eax, [Y + edi]
    mov [R0 + ebx], eax
.endm
.macro xchg_y_load_x
    mov eax, 1
    xchg [Y + edi], eax
    mov eax, [X + edi]
    mov [R1 + ebx], eax
.endm
.macro locked_other_x
    mov dword ptr [X + edi], 1
    lock or dword ptr [esp], 0
    mov eax, [Y + edi]
    mov [R0 + ebx], eax
.endm
.macro locked_other_y
    mov dword ptr [Y + edi], 1
    lock or dword ptr [esp], 0
    mov eax, [X + edi]
    mov [R1 + ebx], eax
.endm
.macro both_zero
    mov eax, [R0 + ebx]
    or eax, [R1 + ebx]
    cmp eax, 1
    adc dword ptr [V_COUNT], 0
.endm
.macro store_data_flag
    mov dword ptr [X + edi], 1
    mov dword ptr [Y + edi], 1
.endm
.macro load_flag_data
    mov eax, [Y + edi]
    mov edx, [X + edi]
    mov [R0 + ebx], eax
    mov [R1 + ebx], edx
.endm
.macro flag_without_data
    mov eax, [R0 + ebx]
    sub eax, [R1 + ebx]
    cmp eax, 1
    jnz 7701f
    inc dword ptr [V_COUNT]
7701:
.endm
.macro load_x_store_y
    mov eax, [X + edi]
    mov dword ptr [Y + edi], 1
    mov [R0 + ebx], eax
.endm
.macro load_y_store_x
    mov eax, [Y + edi]
    mov dword ptr [X + edi], 1
    mov [R1 + ebx], eax
.endm
.macro both_one
    mov eax, [R0 + ebx]
    and eax, [R1 + ebx]
    add [V_COUNT], eax
.endm
.macro store_x1_y2
    mov dword ptr [X + edi], 1
    mov dword ptr [Y + edi], 2
.endm
.macro store_y1_x2
    mov dword ptr [Y + edi], 1
    mov dword ptr [X + edi], 2
.endm
.macro both_first
    mov eax, [X + edi]
    or eax, [Y + edi]
    cmp eax, 1
    jnz 7702f
    inc dword ptr [V_COUNT]
7702:
.endm
.macro own_store_first
    mov dword ptr [X + edi], 1
    mov eax, [X + edi]
    mov edx, [Y + edi]
    xor eax, 1
    add [R0 + ebx], eax
.endm
.macro own_store_second
    mov dword ptr [Y + edi], 1
    mov eax, [Y + edi]
    mov edx, [X + edi]
    xor eax, 1
    add [R1 + ebx], eax
.endm
.macro any_r
    mov eax, [R0 + ebx]
    or eax, [R1 + ebx]
    add [V_COUNT], eax
.endm
.macro nothing
.endm
.macro add_one
    lock inc dword ptr [X + 62]         # over two lines
    lock add dword ptr [Y], 1
    lock inc byte ptr [Y + 64]
    mov eax, 1
    lock xadd [Y + 128], eax
7703: mov eax, [Y + 192]
    lea edx, [eax + 1]
    lock cmpxchg [Y + 192], edx
    jnz 7703b
7704: mov eax, 1
    xchg [Y + 256], eax                 # a lock around an increment of its own
    test eax, eax
    jz 7705f
    pause
    jmp 7704b
7705: inc dword ptr [Y + 320]
    mov dword ptr [Y + 256], 0
    lock bts dword ptr [Y + 384], 5
.endm

tests:
    others_ready
protected
    others_start 1
case "store, fence, load of the other's: both old"
    litmus store_x_fence_load_y, store_y_fence_load_x, both_zero
endcase
case "exchange, load of the other's: both old"
    litmus xchg_x_load_y, xchg_y_load_x, both_zero
endcase
case "store, locked operation elsewhere, load: both old"
    litmus locked_other_x, locked_other_y, both_zero
endcase
case "message: flag without data"
    litmus store_data_flag, load_flag_data, flag_without_data
endcase
case "load, store: both new"
    litmus load_x_store_y, load_y_store_x, both_one
endcase
case "two stores each in opposite order: both first ones stay"
    litmus store_x1_y2, store_y1_x2, both_first
endcase
case "own store not seen"
    litmus own_store_first, own_store_second, any_r
endcase
case "locked counters, also over two lines"
    litmus add_one, add_one, nothing
    mov eax, [X + 62]
    show eax
    mov eax, [Y]
    show eax
    movzx eax, byte ptr [Y + 64]
    show eax
    mov eax, [Y + 128]
    show eax
    mov eax, [Y + 192]
    show eax
    mov eax, [Y + 320]
    show eax
endcase

# --- code ---
.equ CODE_AT, 0x30003           # its immediate is aligned
.equ LOOPS, 2000
    descriptor OWN, 0, 0xfffff, 0xc09b
    mov byte ptr [CODE_AT], 0xb8                # MOV EAX,imm; RETF
    mov dword ptr [CODE_AT + 1], 0
    mov byte ptr [CODE_AT + 5], 0xcb
case "code that the other CPU rewrites: old code after it is told"
    mov dword ptr [V_COUNT], 0
    mov dword ptr [X], 0                        # the number that the code should have
    mov dword ptr [Y], 0                        # and the last one seen
    mov dword ptr [V_READY], 0
    mov dword ptr [V_DONE], 0
    mov dword ptr [V_JOB], offset rewriter
    meet
1:  pause
    mov esi, [X]
    cmp esi, [Y]
    jz 1b
    mov eax, 0
    cpuid                                       # serializes (8.1.3)
    mov edi, CODE_AT
    call far_call
    cmp eax, esi
    jz 2f
    inc dword ptr [V_COUNT]
2:  mov [Y], esi
    cmp esi, LOOPS
    jb 1b
    mov eax, [V_COUNT]
    show eax
endcase
case "code that it rewrites while it runs: neither old nor new"
    mov dword ptr [V_COUNT], 0
    mov dword ptr [CODE_AT + 1], 0x01010101
    mov dword ptr [X], 0
    mov dword ptr [V_READY], 0
    mov dword ptr [V_DONE], 0
    mov dword ptr [V_JOB], offset toggler
    meet
1:  mov edi, CODE_AT
    call far_call
    cmp eax, 0x01010101
    jz 2f
    cmp eax, 0x02020202
    jz 2f
    inc dword ptr [V_COUNT]
2:  cmp dword ptr [V_DONE], 0
    jz 1b
    mov eax, [V_COUNT]
    show eax
endcase

# --- a mapping ---
    others_map DIR, TABLE
    mov dword ptr [0x31000], 0xb8
    mov dword ptr [0x31001], 1
    mov byte ptr [0x31005], 0xcb
    mov dword ptr [0x32000], 0xb8
    mov dword ptr [0x32001], 2
    mov byte ptr [0x32005], 0xcb
    others_paging DIR
case "a mapping that it changes: old code or data after the shootdown"
    mov dword ptr ds:[IDT + 0x41 * 8], CODE32 << 16
    mov dword ptr ds:[IDT + 0x41 * 8 + 4], 0x8e00
    mov word ptr ds:[IDT + 0x41 * 8], offset shootdown
    lidt cs:[idtr_big]
    mov edi, APIC + 0xf0
    mov dword ptr [edi], 0x1ff
    mov dword ptr [V_COUNT], 0
    mov dword ptr [X], 0                        # set by the handler: which page it is
    mov dword ptr [R0], 1
    mov dword ptr [R1], 0
    mov dword ptr [V_READY], 0
    mov dword ptr [V_DONE], 0
    mov dword ptr [TABLE + 4 * 0x33], 0x31003
    mov dword ptr [V_JOB], offset remapper
    meet
    sti
1:  cli
    mov esi, [X]
    test esi, esi
    jz 2f
    mov edi, 0x33000
    call far_call
    mov ebx, [0x33001]
    cmp dword ptr [R0], 0                       # the other CPU is at it
    jnz 2f
    inc dword ptr [R1]
    cmp eax, esi
    jz 3f
    inc dword ptr [V_COUNT]
3:  cmp ebx, esi
    jz 2f
    inc dword ptr [V_COUNT]
2:  sti
    nop
    cmp dword ptr [V_DONE], 0
    jz 1b
    cli
    mov eax, [V_COUNT]
    show eax
endcase
    finish

clear:
    mov edi, X
    mov ecx, 0x300000 / 4
    xor eax, eax
    rep stosd
    ret
far_call:                       # to EDI
    push cs
    push offset 1f
    push OWN
    push edi
    retf
1:  ret
rewriter:
    meet
    xor ecx, ecx
1:  inc ecx
    mov [CODE_AT + 1], ecx
    mov [X], ecx
2:  pause
    cmp [Y], ecx
    jnz 2b
    cmp ecx, LOOPS
    jb 1b
    mov dword ptr [V_DONE], 1
    ret
toggler:
    meet
    mov ecx, LOOPS
1:  mov dword ptr [CODE_AT + 1], 0x02020202
    mov edx, 50
2:  dec edx
    jnz 2b
    mov dword ptr [CODE_AT + 1], 0x01010101
    mov edx, 50
2:  dec edx
    jnz 2b
    dec ecx
    jnz 1b
    mov dword ptr [V_DONE], 1
    ret
remapper:
    meet
    mov ecx, 500
1:  mov dword ptr [Y], 0
    mov dword ptr [R0], 1
    xor dword ptr [TABLE + 4 * 0x33], 0x31000 ^ 0x32000
    mov edi, APIC + 0x310
    mov dword ptr [edi], 0
    mov edi, APIC + 0x300
    mov dword ptr [edi], 0x4041         # to CPU 0
2:  pause
    cmp dword ptr [Y], 0
    jz 2b
    mov edx, [R1]
    add edx, 3
    mov dword ptr [R0], 0
3:  pause
    cmp [R1], edx
    jb 3b
    dec ecx
    jnz 1b
    mov dword ptr [V_DONE], 1
    ret
shootdown:
    push eax
    invlpg [0x33000]
    mov eax, [TABLE + 4 * 0x33]
    shr eax, 12
    and eax, 3
    mov [X], eax
    mov dword ptr ds:[0xfee000b0], 0
    mov dword ptr [Y], 1
    pop eax
    iretd
    .balign 4
idtr_big: .word 0x20f
    .long IDT

others
