/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as an HBA sees it: command list, command tables, regions of data (AHCI 4.2).
 *
 * Only memory takes part: an address where a device's registers are, or nothing, is a host bus error.
 */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/rcu.h"
#include "util/shared-mem.h"

#define PRD_BYTES       16
#define PRD_CHUNK       32              /* descriptors that are read together */
#define PRD_AT          0x80            /* in the command table */
#define ACMD_AT         0x40
#define PRD_INTERRUPT   BIT(31)

/* Host memory of [@addr, @addr + *len), cut to what is in one piece; NULL: no memory. Until unpin(). */
static uint8_t *pin(AhciState *s, uint64_t addr, hwaddr *len, bool is_write)
{
    MemAttrs attrs = s->attrs(s);
    const MemSection *sec;
    hwaddr xlat, n = *len;
    RCU_READ_GUARD();

    sec = memory_translate(s->as, addr, &xlat, &n, is_write, attrs, NULL);
    if (!sec || !sec->host || (is_write && sec->readonly)) {
        return NULL;
    }
    return address_space_map(s->as, addr, len, is_write, attrs);
}

static void unpin(AhciState *s, void *host, hwaddr len, bool is_write)
{
    address_space_unmap(s->as, host, len, is_write, len);
}

static bool copy(AhciState *s, uint64_t addr, uint8_t *buf, uint32_t len, bool to_memory)
{
    while (len) {
        hwaddr n = len;
        uint8_t *host = pin(s, addr, &n, to_memory);

        if (!host) {
            return false;
        }
        if (to_memory) {
            ram_copy(host, buf, n);
        } else {
            ram_copy(buf, host, n);
        }
        unpin(s, host, n, to_memory);
        addr += n;
        buf += n;
        len -= n;
    }
    return true;
}

bool ahci_mem_read(AhciState *s, uint64_t addr, void *buf, uint32_t len)
{
    return copy(s, addr, buf, len, false);
}

bool ahci_mem_write(AhciState *s, uint64_t addr, const void *buf, uint32_t len)
{
    return copy(s, addr, (uint8_t *)buf, len, true);
}

/* A 32-bit HBA has no upper halves: they are reserved and read as zeros (AHCI 3.1.1, S64A). */
static uint64_t address(const AhciState *s, uint32_t low, uint32_t high)
{
    return s->wide ? low | (uint64_t)high << 32 : low;
}

bool ahci_fetch(AhciPort *p, unsigned slot, AhciCommand *c)
{
    AhciState *s = p->s;
    uint8_t h[16];

    c->header = address(s, p->reg[P_CLB], p->reg[P_CLBU]) + slot * 32;
    if (!ahci_mem_read(s, c->header, h, sizeof(h))) {
        return false;
    }
    c->flags = load_le32(h);
    c->prds = c->flags >> 16;
    c->table = address(s, load_le32(h + 8) & ~0x7fu, load_le32(h + 12));
    return ahci_mem_read(s, c->table, c->fis, sizeof(c->fis));
}

typedef struct Region {
    uint64_t addr;
    uint32_t len;
    bool interrupt;
} Region;

/* AHCI 4.2.3.3. Addresses are even and so are lengths: bit 0 of either can't be chosen. */
static Region decode(const AhciState *s, const uint8_t *raw)
{
    uint32_t dw3 = load_le32(raw + 12);

    return (Region){ address(s, load_le32(raw) & ~1u, load_le32(raw + 4)),
                     ((dw3 & 0x3fffff) | 1) + 1, dw3 & PRD_INTERRUPT };
}

static void add_piece(AhciTransfer *t, uint8_t *host, size_t len)
{
    if (t->mapped == t->room) {
        t->room = t->room ? t->room * 2 : 16;
        t->iov = g_renew(struct iovec, t->iov, t->room);
    }
    t->iov[t->mapped++] = (struct iovec){ host, len };
}

uint32_t ahci_map(AhciState *s, AhciTransfer *t, const AhciCommand *c, uint32_t bytes, bool to_memory)
{
    uint8_t raw[PRD_CHUNK * PRD_BYTES];

    t->mapped = 0;
    t->interrupt = false;
    for (uint32_t i = 0; bytes && i < c->prds; i++) {
        uint32_t k = i % PRD_CHUNK;
        Region r;

        if (k == 0 && !ahci_mem_read(s, c->table + PRD_AT + (uint64_t)i * PRD_BYTES, raw,
                                     MIN(c->prds - i, (uint32_t)PRD_CHUNK) * PRD_BYTES)) {
            ahci_unmap(s, t, false);
            return PIS_HBFS;
        }
        r = decode(s, raw + k * PRD_BYTES);
        t->interrupt |= r.interrupt;
        r.len = MIN(r.len, bytes);
        bytes -= r.len;
        while (r.len) {
            hwaddr n = r.len;
            uint8_t *host = pin(s, r.addr, &n, to_memory);

            if (!host) {
                ahci_unmap(s, t, false);
                return PIS_HBFS;
            }
            add_piece(t, host, n);
            r.addr += n;
            r.len -= n;
        }
    }
    if (bytes) {
        ahci_unmap(s, t, false);
        return PIS_OFS;
    }
    return 0;
}

void ahci_unmap(AhciState *s, AhciTransfer *t, bool to_memory)
{
    for (uint32_t i = 0; i < t->mapped; i++) {
        unpin(s, t->iov[i].iov_base, t->iov[i].iov_len, to_memory);
    }
    t->mapped = 0;
}

uint32_t ahci_move(AhciLink *l, void *buf, uint32_t len, bool to_memory)
{
    AhciState *s = l->port->s;
    uint32_t done = 0;

    while (done < len && l->prd < l->cmd.prds) {
        uint8_t raw[PRD_BYTES];
        uint32_t n;
        Region r;

        if (!ahci_mem_read(s, l->cmd.table + PRD_AT + (uint64_t)l->prd * PRD_BYTES, raw, sizeof(raw))) {
            return done;
        }
        r = decode(s, raw);
        n = MIN(r.len - MIN(l->prd_done, r.len), len - done);
        if (!copy(s, r.addr + l->prd_done, (uint8_t *)buf + done, n, to_memory)) {
            return done;
        }
        done += n;
        l->prd_done += n;
        if (l->prd_done >= r.len) {
            l->prd_interrupt |= r.interrupt;
            l->prd++;
            l->prd_done = 0;
        }
    }
    return done;
}
