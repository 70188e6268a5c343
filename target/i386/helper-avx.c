/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Masked moves and gathers (SDM vol. 2, VMASKMOV, VPMASKMOV, VPGATHERDD and its kin). */
#include "util/osdep.h"
#include "target/i386/seg.h"
#include "target/i386/sse.h"
#include "util/bswap.h"

static bool selected(const X86State *s, unsigned mask, unsigned at, unsigned bytes)
{
    return s->xmm[mask][at + bytes - 1] & 0x80;
}

/* Linear address of an element: base added, segment checked. An offset is of 32 bits outside 64-bit code: the
 * elements of an operand near its end go on at zero. */
static uint64_t element(X86State *s, unsigned seg, uint64_t off, unsigned bytes,
                        bool write)
{
    if (x86_code64(s)) {
        return seg >= S_FS ? s->seg[seg].base + off : off;
    }
    x86_seg_check(s, seg, (uint32_t)off, bytes, write);
    return (uint32_t)(s->seg[seg].base + (uint32_t)off);
}

/* @off: offset in the segment. @shape: bytes of the operand, of an element << 8, segment << 16. */
static void maskmov_ld(TcgEnv *env, uint64_t off, uint32_t dest, uint32_t mask, uint32_t shape,
                       uint32_t mmu)
{
    X86State *s = x86_state(env);
    unsigned size = shape & 0xff, bytes = shape >> 8 & 0xff, seg = shape >> 16;
    uint8_t v[32] = { 0 };

    for (unsigned at = 0; at < size; at += bytes) {
        if (selected(s, mask, at, bytes)) {
            tcg_ld_bytes(env, element(s, seg, off + at, bytes, false), v + at, bytes, mmu);
        }
    }
    memcpy(s->xmm[dest], v, 32);
}

static void maskmov_st(TcgEnv *env, uint64_t off, uint32_t src, uint32_t mask, uint32_t shape,
                       uint32_t mmu)
{
    X86State *s = x86_state(env);
    unsigned size = shape & 0xff, bytes = shape >> 8 & 0xff, seg = shape >> 16;

    for (unsigned at = 0; at < size; at += bytes) {
        if (selected(s, mask, at, bytes)) {
            tcg_probe(env, element(s, seg, off + at, bytes, true), bytes, true, mmu);
        }
    }
    for (unsigned at = 0; at < size; at += bytes) {
        if (selected(s, mask, at, bytes)) {
            tcg_st_bytes(env, element(s, seg, off + at, bytes, true), s->xmm[src] + at, bytes, mmu);
        }
    }
}

/* @what: as tr_gather packs it. @base: offset without the index. */
static void gather(TcgEnv *env, uint64_t base, uint32_t what, uint32_t mmu)
{
    X86State *s = x86_state(env);
    unsigned d = what & 15, m = what >> 4 & 15, x = what >> 8 & 15, scale = what >> 12 & 3;
    unsigned index_bytes = what >> 14 & 1 ? 8 : 4, bytes = what >> 15 & 1 ? 8 : 4;
    unsigned size = what >> 16 & 1 ? 32 : 16, adsize = what >> 20 & 15, seg = what >> 24;
    unsigned n = MIN(size / bytes, size / index_bytes);

    for (unsigned k = 0; k < n; k++) {
        const uint8_t *p = &s->xmm[x][k * index_bytes];
        uint64_t off = index_bytes == 8 ? load_le64(p) : (uint64_t)(int64_t)(int32_t)load_le32(p);

        if (selected(s, m, k * bytes, bytes)) {
            off = base + (off << scale);
            off = adsize == 8 ? off : (uint32_t)off;
            tcg_ld_bytes(env, element(s, seg, off, bytes, false), &s->xmm[d][k * bytes], bytes,
                         mmu);
        }
        memset(&s->xmm[m][k * bytes], 0, bytes);
    }
    memset(s->xmm[m], 0, 32);
    memset(&s->xmm[d][n * bytes], 0, 32 - n * bytes);
}

#define ALL (IR_H_RAISES | IR_H_READS | IR_H_WRITES)
const IrHelper helper_maskmov_ld = { "maskmov_ld", maskmov_ld, "v:eqllll", ALL, 0, 0 };
const IrHelper helper_maskmov_st = { "maskmov_st", maskmov_st, "v:eqllll", ALL & ~IR_H_WRITES, 0, 0 };
const IrHelper helper_gather = { "gather", gather, "v:eqll", ALL, 0, 0 };
