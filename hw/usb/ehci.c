/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EHCI host controllers: registers, ports, companions. Schedules are in ehci-sched.c.
 *
 * Sources: see ehci.h. Not modelled: split transactions (hubs here are full-speed ones and go
 * to a companion), isochronous descriptors, port test modes, legacy support registers.
 */
#include "util/osdep.h"
#include "hw/usb/ehci.h"
#include "hw/usb/hci-state.h"

#include "qobject/error.h"

/* EHCI 2.2: capability registers; 2.3: operational ones, from OP. */
enum { CAPLENGTH = 0x00, HCSPARAMS = 0x04, HCCPARAMS = 0x08, HCSP_PORTROUTE = 0x0c, OP = 0x20 };
enum { USBCMD = 0x00, USBSTS = 0x04, USBINTR = 0x08, FRINDEX = 0x0c, CTRLDSSEGMENT = 0x10,
       PERIODICLISTBASE = 0x14, ASYNCLISTADDR = 0x18, CONFIGFLAG = 0x40, PORTSC = 0x44 };
#define EHCI_MEM_SIZE   0x1000
#define HCIVERSION      0x0100
/* EHCI 2.3.9 */
enum { PORT_CCS = BIT(0), PORT_CSC = BIT(1), PORT_PED = BIT(2), PORT_PEDC = BIT(3),
       PORT_OCC = BIT(5), PORT_FPR = BIT(6), PORT_SUSPEND = BIT(7), PORT_RESET = BIT(8),
       PORT_LINE_K = BIT(10), PORT_LINE_J = BIT(11), PORT_POWER = BIT(12), PORT_OWNER = BIT(13),
       PORT_WAKE = 0x700000, PORT_TEST = 0xf0000, PORT_INDICATOR = 0xc000,
       PORT_W1C = PORT_CSC | PORT_PEDC | PORT_OCC,
       PORT_RW = PORT_WAKE | PORT_TEST | PORT_INDICATOR };
#define PORT_VALID      0x7fffffu
#define SPEEDS_ALL      (BIT(USB_SPEED_LOW) | BIT(USB_SPEED_FULL) | BIT(USB_SPEED_HIGH))
#define SPEEDS_OLD      (BIT(USB_SPEED_LOW) | BIT(USB_SPEED_FULL))

static void update_irq(EhciState *s)
{
    pci_set_irq(&s->pci, (s->status & s->intr & STS_W1C) != 0);
}

void ehci_interrupt(EhciState *s, uint32_t bits)
{
    s->status |= bits & STS_W1C;
    update_irq(s);
}

/* EHCI 4.15.2.4: a bus error stops it. */
void ehci_host_error(EhciState *s)
{
    s->cmd &= ~CMD_RS;
    s->status = (s->status | STS_HALTED) & ~(STS_PSS | STS_ASS);
    ehci_interrupt(s, STS_HSE);
}

UsbDevice *ehci_find_device(EhciState *s, uint8_t addr)
{
    UsbDevice *d = NULL;

    for (int i = 0; i < EHCI_PORTS && !d; i++) {
        const EhciPort *p = &s->ports[i];

        if ((p->sc & (PORT_PED | PORT_CCS)) == (PORT_PED | PORT_CCS) &&
            !(p->sc & (PORT_SUSPEND | PORT_OWNER | PORT_RESET))) {
            d = usb_find_device(&p->port, addr);
        }
    }
    return d;
}

/* --- ports (EHCI 4.2, 4.3) --- */

static void port_attach(UsbPort *port)
{
    EhciState *s = port->opaque;
    EhciPort *p = &s->ports[port->index];

    p->sc |= PORT_CCS | PORT_CSC;
    p->sc = (p->sc & ~(PORT_LINE_J | PORT_LINE_K)) |
            (port->dev->speed == USB_SPEED_LOW ? PORT_LINE_K : PORT_LINE_J);
    ehci_interrupt(s, STS_PCD);
    ehci_wake(s);
}

static void port_detach(UsbPort *port)
{
    EhciState *s = port->opaque;
    EhciPort *p = &s->ports[port->index];

    p->sc |= PORT_CSC | (p->sc & PORT_PED ? PORT_PEDC : 0);
    p->sc &= ~(PORT_CCS | PORT_PED | PORT_SUSPEND | PORT_FPR | PORT_RESET | PORT_LINE_J |
               PORT_LINE_K);
    ehci_interrupt(s, STS_PCD);
    ehci_wake(s);
}

static void port_wakeup(UsbPort *port)
{
    EhciState *s = port->opaque;
    EhciPort *p = &s->ports[port->index];

    if ((p->sc & PORT_SUSPEND) && !(p->sc & PORT_FPR)) {
        p->sc |= PORT_FPR;
        ehci_interrupt(s, STS_PCD);
    }
}

static void port_kick(UsbPort *port)
{
    ehci_wake(port->opaque);
}

static const UsbPortOps port_ops = { port_attach, port_detach, port_wakeup, port_kick };

/* Who has the port (EHCI 4.2.1): the companion, if there is one and the guest wants it so. */
static void route_port(EhciState *s, EhciPort *p, bool quiet)
{
    bool old = p->companion && (p->sc & PORT_OWNER);

    if (!p->port.bus || (old ? p->port.ops == p->companion : p->port.ops == &port_ops)) {
        return;
    }
    if (old) {
        usb_port_hand_over(&p->port, p->companion, p->companion_opaque, SPEEDS_OLD, quiet);
    } else {
        usb_port_hand_over(&p->port, &port_ops, s,
                           p->companion ? SPEEDS_ALL : BIT(USB_SPEED_HIGH), quiet);
    }
}

static void write_port(EhciState *s, unsigned n, uint32_t val)
{
    EhciPort *p = &s->ports[n];
    uint32_t old = p->sc;

    p->sc = (old & ~(val & PORT_W1C) & ~PORT_RW) | (val & PORT_RW);
    if (p->companion && s->config_flag && ((val ^ old) & PORT_OWNER)) {
        p->sc ^= PORT_OWNER;
        route_port(s, p, false);
    }
    if (!(val & PORT_PED)) {
        p->sc &= ~PORT_PED;             /* only a reset enables it */
    }
    if (val & PORT_RESET) {
        p->sc = (p->sc | PORT_RESET) & ~(PORT_PED | PORT_SUSPEND | PORT_FPR);
    } else if (old & PORT_RESET) {
        p->sc &= ~PORT_RESET;
        if (p->sc & PORT_CCS) {
            usb_port_reset(&p->port);
            if (p->port.dev && p->port.dev->speed == USB_SPEED_HIGH) {
                p->sc = (p->sc | PORT_PED) & ~(PORT_LINE_J | PORT_LINE_K);
            }
        }
    }
    if ((val & PORT_SUSPEND) && (p->sc & PORT_PED)) {
        p->sc |= PORT_SUSPEND;
    }
    if ((val & PORT_FPR) && (p->sc & PORT_SUSPEND)) {
        p->sc |= PORT_FPR;
    } else if (!(val & PORT_FPR) && (old & PORT_FPR)) {
        p->sc &= ~(PORT_FPR | PORT_SUSPEND);    /* the end of resume signalling */
    }
    ehci_wake(s);
}

static void write_config_flag(EhciState *s, uint32_t val)
{
    s->config_flag = val & 1;
    for (int i = 0; i < EHCI_PORTS; i++) {
        EhciPort *p = &s->ports[i];

        if (p->companion) {
            p->sc = s->config_flag ? p->sc & ~PORT_OWNER : p->sc | PORT_OWNER;
            route_port(s, p, false);
        }
    }
}

static bool add_companion(UsbBus *bus, UsbPort **ports, unsigned n, unsigned first,
                          const UsbPortOps *ops, void *opaque, Error **errp)
{
    EhciState *s = bus->opaque;
    bool ok = first < EHCI_PORTS && n <= EHCI_PORTS - first;

    for (unsigned i = 0; ok && i < n; i++) {
        ok = !s->ports[first + i].companion && !s->ports[first + i].port.dev;
    }
    if (!ok) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "ports %u to %u of bus '%s' can't be shared",
                   first, first + n - 1, bus->bus.name);
        error_argument(errp, "firstport", NULL, "an even number up to 4, its ports without devices");
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        EhciPort *p = &s->ports[first + i];

        p->companion = ops;
        p->companion_opaque = opaque;
        p->sc = (p->sc & ~PORT_OWNER) | (s->config_flag ? 0 : PORT_OWNER);
        p->port.speeds = SPEEDS_ALL;
        route_port(s, p, true);
        ports[i] = &p->port;
    }
    s->n_companions++;
    return true;
}

static void remove_companion(UsbBus *bus, void *opaque)
{
    EhciState *s = bus->opaque;

    for (int i = 0; i < EHCI_PORTS; i++) {
        EhciPort *p = &s->ports[i];

        if (p->companion && p->companion_opaque == opaque) {
            if (p->port.dev) {
                device_delete(&p->port.dev->dev);
            }
            p->sc &= ~PORT_OWNER;
            p->companion = NULL;
            p->companion_opaque = NULL;
            route_port(s, p, true);
        }
    }
    s->n_companions--;
}

static const UsbBusOps bus_ops = { add_companion, remove_companion };

/* --- registers --- */

static void reset_controller(EhciState *s)
{
    ehci_cancel_all(s);
    timer_del(&s->timer);
    s->cmd = 0x00080000;
    s->status = STS_HALTED;
    s->intr = s->frindex = s->periodic = s->async = s->config_flag = 0;
    s->idle_frames = 0;
    s->frame_ns = 0;
    for (int i = 0; i < EHCI_PORTS; i++) {
        EhciPort *p = &s->ports[i];

        p->sc = PORT_POWER | (p->companion ? PORT_OWNER : 0);
        route_port(s, p, false);
        if (!p->companion && p->port.dev && p->port.dev->attached) {
            p->sc |= PORT_CCS | PORT_CSC |
                     (p->port.dev->speed == USB_SPEED_LOW ? PORT_LINE_K : PORT_LINE_J);
        }
    }
    update_irq(s);
}

static void write_command(EhciState *s, uint32_t val)
{
    bool was_running = s->cmd & CMD_RS;

    if (val & CMD_HCRESET) {
        reset_controller(s);
        return;
    }
    ehci_run(s);
    s->cmd = val & CMD_RW;
    if ((val & CMD_RS) && !was_running) {
        s->frame_ns = clock_get_ns(CLOCK_VIRTUAL);
        s->status &= ~STS_HALTED;
    } else if (!(val & CMD_RS)) {
        s->status |= STS_HALTED;
        if (was_running) {
            ehci_cancel_all(s);
        }
    }
    /* EHCI 4.6, 4.8: the status follows at once here. */
    s->status &= ~(STS_PSS | STS_ASS);
    if (val & CMD_RS) {
        s->status |= (val & CMD_PSE ? STS_PSS : 0) | (val & CMD_ASE ? STS_ASS : 0);
    }
    if (val & CMD_IAAD) {
        ehci_doorbell(s);
    }
    s->idle_frames = 0;
    ehci_schedule(s);
}

static uint32_t read_register(EhciState *s, uint32_t addr)
{
    uint32_t micro;

    switch (addr) {
    case CAPLENGTH:
        return OP | (uint32_t)HCIVERSION << 16;
    case HCSPARAMS:                     /* EHCI 2.2.3: no power control */
        return EHCI_PORTS | (s->n_companions ? 2u << 8 | s->n_companions << 12 : 0);
    case HCCPARAMS:                     /* 32 bits, frame lists of 256 and 512, IST 1 */
        return 0x12;
    case OP + USBCMD:
        return s->cmd;
    case OP + USBSTS:
        return s->status;
    case OP + USBINTR:
        return s->intr;
    case OP + FRINDEX:
        ehci_run(s);
        micro = s->cmd & CMD_RS
                ? (uint32_t)(MAX(clock_get_ns(CLOCK_VIRTUAL) - s->frame_ns, 0) / (125 * NS_PER_US))
                : 0;
        return (s->frindex + MIN(micro, 7)) & 0x3fff;
    case OP + PERIODICLISTBASE:
        return s->periodic;
    case OP + ASYNCLISTADDR:
        return s->async;
    case OP + CONFIGFLAG:
        return s->config_flag;
    case OP + PORTSC ... OP + PORTSC + 4 * EHCI_PORTS - 4:
        return s->ports[(addr - OP - PORTSC) / 4].sc;
    default:
        return 0;
    }
}

static MemResult mem_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    uint32_t v = read_register(opaque, addr & ~3u);

    *val = v >> 8 * (addr & 3);
    if (size < 4) {
        *val &= (1u << 8 * size) - 1;
    }
    return MEM_OK;
}

static MemResult mem_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    EhciState *s = opaque;
    uint32_t v = (uint32_t)val;

    if (size != 4 || (addr & 3)) {      /* EHCI 2.3: DWord accesses */
        return MEM_OK;
    }
    switch (addr) {
    case OP + USBCMD:
        write_command(s, v);
        break;
    case OP + USBSTS:
        s->status &= ~(v & STS_W1C);
        update_irq(s);
        break;
    case OP + USBINTR:
        s->intr = v & STS_W1C;
        update_irq(s);
        ehci_schedule(s);
        break;
    case OP + FRINDEX:
        if (!(s->cmd & CMD_RS)) {
            s->frindex = v & 0x3ff8;
        }
        break;
    case OP + PERIODICLISTBASE:
        s->periodic = v & ~0xfffu;
        break;
    case OP + ASYNCLISTADDR:
        s->async = v & ~0x1fu;
        break;
    case OP + CONFIGFLAG:
        write_config_flag(s, v);
        break;
    case OP + PORTSC ... OP + PORTSC + 4 * EHCI_PORTS - 4:
        write_port(s, (unsigned)(addr - OP - PORTSC) / 4, v);
        break;
    default:
        break;
    }
    return MEM_OK;
}

static const MemOps mem_ops = {
    .read = mem_read, .write = mem_write, .order = MEM_LE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 },
};

/* --- life --- */

static void tick(void *opaque)
{
    EhciState *s = opaque;

    ehci_run(s);
    ehci_schedule(s);
}

static void ehci_reset_hold(Device *dev)
{
    reset_controller(EHCI(dev));
}

static bool ehci_realize(Device *dev, UNUSED Error **errp)
{
    EhciState *s = EHCI(dev);

    s->pci.config[0x60] = 0x20;         /* SBRN: release 2.0 (EHCI 2.1.4) */
    s->pci.config[0x61] = s->pci.wmask[0x61] = 0x20;    /* FLADJ */
    s->pci.wmask[0x61] = 0x3f;
    timer_init_ns(&s->timer, CLOCK_VIRTUAL, tick, s);
    s->bus = usb_bus_new(dev, &bus_ops, s);
    for (unsigned i = 0; i < EHCI_PORTS; i++) {
        usb_port_register(s->bus, &s->ports[i].port, &port_ops, s, i, BIT(USB_SPEED_HIGH), NULL);
        s->ports[i].sc = PORT_POWER;
    }
    memory_region_init_io(&s->mem, s, &mem_ops, s, "ehci", EHCI_MEM_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mem);
    return true;
}

static void ehci_unrealize(Device *dev)
{
    EhciState *s = EHCI(dev);

    s->cmd = 0;
    ehci_cancel_all(s);
    timer_del(&s->timer);
    memory_region_cleanup(&s->mem);
}

static void ehci_pre_save(void *opaque)
{
    ehci_finish_done(opaque);
}

static bool ehci_post_load(void *opaque, Error **errp)
{
    EhciState *s = opaque;

    ehci_cancel_all(s);
    s->idle_frames = 0;
    if (s->frame_ns < 0 || s->frame_ns > INT64_MAX / 2 ||
        !(s->cmd & CMD_RS) != !!(s->status & STS_HALTED)) {
        error_setf(errp, ERR_STATE_INVALID, "EHCI: command 0x%06x, status 0x%04x and frame time "
                   "%" PRId64 " don't agree", s->cmd, s->status, s->frame_ns);
        s->cmd &= ~CMD_RS;
        s->status |= STS_HALTED;
        s->frame_ns = 0;
        return false;
    }
    for (int i = 0; i < EHCI_PORTS; i++) {
        EhciPort *p = &s->ports[i];

        if ((p->sc & PORT_OWNER) && !p->companion) {
            error_setf(errp, ERR_STATE_INVALID, "EHCI: port %d has no companion", i + 1);
            p->sc &= ~PORT_OWNER;
            return false;
        }
        route_port(s, p, true);
    }
    ehci_schedule(s);
    update_irq(s);
    return true;
}

static const VmField port_fields[] = { VM_U32_RANGE(EhciPort, sc, 0, PORT_VALID), VM_END };
static const VmState port_vm = { 1, port_fields, .name = "port", .meanings = ehci_port_meanings };

static const VmField ehci_fields[] = {
    VM_PCI(EhciState, pci), VM_STRUCT_ARRAY(EhciState, ports, port_vm),
    VM_U32_RANGE(EhciState, cmd, 0, CMD_ITC | 0xff), VM_U32_RANGE(EhciState, status, 0, STS_ALL),
    VM_U32_RANGE(EhciState, intr, 0, STS_W1C), VM_U32_RANGE(EhciState, frindex, 0, 0x3fff),
    VM_U32(EhciState, periodic), VM_U32(EhciState, async),
    VM_U32_RANGE(EhciState, config_flag, 0, 1), VM_I64(EhciState, frame_ns), VM_END
};

static const DeviceType ehci_type = {
    .name = TYPE_EHCI, .parent = TYPE_PCI_DEVICE, .size = sizeof(EhciState), .abstract = true,
    .category = DEVICE_USB, .fw_name = "usb",
    .pci = { .vendor = 0x8086, .class_code = 0x0c0320 },
    .realize = ehci_realize, .unrealize = ehci_unrealize, .reset_hold = ehci_reset_hold,
    .vm = { 1, ehci_fields, .pre_save = ehci_pre_save, .post_load = ehci_post_load,
            .meanings = ehci_meanings },
    .printers = ehci_printers,
};
DEVICE_TYPE(ehci_type)

static const DeviceType usb_ehci = {
    .name = "usb-ehci", .parent = TYPE_EHCI, .desc = "USB 2.0 controller (EHCI)",
    .pci = { .device = 0x24cd, .revision = 0x10, .pin = PCI_PIN_D },
};
DEVICE_TYPE(usb_ehci)

static const DeviceType ich9_ehci1 = {
    .name = "ich9-usb-ehci1", .parent = TYPE_EHCI, .desc = "ICH9 USB 2.0 (EHCI) 1",
    .pci = { .device = 0x293a, .revision = 0x03, .pin = PCI_PIN_D },
};
DEVICE_TYPE(ich9_ehci1)

static const DeviceType ich9_ehci2 = {
    .name = "ich9-usb-ehci2", .parent = TYPE_EHCI, .desc = "ICH9 USB 2.0 (EHCI) 2",
    .pci = { .device = 0x293c, .revision = 0x03, .pin = PCI_PIN_D },
};
DEVICE_TYPE(ich9_ehci2)

static const DeviceType ich7_ehci = {
    .name = "ich7-usb-ehci", .parent = TYPE_EHCI, .desc = "ICH7 USB 2.0 (EHCI)",
    .pci = { .device = 0x27cc, .revision = 0x02, .pin = PCI_PIN_A },
};
DEVICE_TYPE(ich7_ehci)
