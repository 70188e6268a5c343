/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jumps to a page that is mapped elsewhere in the meantime: what the jump cache and links between
 * translations remember is good exactly as long as hardware's TLB entry could be.
 */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/vcpu.h"
#include "tests/lib/test.h"
#include "tests/lib/x86-harness.h"

static Xh *h;
static XhState in, out;

/* Page @n of the data begins with: mov eax, @n; ud2. */
static void set_up(const TcgBackend *be)
{
    h = h ? h : xh_new(be);
    xh_state_init(&in, 64);
    in.exec_data = true;
    for (unsigned n = 0; n < 4; n++) {
        memcpy(in.data + n * 4096, (uint8_t[]){ 0xb8, n, 0, 0, 0, 0x0f, 0x0b }, 7);
        xh_map_data(h, n, n, false);
    }
    tcg_tlb_flush(&xh_cpu(h)->tcg);
}

/* Jump to page @n, directly or through RBX, as often as it takes to be remembered. */
static unsigned run(unsigned n, bool indirect)
{
    uint64_t target = XH_DATA + n * 4096;
    uint8_t code[16] = { 0xff, 0xe3 };
    int32_t rel = target - (XH_CODE + 5);

    if (!indirect) {
        code[0] = 0xe9;
        memcpy(code + 1, &rel, 4);
    }
    in.regs[R_BX] = target;
    for (int i = 0; i < 3; i++) {
        xh_run(h, code, sizeof(code), &in, &out);
    }
    return out.regs[R_AX];
}

enum { INVLPG, CR3, CR3_TWICE, FULL, OTHER_PAGE, HOWS };

static void flush(unsigned how)
{
    X86State *s = xh_cpu(h);

    switch (how) {
    case INVLPG: tcg_tlb_flush_page(&s->tcg, XH_DATA + 4096); break;
    case CR3_TWICE: tcg_tlb_flush_non_global(&s->tcg); /* fall through */
    case CR3: tcg_tlb_flush_non_global(&s->tcg); break;
    case FULL: tcg_tlb_flush(&s->tcg); break;
    default: tcg_tlb_flush_page(&s->tcg, XH_DATA); break;
    }
}

static void remap_all(Test *t, const TcgBackend *be)
{
    h = NULL;
    for (unsigned k = 0; k < HOWS * 4; k++) {
        unsigned how = k % HOWS;
        bool indirect = k / HOWS & 1, global = k / HOWS & 2, kept;

        set_up(be);
        xh_map_data(h, 1, 2, global);
        flush(FULL);
        check_int(t, run(1, indirect), 2, "the page mapped first");
        check_int(t, run(0, indirect), 0, "another page");
        xh_map_data(h, 1, 3, global);
        flush(how);
        /* Entries may stay where the architecture lets them; a global one does over CR3. */
        kept = how == OTHER_PAGE || (global && (how == CR3 || how == CR3_TWICE));
        if (!kept) {
            check_int(t, run(1, indirect), 3, "the page mapped then");
        } else if (how != OTHER_PAGE) {
            check_int(t, run(1, indirect), 2, "a global entry stays");
        }
        check_int(t, run(0, indirect), 0, "the other page again");
    }
}

TEST(remap, interpreter)
{
    remap_all(t, &tcg_backend_interp);
}

#ifdef __x86_64__
TEST(remap, backend)
{
    remap_all(t, &tcg_backend_x86_64);
}
#endif

/* --- address spaces with tags --- */

enum { NOTHING, PAGE_OF_OTHER, OTHER_SPACE, INVLPG_THERE, STAYS = INVLPG_THERE, PAGE, SPACE, ALL_LOCAL, ALL, CR3_FLUSHES,
       MANY_SPACES, GIVEN_UP, FORGETS };

static void change_to(unsigned pcid, bool keep)
{
    X86State *s = xh_cpu(h);

    x86_set_cr3(s, (s->cr[3] & ~UINT64_C(0xfff)) | pcid | (uint64_t)keep << 63);
}

static void forget(unsigned how)
{
    X86State *s = xh_cpu(h);

    switch (how) {
    case PAGE_OF_OTHER: x86_invpcid(s, 0, 2, XH_DATA + 4096); break;
    case OTHER_SPACE: x86_invpcid(s, 1, 2, 0); break;
    case INVLPG_THERE: x86_invlpg(s, XH_DATA + 4096); break;
    case PAGE: x86_invpcid(s, 0, 1, XH_DATA + 4096); break;
    case SPACE: x86_invpcid(s, 1, 1, 0); break;
    case ALL_LOCAL: x86_invpcid(s, 3, 0, 0); break;
    case ALL: x86_invpcid(s, 2, 0, 0); break;
    case MANY_SPACES:
        for (unsigned i = 3; i < 100; i++) {
            change_to(i, true);
            run(0, false);
        }
        break;
    case GIVEN_UP:
        change_to(0, true);
        x86_set_cr4(s, s->cr[4] & ~(uint64_t)CR4_PCIDE);
        x86_set_cr4(s, s->cr[4] | CR4_PCIDE);
        break;
    }
}

/* What the page's code says, by running it or by reading it. */
static unsigned look(unsigned n, unsigned way)
{
    static const uint8_t load[] = { 0x8b, 0x43, 0x01, 0x0f, 0x0b };     /* mov eax, [rbx + 1]; ud2 */

    if (way < 2) {
        return run(n, way);
    }
    in.regs[R_BX] = XH_DATA + n * 4096;
    xh_run(h, load, sizeof(load), &in, &out);
    return out.regs[R_AX];
}

static void spaces_all(Test *t, const TcgBackend *be)
{
    h = NULL;
    for (unsigned k = 0; k < FORGETS * 3; k++) {
        unsigned how = k % FORGETS, way = k / FORGETS;
        X86State *s;

        set_up(be);
        s = xh_cpu(h);
        look(0, way);                   /* in the mode of the code */
        x86_set_cr4(s, s->cr[4] | CR4_PCIDE);
        change_to(1, false);
        xh_map_data(h, 1, 2, false);
        x86_invlpg(s, XH_DATA + 4096);
        check_int(t, look(1, way), 2, "the first space");
        change_to(2, true);
        xh_map_data(h, 1, 3, false);
        check_int(t, look(1, way), 3, "the second space");
        check_int(t, look(0, way), 0, "another page");
        forget(how);
        change_to(1, how != CR3_FLUSHES);
        check_int(t, look(1, way), how <= STAYS ? 2 : 3, how <= STAYS ? "what was kept" : "what is mapped now");
        check_int(t, look(0, way), 0, "another page of the first space");
        change_to(2, true);
        check_int(t, look(1, way), 3, "the second space again");
        change_to(0, true);
        x86_set_cr4(s, s->cr[4] & ~(uint64_t)CR4_PCIDE);
    }
}

TEST(remap, address_spaces_interpreter)
{
    spaces_all(t, &tcg_backend_interp);
}

#ifdef __x86_64__
TEST(remap, address_spaces_backend)
{
    spaces_all(t, &tcg_backend_x86_64);
}
#endif

/* A page that was written in one space holds code that runs in the other: the next store is noticed, though its entry was kept. */
TEST(remap, kept_and_watched)
{
    static const uint8_t store[] = { 0x89, 0x4b, 0x01, 0x0f, 0x0b };    /* mov [rbx + 1], ecx; ud2 */
    X86State *s;

    h = NULL;
    set_up(&tcg_backend_interp);
    s = xh_cpu(h);
    run(0, true);
    x86_set_cr4(s, s->cr[4] | CR4_PCIDE);
    for (unsigned n = 0; n < 20; n++) {
        change_to(1, true);
        in.regs[R_BX] = XH_DATA + 4096;
        in.regs[R_CX] = 100 + n;
        xh_run(h, store, sizeof(store), &in, &out);
        memcpy(in.data, out.data, sizeof(in.data));
        change_to(2, true);
        check_int(t, run(1, true), 100 + n, "what was stored runs");
    }
    change_to(0, true);
    x86_set_cr4(s, s->cr[4] & ~(uint64_t)CR4_PCIDE);
}

/*
 * A chain of pointers through pages whose frames aren't in order, in ever other proportions of jumps to another one: guesses of
 * where a load goes are right, wrong, and given up, and each load gives what is there.
 */
TEST(remap, chains_across_frames)
{
    /* 1: mov eax, [rdi + rax*4]; add ecx, eax; mov ebx, [rdi + rax*4 + 4]; add ecx, ebx; dec esi; jnz 1b; ud2 */
    static const uint8_t code[] = { 0x8b, 0x04, 0x87, 0x01, 0xc1, 0x8b, 0x5c, 0x87, 0x04, 0x01, 0xd9, 0xff, 0xce,
                                    0x75, 0xf1, 0x0f, 0x0b };
    static const unsigned to[] = { 2, 3, 1, 1 };
    uint32_t next[1024], n = 20000;

    tcg_switches.guesses = true;
    set_up(&tcg_backend_x86_64);
    for (unsigned stay = 1; stay <= 64; stay *= 4) {
        uint32_t at = 0, sum = 0;

        for (unsigned p = 0; p < 4; p++) {
            xh_map_data(h, p, to[p], false);
        }
        tcg_tlb_flush(&xh_cpu(h)->tcg);
        /* By frame and place, so that pages that share a frame agree. */
        for (unsigned i = 0; i < 1024; i++) {
            unsigned frame = i / 256, slot = i % 256;
            unsigned page = (i * 7 / stay + slot) % 4;

            next[i] = page * 1024 + (slot * 5 + frame + 1) % 255 * 4;
            memcpy(in.data + frame * 4096 + slot * 16, &next[i], 4);
            memcpy(in.data + frame * 4096 + slot * 16 + 4, &i, 4);
        }
        for (unsigned k = 0; k < n; k++) {
            at = next[to[at / 1024] * 256 + at % 1024 / 4];
            sum += at + to[at / 1024] * 256 + at % 1024 / 4;
        }
        in.regs[R_AX] = in.regs[R_CX] = 0;
        in.regs[R_DI] = XH_DATA;
        in.regs[R_SI] = n;
        xh_run(h, code, sizeof(code), &in, &out);
        check_u32(t, (uint32_t)out.regs[R_AX], at, "where it ends");
        check_u32(t, (uint32_t)out.regs[R_CX], sum, "what it has seen");
    }
    tcg_switches.guesses = false;
}
