/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at memory without touching a device: for people and tools. */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/guest-ram.h"
#include "memory/memory-int.h"

#include "util/rcu.h"

bool address_space_peek(AddressSpace *as, hwaddr addr, void *buf, hwaddr len)
{
    uint8_t *p = buf;
    RCU_READ_GUARD();

    while (len) {
        hwaddr xlat, n = len;
        const MemSection *s = memory_translate(as, addr, &xlat, &n, false, MEM_ATTRS_DEBUG, NULL);

        if (!s || !s->host) {
            return false;
        }
        ram_copy(p, memory_section_host(s, xlat), n);
        p += n;
        addr += n;
        len -= n;
    }
    return true;
}

char *address_space_where(AddressSpace *as, hwaddr addr)
{
    static const char *const kinds[] = {
        [MEM_CONTAINER] = "container", [MEM_RAM] = "RAM", [MEM_ROM] = "ROM", [MEM_ROMD] = "ROM",
        [MEM_MMIO] = "I/O", [MEM_ALIAS] = "alias", [MEM_IOMMU] = "IOMMU",
    };
    hwaddr xlat, n = 1;
    const MemSection *s;
    RCU_READ_GUARD();

    s = memory_translate(as, addr, &xlat, &n, false, MEM_ATTRS_DEBUG, NULL);
    if (!s || s == &memory_unassigned_section) {
        return NULL;
    }
    return g_strdup_printf("%s+0x%" PRIx64 " (%s)", memory_region_name(s->mr), xlat, kinds[s->mr->kind]);
}
