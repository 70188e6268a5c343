/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telnet: RFC 854; options ECHO (RFC 857), SUPPRESS-GO-AHEAD (858), BINARY (856). */
#include "util/osdep.h"
#include "chardev/char-telnet.h"

enum { SE = 240, BRK = 243, IP = 244, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254,
       IAC = 255 };
enum { OPT_BINARY = 0, OPT_ECHO = 1, OPT_SGA = 3 };
enum { ST_DATA, ST_IAC, ST_OPTION, ST_SUB, ST_SUB_IAC };

const uint8_t *telnet_start(TelnetState *t, size_t *len)
{
    static const uint8_t hello[] = {
        IAC, WILL, OPT_ECHO, IAC, WILL, OPT_SGA, IAC, WILL, OPT_BINARY, IAC, DO, OPT_BINARY,
    };

    memset(t, 0, sizeof(*t));
    *len = sizeof(hello);
    return hello;
}

size_t telnet_input(TelnetState *t, uint8_t *buf, size_t len, bool *is_break)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = buf[i];

        switch (t->state) {
        case ST_DATA:
            if (c == IAC) {
                t->state = ST_IAC;
                break;
            }
            /* End of line is CR LF, a lone CR is CR NUL (RFC 854). */
            if (t->last_cr && (c == '\0' || c == '\n')) {
                t->last_cr = 0;
                break;
            }
            t->last_cr = c == '\r';
            buf[n++] = c;
            break;
        case ST_IAC:
            t->state = ST_DATA;
            if (c == IAC) {
                buf[n++] = IAC;
            } else if (c == BRK || c == IP) {
                *is_break = true;
            } else if (c >= WILL) {
                t->state = ST_OPTION;
            } else if (c == SB) {
                t->state = ST_SUB;
            }
            break;
        case ST_OPTION:
            t->state = ST_DATA;         /* agreed or not, nothing changes */
            break;
        case ST_SUB:
            t->state = c == IAC ? ST_SUB_IAC : ST_SUB;
            break;
        case ST_SUB_IAC:
            t->state = c == SE ? ST_DATA : ST_SUB;
            break;
        default:
            t->state = ST_DATA;
            break;
        }
    }
    return n;
}
