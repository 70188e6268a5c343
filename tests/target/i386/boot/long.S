# SPDX-License-Identifier: GPL-2.0-or-later
# 64-bit mode: what stays in the TLB and what the jump cache remembers over a change of mapping, with and without PCIDs (SDM
# vol. 3A, 4.10), protection keys (4.6.2), paging with five levels (4.5), canonical addresses.
#
# Tables: 20000 PML4 A, 21000 PDPT, 22000 PD (0 to 3FFFFF by a page table each at 23000 and 24000, from 400000 large pages), 28000 PML4 B
# (its own PDPT, PD and PT: 29000, 2A000, 2B000, 24000), 2F000 PML5. Pages 40000 to 43000 have MOV EAX,1 to 4; RET.
.include "boot.inc"
.equ CODE64, OWN
.equ IDT64, 0x3000
.equ V_RSP, 0x530

.macro tell text
    push rsi
    push rax
    lea rsi, [rip + 8881f]
    call puts_64
    pop rax
    pop rsi
    .pushsection .rodata
8881: .asciz "\text"
    .popsection
.endm
.macro value
    push rax
    mov al, 32
    out 0xe9, al
    pop rax
    push rax
    push rcx
    push rdx
    call hex_64
    pop rdx
    pop rcx
    pop rax
.endm
.macro case64 name
    tell "\name:"
    mov [V_RSP], rsp
    lea rax, [rip + 8889f]
    mov [V_RESUME], eax
    lea rax, [rip + 8887f]
    mov [V_START], eax
8887:
.endm
.macro endcase64
    tell " ok"
8889:
    mov rsp, [V_RSP]
    mov al, 10
    out 0xe9, al
.endm
.macro map page, to, flags=0x23
    mov qword ptr [0x24000 + 8 * (\page - 0x200)], (\to << 12) + \flags
.endm
.macro run_at address
    mov edi, \address
    call thrice
    value
.endm

tests:
    descriptor CODE64, 0, 0xfffff, 0xa09b
protected
    mov edi, 0x20000
    mov ecx, 0x10000 / 4
    xor eax, eax
    rep stosd
    mov dword ptr [0x20000], 0x21007
    mov dword ptr [0x21000], 0x22007
    mov dword ptr [0x22000], 0x23007
    mov dword ptr [0x22008], 0x24007
    mov edi, 0x22010
    mov eax, 0x400087
1:  mov [edi], eax
    add eax, 0x200000
    add edi, 8
    cmp edi, 0x22040
    jb 1b
    mov dword ptr [0x21018], 0x25007    # the top gigabyte: the APIC's, not used
    mov edi, 0x23000
    mov eax, 7
1:  mov [edi], eax
    add eax, 0x1000
    add edi, 8
    cmp edi, 0x25000
    jb 1b
    mov dword ptr [0x28000], 0x29007
    mov dword ptr [0x29000], 0x2a007
    mov dword ptr [0x2a000], 0x23007
    mov dword ptr [0x2a008], 0x2b007
    mov edi, 0x2b000
    mov eax, 0x200007
1:  mov [edi], eax
    add eax, 0x1000
    add edi, 8
    cmp edi, 0x2c000
    jb 1b
    mov dword ptr [0x2f000], 0x20007
    mov ecx, 4
    mov edi, 0x40000
    mov eax, 1
1:  mov byte ptr [edi], 0xb8
    mov [edi + 1], eax
    mov byte ptr [edi + 5], 0xc3
    mov [edi + 0x100], eax
    add edi, 0x1000
    inc eax
    loop 1b
    mov edi, IDT64
    mov eax, offset stubs_64 + BASE
    mov ecx, 32
1:  mov [edi], ax
    mov word ptr [edi + 2], CODE64
    mov ebx, eax
    mov bx, 0x8e00
    mov [edi + 4], ebx
    mov dword ptr [edi + 8], 0
    add eax, 12
    add edi, 16
    loop 1b
    call enter_64
    .byte 0xea
    .long 1f + BASE
    .word CODE64
.code64
1:  lidt [rip + idtr_64]
    mov rsp, 0x70000
    jmp tests_64

.code32
enter_64:                       # with what CR4 has
    mov eax, cr4
    or eax, 0xa0                # PAE, PGE
    mov cr4, eax
    mov eax, 0x20000
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
    ret
.code64
tests_64:
case64 "pte, invlpg"
    map 0x210, 0x40
    run_at 0x210000
    map 0x210, 0x41
    invlpg [0x210000]
    run_at 0x210000
endcase64
case64 "pte, cr3"
    map 0x210, 0x42
    mov rax, cr3
    mov cr3, rax
    run_at 0x210000
endcase64
case64 "global pte: cr3, then cr4.pge"
    map 0x210, 0x40, 0x123
    invlpg [0x210000]
    run_at 0x210000
    mov rax, cr4
    xor rax, 0x80
    map 0x210, 0x41, 0x123
    mov cr4, rax
    xor rax, 0x80
    mov cr4, rax
    run_at 0x210000
endcase64
case64 "global pte and invlpg"
    map 0x210, 0x42, 0x123
    invlpg [0x210000]
    run_at 0x210000
    map 0x210, 0x40
    invlpg [0x210000]
endcase64
case64 "pd entry, invlpg of any address below it"
    map 0x210, 0x40
    invlpg [0x210000]
    run_at 0x210000
    mov qword ptr [0x2b080], 0x41007
    mov qword ptr [0x22008], 0x2b007
    mov rax, cr3
    mov cr3, rax
    run_at 0x210000
    mov qword ptr [0x22008], 0x24007
    mov qword ptr [0x2b080], 0x210007
    mov rax, cr3
    mov cr3, rax
endcase64
case64 "a large page is split"
    mov byte ptr [0x600000], 0xb8
    mov dword ptr [0x600001], 7
    mov byte ptr [0x600005], 0xc3
    run_at 0x600000
    mov qword ptr [0x2b000], 0x43007
    mov qword ptr [0x22018], 0x2b007
    invlpg [0x600000]
    run_at 0x600000
    mov qword ptr [0x22018], 0x600087
    mov qword ptr [0x2b000], 0x200007
    invlpg [0x600000]
    run_at 0x600000
endcase64
case64 "a large page is split: invlpg elsewhere in it"
    run_at 0x600000
    mov qword ptr [0x2b000], 0x43007
    mov qword ptr [0x22018], 0x2b007
    invlpg [0x712345]
    run_at 0x600000
    mov qword ptr [0x22018], 0x600087
    mov qword ptr [0x2b000], 0x200007
    invlpg [0x600000]
endcase64
case64 "a call across a page boundary"
    map 0x210, 0x50, 0x3
    map 0x211, 0x40, 0x3
    map 0x212, 0x51, 0x3
    mov rax, cr3
    mov cr3, rax
    mov byte ptr [0x210ffb], 0xe9       # JMP 211000
    mov dword ptr [0x210ffc], 0
    run_at 0x210ffb
    map 0x211, 0x41, 0x3
    invlpg [0x211000]
    run_at 0x210ffb
    map 0x211, 0x42, 0x3
    invlpg [0x211000]
    run_at 0x210ffb
endcase64
case64 "two addresses of one page: each goes on where it is"
    map 0x210, 0x50, 0x3
    map 0x211, 0x40, 0x3
    map 0x220, 0x50, 0x3
    map 0x221, 0x41, 0x3
    mov rax, cr3
    mov cr3, rax
    run_at 0x210ffb
    run_at 0x220ffb
    run_at 0x210ffb
endcase64
case64 "not executable"
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x800
    wrmsr
    map 0x210, 0x40, 0x3
    bts qword ptr [0x24080], 63
    invlpg [0x210000]
    mov eax, [0x210100]
    value
    mov edi, 0x210000
    mov [V_START], edi
    call rdi
endcase64
    map 0x210, 0x40
    invlpg [0x210000]

# --- PCIDs ---
case64 "cr4.pcide"
    mov rax, cr4
    bts rax, 17
    mov cr4, rax
    mov rax, cr4
    shr eax, 17
    and eax, 1
    value
endcase64
case64 "two address spaces"
    mov qword ptr [0x2b080], 0x41007
    mov rax, 0x20001
    mov cr3, rax
    run_at 0x210000
    mov rax, 0x28002
    mov cr3, rax
    run_at 0x210000
    mov rax, 0x20001
    bts rax, 63
    mov cr3, rax
    run_at 0x210000
    mov rax, 0x28002
    bts rax, 63
    mov cr3, rax
    run_at 0x210000
endcase64
case64 "cr3 reads back without bit 63"
    mov rax, cr3
    shr rax, 32
    value
endcase64
case64 "without bit 63 its entries go"
    mov qword ptr [0x2b080], 0x42007
    mov rax, 0x28002
    mov cr3, rax
    run_at 0x210000
endcase64
case64 "invpcid of an address"
    mov qword ptr [0x2b080], 0x43007
    mov qword ptr [0x700], 2
    mov qword ptr [0x708], 0x210000
    xor eax, eax
    invpcid rax, [0x700]
    run_at 0x210000
endcase64
case64 "invpcid of a pcid, from another"
    mov rax, 0x20001
    mov cr3, rax
    mov qword ptr [0x2b080], 0x40007
    mov qword ptr [0x700], 2
    mov eax, 1
    invpcid rax, [0x700]
    mov rax, 0x28002
    bts rax, 63
    mov cr3, rax
    run_at 0x210000
endcase64
case64 "invpcid of all"
    mov qword ptr [0x2b080], 0x41007
    mov eax, 2
    invpcid rax, [0x700]
    run_at 0x210000
endcase64
case64 "invpcid of an address, from another"
    mov rax, 0x20001
    bts rax, 63
    mov cr3, rax
    mov qword ptr [0x2b080], 0x42007
    mov qword ptr [0x700], 2
    mov qword ptr [0x708], 0x210000
    xor eax, eax
    invpcid rax, [0x700]
    mov rax, 0x28002
    bts rax, 63
    mov cr3, rax
    run_at 0x210000
endcase64
case64 "invpcid of all but global ones, from another"
    mov rax, 0x20001
    bts rax, 63
    mov cr3, rax
    mov qword ptr [0x2b080], 0x40007
    mov eax, 3
    invpcid rax, [0x700]
    mov rax, 0x28002
    bts rax, 63
    mov cr3, rax
    run_at 0x210000
endcase64
case64 "a store to a page whose code runs in the other"
    mov qword ptr [0x2b080], 0x43007
    invlpg [0x210000]
    mov dword ptr [0x210801], 5
    mov byte ptr [0x210800], 0xb8
    mov byte ptr [0x210805], 0xc3
    mov rax, 0x20001
    bts rax, 63
    mov cr3, rax
    mov qword ptr [0x24080], 0x43007
    invlpg [0x210000]
    run_at 0x210800
    mov rax, 0x28002
    bts rax, 63
    mov cr3, rax
    mov dword ptr [0x210801], 6
    mov rax, 0x20001
    bts rax, 63
    mov cr3, rax
    run_at 0x210800
    mov qword ptr [0x24080], 0x40007
    invlpg [0x210000]
    mov rax, 0x28002
    bts rax, 63
    mov cr3, rax
endcase64
case64 "invpcid of type 4"
    mov eax, 4
    invpcid rax, [0x700]
endcase64
case64 "invpcid with reserved bits"
    mov qword ptr [0x700], 0x1000
    mov eax, 1
    invpcid rax, [0x700]
endcase64
case64 "pcide off with a pcid in cr3"
    mov rax, 0x20000
    mov cr3, rax
    mov rax, cr4
    btr rax, 17
    mov cr4, rax
    mov rax, cr4
    shr eax, 17
    and eax, 1
    value
endcase64

# --- protection keys ---
case64 "rdpkru without cr4.pke"
    xor ecx, ecx
    rdpkru
endcase64
case64 "keys of user pages: all allowed"
    mov rax, cr4
    bts rax, 22
    mov cr4, rax
    map 0x210, 0x40, 0x7
    mov rax, 5 << 59
    or [0x24080], rax
    invlpg [0x210000]
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    wrpkru
    mov eax, [0x210100]
    value
endcase64
case64 "write disabled for key 5: a read"
    xor ecx, ecx
    xor edx, edx
    mov eax, 2 << 10
    wrpkru
    mov eax, [0x210100]
    value
endcase64
case64 "write disabled for key 5: a write, wp set"
    mov [0x210100], eax
endcase64
case64 "write disabled for key 5: a write, wp clear"
    mov rax, cr0
    btr rax, 16
    mov cr0, rax
    mov eax, 1
    mov [0x210100], eax
    mov rax, cr0
    bts rax, 16
    mov cr0, rax
endcase64
case64 "access disabled for key 5: a read"
    xor ecx, ecx
    xor edx, edx
    mov eax, 1 << 10
    wrpkru
    mov eax, [0x210100]
endcase64
case64 "access disabled for key 5: executed"
    run_at 0x210000
endcase64
case64 "access disabled for another key"
    xor ecx, ecx
    xor edx, edx
    mov eax, 1 << 12
    wrpkru
    mov eax, [0x210100]
    value
endcase64
case64 "access disabled for key 5 by xrstor"
    mov rax, cr4
    bts rax, 18
    mov cr4, rax
    xor ecx, ecx
    xor edx, edx
    mov eax, 0x203
    xsetbv
    xor eax, eax
    wrpkru
    mov edi, 0x60000
    mov ecx, 0xa90 / 8
    rep stosq
    mov edi, 0x60000
    mov word ptr [rdi + 0x200], 0x200
    mov word ptr [rdi + 0xa80], 1 << 10
    mov ebx, [0x210100]
    mov eax, 0x200
    xrstor [rdi]
    mov eax, [0x210100]
endcase64
case64 "allowed again by it"
    mov edi, 0x60000
    mov word ptr [rdi + 0xa80], 0
    xor edx, edx
    mov eax, 0x200
    xrstor [rdi]
    mov eax, [0x210100]
    value
endcase64
case64 "wrpkru with ecx"
    xor edx, edx
    mov ecx, 1
    wrpkru
endcase64
case64 "wrpkru with edx"
    xor ecx, ecx
    mov edx, 1
    wrpkru
endcase64
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    wrpkru
    map 0x210, 0x40

# --- SMAP: only page 210 is the user's from here on ---
    mov edi, 0x23000
1:  and byte ptr [rdi], ~4
    add edi, 8
    cmp edi, 0x24000
    jb 1b
    map 0x210, 0x40, 0x7
    mov rax, cr3
    mov cr3, rax
    mov rax, cr4
    bts rax, 21
    mov cr4, rax
    clac
    mov edi, 0x210100
case64 "smap: a read of a user page"
    mov eax, [rdi]
endcase64
case64 "between stac and clac, often"
    mov ebp, 40
    xor ebx, ebx
1:  stac
    add ebx, [rdi]
    mov [rdi + 4], ebx
    clac
    dec ebp
    jnz 1b
    mov eax, ebx
    value
    stac
    mov eax, [rdi + 4]
    clac
    value
endcase64
case64 "after clac"
    mov ebp, 40
1:  stac
    mov eax, [rdi]
    clac
    dec ebp
    jnz 1b
    mov [rdi + 4], eax
endcase64
case64 "after clac, the same loop: when the page is read once more than that"
    mov ebp, 40
1:  stac
    mov eax, [rdi]
    cmp ebp, 1
    jne 2f
    clac
2:  mov eax, [rdi]
    clac
    dec ebp
    jnz 1b
endcase64
case64 "a function that clears it"
    jmp 3f
2:  mov eax, [rdi]
    clac
    ret
3:  mov ebp, 40
1:  stac
    call 2b
    dec ebp
    jnz 1b
    value
    mov eax, [rdi]
endcase64
case64 "ac by pushf, popf"
    stac
    pushfq
    pop rax
    shr eax, 18
    and eax, 1
    value
    clac
    pushfq
    pop rax
    bt eax, 18
    setc al
    movzx eax, al
    value
    pushfq
    bts qword ptr [rsp], 18
    popfq
    mov eax, [rdi]
    value
    pushfq
    btr qword ptr [rsp], 18
    popfq
    mov eax, [rdi]
endcase64
case64 "code that has run without smap, now with it"
    jmp 3f
2:  clac
    mov eax, [rdi]
    ret
3:  mov rax, cr4
    btr rax, 21
    mov cr4, rax
    mov ebp, 40
1:  stac
    call 2b
    dec ebp
    jnz 1b
    value
    mov rax, cr4
    bts rax, 21
    mov cr4, rax
    stac
    call 2b
endcase64
    mov rax, cr4
    btr rax, 21
    mov cr4, rax
    clac
    map 0x210, 0x40
    invlpg [0x210000]

# --- addresses ---
case64 "not canonical: a read"
    mov rbx, 0x0000800000000000
    mov al, [rbx]
endcase64
case64 "not canonical by rsp"
    mov rbp, 0x0000800000000000
    mov al, [rbp]
endcase64
case64 "across into what isn't canonical"
    mov rbx, 0x00007ffffffffffe
    mov eax, [rbx]
endcase64
case64 "wrmsr of it"
    mov ecx, 0xc0000100
    xor eax, eax
    mov edx, 0x8000
    wrmsr
endcase64
case64 "la57 can't be changed in long mode"
    mov rax, cr4
    bts rax, 12
    mov cr4, rax
endcase64

# --- five levels: by way of 32-bit code without paging ---
    lea rax, [rip + 1f]
    push 0x08
    push rax
    mov eax, offset 1f
    mov [rsp], rax
    retfq
.code32
1:  mov eax, cr0
    btr eax, 31
    mov cr0, eax
    mov eax, cr4
    bts eax, 12
    mov cr4, eax
    mov eax, 0x2f000
    mov cr3, eax
    mov eax, cr0
    bts eax, 31
    mov cr0, eax
    .byte 0xea
    .long 1f + BASE
    .word CODE64
.code64
1:
case64 "five levels"
    mov rax, cr4
    shr eax, 12
    and eax, 1
    value
    run_at 0x210000
endcase64
case64 "five levels: canonical of 57 bits, not mapped"
    mov rbx, 0x0000800000000000
    mov al, [rbx]
endcase64
case64 "five levels: not canonical"
    mov rbx, 0x0100000000000000
    mov al, [rbx]
endcase64
case64 "five levels: a second top entry"
    mov qword ptr [0x2f008], 0x20007
    mov rbx, 0x0001000000210100
    mov eax, [rbx]
    value
endcase64
case64 "five levels: from the top"
    mov qword ptr [0x2fff8], 0x20007
    mov rbx, 0xffff000000210100
    mov eax, [rbx]
    value
endcase64
    mov al, 0
    out 0xf4, al
1:  hlt
    jmp 1b

thrice:                         # call RDI, so often that it is remembered; EAX is the last result
    mov ebp, 20
1:  call rdi
    dec ebp
    jnz 1b
    ret
printers 64
stubs_64:
    .set n, 0
    .rept 32
    .if n == 8 || (n >= 10 && n <= 14) || n == 17
    .byte 0x90, 0x90
    .else
    .byte 0x6a, 0
    .endif
    .byte 0x6a, n, 0xe9
    .long caught_64 - . - 4
    .byte 0x90, 0x90, 0x90
    .set n, n + 1
    .endr
caught_64:                      # vector, error, RIP
    mov rax, [rsp]
    tell " #"
    push rax
    call hex_64
    pop rax
    mov rax, [rsp + 8]
    cmp dword ptr [rsp], 14
    jz 1f
    cmp dword ptr [rsp], 13
    jnz 2f
1:  tell "("
    call hex_64
    tell ")"
2:  tell " +"
    mov rax, [rsp + 16]
    sub eax, [V_START]
    call hex_64
    cmp dword ptr [rsp], 14
    jnz 3f
    tell " at"
    mov rax, cr2
    shr rax, 32
    value
    mov rax, cr2
    value
3:  mov rsp, [V_RSP]
    mov eax, [V_RESUME]
    jmp rax
    .balign 8
idtr_64: .word 511
    .quad IDT64
