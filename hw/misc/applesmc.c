/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System Management Controller of Intel Macs: keys of four letters, read and written through two ports.
 *
 * Source: no document of the chip is public; the protocol, its status bits and the types of keys are those that Linux's driver
 * uses (drivers/hwmon/applesmc.c). Not modelled: sensors that change, fan control that does something, interrupts.
 *
 *   write the command to CMD (10h read, 11h write, 12h key by index, 13h type of a key); then to DATA, while status says BUSY
 *   and not closed, the key and a length; then move that many bytes, each while DATA_READY (reading) is there.
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"

#include <glib.h>
#include "util/bswap.h"

#define TYPE_APPLESMC   "isa-applesmc"
#define IO_SIZE     32
#define PORT_DATA   0
#define PORT_CMD    4
#define PORT_ERROR  0x1e
#define DATA_MAX    32          /* bytes of a value */
#define OSK_CHARS   64

enum { ST_DATA_READY = BIT(0), ST_BUSY = BIT(2) };
enum { CMD_READ = 0x10, CMD_WRITE = 0x11, CMD_KEY_BY_INDEX = 0x12, CMD_KEY_TYPE = 0x13 };
enum { ERR_NONE = 0, ERR_SPURIOUS_DATA = 0x81, ERR_BAD_COMMAND = 0x82, ERR_NO_KEY = 0x84, ERR_NOT_READABLE = 0x85,
       ERR_NOT_WRITABLE = 0x86, ERR_LENGTH = 0x87, ERR_BAD_INDEX = 0x89 };
enum { ATTR_READ = 0x80, ATTR_WRITE = 0x40 };
/* What the controller waits for. */
enum { PHASE_IDLE, PHASE_ARGUMENTS, PHASE_TO_HOST, PHASE_FROM_HOST, PHASE__MAX };

typedef struct SmcKey {
    char name[5], type[5];
    uint8_t len, attr;
    uint8_t reset[DATA_MAX];
} SmcKey;

/* In order of their names, as software searches them. #KEY and OSK are filled in where they are read. */
static const SmcKey keys[] = {
    { "#KEY", "ui32", 4, ATTR_READ, { 0 } },
    { "EPCI", "ui32", 4, ATTR_READ, { 0, 0, 0x02, 0x07 } },
    { "F0Ac", "fpe2", 2, ATTR_READ, { 0x17, 0x70 } },           /* 1500 turns a minute, in quarters */
    { "F0ID", "ch8*", 16, ATTR_READ, "\0\0\0\0Main" },
    { "F0Mn", "fpe2", 2, ATTR_READ | ATTR_WRITE, { 0x17, 0x70 } },
    { "F0Mx", "fpe2", 2, ATTR_READ | ATTR_WRITE, { 0x55, 0xf0 } },      /* 5500 */
    { "F0Tg", "fpe2", 2, ATTR_READ | ATTR_WRITE, { 0x17, 0x70 } },
    { "FNum", "ui8 ", 1, ATTR_READ, { 1 } },
    { "FS! ", "ui16", 2, ATTR_READ | ATTR_WRITE, { 0 } },
    { "LKSB", "{lkb", 2, ATTR_WRITE, { 0 } },
    { "MSSD", "si8 ", 1, ATTR_READ, { 3 } },                    /* why it was switched off last: as wanted */
    { "NATJ", "ui8 ", 1, ATTR_READ | ATTR_WRITE, { 0 } },
    { "NTOK", "ui8 ", 1, ATTR_READ | ATTR_WRITE, { 0 } },
    { "OSK0", "ch8*", 32, ATTR_READ, { 0 } },
    { "OSK1", "ch8*", 32, ATTR_READ, { 0 } },
    { "REV ", "{rev", 6, ATTR_READ, { 0x01, 0x13, 0x0f, 0x00, 0x00, 0x03 } },
    { "TA0P", "sp78", 2, ATTR_READ, { 25, 0 } },                /* degrees */
    { "TC0D", "sp78", 2, ATTR_READ, { 45, 0 } },
    { "TC0P", "sp78", 2, ATTR_READ, { 40, 0 } },
};
#define NUM_KEYS    ARRAY_SIZE(keys)

typedef struct AppleSmc {
    ISADevice isa;
    MemRegion io;
    uint32_t iobase;
    char *osk;                  /* property */
    uint8_t command, phase, error;
    uint8_t arg[5], n_args;     /* key or index, length */
    uint8_t data[DATA_MAX], len, pos;
    uint8_t value[NUM_KEYS][DATA_MAX];
} AppleSmc;

DEFINE_CAST(APPLESMC, AppleSmc, TYPE_APPLESMC)

/* Keys of the operating system are there if the user gives them. */
static bool has_key(const AppleSmc *s, unsigned n)
{
    return s->osk || strncmp(keys[n].name, "OSK", 3) != 0;
}

static uint32_t count_keys(const AppleSmc *s)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < NUM_KEYS; i++) {
        n += has_key(s, i);
    }
    return n;
}

/* -1: there is none. */
static int find_key(const AppleSmc *s, const uint8_t name[4])
{
    for (unsigned i = 0; i < NUM_KEYS; i++) {
        if (has_key(s, i) && !memcmp(keys[i].name, name, 4)) {
            return (int)i;
        }
    }
    return -1;
}

static int key_by_index(const AppleSmc *s, uint32_t index)
{
    for (unsigned i = 0; i < NUM_KEYS; i++) {
        if (has_key(s, i) && !index--) {
            return (int)i;
        }
    }
    return -1;
}

static void finish(AppleSmc *s, uint8_t error)
{
    s->phase = PHASE_IDLE;
    s->error = error;
}

static void answer(AppleSmc *s, const void *data, uint8_t have)
{
    s->len = MIN(have, s->arg[4]);
    s->pos = 0;
    memcpy(s->data, data, s->len);
    if (s->len) {
        s->phase = PHASE_TO_HOST;
    } else {
        finish(s, ERR_LENGTH);
    }
}

static void read_key(AppleSmc *s, int n)
{
    uint8_t count[4];

    if (n == 0) {
        store_be32(count, count_keys(s));
        answer(s, count, 4);
    } else if (!strncmp(keys[n].name, "OSK", 3)) {
        answer(s, s->osk + (keys[n].name[3] == '1' ? DATA_MAX : 0), DATA_MAX);
    } else {
        answer(s, s->value[n], keys[n].len);
    }
}

/* All arguments are there. */
static void begin(AppleSmc *s)
{
    int n = s->command == CMD_KEY_BY_INDEX ? key_by_index(s, load_be32(s->arg)) : find_key(s, s->arg);
    uint8_t type[6];

    s->error = ERR_NONE;
    if (n < 0) {
        finish(s, s->command == CMD_KEY_BY_INDEX ? ERR_BAD_INDEX : ERR_NO_KEY);
        return;
    }
    switch (s->command) {
    case CMD_READ:
        if (keys[n].attr & ATTR_READ) {
            read_key(s, n);
        } else {
            finish(s, ERR_NOT_READABLE);
        }
        break;
    case CMD_WRITE:
        if (!(keys[n].attr & ATTR_WRITE)) {
            finish(s, ERR_NOT_WRITABLE);
        } else if (s->arg[4] != keys[n].len) {
            finish(s, ERR_LENGTH);
        } else {
            s->len = s->arg[4];
            s->pos = 0;
            s->phase = PHASE_FROM_HOST;
        }
        break;
    case CMD_KEY_BY_INDEX:
        answer(s, keys[n].name, 4);
        break;
    default:
        type[0] = keys[n].len;
        memcpy(type + 1, keys[n].type, 4);
        type[5] = keys[n].attr;
        answer(s, type, sizeof(type));
        break;
    }
}

static void write_data(AppleSmc *s, uint8_t v)
{
    switch (s->phase) {
    case PHASE_ARGUMENTS:
        s->arg[s->n_args++] = v;
        if (s->n_args == sizeof(s->arg)) {
            begin(s);
        }
        break;
    case PHASE_FROM_HOST:
        s->data[s->pos++] = v;
        if (s->pos == s->len) {
            memcpy(s->value[find_key(s, s->arg)], s->data, s->len);
            finish(s, ERR_NONE);
        }
        break;
    default:
        s->error = ERR_SPURIOUS_DATA;
        break;
    }
}

/* A command ends whatever goes on. */
static void write_command(AppleSmc *s, uint8_t v)
{
    s->command = v;
    s->n_args = 0;
    if (v >= CMD_READ && v <= CMD_KEY_TYPE) {
        s->phase = PHASE_ARGUMENTS;
        s->error = ERR_NONE;
    } else {
        finish(s, ERR_BAD_COMMAND);
    }
}

static uint8_t read_data(AppleSmc *s)
{
    uint8_t v = 0;

    if (s->phase == PHASE_TO_HOST) {
        v = s->data[s->pos++];
        if (s->pos == s->len) {
            finish(s, ERR_NONE);
        }
    }
    return v;
}

static MemResult smc_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    AppleSmc *s = opaque;

    switch (addr) {
    case PORT_DATA:
        *val = read_data(s);
        break;
    case PORT_CMD:
        *val = s->phase == PHASE_IDLE ? 0 : s->phase == PHASE_TO_HOST ? ST_BUSY | ST_DATA_READY : ST_BUSY;
        break;
    case PORT_ERROR:
        *val = s->error;
        break;
    default:
        *val = 0xff;
        break;
    }
    return MEM_OK;
}

static MemResult smc_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    if (addr == PORT_DATA) {
        write_data(opaque, (uint8_t)val);
    } else if (addr == PORT_CMD) {
        write_command(opaque, (uint8_t)val);
    }
    return MEM_OK;
}

static const MemOps smc_ops = {
    .read = smc_read, .write = smc_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 1, 1 },
};

static void applesmc_reset_hold(Device *dev)
{
    AppleSmc *s = APPLESMC(dev);

    s->command = s->phase = s->error = s->n_args = s->len = s->pos = 0;
    memset(s->arg, 0, sizeof(s->arg));
    memset(s->data, 0, sizeof(s->data));
    for (unsigned i = 0; i < NUM_KEYS; i++) {
        memcpy(s->value[i], keys[i].reset, DATA_MAX);
    }
}

static bool applesmc_realize(Device *dev, Error **errp)
{
    AppleSmc *s = APPLESMC(dev);

    if (s->iobase > 0x10000 - IO_SIZE) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'iobase' is 0x%x; accepted: 0 to 0x%x", s->iobase, 0x10000 - IO_SIZE);
        return false;
    }
    if (s->osk && strlen(s->osk) != OSK_CHARS) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'osk' has %zu characters; accepted: %d", strlen(s->osk), OSK_CHARS);
        return false;
    }
    memory_region_init_io(&s->io, s, &smc_ops, s, TYPE_APPLESMC, IO_SIZE);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void applesmc_unrealize(Device *dev)
{
    memory_region_cleanup(&APPLESMC(dev)->io);
}

static bool applesmc_post_load(void *opaque, Error **errp)
{
    AppleSmc *s = opaque;
    int n = find_key(s, s->arg);

    if ((s->phase == PHASE_ARGUMENTS && s->n_args >= sizeof(s->arg)) ||
        ((s->phase == PHASE_TO_HOST || s->phase == PHASE_FROM_HOST) && s->pos >= s->len) ||
        (s->phase == PHASE_FROM_HOST && (n < 0 || s->len != keys[n].len || !(keys[n].attr & ATTR_WRITE)))) {
        error_setf(errp, ERR_STATE_INVALID, "%s: phase %u, %u arguments, byte %u of %u don't agree", TYPE_APPLESMC, s->phase,
                   s->n_args, s->pos, s->len);
        s->phase = PHASE_IDLE;
        return false;
    }
    return true;
}

static const VmField applesmc_fields[] = {
    VM_U8(AppleSmc, command), VM_U8_RANGE(AppleSmc, phase, 0, PHASE__MAX - 1), VM_U8(AppleSmc, error),
    VM_BUFFER(AppleSmc, arg), VM_U8_RANGE(AppleSmc, n_args, 0, 5), VM_BUFFER(AppleSmc, data),
    VM_U8_RANGE(AppleSmc, len, 0, DATA_MAX), VM_U8_RANGE(AppleSmc, pos, 0, DATA_MAX), VM_BUFFER(AppleSmc, value), VM_END
};
static const VmMeaning applesmc_meanings[] = {
    { "n_args", "argument bytes that have come" }, { "len", "bytes of the value" }, { "pos", "of these, done" },
    { "command", "command in progress" }, { "phase", "idle, arguments, to the host, from the host" },
    { "error", "result of the last command" }, { "arg", .payload = "key or index, length" }, { "data", .payload = "the value" },
    { "value", .payload = "values of all keys" }, { .name = NULL }
};

static const Property applesmc_props[] = {
    PROP_U32("iobase", AppleSmc, iobase, 0x300, "first port"),
    PROP_STR("osk", AppleSmc, osk, NULL, "values of the keys OSK0 and OSK1, 64 characters; without it there are none"),
    PROP_END
};

static const DeviceType applesmc_type = {
    .name = TYPE_APPLESMC, .parent = TYPE_ISA_DEVICE, .size = sizeof(AppleSmc), .category = DEVICE_MISC,
    .desc = "System Management Controller of Intel Macs", .props = applesmc_props, .realize = applesmc_realize,
    .unrealize = applesmc_unrealize, .reset_hold = applesmc_reset_hold,
    .vm = { 1, applesmc_fields, .post_load = applesmc_post_load, .meanings = applesmc_meanings },
};
DEVICE_TYPE(applesmc_type)
