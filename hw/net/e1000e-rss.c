/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82574L: the hash of a received packet's addresses and ports (82574 7.1.11.1, "RSS Hash Function"), which is that of Microsoft's
 * Receive-Side Scaling. It goes into extended descriptors in place of the checksum (RXCSUM.PCSD), and chooses the queue by the
 * redirection table if MRQC says so. Linux asks for the hash by MRQC's field enables alone, without the second queue.
 */
#include "util/osdep.h"
#include "hw/net/e1000.h"

#include "net/offload.h"
#include "util/bswap.h"

/* MRQC (82574 10.2.5.16): over what; and what the descriptor calls it. */
enum { FIELD_TCP4 = BIT(16), FIELD_IP4 = BIT(17), FIELD_TCP6 = BIT(18), FIELD_IP6_EX = BIT(19), FIELD_IP6 = BIT(20) };
enum { TYPE_TCP4 = 1, TYPE_IP4 = 2, TYPE_TCP6 = 3, TYPE_IP6_EX = 4, TYPE_IP6 = 5 };
#define INPUT_MAX   36              /* two addresses of IPv6, two ports */

static bool key_bit(const E1000State *s, unsigned n)
{
    return s->rssrk[n / 32] >> (n / 8 % 4 * 8 + 7 - n % 8) & 1;     /* the first byte is the lowest of RSSRK0 */
}

/* Each bit of the input that is set adds the 32 bits of the key that begin at its place. */
static uint32_t toeplitz(const E1000State *s, const uint8_t *in, unsigned bytes)
{
    uint32_t hash = 0, window = 0;

    for (unsigned i = 0; i < 32; i++) {
        window = window << 1 | key_bit(s, i);
    }
    for (unsigned i = 0; i < 8 * bytes; i++) {
        if (in[i / 8] & 0x80 >> i % 8) {
            hash ^= window;
        }
        window = window << 1 | key_bit(s, i + 32);
    }
    return hash;
}

void e1000e_rx_hash(E1000State *s, const uint8_t *p, size_t len, E1000RxResult *r)
{
    uint32_t fields = s->reg[REG_MRQC];
    unsigned addresses, at;
    uint8_t in[INPUT_MAX];
    NetHeaders h;

    if (!(s->reg[REG_RXCSUM] & E1000_RXCSUM_PCSD) || !net_headers(p, len, &h)) {
        return;
    }
    addresses = h.v6 ? 32 : 8;
    at = h.l3 + (h.v6 ? 8u : 12u);
    if (at + addresses > len) {
        return;
    }
    memcpy(in, p + at, addresses);
    if (h.tcp && fields & (h.v6 ? FIELD_TCP6 : FIELD_TCP4) && h.l4 + 4u <= len) {
        memcpy(in + addresses, p + h.l4, 4);
        addresses += 4;
        r->hash_type = h.v6 ? TYPE_TCP6 : TYPE_TCP4;
    } else if (h.v6) {
        r->hash_type = fields & FIELD_IP6_EX ? TYPE_IP6_EX : fields & FIELD_IP6 ? TYPE_IP6 : 0;
    } else {
        r->hash_type = fields & FIELD_IP4 ? TYPE_IP4 : 0;
    }
    r->hash = r->hash_type ? toeplitz(s, in, addresses) : 0;
    if (r->hash_type && fields & E1000_MRQC_TWO) {
        /* 82574 10.2.5.17: a byte for each of the hash's lowest 7 bits; its bit 7 is the queue. */
        r->queue = s->reta[r->hash % 128 / 4] >> (8 * (r->hash % 4) + 7) & 1;
    }
}
