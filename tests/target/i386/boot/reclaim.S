# SPDX-License-Identifier: GPL-2.0-or-later
# Two CPUs and a code cache of 2 MiB, which is filled several times over with functions that one CPU writes and both call:
# the other one meanwhile runs code that is rewritten (SDM vol. 3A, 8.1.3), and then code behind a mapping that is
# changed (4.10.5). Each case counts what must not be seen.
# ARGUMENTS: -smp 2 -accel tcg,tb-size=2
.include "boot.inc"
.include "others.inc"
.equ V_JOB, V_JOBS + 4
.equ V_READY, 0x530
.equ V_DONE, 0x534
.equ V_TOLD, 0x538              # the number that the rewritten code has
.equ V_SEEN, 0x53c              # the last one that the other CPU has looked at
.equ V_MORE, 0x540              # functions of the many that the other one has called
.equ MANY, 0x100000             # functions of 256 bytes; each gives its number + 16, and in the upper half which round it is of
.equ N, 4096
.equ PASSES, 1
.equ CODE_AT, 0x30003           # its immediate is aligned, as those of the many are
.equ DIR, 0x20000
.equ TABLE, 0x21000

.macro meet                     # both are here
    lock inc dword ptr [V_READY]
8804: pause
    cmp dword ptr [V_READY], 2
    jb 8804b
.endm
.macro begin job
    mov dword ptr [V_COUNT], 0
    mov dword ptr [V_READY], 0
    mov dword ptr [V_DONE], 0
    mov dword ptr [V_TOLD], 0
    mov dword ptr [V_SEEN], 0
    mov dword ptr [V_MORE], 0
    mov dword ptr [V_JOB], offset \job
    meet
.endm
.macro rewrite_and_call         # function ECX of the many gets the number ECX + EBP, and must give it
    mov edi, ecx
    shl edi, 8
    lea eax, [ecx + ebp]
    mov [edi + MANY + 4], eax
    call one_of_many
    lea ebx, [ecx + ebp + 16]
    cmp eax, ebx
    jz 8805f
    lock inc dword ptr [V_COUNT]
8805:
.endm

tests:
    others_ready
protected
    others_start 1
    descriptor OWN, 0, 0xfffff, 0xc09b
    mov byte ptr [CODE_AT], 0xb8                # MOV EAX,imm; RETF
    mov dword ptr [CODE_AT + 1], 0
    mov byte ptr [CODE_AT + 5], 0xcb
    xor ecx, ecx
1:  mov edi, ecx                                # MOV EAX,imm; sixteen of ADD EAX,EDX; RETF
    shl edi, 8
    add edi, MANY + 3
    mov byte ptr [edi], 0xb8
    mov [edi + 1], ecx
    mov ebx, 5
2:  mov word ptr [edi + ebx], 0xd001
    add ebx, 2
    cmp ebx, 5 + 32
    jb 2b
    mov byte ptr [edi + ebx], 0xcb
    inc ecx
    cmp ecx, N
    jb 1b
case "code that is rewritten while the cache is reclaimed: wrong results"
    begin look_at_code
    mov ebp, 0x10000
1:  xor ecx, ecx
2:  rewrite_and_call
    mov eax, [V_TOLD]
    cmp eax, [V_SEEN]
    jnz 4f
    inc eax
    mov [CODE_AT + 1], eax
    mov [V_TOLD], eax
4:  inc ecx
    cmp ecx, N
    jb 2b
    add ebp, 0x10000
    cmp ebp, (PASSES + 1) * 0x10000
    jb 1b
    call done
    mov eax, [V_COUNT]
    show eax
endcase

# --- a mapping ---
    others_map DIR, TABLE
    mov byte ptr [0x31000], 0xb8
    mov dword ptr [0x31001], 1
    mov byte ptr [0x31005], 0xcb
    mov byte ptr [0x32000], 0xb8
    mov dword ptr [0x32001], 2
    mov byte ptr [0x32005], 0xcb
    mov dword ptr [TABLE + 4 * 0x33], 0x31003
    others_paging DIR
case "a mapping that is changed while the cache is reclaimed: old code after the shootdown"
    mov dword ptr ds:[IDT + 0x41 * 8], CODE32 << 16
    mov dword ptr ds:[IDT + 0x41 * 8 + 4], 0x8e00
    mov word ptr ds:[IDT + 0x41 * 8], offset shootdown
    begin look_at_page
    mov ebp, 0x10000
1:  xor ecx, ecx
2:  rewrite_and_call
    test cl, 15
    jnz 5f
    mov dword ptr [V_SEEN], 0
    xor dword ptr [TABLE + 4 * 0x33], 0x31000 ^ 0x32000
    mov edi, APIC + 0x310
    mov dword ptr [edi], 0x1000000
    mov edi, APIC + 0x300
    mov dword ptr [edi], 0x4041         # to CPU 1
4:  pause
    cmp dword ptr [V_SEEN], 0
    jz 4b
5:  inc ecx
    cmp ecx, N
    jb 2b
    add ebp, 0x10000
    cmp ebp, (PASSES + 1) * 0x10000
    jb 1b
    call done
    mov eax, [V_COUNT]
    show eax
endcase
    finish

done:                           # the other has had its share
    pause
    cmp dword ptr [V_MORE], 1000
    jb done
    mov dword ptr [V_DONE], 1
1:  pause
    cmp dword ptr [V_DONE], 1
    jz 1b
    ret
one_of_many:                    # number ECX
    mov edi, ecx
    shl edi, 8
    add edi, MANY + 3
    mov edx, 1
far_call:                       # to EDI
    push cs
    push offset 1f
    push OWN
    push edi
    retf
1:  ret
another:                        # of the many, whatever round it is of
    mov ecx, [V_MORE]
    imul ecx, ecx, 7
    and ecx, N - 1
    call one_of_many
    sub eax, ecx
    cmp ax, 16
    jz 1f
    lock inc dword ptr [V_COUNT]
1:  inc dword ptr [V_MORE]
    ret
look_at_code:
    meet
1:  call another
    mov esi, [V_TOLD]
    cmp esi, [V_SEEN]
    jz 2f
    xor eax, eax
    cpuid                       # serializes
    mov edi, CODE_AT
    call far_call
    cmp eax, esi
    jz 3f
    lock inc dword ptr [V_COUNT]
3:  mov [V_SEEN], esi
2:  cmp dword ptr [V_DONE], 0
    jz 1b
    mov dword ptr [V_DONE], 2
    ret
look_at_page:
    lidt cs:[idtr_big]
    others_paging DIR
    mov edi, APIC + 0xf0
    mov dword ptr [edi], 0x1ff
    mov dword ptr [V_TOLD], 1
    meet
1:  cli
    mov esi, [V_TOLD]           # the handler's: which page it is
    mov edi, 0x33000
    call far_call
    cmp eax, esi
    jz 2f
    cmp dword ptr [V_SEEN], 0   # it is being changed, the interrupt is under way
    jz 2f
    lock inc dword ptr [V_COUNT]
2:  sti
    call another
    cmp dword ptr [V_DONE], 0
    jz 1b
    cli
    mov dword ptr [V_DONE], 2
    ret
shootdown:
    push eax
    invlpg [0x33000]
    mov eax, [TABLE + 4 * 0x33]
    shr eax, 12
    and eax, 3
    mov [V_TOLD], eax
    mov dword ptr ds:[0xfee000b0], 0
    mov dword ptr [V_SEEN], 1
    pop eax
    iretd
    .balign 4
idtr_big: .word 0x20f
    .long IDT

others
