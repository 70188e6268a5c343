/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder: a table of all first words, made from the rows when it is first needed. */
#include "util/osdep.h"
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

bool m68k_insn_matches(const M68kInsn *row, uint16_t word)
{
    unsigned bit = 16;
    bool dest = false, size = false;

    for (const char *p = row->pattern; *p; p++) {
        if (*p == ' ') {
            continue;
        }
        bit--;
        if ((*p == '0' || *p == '1') && (word >> bit & 1) != *p - '0') {
            return false;
        }
        dest |= *p == 'M';
        size |= *p == 's';
    }
    if (size && (word >> 6 & 3) == 3) {
        return false;
    }
    if (dest && !(EA_DATA_ALT & 1u << ea_index(word >> 6 & 7, word >> 9 & 7))) {
        return false;
    }
    return !row->modes || (row->modes & 1u << ea_index(word >> 3 & 7, word & 7));
}

CONSTRUCTOR static void make_table(void)
{
    _Static_assert(ARRAY_SIZE(m68k_insns) < 255, "row numbers are bytes");
    for (unsigned n = 0; n < m68k_num_insns; n++) {
        /* Only words with the row's upper four bits can match. */
        unsigned first = 0;

        for (unsigned b = 0; b < 4; b++) {
            first = first << 1 | (m68k_insns[n].pattern[b] == '1');
        }
        for (unsigned w = first << 12; w < (first + 1) << 12; w++) {
            if (m68k_insn_matches(&m68k_insns[n], (uint16_t)w)) {
                table[w] = (uint8_t)(n + 1);
            }
        }
    }
}

const M68kInsn *m68k_decode(uint16_t word)
{
    return table[word] ? &m68k_insns[table[word] - 1] : NULL;
}
