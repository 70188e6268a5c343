/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID returns (SDM vol. 2, CPUID; APM vol. 3 appendix E).
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/xsave.h"
#include "util/bswap.h"
#include "util/host-utils.h"

/* Bits of the APIC id that number @n things. */
static unsigned width_of(uint32_t n)
{
    return n > 1 ? 32 - clz32(n - 1) : 0;
}

static uint32_t nonzero(uint32_t n) { return n ? n : 1; }

static bool is_amd(const X86State *s)
{
    return !strcmp(s->cpuid_vendor, "AuthenticAMD");
}

/* Signature (SDM figure 3-6). */
static uint32_t signature(const X86State *s)
{
    uint32_t v = s->stepping | (s->model & 0xf) << 4 | (uint32_t)(s->model >> 4) << 16;

    return s->family > 15 ? v | 15 << 8 | (uint32_t)(s->family - 15) << 20 :
                            v | (uint32_t)s->family << 8;
}

static uint32_t logical_cpus(const X86State *s)
{
    return nonzero(s->nr_threads) * nonzero(s->nr_cores) * nonzero(s->nr_dies);
}

static void vendor(const X86State *s, uint32_t out[4])
{
    out[1] = load_le32(s->cpuid_vendor);
    out[3] = load_le32(s->cpuid_vendor + 4);
    out[2] = load_le32(s->cpuid_vendor + 8);
}

static void features_1(const X86State *s, uint32_t out[4])
{
    uint32_t n = logical_cpus(s);

    out[0] = signature(s);
    out[1] = 8 << 8 | s->apic_id << 24;         /* CLFLUSH: 64 bytes */
    out[2] = s->features[FEAT_1_ECX];
    out[3] = s->features[FEAT_1_EDX];
    if (s->cr[4] & CR4_OSXSAVE) {
        out[2] |= BIT(27);
    }
    if (n > 1) {
        out[1] |= n << 16;
        out[3] |= BIT(28);
    }
    if (s->apic_disabled) {
        out[3] &= ~BIT(9);
    }
}

/* Leaf 4: the caches, deterministic parameters (Intel). */
static void caches(const X86State *s, uint32_t sub, uint32_t out[4])
{
    static const struct { uint8_t type, level, ways; uint32_t sets; } c[] = {
        { 1, 1, 8, 64 }, { 2, 1, 8, 64 }, { 3, 2, 16, 4096 }, { 3, 3, 16, 16384 },
    };
    uint32_t shared;

    if (sub >= ARRAY_SIZE(c) || is_amd(s)) {
        return;
    }
    shared = c[sub].level == 3 ? logical_cpus(s) : nonzero(s->nr_threads);
    out[0] = c[sub].type | c[sub].level << 5 | BIT(8) |
             ((1u << width_of(shared)) - 1) << 14 | ((1u << width_of(nonzero(s->nr_cores))) - 1) << 26;
    out[1] = 63 | (uint32_t)(c[sub].ways - 1) << 22;
    out[2] = c[sub].sets - 1;
}

/* Leaf 0xb: topology by levels. */
static void topology(const X86State *s, uint32_t sub, uint32_t out[4])
{
    uint32_t threads = nonzero(s->nr_threads);

    out[2] = sub & 0xff;
    out[3] = s->apic_id;
    if (sub == 0) {
        out[0] = width_of(threads);
        out[1] = threads;
        out[2] |= 1 << 8;
    } else if (sub == 1) {
        out[0] = width_of(threads) + width_of(nonzero(s->nr_cores)) +
                 width_of(nonzero(s->nr_dies));
        out[1] = logical_cpus(s);
        out[2] |= 2 << 8;
    }
}

static void xsave(const X86State *s, uint32_t sub, uint32_t out[4])
{
    if (!x86_has(s, FEAT_1_ECX, 26)) {
        return;
    }
    if (sub == 0) {
        out[0] = x86_xcr0_mask(s);
        out[1] = x86_xsave_size(s->xcr0, false);
        out[2] = x86_xsave_size(x86_xcr0_mask(s), false);
    } else if (sub == 1) {
        out[0] = s->features[FEAT_XSAVE];
        out[1] = out[0] & BIT(1) ? x86_xsave_size(s->xcr0, true) : 0;
    } else {
        const XsaveComponent *c;

        for (unsigned n = 0; (c = x86_xsave_component(n)) != NULL; n++) {
            if (c->bit == sub && (x86_xcr0_mask(s) >> sub & 1)) {
                out[0] = c->size;
                out[1] = c->offset;
            }
        }
    }
}

static void basic(const X86State *s, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    switch (leaf) {
    case 0:
        out[0] = s->cpuid_level;
        vendor(s, out);
        break;
    case 1:
        features_1(s, out);
        break;
    case 2:                             /* descriptors of the caches of leaf 4 */
        if (!is_amd(s)) {
            out[0] = 1;
            out[2] = 0x4d;
            out[3] = 0x002c307d;
        }
        break;
    case 4:
        caches(s, sub, out);
        break;
    case 5:
        if (x86_has(s, FEAT_1_ECX, 3)) {
            out[0] = out[1] = 64;
            out[2] = 3;
        }
        break;
    case 6:
        out[0] = s->features[FEAT_6_EAX];
        break;
    case 7:
        if (sub == 0) {
            out[1] = s->features[FEAT_7_0_EBX];
            out[2] = s->features[FEAT_7_0_ECX] & ~BIT(4);
            out[2] |= s->cr[4] & CR4_PKE ? BIT(4) : 0;      /* OSPKE */
            out[3] = s->features[FEAT_7_0_EDX];
        }
        break;
    case 0xb:
        topology(s, sub, out);
        break;
    case 0xd:
        xsave(s, sub, out);
        break;
    default:
        break;
    }
}

static uint32_t virtual_bits(const X86State *s)
{
    if (!x86_has(s, FEAT_8000_0001_EDX, 29)) {
        return 32;
    }
    return x86_has(s, FEAT_7_0_ECX, 16) ? 57 : 48;
}

static void extended(const X86State *s, uint32_t leaf, uint32_t out[4])
{
    uint32_t n = logical_cpus(s);

    switch (leaf) {
    case 0x80000000:
        out[0] = s->cpuid_xlevel;
        vendor(s, out);
        break;
    case 0x80000001:
        out[0] = signature(s);
        out[2] = s->features[FEAT_8000_0001_ECX];
        out[3] = s->features[FEAT_8000_0001_EDX];
        if (is_amd(s)) {                /* bits that repeat those of leaf 1 */
            out[3] |= s->features[FEAT_1_EDX] & 0x0183f3ff;
            if (s->apic_disabled) {
                out[3] &= ~BIT(9);
            }
            if (n > 1) {
                out[2] |= BIT(1);       /* CmpLegacy */
            } else {
                out[2] &= ~BIT(1);
            }
        } else {
            out[2] &= ~BIT(1);
        }
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
        char id[48] = { 0 };

        memcpy(id, s->cpuid_model_id, strnlen(s->cpuid_model_id, sizeof(id)));
        for (int i = 0; i < 4; i++) {
            out[i] = load_le32(id + (leaf - 0x80000002) * 16 + i * 4);
        }
        break;
    }
    case 0x80000005:                    /* L1: 64 KiB each, 2 ways, 64-byte lines */
        if (is_amd(s)) {
            out[0] = out[1] = 0x01ff01ff;
            out[2] = out[3] = 0x40020140;
        }
        break;
    case 0x80000006:                    /* L2: 512 KiB, 16 ways; L3: 16 MiB, 16 ways */
        out[1] = is_amd(s) ? 0x42004200 : 0;
        out[2] = 0x02008140;
        out[3] = is_amd(s) ? 0x00808140 : 0;
        break;
    case 0x80000007:
        out[3] = s->features[FEAT_8000_0007_EDX];
        break;
    case 0x80000008:
        out[0] = s->phys_bits | virtual_bits(s) << 8;
        out[1] = s->features[FEAT_8000_0008_EBX];
        if (is_amd(s) && n > 1) {
            out[2] = (n - 1) | (width_of(nonzero(s->nr_threads)) + width_of(nonzero(s->nr_cores)) +
                                width_of(nonzero(s->nr_dies))) << 12;
        }
        break;
    default:
        break;
    }
}

void x86_cpuid(const X86State *s, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(out[0]));
    if (leaf >= 0x40000000 && leaf <= 0x400000ff && x86_has(s, FEAT_1_ECX, 31)) {
        /* The signature by which guests know this interface. */
        if (leaf == 0x40000000) {
            out[0] = 0x40000001;
            memcpy(&out[1], "TCGTCGTCGTCG", 12);
        }
        return;
    }
    if (leaf >= 0x80000000 && leaf <= s->cpuid_xlevel) {
        extended(s, leaf, out);
    } else if (leaf <= s->cpuid_level) {
        basic(s, leaf, sub, out);
    } else if (!is_amd(s)) {
        /* Out of range: Intel answers with the highest basic leaf. */
        basic(s, s->cpuid_level, sub, out);
    }
}
