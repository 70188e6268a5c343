/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Quadra's VIAs, with what hangs on their ports (mac-via.h).
 *
 * The ADB transceiver watches PB4 and PB5: 0 a command byte, 1 and 2 data bytes in turn, 3 idle; it moves bytes
 * through VIA1's shift register, and pulls PB3 low where nobody answered (first byte), at a service
 * request (second byte), and behind the last byte. While idle it repeats the last Talk; what comes
 * is announced by a shift with PB3 low (GMFH chapter 8, "ADB transceiver").
 */
#include "util/osdep.h"
#include "hw/misc/mac-via.h"

#include "hw/core/runstate.h"
#include "hw/input/adb.h"
#include "hw/misc/via6522.h"
#include "hw/rtc/mac-rtc.h"

#define VIA_HZ          783360          /* GMFH: the processor clock of the first Macintosh / 10 */
#define TICK_NS         (INT64_C(1000000000) * 100 / 6015)
#define ADB_SHIFT_NS    (200 * NS_PER_US)
#define ADB_POLL_NS     (11 * NS_PER_MS)

/* VIA1 port A. */
enum { V1A_HEAD_SEL = 0x20 };
/* VIA1 port B. */
enum { V1B_RTC_DATA = 1, V1B_RTC_CLK = 2, V1B_RTC_ENABLE = 4, V1B_ADB_INT = 8, V1B_ADB_STATE = 0x30,
       V1B_AUX_OFF = 0x40 };
/* VIA2 port B. */
enum { V2B_POWER = 4 };

enum { ADB_CMD, ADB_EVEN, ADB_ODD, ADB_IDLE };

typedef struct MacVia1 {
    Device dev;
    Via6522 via;
    MemRegion mr;
    MacRtc rtc;
    char *base, *pram;          /* properties, of the clock */
    AdbBus *adb;
    IrqLine *irq, *auxmode, *floppy_sel;
    Timer tick, second, adb_timer;
    /* Transceiver. */
    uint8_t adb_state;
    uint8_t adb_cmd, adb_last_talk;
    uint8_t adb_in[ADB_MAX_DATA], adb_in_len;   /* of Listen */
    uint8_t adb_out[ADB_MAX_DATA], adb_out_len, adb_out_at;
    bool adb_timeout;           /* nobody answered the Talk */
    bool adb_polled;            /* the answer came while idle */
} MacVia1;

typedef struct MacVia2 {
    Device dev;
    Via6522 via;
    MemRegion mr;
    IrqLine *irq;
    uint8_t slots;              /* lines that ask, bit 0: slot 9 */
} MacVia2;

static MacVia1 *VIA1(const void *obj)
{
    return (MacVia1 *)object_cast(obj, TYPE_MAC_VIA1);
}
static MacVia2 *VIA2(const void *obj)
{
    return (MacVia2 *)object_cast(obj, TYPE_MAC_VIA2);
}

/* Registers lie 512 bytes apart (GMFH: A9 to A12). */
static MemResult via_mem_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                              MemAttrs attrs)
{
    *val = via6522_read(opaque, addr >> 9 & 15, attrs.debug);
    return MEM_OK;
}

static MemResult via_mem_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    via6522_write(opaque, addr >> 9 & 15, (uint8_t)val);
    return MEM_OK;
}

static const MemOps via_mem_ops = {
    .read = via_mem_read, .write = via_mem_write, .order = MEM_BE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};

/* ------------------------------------------------------------------------- ADB */

static void adb_int(MacVia1 *s, bool asserted)
{
    via6522_set_pins(&s->via, true, V1B_ADB_INT, asserted ? 0 : V1B_ADB_INT);
}

static bool shifts_out(const MacVia1 *s)
{
    return s->via.acr & 0x10;
}

/* The byte has been moved after a while. */
static void adb_shift_later(MacVia1 *s)
{
    timer_mod_ns(&s->adb_timer, clock_get_ns(CLOCK_VIRTUAL) + ADB_SHIFT_NS);
}

static void adb_give_byte(MacVia1 *s)
{
    bool low;

    if (s->adb_timeout) {
        low = s->adb_out_at != 1 || adb_service_request(s->adb, s->adb_last_talk >> 4);
        s->via.sr = 0xff;
    } else if (s->adb_out_at < s->adb_out_len) {
        s->via.sr = s->adb_out[s->adb_out_at];
        low = s->adb_out_at == 1 && adb_service_request(s->adb, s->adb_last_talk >> 4);
    } else {
        s->via.sr = 0xff;
        low = true;
    }
    s->adb_out_at++;
    adb_int(s, low);
}

/* What a state asks for is done when its byte has been moved. */
static void adb_moved(void *opaque)
{
    MacVia1 *s = opaque;

    switch (s->adb_state) {
    case ADB_CMD:
        if (s->adb_polled && !s->adb_timeout && !s->adb_out_at) {
            /* The host hasn't seen that an answer waits: it reads that first, and gives its command again. */
            adb_int(s, true);
            break;
        }
        s->adb_cmd = s->via.sr;
        s->adb_in_len = 0;
        s->adb_out_at = 0;
        s->adb_polled = false;
        s->adb_out_len = (uint8_t)adb_request(s->adb, s->adb_cmd, NULL, 0, s->adb_out);
        s->adb_timeout = !s->adb_out_len;
        if ((s->adb_cmd & 0x0c) == 0x0c) {
            s->adb_last_talk = s->adb_cmd;
        }
        adb_int(s, false);
        break;
    case ADB_EVEN: case ADB_ODD:
        if (shifts_out(s)) {
            if (s->adb_in_len < ADB_MAX_DATA) {
                s->adb_in[s->adb_in_len++] = s->via.sr;
            }
            adb_int(s, false);
        } else {
            adb_give_byte(s);
        }
        break;
    default:
        /* Idle: the last Talk again. */
        s->adb_out_len = (uint8_t)adb_request(s->adb, s->adb_last_talk, NULL, 0, s->adb_out);
        s->adb_out_at = 0;
        if (!s->adb_out_len) {
            bool other = adb_service_request(s->adb, s->adb_last_talk >> 4);

            if (!other) {
                return;
            }
            /* Nothing from this one, but a service request: the host polls the others. */
            s->adb_timeout = true;
        } else {
            s->adb_timeout = false;
        }
        s->adb_polled = true;
        s->via.sr = s->adb_last_talk;
        adb_int(s, true);
        break;
    }
    via6522_set_flags(&s->via, VIA_SHIFT, true);
}

static void adb_changed_state(MacVia1 *s, unsigned state)
{
    bool was_listen = s->adb_in_len && (s->adb_cmd & 0x0c) == 0x08;

    s->adb_state = (uint8_t)state;
    if (state == ADB_IDLE || state == ADB_CMD) {
        if (was_listen) {
            adb_request(s->adb, s->adb_cmd, s->adb_in, s->adb_in_len, s->adb_out);
            s->adb_in_len = 0;
        }
    }
    if (state == ADB_IDLE) {
        s->adb_polled = false;
        adb_int(s, false);
        timer_mod_ns(&s->adb_timer, clock_get_ns(CLOCK_VIRTUAL) + ADB_POLL_NS);
    } else {
        adb_shift_later(s);
    }
}

/* A device has data: asked for at the next poll. */
static void adb_wants(void *opaque)
{
    MacVia1 *s = opaque;

    if (s->adb_state == ADB_IDLE && !s->adb_polled && !timer_pending(&s->adb_timer)) {
        timer_mod_ns(&s->adb_timer, clock_get_ns(CLOCK_VIRTUAL) + ADB_POLL_NS);
    }
}

/* ------------------------------------------------------------------------ VIA1 */

static void via1_port_b(void *opaque, uint8_t level, uint8_t old)
{
    MacVia1 *s = opaque;
    unsigned state = (level & V1B_ADB_STATE) >> 4;

    mac_rtc_set(&s->rtc, level & V1B_RTC_ENABLE, level & V1B_RTC_CLK, level & V1B_RTC_DATA);
    mac_rtc_keep(&s->rtc);
    via6522_set_pins(&s->via, true, V1B_RTC_DATA, mac_rtc_data(&s->rtc) ? V1B_RTC_DATA : 0);
    if ((level ^ old) & V1B_AUX_OFF) {
        irq_set(s->auxmode, !(level & V1B_AUX_OFF));
    }
    if (state != s->adb_state) {
        adb_changed_state(s, state);
    }
}

static void via1_port_a(void *opaque, uint8_t level, UNUSED uint8_t old)
{
    irq_set(((MacVia1 *)opaque)->floppy_sel, (level & V1A_HEAD_SEL) != 0);
}

static const Via6522Ops via1_ops = { .port_a = via1_port_a, .port_b = via1_port_b };

static void via1_tick(void *opaque)
{
    MacVia1 *s = opaque;

    via6522_set_line(&s->via, VIA_CA1, false);
    via6522_set_line(&s->via, VIA_CA1, true);
    timer_mod_ns(&s->tick, clock_get_ns(CLOCK_VIRTUAL) + TICK_NS);
}

static void via1_second(void *opaque)
{
    MacVia1 *s = opaque;

    via6522_set_line(&s->via, VIA_CA2, false);
    via6522_set_line(&s->via, VIA_CA2, true);
    timer_mod_ns(&s->second, clock_get_ns(CLOCK_VIRTUAL) + NS_PER_SECOND);
}

static void via1_reset_hold(Device *dev)
{
    MacVia1 *s = VIA1(dev);
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    s->via.irq = s->irq;
    via6522_reset(&s->via);
    mac_rtc_reset(&s->rtc);
    /* Which Macintosh it is, on port A's inputs: PA6, 4, 2, 1 = 0 1 0 1 is the Quadra 800 among those of one memory
     * controller. PA7: the SCC wants nothing. */
    via6522_set_pins(&s->via, false, 0xff, 0x80 | 0x10 | 0x02);
    irq_set(s->floppy_sel, 1);
    s->adb_state = ADB_IDLE;
    s->adb_in_len = s->adb_out_len = s->adb_out_at = 0;
    s->adb_cmd = s->adb_last_talk = 0x3c;       /* Talk register 0 of the mouse */
    s->adb_timeout = s->adb_polled = false;
    timer_del(&s->adb_timer);
    adb_int(s, false);
    irq_set(s->auxmode, 0);
    timer_mod_ns(&s->tick, now + TICK_NS);
    timer_mod_ns(&s->second, now + NS_PER_SECOND);
}

static void via1_init(Device *dev)
{
    MacVia1 *s = VIA1(dev);

    device_init_irq_out(dev, "irq", &s->irq, 1);
    device_init_irq_out(dev, "auxmode", &s->auxmode, 1);
    device_init_irq_out(dev, "floppy-sel", &s->floppy_sel, 1);
}

static bool via1_realize(Device *dev, Error **errp)
{
    MacVia1 *s = VIA1(dev);

    if (!mac_rtc_init(&s->rtc, s->base, s->pram, errp)) {
        return false;
    }
    via6522_init(&s->via, &via1_ops, s, VIA_HZ);
    timer_init_ns(&s->tick, CLOCK_VIRTUAL, via1_tick, s);
    timer_init_ns(&s->second, CLOCK_VIRTUAL, via1_second, s);
    timer_init_ns(&s->adb_timer, CLOCK_VIRTUAL, adb_moved, s);
    memory_region_init_io(&s->mr, s, &via_mem_ops, &s->via, "via1", MAC_VIA_SIZE);
    s->adb = adb_bus_new(dev, "adb.0", adb_wants, s);
    return true;
}

static void via1_unrealize(Device *dev)
{
    MacVia1 *s = VIA1(dev);

    timer_del(&s->tick);
    timer_del(&s->second);
    timer_del(&s->adb_timer);
    via6522_cleanup(&s->via);
    mac_rtc_cleanup(&s->rtc);
    memory_region_cleanup(&s->mr);
}

MemRegion *mac_via1_region(Device *via)
{
    return &VIA1(via)->mr;
}

static bool via1_post_load(void *opaque, UNUSED Error **errp)
{
    MacVia1 *s = opaque;

    irq_set(s->auxmode, !(via6522_out_b(&s->via) & V1B_AUX_OFF));
    irq_set(s->floppy_sel, (via6522_out_a(&s->via) & V1A_HEAD_SEL) != 0);
    return true;
}

static const VmField via1_fields[] = {
    VM_STRUCT(MacVia1, via, via6522_vm), VM_STRUCT(MacVia1, rtc, mac_rtc_vm), VM_TIMER(MacVia1, tick),
    VM_TIMER(MacVia1, second), VM_TIMER(MacVia1, adb_timer), VM_U8_RANGE(MacVia1, adb_state, 0, 3),
    VM_U8(MacVia1, adb_cmd), VM_U8(MacVia1, adb_last_talk), VM_BUFFER(MacVia1, adb_in),
    VM_U8_RANGE(MacVia1, adb_in_len, 0, ADB_MAX_DATA), VM_BUFFER(MacVia1, adb_out),
    VM_U8_RANGE(MacVia1, adb_out_len, 0, ADB_MAX_DATA), VM_U8(MacVia1, adb_out_at),
    VM_BOOL(MacVia1, adb_timeout), VM_BOOL(MacVia1, adb_polled), VM_END
};

static const Property via1_props[] = {
    PROP_STR("base", MacVia1, base, NULL, "the clock's: utc, localtime or a date"),
    PROP_STR("pram", MacVia1, pram, NULL, "file that the clock chip's 256 bytes are kept in"), PROP_END
};

static const VmMeaning via1_meanings[] = {
    { "adb_cmd", "last command to the bus" }, { "adb_last_talk", "the Talk that polling repeats" },
    { "adb_in_len", "how many" }, { "adb_out_len", "how many" }, { "adb_out_at", "of these, gone" },
    { "tick", "60.15 Hz" }, { "adb_state", VALUES("command", "even byte", "odd byte", "idle") },
    { "adb_in", "bytes from the ADB device", .payload = "adb_in_len of them" },
    { "adb_out", "bytes to the ADB device", .payload = "adb_out_len of them" }, { .name = NULL }
};

static const DeviceType via1_type = {
    .name = TYPE_MAC_VIA1, .size = sizeof(MacVia1), .props = via1_props, .desc = "Quadra VIA1", .category = DEVICE_MISC,
    .not_user_creatable = true, .init = via1_init, .realize = via1_realize,
    .unrealize = via1_unrealize, .reset_hold = via1_reset_hold,
    .vm = { 1, via1_fields, .post_load = via1_post_load, .meanings = via1_meanings },
};
DEVICE_TYPE(via1_type)

/* ------------------------------------------------------------------------ VIA2 */

static void via2_port_b(UNUSED void *opaque, uint8_t level, uint8_t old)
{
    if ((old & ~level) & V2B_POWER) {
        system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static const Via6522Ops via2_ops = { .port_b = via2_port_b };

/* Slots pull their lines low; any of them pulls CA1 (GMFH chapter 5). */
static void via2_slot(void *opaque, int n, int level)
{
    MacVia2 *s = opaque;
    uint8_t bit = (uint8_t)BIT(n);

    s->slots = level ? s->slots | bit : s->slots & (uint8_t)~bit;
    via6522_set_pins(&s->via, false, 0x7f, (uint8_t)~s->slots);
    via6522_set_line(&s->via, VIA_CA1, !s->slots);
    /* A line that stays low while another falls makes no edge; the chip shows the level. */
    if (level) {
        via6522_set_flags(&s->via, VIA_CA1, true);
    }
}

static void via2_scsi(void *opaque, UNUSED int n, int level)
{
    MacVia2 *s = opaque;

    s->via.cb2 = !level;
    via6522_set_flags(&s->via, VIA_CB2, level);
}

static void via2_scsi_drq(void *opaque, UNUSED int n, int level)
{
    MacVia2 *s = opaque;

    s->via.ca2 = !level;
    via6522_set_flags(&s->via, VIA_CA2, level);
}

static void via2_asc(void *opaque, UNUSED int n, int level)
{
    MacVia2 *s = opaque;

    via6522_set_line(&s->via, VIA_CB1, !level);
}

static void via2_reset_hold(Device *dev)
{
    MacVia2 *s = VIA2(dev);

    s->via.irq = s->irq;
    via6522_reset(&s->via);
    via6522_set_pins(&s->via, false, 0xff, (uint8_t)(0x80 | (~s->slots & 0x7f)));
}

static void via2_init(Device *dev)
{
    MacVia2 *s = VIA2(dev);

    device_init_irq_in(dev, "nubus", via2_slot, 7);
    device_init_irq_in(dev, "scsi", via2_scsi, 1);
    device_init_irq_in(dev, "scsi-drq", via2_scsi_drq, 1);
    device_init_irq_in(dev, "asc", via2_asc, 1);
    device_init_irq_out(dev, "irq", &s->irq, 1);
}

static bool via2_realize(Device *dev, UNUSED Error **errp)
{
    MacVia2 *s = VIA2(dev);

    via6522_init(&s->via, &via2_ops, s, VIA_HZ);
    memory_region_init_io(&s->mr, s, &via_mem_ops, &s->via, "via2", MAC_VIA_SIZE);
    return true;
}

static void via2_unrealize(Device *dev)
{
    MacVia2 *s = VIA2(dev);

    via6522_cleanup(&s->via);
    memory_region_cleanup(&s->mr);
}

MemRegion *mac_via2_region(Device *via)
{
    return &VIA2(via)->mr;
}

static const VmField via2_fields[] = {
    VM_STRUCT(MacVia2, via, via6522_vm), VM_U8_RANGE(MacVia2, slots, 0, 0x7f), VM_END
};

static const VmMeaning via2_meanings[] = {
    { "slots", "NuBus slots that ask for an interrupt",
      .flags = FLAGS({ "slot9", 1 }, { "slotA", 2 }, { "slotB", 4 }, { "slotC", 8 }, { "slotD", 16 }, { "slotE", 32 },
                     { "video", 64 }) }, { .name = NULL }
};

static const DeviceType via2_type = {
    .name = TYPE_MAC_VIA2, .size = sizeof(MacVia2), .desc = "Quadra VIA2", .category = DEVICE_MISC,
    .not_user_creatable = true, .init = via2_init, .realize = via2_realize,
    .unrealize = via2_unrealize, .reset_hold = via2_reset_hold,
    .vm = { 1, via2_fields, .meanings = via2_meanings },
};
DEVICE_TYPE(via2_type)
