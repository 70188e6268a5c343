/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder: a table of all first words, made from the rows when it is first needed. */
#include "util/osdep.h"
#include <glib.h>
#include "target/m68k/decode.h"
#include "target/m68k/state.h"

#define INSN(fn, pattern, modes, models, arg, text) void m68k_tr_##fn(struct M68kTr *tr);
#include "target/m68k/insns.def"
#undef INSN

const M68kInsn m68k_insns[] = {
#define INSN(fn, pattern, modes, models, arg, text) \
    { m68k_tr_##fn, pattern, modes, models, arg, text },
#include "target/m68k/insns.def"
#undef INSN
};
const unsigned m68k_num_insns = ARRAY_SIZE(m68k_insns);

static uint8_t table[65536];        /* row number + 1 */

/* What a pattern says. */
typedef struct Pattern {
    unsigned fixed, value;      /* bits, and what they are */
    bool dest, size;            /* it has MOVE's destination; a size */
} Pattern;

static Pattern pattern_of(const M68kInsn *row)
{
    Pattern q = { 0 };
    unsigned bit = 16;

    for (const char *p = row->pattern; *p; p++) {
        if (*p == ' ') {
            continue;
        }
        bit--;
        q.fixed |= (unsigned)(*p == '0' || *p == '1') << bit;
        q.value |= (unsigned)(*p == '1') << bit;
        q.dest |= *p == 'M';
        q.size |= *p == 's';
    }
    return q;
}

static bool matches(const M68kInsn *row, const Pattern *q, unsigned word)
{
    return (word & q->fixed) == q->value && !(q->size && (word >> 6 & 3) == 3) &&
           !(q->dest && !(EA_DATA_ALT & 1u << ea_index(word >> 6 & 7, word >> 9 & 7))) &&
           (!row->modes || (row->modes & 1u << ea_index(word >> 3 & 7, word & 7)));
}

bool m68k_insn_matches(const M68kInsn *row, uint16_t word)
{
    Pattern q = pattern_of(row);

    return matches(row, &q, word);
}

/* The words that a pattern's fixed bits allow, one after the other: the free bits count. */
static void add_row(unsigned n)
{
    Pattern q = pattern_of(&m68k_insns[n]);
    unsigned fixed = q.fixed, value = q.value, w = 0;

    do {
        if (matches(&m68k_insns[n], &q, w | value)) {
            table[w | value] = (uint8_t)(n + 1);
        }
        w = ((w | fixed) + 1) & ~fixed & 0xffff;
    } while (w);
}

static void *make_table(UNUSED void *arg)
{
    _Static_assert(ARRAY_SIZE(m68k_insns) < 255, "row numbers are bytes");
    for (unsigned n = 0; n < m68k_num_insns; n++) {
        add_row(n);
    }
    return NULL;
}

const M68kInsn *m68k_decode(uint16_t word)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, make_table, NULL);
    return table[word] ? &m68k_insns[table[word] - 1] : NULL;
}
