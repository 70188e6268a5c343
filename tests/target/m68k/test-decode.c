/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instruction table: no two rows for one word, every row reachable, known words found. */
#include "util/osdep.h"
#include "target/m68k/decode.h"
#include "tests/lib/test.h"

TEST(m68k_decode, rows_do_not_overlap)
{
    for (unsigned w = 0; w < 65536; w++) {
        const M68kInsn *found = NULL;

        for (unsigned n = 0; n < m68k_num_insns; n++) {
            if (!m68k_insn_matches(&m68k_insns[n], (uint16_t)w)) {
                continue;
            }
            if (found) {
                test_fail(t, "%04x is '%s' and '%s'", w, found->text, m68k_insns[n].text);
                return;
            }
            found = &m68k_insns[n];
        }
        if (m68k_decode((uint16_t)w) != found) {
            test_fail(t, "the table has another row for %04x than the search", w);
            return;
        }
    }
}

TEST(m68k_decode, every_row_is_reached)
{
    for (unsigned n = 0; n < m68k_num_insns; n++) {
        bool reached = false;

        for (unsigned w = 0; w < 65536 && !reached; w++) {
            reached = m68k_decode((uint16_t)w) == &m68k_insns[n];
        }
        if (!reached) {
            test_fail(t, "no word means '%s'", m68k_insns[n].text);
        }
    }
}

TEST(m68k_decode, known_words)
{
    static const struct { uint16_t word; const char *text; } rows[] = {
        { 0x4e71, "NOP" }, { 0x4afc, "ILLEGAL" }, { 0x7001, "MOVEQ   #<data>,Dn" },
        { 0x2040, "MOVEA.L <ea>,An" }, { 0x203c, "MOVE.L  <ea>,<ea>" }, { 0x0cfc, "CAS2.W  Dc1:Dc2,Du1:Du2,(Rn1):(Rn2)" },
        { 0xc140, "EXG     Dx,Dy" }, { 0xd180, "ADDX    Dy,Dx" }, { 0xf518, "PFLUSH  (An)" },
        { 0x49c0, "EXTB.L  Dn" }, { 0x51c8, "DBcc    Dn,<label>" }, { 0xf620, "MOVE16  (Ax)+,(Ay)+" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const M68kInsn *row = m68k_decode(rows[i].word);

        check_str(t, row ? row->text : "nothing", rows[i].text, "the word's row");
    }
    check_true(t, !m68k_decode(0x4afd), "4AFD is no instruction");
}
