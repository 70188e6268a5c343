/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is saved of a PCI function, by the names of the PCI specification. */
#include "util/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci-int.h"

#include "vmstate/node.h"

static const RegFlag command_flags[] = {
    { "IO", PCI_COMMAND_IO }, { "MEM", PCI_COMMAND_MEMORY }, { "MASTER", PCI_COMMAND_MASTER },
    { "SPECIAL", PCI_COMMAND_SPECIAL }, { "INVALIDATE", PCI_COMMAND_INVALIDATE },
    { "VGA_SNOOP", PCI_COMMAND_VGA_SNOOP }, { "PARITY", PCI_COMMAND_PARITY }, { "SERR", PCI_COMMAND_SERR },
    { "FAST_BACK", PCI_COMMAND_FAST_BACK }, { "INTX_OFF", PCI_COMMAND_INTX_OFF }, { NULL, 0 }
};

static const RegFlag status_flags[] = {
    { "INTERRUPT", PCI_STATUS_INTERRUPT }, { "CAP_LIST", PCI_STATUS_CAP_LIST }, { "66MHZ", PCI_STATUS_66MHZ },
    { "FAST_BACK", PCI_STATUS_FAST_BACK }, { "PARITY", PCI_STATUS_PARITY },
    { "DEVSEL_MED", PCI_STATUS_DEVSEL_MED }, { "SIG_TABORT", PCI_STATUS_SIG_TABORT },
    { "REC_TABORT", PCI_STATUS_REC_TABORT }, { "REC_MABORT", PCI_STATUS_REC_MABORT },
    { "SIG_SERR", PCI_STATUS_SIG_SERR }, { "DET_PARITY", PCI_STATUS_DET_PARITY }, { NULL, 0 }
};

typedef struct Register {
    uint8_t offset, bytes;
    const char *name;
    const RegFlag *flags;
} Register;

static const Register common[] = {
    { PCI_VENDOR_ID, 2, "vendor-id", NULL }, { PCI_DEVICE_ID, 2, "device-id", NULL },
    { PCI_COMMAND, 2, "command", command_flags }, { PCI_STATUS, 2, "status", status_flags },
    { PCI_REVISION_ID, 1, "revision-id", NULL }, { PCI_CLASS_PROG, 1, "interface", NULL },
    { PCI_CLASS_DEVICE, 2, "class", NULL }, { PCI_CACHE_LINE_SIZE, 1, "cache-line-size", NULL },
    { PCI_LATENCY_TIMER, 1, "latency-timer", NULL }, { PCI_HEADER_TYPE, 1, "header-type", NULL },
    { PCI_BIST, 1, "bist", NULL }, { PCI_CAPABILITY_LIST, 1, "capabilities-pointer", NULL },
    { PCI_INTERRUPT_LINE, 1, "interrupt-line", NULL }, { PCI_INTERRUPT_PIN, 1, "interrupt-pin", NULL },
};

static const Register device_header[] = {
    { PCI_BASE_ADDRESS_0, 4, "bar0", NULL }, { 0x14, 4, "bar1", NULL }, { 0x18, 4, "bar2", NULL },
    { 0x1c, 4, "bar3", NULL }, { 0x20, 4, "bar4", NULL }, { 0x24, 4, "bar5", NULL },
    { PCI_CARDBUS_CIS, 4, "cardbus-cis", NULL }, { PCI_SUBSYSTEM_VENDOR_ID, 2, "subsystem-vendor-id", NULL },
    { PCI_SUBSYSTEM_ID, 2, "subsystem-id", NULL }, { PCI_ROM_ADDRESS, 4, "rom-address", NULL },
    { PCI_MIN_GNT, 1, "min-gnt", NULL }, { PCI_MAX_LAT, 1, "max-lat", NULL },
};

static const Register bridge_header[] = {
    { PCI_BASE_ADDRESS_0, 4, "bar0", NULL }, { 0x14, 4, "bar1", NULL },
    { PCI_PRIMARY_BUS, 1, "primary-bus", NULL }, { PCI_SECONDARY_BUS, 1, "secondary-bus", NULL },
    { PCI_SUBORDINATE_BUS, 1, "subordinate-bus", NULL },
    { PCI_SEC_LATENCY_TIMER, 1, "secondary-latency-timer", NULL }, { PCI_IO_BASE, 1, "io-base", NULL },
    { PCI_IO_LIMIT, 1, "io-limit", NULL }, { PCI_SEC_STATUS, 2, "secondary-status", status_flags },
    { PCI_MEMORY_BASE, 2, "memory-base", NULL }, { PCI_MEMORY_LIMIT, 2, "memory-limit", NULL },
    { PCI_PREF_MEMORY_BASE, 2, "prefetchable-base", NULL },
    { PCI_PREF_MEMORY_LIMIT, 2, "prefetchable-limit", NULL },
    { PCI_PREF_BASE_UPPER32, 4, "prefetchable-base-upper", NULL },
    { PCI_PREF_LIMIT_UPPER32, 4, "prefetchable-limit-upper", NULL },
    { PCI_IO_BASE_UPPER16, 2, "io-base-upper", NULL }, { PCI_IO_LIMIT_UPPER16, 2, "io-limit-upper", NULL },
    { PCI_BRIDGE_ROM_ADDRESS, 4, "rom-address", NULL },
    { PCI_BRIDGE_CONTROL, 2, "bridge-control", NULL },
};

/* What is being shown. */
typedef struct Space {
    const uint8_t *c;
    uint32_t size;
    uint8_t named[PCIE_CONFIG_SIZE];    /* bytes that have been shown */
    StateNode *into;
} Space;

static uint32_t get(const Space *s, uint32_t at, unsigned bytes)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < bytes && at + i < s->size; i++) {
        v |= (uint32_t)s->c[at + i] << (8 * i);
    }
    return v;
}

static void taken(Space *s, uint32_t at, unsigned bytes)
{
    for (unsigned i = 0; i < bytes && at + i < s->size; i++) {
        s->named[at + i] = 1;
    }
}

static StateNode *show(Space *s, StateNode *into, uint32_t at, unsigned bytes, const char *name,
                       const RegFlag *flags)
{
    StateNode *n = state_add_uint(into, name, get(s, at, bytes), 8 * bytes);

    taken(s, at, bytes);
    state_add_flags(n, flags);
    return n;
}

/* PCI 6.2.5.1: where it is, and what it asks for. */
static void mean_bar(StateNode *n, uint32_t command)
{
    uint32_t v = (uint32_t)n->u;
    bool on = command & (v & 1 ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);

    if (v & 1) {
        state_mean(n, "I/O at 0x%x%s", v & ~3u, on ? "" : ", off");
    } else if (v & ~15u) {
        state_mean(n, "memory at 0x%x, %s bits%s%s", v & ~15u, (v & 6) == 4 ? "64" : "32",
                   v & 8 ? ", prefetchable" : "", on ? "" : ", off");
    }
}

static void show_header(Space *s, const Register *regs, size_t n)
{
    uint32_t command = get(s, PCI_COMMAND, 2);

    for (size_t i = 0; i < n; i++) {
        StateNode *node = show(s, s->into, regs[i].offset, regs[i].bytes, regs[i].name, regs[i].flags);

        if (g_str_has_prefix(regs[i].name, "bar")) {
            mean_bar(node, command);
        }
    }
}

/* --- capabilities --- */

static void show_pm(Space *s, StateNode *n, uint32_t at)
{
    StateNode *ctrl;

    show(s, n, at + PCI_PM_PMC, 2, "capabilities", NULL);
    ctrl = show(s, n, at + PCI_PM_CTRL, 2, "control", NULL);
    state_mean(ctrl, "D%u", (unsigned)(ctrl->u & 3));
    show(s, n, at + 6, 2, "bridge-and-data", NULL);
}

static void show_msi(Space *s, StateNode *n, uint32_t at)
{
    static const RegFlag flags[] = {
        { "ENABLE", PCI_MSI_FLAGS_ENABLE }, { "CAPABLE", 0xe }, { "ENABLED", 0x70 },
        { "64BIT", PCI_MSI_FLAGS_64BIT }, { "MASKBIT", PCI_MSI_FLAGS_MASKBIT }, { NULL, 0 }
    };
    StateNode *ctrl = show(s, n, at + PCI_MSI_FLAGS, 2, "control", flags);
    bool wide = ctrl->u & PCI_MSI_FLAGS_64BIT;
    uint32_t data = at + (wide ? 12 : 8);

    show(s, n, at + PCI_MSI_ADDRESS_LO, 4, "address", NULL);
    if (wide) {
        show(s, n, at + PCI_MSI_ADDRESS_HI, 4, "address-high", NULL);
    }
    show(s, n, data, 2, "data", NULL);
    if (ctrl->u & PCI_MSI_FLAGS_MASKBIT) {
        show(s, n, data + 4, 4, "mask", NULL);
        show(s, n, data + 8, 4, "pending", NULL);
    }
}

static void show_msix(Space *s, StateNode *n, uint32_t at)
{
    static const RegFlag flags[] = {
        { "ENABLE", PCI_MSIX_FLAGS_ENABLE }, { "MASKALL", PCI_MSIX_FLAGS_MASKALL },
        { "LAST", PCI_MSIX_FLAGS_SIZE }, { NULL, 0 }
    };

    show(s, n, at + PCI_MSIX_FLAGS, 2, "control", flags);
    show(s, n, at + PCI_MSIX_TABLE, 4, "table", NULL);
    show(s, n, at + PCI_MSIX_PBA, 4, "pending-bits", NULL);
}

/* PCI appendix H: a length, then what the vendor likes. Those of virtio (V 4.1.4) say where a structure is. */
static void show_vendor(Space *s, StateNode *n, uint32_t at)
{
    static const char *const kinds[] = { NULL, "common", "notifications", "ISR", "device", "PCI access", NULL, NULL,
                                         "shared memory" };
    uint32_t len = get(s, at + 2, 1), kind = get(s, at + 3, 1);

    show(s, n, at + 2, 1, "length", NULL);
    if (len > 3 && at + len <= s->size) {
        state_add_bytes(n, "data", s->c + at + 3, len - 3)->help = "the vendor's";
        taken(s, at + 3, len - 3);
    }
    if (get(s, PCI_VENDOR_ID, 2) == 0x1af4 && len >= 16 && kind < ARRAY_SIZE(kinds) && kinds[kind]) {
        state_mean(n, "%s: BAR %u, 0x%x bytes at 0x%x", kinds[kind], get(s, at + 4, 1), get(s, at + 12, 4),
                   get(s, at + 8, 4));
    }
}

static void show_all(Space *s, StateNode *n, uint32_t at, const Register *regs, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        show(s, n, at + regs[i].offset, regs[i].bytes, regs[i].name, regs[i].flags);
    }
}

/* PCIe 7.5.3 */
#define DEVICE_EVENTS   { "COR", 1 }, { "NONFATAL", 2 }, { "FATAL", 4 }, { "UNSUPPORTED", 8 }
#define SLOT_EVENTS     { "BUTTON", PCI_EXP_SLTSTA_ABP }, { "POWER_FAULT", PCI_EXP_SLTSTA_PFD }, { "MRL_CHANGED", PCI_EXP_SLTSTA_MRLSC }, \
                        { "PRESENCE_CHANGED", PCI_EXP_SLTSTA_PDC }, { "COMMAND_DONE", PCI_EXP_SLTSTA_CC }
static const RegFlag type_flags[] = { { "VERSION", 0xf }, { "TYPE", 0xf0 }, { "SLOT", PCI_EXP_FLAGS_SLOT },
{ "MESSAGE", 0x3e00 }, { NULL, 0 } };
static const RegFlag device_control[] = {
    DEVICE_EVENTS, { "RELAXED", 0x10 }, { "PAYLOAD", 0xe0 }, { "EXT_TAG", 0x100 }, { "NO_SNOOP", 0x800 },
    { "READ_REQUEST", 0x7000 },
    { NULL, 0 }
};
static const RegFlag device_status[] = { DEVICE_EVENTS, { "AUX_POWER", 0x10 }, { "PENDING", 0x20 }, { NULL, 0 } };
static const RegFlag link_control[] = {
    { "ASPM", 3 }, { "RCB", 8 }, { "DISABLE", 0x10 }, { "RETRAIN", 0x20 }, { "COMMON_CLOCK", 0x40 }, { "EXT_SYNC", 0x80 },
    { NULL, 0 }
};
static const RegFlag link_status[] = {
    { "SPEED", 0xf }, { "WIDTH", 0x3f0 }, { "TRAINING", 0x800 }, { "SLOT_CLOCK", 0x1000 }, { "ACTIVE", PCI_EXP_LNKSTA_DLLLA },
    { NULL, 0 }
};
static const RegFlag slot_control[] = {
    SLOT_EVENTS, { "INTERRUPT", PCI_EXP_SLTCTL_HPIE }, { "ATTENTION_LIGHT", PCI_EXP_SLTCTL_AIC },
    { "POWER_LIGHT", PCI_EXP_SLTCTL_PIC },
    { "POWER_OFF", PCI_EXP_SLTCTL_PCC }, { "LINK_CHANGED", PCI_EXP_SLTCTL_DLLSCE }, { NULL, 0 }
};
static const RegFlag slot_status[] = {
    SLOT_EVENTS, { "MRL_OPEN", 0x20 }, { "PRESENT", PCI_EXP_SLTSTA_PDS }, { "LINK_CHANGED", PCI_EXP_SLTSTA_DLLSC }, { NULL, 0 }
};
static const RegFlag root_control[] = {
    { "SERR_COR", 1 }, { "SERR_NONFATAL", 2 }, { "SERR_FATAL", 4 }, { "PME_INTERRUPT", 8 }, { NULL, 0 }
};

static void show_express(Space *s, StateNode *n, uint32_t at)
{
    static const Register regs[] = {
        { PCI_EXP_FLAGS, 2, "capabilities", type_flags }, { PCI_EXP_DEVCAP, 4, "device-capabilities", NULL },
        { PCI_EXP_DEVCTL, 2, "device-control", device_control }, { PCI_EXP_DEVSTA, 2, "device-status", device_status },
        { PCI_EXP_LNKCAP, 4, "link-capabilities", NULL }, { PCI_EXP_LNKCTL, 2, "link-control", link_control },
        { PCI_EXP_LNKSTA, 2, "link-status", link_status },
    };
    static const Register slot[] = {
        { PCI_EXP_SLTCAP, 4, "slot-capabilities", NULL }, { PCI_EXP_SLTCTL, 2, "slot-control", slot_control },
        { PCI_EXP_SLTSTA, 2, "slot-status", slot_status },
    };
    static const Register root[] = {
        { PCI_EXP_RTCTL, 2, "root-control", root_control }, { PCI_EXP_RTSTA, 4, "root-status", NULL },
    };
    static const Register second[] = {
        { PCI_EXP_DEVCAP2, 4, "device-capabilities-2", NULL }, { PCI_EXP_DEVCTL2, 2, "device-control-2", NULL },
        { PCI_EXP_LNKCAP2, 4, "link-capabilities-2", NULL }, { PCI_EXP_LNKCTL2, 2, "link-control-2", NULL },
    };
    uint32_t flags = get(s, at + PCI_EXP_FLAGS, 2);

    show_all(s, n, at, regs, ARRAY_SIZE(regs));
    if (flags & PCI_EXP_FLAGS_SLOT) {
        show_all(s, n, at, slot, ARRAY_SIZE(slot));
    }
    if ((flags >> 4 & 0xf) == PCI_EXP_ROOT_PORT) {
        show_all(s, n, at, root, ARRAY_SIZE(root));
    }
    show_all(s, n, at, second, ARRAY_SIZE(second));
}

static const struct {
    uint8_t id;
    const char *name;
    void (*show)(Space *s, StateNode *n, uint32_t at);
} caps[] = {
    { PCI_CAP_ID_PM, "power-management", show_pm }, { PCI_CAP_ID_MSI, "msi", show_msi },
    { PCI_CAP_ID_VENDOR, "vendor", show_vendor }, { PCI_CAP_ID_SSVID, "subsystem", NULL },
    { PCI_CAP_ID_EXP, "express", show_express }, { PCI_CAP_ID_MSIX, "msi-x", show_msix },
    { PCI_CAP_ID_SATA, "sata", NULL },
};

static void show_capability(Space *s, StateNode *into, uint32_t at)
{
    StateNode *n = state_add_element(into, STATE_STRUCT), *id = show(s, n, at, 1, "id", NULL);

    show(s, n, at + 1, 1, "next", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        if (caps[i].id == id->u) {
            state_set_word(id, caps[i].name);
            if (caps[i].show) {
                caps[i].show(s, n, at);
            }
        }
    }
}

static void show_capabilities(Space *s)
{
    uint32_t at = get(s, PCI_CAPABILITY_LIST, 1) & ~3u;
    StateNode *list;

    if (!(get(s, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST)) {
        return;
    }
    list = state_add(s->into, "capabilities", STATE_ARRAY);
    /* As many as fit; the chain may be a ring. */
    for (unsigned i = 0; i < 48 && at >= 0x40 && at < s->size; i++) {
        show_capability(s, list, at);
        at = get(s, at + 1, 1) & ~3u;
    }
}

/* --- extended capabilities (PCIe 7.8.4 and others) --- */

static const RegFlag uncorrectable[] = {
    { "DLP", BIT(4) }, { "SDN", BIT(5) }, { "POISON_TLP", BIT(12) }, { "FCP", BIT(13) }, { "COMP_TIME", BIT(14) },
    { "COMP_ABORT", BIT(15) }, { "UNX_COMP", BIT(16) }, { "RX_OVER", BIT(17) }, { "MALF_TLP", BIT(18) }, { "ECRC", BIT(19) },
    { "UNSUP", BIT(20) }, { "ACSV", BIT(21) }, { "INTN", BIT(22) }, { "MCBTLP", BIT(23) }, { "ATOP_EBLOCKED", BIT(24) },
    { "TLP_PRF_BLOCKED", BIT(25) }, { NULL, 0 }
};
static const RegFlag correctable[] = {
    { "RCVR", BIT(0) }, { "BAD_TLP", BIT(6) }, { "BAD_DLLP", BIT(7) }, { "REP_ROLL", BIT(8) }, { "REP_TIMER", BIT(12) },
    { "ADV_NONFATAL", BIT(13) }, { "INTERNAL", BIT(14) }, { "HL_OVERFLOW", BIT(15) }, { NULL, 0 }
};
static const RegFlag error_control[] = { { "FIRST", PCI_ERR_CAP_FEP }, { "PREFIX", PCI_ERR_CAP_PREFIX }, { NULL, 0 } };
static const RegFlag root_command[] = { { "COR", 1 }, { "NONFATAL", 2 }, { "FATAL", 4 }, { NULL, 0 } };
static const RegFlag root_status[] = {
    { "COR", 1 }, { "COR_MORE", 2 }, { "UNCOR", 4 }, { "UNCOR_MORE", 8 }, { "FIRST_FATAL", 0x10 }, { "NONFATAL", 0x20 },
    { "FATAL", 0x40 },
    { "MESSAGE", 0xf8000000 }, { NULL, 0 }
};

static void show_aer(Space *s, StateNode *n, uint32_t at)
{
    static const Register regs[] = {
        { PCI_ERR_UNCOR_STATUS, 4, "uncorrectable-status", uncorrectable },
        { PCI_ERR_UNCOR_MASK, 4, "uncorrectable-mask", uncorrectable },
        { PCI_ERR_UNCOR_SEVERITY, 4, "uncorrectable-severity", uncorrectable },
        { PCI_ERR_COR_STATUS, 4, "correctable-status", correctable },
        { PCI_ERR_COR_MASK, 4, "correctable-mask", correctable }, { PCI_ERR_CAP, 4, "control", error_control },
        { PCI_ERR_HEADER_LOG, 4, "header-log-0", NULL }, { 0x20, 4, "header-log-1", NULL }, { 0x24, 4, "header-log-2", NULL },
        { 0x28, 4, "header-log-3", NULL }, { PCI_ERR_PREFIX_LOG, 4, "prefix-log-0", NULL }, { 0x3c, 4, "prefix-log-1", NULL },
        { 0x40, 4, "prefix-log-2", NULL }, { 0x44, 4, "prefix-log-3", NULL },
        { PCI_ERR_ROOT_COMMAND, 4, "root-command", root_command }, { PCI_ERR_ROOT_STATUS, 4, "root-status", root_status },
        { PCI_ERR_ROOT_SOURCE, 2, "correctable-source", NULL }, { 0x36, 2, "uncorrectable-source", NULL },
    };
    uint32_t express = get(s, PCI_CAPABILITY_LIST, 1) & ~3u;
    bool root = false;

    for (unsigned i = 0; i < 48 && express >= 0x40 && !root; i++, express = get(s, express + 1, 1) & ~3u) {
        root = get(s, express, 1) == PCI_CAP_ID_EXP && (get(s, express + PCI_EXP_FLAGS, 2) >> 4 & 0xf) == PCI_EXP_ROOT_PORT;
    }
    show_all(s, n, at, regs, root ? ARRAY_SIZE(regs) : ARRAY_SIZE(regs) - 4);
}

static void show_serial_number(Space *s, StateNode *n, uint32_t at)
{
    state_add_uint(n, "number", get(s, at + 4, 4) | (uint64_t)get(s, at + 8, 4) << 32, 64);
    taken(s, at + 4, 8);
}

static void show_acs(Space *s, StateNode *n, uint32_t at)
{
    static const RegFlag services[] = {
        { "VALIDATION", 1 }, { "BLOCKING", 2 }, { "REQUEST_REDIRECT", 4 }, { "COMPLETION_REDIRECT", 8 }, { "UPSTREAM", 0x10 },
        { "EGRESS", 0x20 }, { "DIRECT", 0x40 }, { NULL, 0 }
    };

    show(s, n, at + 4, 2, "capabilities", services);
    show(s, n, at + 6, 2, "control", services);
}

static const struct {
    uint16_t id;
    const char *name;
    void (*show)(Space *s, StateNode *n, uint32_t at);
} extended[] = {
    { PCI_EXT_CAP_ID_AER, "advanced-error-reporting", show_aer }, { PCI_EXT_CAP_ID_DSN, "serial-number", show_serial_number },
    { PCI_EXT_CAP_ID_ACS, "access-control-services", show_acs }, { PCI_EXT_CAP_ID_ARI, "alternative-routing-id", NULL },
};

static void show_extended(Space *s)
{
    StateNode *list;
    uint32_t at = PCI_EXT_CAP_FIRST;

    if (s->size <= PCI_EXT_CAP_FIRST || !get(s, at, 4)) {
        return;
    }
    list = state_add(s->into, "extended-capabilities", STATE_ARRAY);
    for (unsigned i = 0; i < 48 && at >= PCI_EXT_CAP_FIRST; i++) {
        StateNode *n = state_add_element(list, STATE_STRUCT), *id = show(s, n, at, 2, "id", NULL);
        StateNode *next = show(s, n, at + 2, 2, "version-and-next", FLAGS({ "VERSION", 0xf }, { "NEXT", 0xfff0 }));

        for (size_t k = 0; k < ARRAY_SIZE(extended); k++) {
            if (extended[k].id == id->u) {
                state_set_word(id, extended[k].name);
                if (extended[k].show) {
                    extended[k].show(s, n, at);
                }
            }
        }
        at = (uint32_t)(next->u >> 4) & ~3u;
    }
}

/* --- the whole --- */

static void show_config(StateNode *into, const uint8_t *config, uint32_t size)
{
    Space s = { .c = config, .size = size, .into = state_add_struct(into, "config") };
    bool bridge = (get(&s, PCI_HEADER_TYPE, 1) & 0x7f) == 1;
    StateNode *other, *raw;

    show_header(&s, common, ARRAY_SIZE(common));
    if (bridge) {
        show_header(&s, bridge_header, ARRAY_SIZE(bridge_header));
    } else {
        show_header(&s, device_header, ARRAY_SIZE(device_header));
    }
    show_capabilities(&s);
    show_extended(&s);
    other = state_add_struct(s.into, "other");
    other->help = "registers of this kind of function, by offset, where they aren't 0";
    for (uint32_t i = 0; i < size; i++) {
        if (!s.named[i] && config[i]) {
            state_add_uintf(other, config[i], 8, "0x%02x", i);
        }
    }
    raw = state_add_bytes(s.into, "raw", config, size);
    raw->payload = "the whole config space";
    raw->copy = true;
}

static bool show_vectors(VmReader *r, StateNode *into, unsigned vectors, Error **errp)
{
    StateNode *list = state_add(into, "msix-vectors", STATE_ARRAY);
    uint8_t entry[PCI_MSIX_ENTRY_SIZE];
    uint64_t pending;

    for (unsigned i = 0; i < vectors; i++) {
        StateNode *n;

        if (!vm_get_bytes(r, entry, sizeof(entry), errp)) {
            return false;
        }
        n = state_add_element(list, STATE_STRUCT);
        state_add_uint(n, "address", pci_get_long(entry) | (uint64_t)pci_get_long(entry + 4) << 32, 64);
        state_add_uint(n, "data", pci_get_long(entry + 8), 32);
        state_add_flags(state_add_uint(n, "control", pci_get_long(entry + 12), 32), FLAGS({ "MASKED", 1 }));
    }
    for (unsigned i = 0; i < DIV_ROUND_UP(vectors, 64); i++) {
        if (!vm_get_u64(r, &pending, errp)) {
            return false;
        }
        state_add_uintf(into, pending, 64, "msix-pending-%u", i);
    }
    return true;
}

bool pci_state_show(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, StateNode *into, Error **errp)
{
    uint8_t config[PCIE_CONFIG_SIZE], level;
    uint16_t vectors;
    uint32_t size;

    into->kind = STATE_STRUCT;
    if (!vm_get_u32(r, &size, errp)) {
        return false;
    }
    if (size < 0x40 || size > sizeof(config)) {
        error_setf(errp, ERR_STATE_INVALID, "config space of %u bytes", size);
        return false;
    }
    if (!vm_get_bytes(r, config, size, errp) || !vm_get_u8(r, &level, errp) ||
        !vm_get_u16(r, &vectors, errp)) {
        return false;
    }
    show_config(into, config, size);
    state_add_bool(into, "intx", level)->help = "level that the function gives its INTx pin";
    return !vectors || show_vectors(r, into, vectors, errp);
}

void pci_state_name_registers(StateNode *pci, const RegDef *defs, size_t n)
{
    size_t index;
    StateNode *config = (StateNode *)state_find(pci, "config", &index);
    StateNode *other = (StateNode *)state_find(pci, "config.other", &index);
    const StateNode *raw = state_find(pci, "config.raw", &index);
    StateNode *regs;

    if (!config || !other || !raw) {
        return;
    }
    regs = state_add_struct(config, "registers");
    for (size_t i = 0; i < n; i++) {
        unsigned bytes = defs[i].width ? defs[i].width : 4;
        uint32_t v = 0;

        for (unsigned k = 0; k < bytes; k++) {
            char name[16];

            v |= (uint32_t)state_number(raw, defs[i].offset + k) << (8 * k);
            snprintf(name, sizeof(name), "0x%02x", defs[i].offset + k);
            state_remove(other, name);
        }
        reg_show(&defs[i], v, regs);
    }
}
