/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced error reporting (PCIe 7.8.4) and how errors are signalled (PCIe 6.2): a function logs an error in its registers
 * and sends a message, which bridges pass on as far as they may, and of which a root port tells the guest.
 * Nothing goes wrong by itself here: errors are the user's. Of several errors one packet header is kept, that of the
 * first. System errors by the root control register's enable bits reach nobody.
 */
#include "util/osdep.h"
#include "hw/pci/pcie-port.h"

#include "qobject/error.h"

/* PCIe 7.8.4.2: errors that are defined; all may be masked. 7.8.4.4: their severity after a reset. */
#define UNCOR_ERRORS        0x07fff030
#define UNCOR_SEVERITY      0x00462030
#define UNSUPPORTED         BIT(20)
#define COR_ERRORS          0x0000f1c1
#define COR_MASK            PCI_ERR_COR_ADVISORY
#define LOG_SIZE            16

/* PCIe 7.8.4.9, 7.8.4.10. */
enum { ROOT_COR_ENABLE = 1, ROOT_NONFATAL_ENABLE = 2, ROOT_FATAL_ENABLE = 4, ROOT_COMMAND_RW = 7 };
enum { ROOT_COR = 0x01, ROOT_COR_MORE = 0x02, ROOT_UNCOR = 0x04, ROOT_UNCOR_MORE = 0x08, ROOT_FIRST_FATAL = 0x10,
       ROOT_NONFATAL = 0x20, ROOT_FATAL = 0x40, ROOT_STATUS_W1C = 0x7f };
/* PCIe 7.5.3.4, 7.5.3.5: enable bits of the device control register, and the status bits of the same numbers. */
enum { DEV_COR = 1, DEV_NONFATAL = 2, DEV_FATAL = 4, DEV_UNSUPPORTED = 8 };

/* Names as management tools use them; PCIe 7.8.4.2 and 7.8.4.5. */
static const struct { const char *name; bool correctable; uint8_t bit; } names[] = {
    { "DLP", false, 4 }, { "SDN", false, 5 }, { "POISON_TLP", false, 12 }, { "FCP", false, 13 },
    { "COMP_TIME", false, 14 }, { "COMP_ABORT", false, 15 }, { "UNX_COMP", false, 16 }, { "RX_OVER", false, 17 },
    { "MALF_TLP", false, 18 }, { "ECRC", false, 19 }, { "UNSUP", false, 20 }, { "ACSV", false, 21 }, { "INTN", false, 22 },
    { "MCBTLP", false, 23 }, { "ATOP_EBLOCKED", false, 24 }, { "TLP_PRF_BLOCKED", false, 25 },
    { "RCVR", true, 0 }, { "BAD_TLP", true, 6 }, { "BAD_DLLP", true, 7 }, { "REP_ROLL", true, 8 }, { "REP_TIMER", true, 12 },
    { "ADV_NONFATAL", true, 13 }, { "INTERNAL", true, 14 }, { "HL_OVERFLOW", true, 15 },
};

void pcie_add_aer(PCIDevice *pci, bool root)
{
    unsigned at = pcie_add_extended(pci, PCI_EXT_CAP_ID_AER, 2, PCI_ERR_SIZEOF);
    uint8_t *w = pci->wmask + at, *w1c = pci->w1cmask + at, *hw = pci->hwmask + at;

    pci->aer_cap = (uint16_t)at;
    pci_set_long(w1c + PCI_ERR_UNCOR_STATUS, UNCOR_ERRORS);
    pci_set_long(w + PCI_ERR_UNCOR_MASK, UNCOR_ERRORS);
    pci_set_long(w + PCI_ERR_UNCOR_SEVERITY, UNCOR_ERRORS);
    pci_set_long(w1c + PCI_ERR_COR_STATUS, COR_ERRORS);
    pci_set_long(w + PCI_ERR_COR_MASK, COR_ERRORS);
    pci_set_long(hw + PCI_ERR_CAP, PCI_ERR_CAP_FEP | PCI_ERR_CAP_PREFIX);
    memset(hw + PCI_ERR_HEADER_LOG, 0xff, LOG_SIZE);
    memset(hw + PCI_ERR_PREFIX_LOG, 0xff, LOG_SIZE);
    if (root) {
        pci_set_long(w + PCI_ERR_ROOT_COMMAND, ROOT_COMMAND_RW);
        pci_set_long(w1c + PCI_ERR_ROOT_STATUS, ROOT_STATUS_W1C);
        pci_set_long(hw + PCI_ERR_ROOT_SOURCE, UINT32_MAX);
    }
    pcie_aer_reset(pci);
}

void pcie_aer_reset(PCIDevice *pci)
{
    uint8_t *c = pci->config + pci->aer_cap;

    memset(c + PCI_ERR_UNCOR_STATUS, 0, PCI_ERR_SIZEOF - PCI_ERR_UNCOR_STATUS);
    pci_set_long(c + PCI_ERR_UNCOR_SEVERITY, UNCOR_SEVERITY);
    pci_set_long(c + PCI_ERR_COR_MASK, COR_MASK);
}

/* ------------------------------------------------------------ root ports */

/* PCIe 6.2.4.1.2: something that the guest wants to be told has been received. */
static bool root_event(const PciePort *s)
{
    const PCIDevice *pci = &s->bridge.pci;
    uint32_t command = pci_get_long(pci->config + pci->aer_cap + PCI_ERR_ROOT_COMMAND);
    uint32_t status = pci_get_long(pci->config + pci->aer_cap + PCI_ERR_ROOT_STATUS);

    return (command & ROOT_COR_ENABLE && status & ROOT_COR) ||
           (command & ROOT_NONFATAL_ENABLE && status & ROOT_NONFATAL) ||
           (command & ROOT_FATAL_ENABLE && status & ROOT_FATAL);
}

void pcie_aer_root_changed(PciePort *s, bool tell)
{
    bool rose;

    if (!pcie_port_is_root(s)) {
        return;
    }
    rose = root_event(s) && !s->aer_notified;
    s->aer_notified = root_event(s);
    if (tell) {
        pcie_port_interrupt(s, rose);
    }
}

static void root_receive(PciePort *s, uint8_t message, uint16_t source)
{
    uint8_t *c = s->bridge.pci.config + s->bridge.pci.aer_cap, *id = c + PCI_ERR_ROOT_SOURCE;
    uint32_t status = pci_get_long(c + PCI_ERR_ROOT_STATUS);

    if (message == DEV_COR) {
        if (!(status & ROOT_COR)) {
            pci_set_word(id, source);
        }
        status |= status & ROOT_COR ? ROOT_COR_MORE : ROOT_COR;
    } else {
        if (!(status & ROOT_UNCOR)) {
            pci_set_word(id + 2, source);
            status |= message == DEV_FATAL ? ROOT_FIRST_FATAL : 0;
        }
        status |= status & ROOT_UNCOR ? ROOT_UNCOR_MORE : ROOT_UNCOR;
        status |= message == DEV_FATAL ? ROOT_FATAL : ROOT_NONFATAL;
    }
    pci_set_long(c + PCI_ERR_ROOT_STATUS, status);
    pcie_aer_root_changed(s, true);
}

/* ------------------------------------------------------------- messages */

static bool sees_system_errors(const PCIDevice *pci)
{
    return pci_get_word(pci->config + PCI_COMMAND) & PCI_COMMAND_SERR;
}

static void add_status(PCIDevice *pci, unsigned at, uint16_t bits)
{
    pci_set_word(pci->config + at, pci_get_word(pci->config + at) | bits);
}

static PciePort *root_port(PCIDevice *pci)
{
    PciePort *s = object_is_a(pci, TYPE_PCIE_PORT) ? PCIE_PORT(pci) : NULL;

    return s && pcie_port_is_root(s) ? s : NULL;
}

/* PCIe 6.2.6, figure 6-3: from bridge to bridge, until there is a root port. */
static void send(PCIDevice *pci, uint8_t message)
{
    uint16_t source = pci_requester_id(pci);

    if (message != DEV_COR && sees_system_errors(pci)) {
        add_status(pci, PCI_STATUS, PCI_STATUS_SIG_SERR);
    }
    while (!root_port(pci)) {
        pci = pci_bus(pci)->bridge;
        if (!pci) {
            return;             /* an event collector of the root complex would get it */
        }
        if (message != DEV_COR) {
            add_status(pci, PCI_SEC_STATUS, PCI_STATUS_SIG_SERR);
        }
        if (!(pci_get_word(pci->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_SERR)) {
            return;
        }
        if (message != DEV_COR) {
            if (!sees_system_errors(pci)) {
                if (!root_port(pci)) {
                    return;
                }
            } else {
                add_status(pci, PCI_STATUS, PCI_STATUS_SIG_SERR);
            }
        }
    }
    root_receive(root_port(pci), message, source);
}

/* ---------------------------------------------------------------- errors */

/* PCIe 7.8.4.7: the first error's header stays until its bit is cleared. */
static void log_header(PCIDevice *pci, const PcieError *e, uint32_t before)
{
    uint8_t *c = pci->config + pci->aer_cap;
    uint32_t cap = pci_get_long(c + PCI_ERR_CAP);

    if (before >> (cap & PCI_ERR_CAP_FEP) & 1) {
        return;
    }
    cap &= ~(PCI_ERR_CAP_FEP | PCI_ERR_CAP_PREFIX);
    cap |= (uint32_t)__builtin_ctz(e->bit) | (e->prefix ? PCI_ERR_CAP_PREFIX : 0);
    pci_set_long(c + PCI_ERR_CAP, cap);
    for (unsigned i = 0; i < LOG_SIZE / 4; i++) {
        pci_set_long(c + PCI_ERR_HEADER_LOG + 4 * i, e->header ? e->header[i] : 0);
        pci_set_long(c + PCI_ERR_PREFIX_LOG + 4 * i, e->prefix ? e->prefix[i] : 0);
    }
}

static void correctable(PCIDevice *pci, uint32_t bit)
{
    uint8_t *c = pci->config + pci->aer_cap;

    add_status(pci, pci->exp_cap + PCI_EXP_DEVSTA, DEV_COR);
    pci_set_long(c + PCI_ERR_COR_STATUS, pci_get_long(c + PCI_ERR_COR_STATUS) | bit);
}

static bool wants(const PCIDevice *pci, uint8_t message)
{
    return pci_get_word(pci->config + pci->exp_cap + PCI_EXP_DEVCTL) & message ||
           (message != DEV_COR && sees_system_errors(pci));
}

/* PCIe 6.2.5, figure 6-2. */
static void signal_error(PCIDevice *pci, const PcieError *e)
{
    uint8_t *c = pci->config + pci->aer_cap;
    bool fatal = pci_get_long(c + PCI_ERR_UNCOR_SEVERITY) & e->bit, advisory = e->advisory && !fatal;
    uint8_t message = e->correctable || advisory ? DEV_COR : fatal ? DEV_FATAL : DEV_NONFATAL;
    uint32_t before;

    if (e->correctable || advisory) {
        uint32_t bit = advisory ? PCI_ERR_COR_ADVISORY : e->bit;

        correctable(pci, bit);
        if (pci_get_long(c + PCI_ERR_COR_MASK) & bit) {
            return;
        }
    } else {
        add_status(pci, pci->exp_cap + PCI_EXP_DEVSTA, message);
    }
    if (!e->correctable) {
        if (e->bit == UNSUPPORTED) {
            add_status(pci, pci->exp_cap + PCI_EXP_DEVSTA, DEV_UNSUPPORTED);
        }
        before = pci_get_long(c + PCI_ERR_UNCOR_STATUS);
        pci_set_long(c + PCI_ERR_UNCOR_STATUS, before | e->bit);
        if (pci_get_long(c + PCI_ERR_UNCOR_MASK) & e->bit) {
            return;
        }
        log_header(pci, e, before);
    }
    if (wants(pci, message)) {
        send(pci, message);
    }
}

bool pcie_aer_inject(PCIDevice *pci, const PcieError *e, Error **errp)
{
    if (!pci->exp_cap || !pci->aer_cap) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'%s' doesn't report errors", object_type_name(pci));
        error_argument(errp, "id", NULL, "a PCI Express port or another function with the capability AER");
        return false;
    }
    signal_error(pci, e);
    return true;
}

bool pcie_aer_error(const char *text, bool correctable, PcieError *e, Error **errp)
{
    uint32_t valid = correctable ? COR_ERRORS : UNCOR_ERRORS;
    char *end;
    unsigned long number;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i].name, text)) {
            if (correctable && !names[i].correctable) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't a correctable error", text);
                return false;
            }
            e->correctable = names[i].correctable;
            e->bit = BIT(names[i].bit);
            return true;
        }
    }
    errno = 0;
    number = strtoul(text, &end, 0);
    if (end == text || *end || errno || !IS_POWER_OF_2(number) || number & ~(unsigned long)valid) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no error; accepted: a name, or one bit of 0x%08" PRIx32, text, valid);
        error_argument(errp, "error", text, "RCVR, BAD_TLP, POISON_TLP, COMP_TIME, UNSUP..., or a bit of the status register");
        return false;
    }
    e->correctable = correctable;
    e->bit = (uint32_t)number;
    return true;
}
