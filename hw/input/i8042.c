/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8042 keyboard controller with the PS/2 firmware of a PC, and the keyboard
 * and mouse at it.
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller" ("TR").
 * Not modelled: the password, the test inputs, scan line inhibit by key lock.
 */
#include "util/osdep.h"
#include "hw/input/i8042.h"

#include "ui/core/input.h"

#include "hw/core/runstate.h"
#include "util/log.h"

/* TR, "Status register". */
#define STATUS_OBF      BIT(0)
#define STATUS_SYS      BIT(2)
#define STATUS_CMD      BIT(3)
#define STATUS_UNLOCKED BIT(4)
#define STATUS_AUX_OBF  BIT(5)
/* TR, "Controller command byte". */
#define MODE_KBD_INT    BIT(0)
#define MODE_AUX_INT    BIT(1)
#define MODE_SYS        BIT(2)
#define MODE_KBD_OFF    BIT(4)
#define MODE_AUX_OFF    BIT(5)
#define MODE_TRANSLATE  BIT(6)
/* TR, "Output port". */
#define OUT_NO_RESET    BIT(0)
#define OUT_A20         BIT(1)
#define OUT_AUX_OBF     BIT(5)
#define OUT_OBF         BIT(4)

enum {
    CMD_READ_RAM = 0x20, CMD_WRITE_RAM = 0x60, CMD_AUX_OFF = 0xa7, CMD_AUX_ON = 0xa8,
    CMD_AUX_TEST = 0xa9, CMD_SELF_TEST = 0xaa, CMD_KBD_TEST = 0xab, CMD_KBD_OFF = 0xad,
    CMD_KBD_ON = 0xae, CMD_READ_INPUT = 0xc0, CMD_READ_OUTPUT = 0xd0, CMD_WRITE_OUTPUT = 0xd1,
    CMD_WRITE_KBD_OBF = 0xd2, CMD_WRITE_AUX_OBF = 0xd3, CMD_WRITE_AUX = 0xd4,
    CMD_A20_OFF = 0xdd, CMD_A20_ON = 0xdf, CMD_PULSE = 0xf0,
};
#define RAM_SIZE        32          /* byte 0: the command byte */
#define IOBASE          0x60
#define IRQ_KBD         1
#define IRQ_AUX         12

typedef struct I8042State {
    ISADevice isa;
    MemRegion data_io, command_io;
    IrqLine *irq_kbd, *irq_aux, *a20;
    Ps2Kbd kbd;
    Ps2Mouse mouse;
    uint8_t status;
    uint8_t ram[RAM_SIZE];
    uint8_t output_port;
    uint8_t command;                /* waits for its data byte; 0: none */
    uint8_t data;                   /* output buffer */
    /* The controller's own answer that waits for the output buffer. */
    bool answer_waits, answer_aux;
    uint8_t answer;
    bool break_prefix;              /* translation: F0h came */
    InputHandler kbd_input, mouse_input;
    int dx, dy, dz;                 /* of a group of events that isn't complete */
    unsigned buttons;
} I8042State;

DEFINE_CAST(I8042, I8042State, TYPE_I8042)

Ps2Kbd *i8042_keyboard(Device *dev)
{
    return &I8042(dev)->kbd;
}

Ps2Mouse *i8042_mouse(Device *dev)
{
    return &I8042(dev)->mouse;
}

static void i8042_update_irq(I8042State *s)
{
    bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX_OBF;

    s->output_port = (uint8_t)((s->output_port & ~(OUT_OBF | OUT_AUX_OBF)) |
                               (full && !aux ? OUT_OBF : 0) | (full && aux ? OUT_AUX_OBF : 0));
    irq_set(s->irq_kbd, full && !aux && (s->ram[0] & MODE_KBD_INT));
    irq_set(s->irq_aux, full && aux && (s->ram[0] & MODE_AUX_INT));
}

static void i8042_put_data(I8042State *s, uint8_t data, bool aux)
{
    s->data = data;
    s->status |= STATUS_OBF;
    s->status = (uint8_t)(aux ? s->status | STATUS_AUX_OBF : s->status & ~STATUS_AUX_OBF);
    i8042_update_irq(s);
}

/* The next byte of the keyboard; false: it was only the prefix of one. */
static bool i8042_take_kbd(I8042State *s, uint8_t *byte)
{
    *byte = ps2_queue_take(&s->kbd.q);
    if (!(s->ram[0] & MODE_TRANSLATE)) {
        return true;
    }
    if (*byte == 0xf0) {
        s->break_prefix = true;
        return false;
    }
    *byte = ps2_translate(*byte);
    if (s->break_prefix) {
        s->break_prefix = false;
        *byte |= 0x80;
    }
    return true;
}

/* Fill the output buffer when it is empty. */
static void i8042_pump(void *opaque)
{
    I8042State *s = opaque;
    uint8_t byte;

    if (s->status & STATUS_OBF) {
        return;
    }
    if (s->answer_waits) {
        s->answer_waits = false;
        i8042_put_data(s, s->answer, s->answer_aux);
        return;
    }
    if (!(s->ram[0] & MODE_KBD_OFF)) {
        while (!ps2_queue_empty(&s->kbd.q)) {
            if (i8042_take_kbd(s, &byte)) {
                i8042_put_data(s, byte, false);
                return;
            }
        }
    }
    if (!(s->ram[0] & MODE_AUX_OFF) && !ps2_queue_empty(&s->mouse.q)) {
        i8042_put_data(s, ps2_queue_take(&s->mouse.q), true);
    }
}

/* An answer of the controller goes before what the devices have to say. */
static void i8042_answer(I8042State *s, uint8_t val, bool aux)
{
    s->answer_waits = true;
    s->answer = val;
    s->answer_aux = aux;
    i8042_pump(s);
}

static void i8042_write_output_port(I8042State *s, uint8_t val)
{
    s->output_port = (uint8_t)((s->output_port & (OUT_OBF | OUT_AUX_OBF)) |
                               (val & ~(OUT_OBF | OUT_AUX_OBF)));
    irq_set(s->a20, !!(val & OUT_A20));
    if (!(val & OUT_NO_RESET)) {
        s->output_port |= OUT_NO_RESET;
        system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static void i8042_set_mode(I8042State *s, uint8_t clear, uint8_t set)
{
    s->ram[0] = (uint8_t)((s->ram[0] & ~clear) | set);
    s->status = (uint8_t)((s->status & ~STATUS_SYS) | (s->ram[0] & MODE_SYS ? STATUS_SYS : 0));
    i8042_update_irq(s);
    i8042_pump(s);
}

static void i8042_command(I8042State *s, uint8_t cmd)
{
    s->command = 0;
    if (cmd >= CMD_READ_RAM && cmd < CMD_READ_RAM + RAM_SIZE) {
        i8042_answer(s, s->ram[cmd - CMD_READ_RAM], false);
        return;
    }
    if (cmd >= CMD_WRITE_RAM && cmd < CMD_WRITE_RAM + RAM_SIZE) {
        s->command = cmd;
        return;
    }
    if (cmd >= CMD_PULSE) {         /* TR: bits of 0 pulse the port's low bits */
        if (!(cmd & OUT_NO_RESET)) {
            system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        }
        return;
    }
    switch (cmd) {
    case CMD_AUX_OFF:
        i8042_set_mode(s, 0, MODE_AUX_OFF);
        break;
    case CMD_AUX_ON:
        i8042_set_mode(s, MODE_AUX_OFF, 0);
        break;
    case CMD_KBD_OFF:
        i8042_set_mode(s, 0, MODE_KBD_OFF);
        break;
    case CMD_KBD_ON:
        i8042_set_mode(s, MODE_KBD_OFF, 0);
        break;
    case CMD_AUX_TEST:
    case CMD_KBD_TEST:
        i8042_answer(s, 0x00, false);
        break;
    case CMD_SELF_TEST:
        s->status |= STATUS_SYS;
        i8042_answer(s, 0x55, false);
        break;
    case CMD_READ_INPUT:
        i8042_answer(s, 0x80, false);       /* keyboard not locked */
        break;
    case CMD_READ_OUTPUT:
        i8042_answer(s, s->output_port, false);
        break;
    case CMD_WRITE_OUTPUT:
    case CMD_WRITE_KBD_OBF:
    case CMD_WRITE_AUX_OBF:
    case CMD_WRITE_AUX:
        s->command = cmd;
        break;
    case CMD_A20_OFF:
    case CMD_A20_ON:
        i8042_write_output_port(s, (uint8_t)(cmd == CMD_A20_ON ? s->output_port | OUT_A20
                                                               : s->output_port & ~OUT_A20));
        break;
    default:
        log_guest_error(TYPE_I8042, "unknown controller command 0x%02x", cmd);
        break;
    }
}

static void i8042_write_data(I8042State *s, uint8_t val)
{
    uint8_t cmd = s->command;

    s->command = 0;
    switch (cmd) {
    case 0:
        ps2_kbd_write(&s->kbd, val);
        i8042_set_mode(s, MODE_KBD_OFF, 0);     /* TR: sending enables it */
        break;
    case CMD_WRITE_OUTPUT:
        i8042_write_output_port(s, val);
        break;
    case CMD_WRITE_KBD_OBF:
        i8042_answer(s, val, false);
        break;
    case CMD_WRITE_AUX_OBF:
        i8042_answer(s, val, true);
        break;
    case CMD_WRITE_AUX:
        ps2_mouse_write(&s->mouse, val);
        i8042_set_mode(s, MODE_AUX_OFF, 0);
        break;
    case CMD_WRITE_RAM:
        i8042_set_mode(s, 0xff, val);
        break;
    default:
        s->ram[cmd - CMD_WRITE_RAM] = val;
        break;
    }
}

static MemResult i8042_data_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                                 UNUSED unsigned size, MemAttrs attrs)
{
    I8042State *s = opaque;

    *val = s->data;             /* stays there until the next one */
    if ((s->status & STATUS_OBF) && !attrs.debug) {
        s->status &= (uint8_t)~(STATUS_OBF | STATUS_AUX_OBF);
        i8042_update_irq(s);
        i8042_pump(s);
    }
    return MEM_OK;
}

static MemResult i8042_data_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                                  UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    I8042State *s = opaque;

    s->status &= (uint8_t)~STATUS_CMD;
    i8042_write_data(s, (uint8_t)val);
    return MEM_OK;
}

static MemResult i8042_status_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                                   UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = ((I8042State *)opaque)->status;
    return MEM_OK;
}

static MemResult i8042_command_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                                     UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    I8042State *s = opaque;

    s->status |= STATUS_CMD;
    i8042_command(s, (uint8_t)val);
    return MEM_OK;
}

static const MemOps i8042_data_ops = {
    .read = i8042_data_read, .write = i8042_data_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};
static const MemOps i8042_command_ops = {
    .read = i8042_status_read, .write = i8042_command_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void i8042_reset_hold(Device *dev)
{
    I8042State *s = I8042(dev);

    memset(s->ram, 0, sizeof(s->ram));
    s->ram[0] = MODE_KBD_INT | MODE_AUX_INT;
    s->status = STATUS_CMD | STATUS_UNLOCKED;
    s->output_port = OUT_NO_RESET | OUT_A20 | 0xcc;
    s->command = s->data = s->answer = 0;
    s->answer_waits = s->answer_aux = s->break_prefix = false;
    ps2_kbd_reset(&s->kbd);
    ps2_mouse_reset(&s->mouse);
    irq_raise(s->a20);
    i8042_update_irq(s);
}

static void i8042_init(Device *dev)
{
    I8042State *s = I8042(dev);

    device_init_irq_out(dev, "a20", &s->a20, 1);
    ps2_kbd_init(&s->kbd, i8042_pump, s);
    ps2_mouse_init(&s->mouse, i8042_pump, s);
}

/* --- what users do (ui/core/input.h) --- */

static void input_key_event(void *opaque, unsigned number, bool down)
{
    ps2_kbd_event(&((I8042State *)opaque)->kbd, number, down);
}

static void input_move(void *opaque, int dx, int dy)
{
    I8042State *s = opaque;

    s->dx += dx;
    s->dy += dy;
}

static void input_click(void *opaque, InputButton button, bool down)
{
    static const uint8_t bits[INPUT_BUTTON__MAX] = {
        [INPUT_BUTTON_LEFT] = PS2_BUTTON_LEFT, [INPUT_BUTTON_MIDDLE] = PS2_BUTTON_MIDDLE,
        [INPUT_BUTTON_RIGHT] = PS2_BUTTON_RIGHT, [INPUT_BUTTON_SIDE] = PS2_BUTTON_SIDE,
        [INPUT_BUTTON_EXTRA] = PS2_BUTTON_EXTRA,
    };
    I8042State *s = opaque;

    if (button == INPUT_BUTTON_WHEEL_UP || button == INPUT_BUTTON_WHEEL_DOWN) {
        s->dz += !down ? 0 : button == INPUT_BUTTON_WHEEL_UP ? -1 : 1;
    } else if (button < INPUT_BUTTON__MAX) {
        s->buttons = down ? s->buttons | bits[button] : s->buttons & ~bits[button];
    }
}

static void input_complete(void *opaque)
{
    I8042State *s = opaque;

    ps2_mouse_event(&s->mouse, s->dx, s->dy, s->dz, s->buttons);
    s->dx = s->dy = s->dz = 0;
}

static bool i8042_realize(Device *dev, UNUSED Error **errp)
{
    I8042State *s = I8042(dev);

    s->irq_kbd = isa_get_irq(&s->isa, IRQ_KBD);
    s->irq_aux = isa_get_irq(&s->isa, IRQ_AUX);
    memory_region_init_io(&s->data_io, s, &i8042_data_ops, s, "i8042-data", 1);
    isa_register_ioport(&s->isa, &s->data_io, IOBASE);
    memory_region_init_io(&s->command_io, s, &i8042_command_ops, s, "i8042-cmd", 1);
    isa_register_ioport(&s->isa, &s->command_io, IOBASE + 4);
    s->kbd_input = (InputHandler){ .name = "QEMU PS/2 Keyboard", .key = input_key_event,
                                   .opaque = s };
    s->mouse_input = (InputHandler){ .name = "QEMU PS/2 Mouse", .rel = input_move,
                                     .button = input_click, .sync = input_complete, .opaque = s };
    input_add(&s->kbd_input);
    input_add(&s->mouse_input);
    return true;
}

static void i8042_unrealize(Device *dev)
{
    I8042State *s = I8042(dev);

    input_remove(&s->kbd_input);
    input_remove(&s->mouse_input);
    memory_region_cleanup(&s->data_io);
    memory_region_cleanup(&s->command_io);
}

static bool i8042_post_load(void *opaque, Error **errp)
{
    I8042State *s = opaque;

    if (s->command && s->command < CMD_WRITE_RAM) {
        error_setf(errp, ERR_STATE_INVALID, "no command 0x%02x waits for data", s->command);
        return false;
    }
    if (s->command >= CMD_WRITE_RAM + RAM_SIZE &&
        (s->command < CMD_WRITE_OUTPUT || s->command > CMD_WRITE_AUX)) {
        error_setf(errp, ERR_STATE_INVALID, "no command 0x%02x waits for data", s->command);
        return false;
    }
    irq_set(s->a20, !!(s->output_port & OUT_A20));
    i8042_update_irq(s);
    return true;
}

static const VmField i8042_fields[] = {
    VM_STRUCT(I8042State, kbd, ps2_kbd_vm), VM_STRUCT(I8042State, mouse, ps2_mouse_vm),
    VM_U8(I8042State, status), VM_U8_ARRAY(I8042State, ram), VM_U8(I8042State, output_port),
    VM_U8(I8042State, command), VM_U8(I8042State, data), VM_BOOL(I8042State, answer_waits),
    VM_BOOL(I8042State, answer_aux), VM_U8(I8042State, answer),
    VM_BOOL(I8042State, break_prefix), VM_END
};

static const VmMeaning i8042_meanings[] = {
    { "data", "output buffer" },
    { "command", "waits for its data byte; 0: none" }, { "answer", "the controller's answer that waits for the output buffer" },
    { "ram", "of the controller; byte 0 is the command byte" },
    { "status", "status register", .flags = FLAGS({ "OBF", 1 }, { "IBF", 2 }, { "SYS", 4 }, { "CMD", 8 },
      { "INH", 0x10 }, { "AUX_OBF", 0x20 }, { "TIMEOUT", 0x40 }, { "PARITY", 0x80 }) },
    { "output_port", .flags = FLAGS({ "RUN", 1 }, { "A20", 2 }, { "AUX_CLK", 4 }, { "AUX_DATA", 8 }, { "IRQ1", 0x10 },
      { "IRQ12", 0x20 }, { "KBD_CLK", 0x40 }, { "KBD_DATA", 0x80 }) },
    { .name = NULL }
};

static const DeviceType i8042_type = {
    .name = TYPE_I8042, .parent = TYPE_ISA_DEVICE, .size = sizeof(I8042State),
    .desc = "keyboard controller, keyboard and mouse", .not_user_creatable = true,
    .category = DEVICE_INPUT, .init = i8042_init, .realize = i8042_realize,
    .unrealize = i8042_unrealize, .reset_hold = i8042_reset_hold,
    .vm = { 1, i8042_fields, .post_load = i8042_post_load, .meanings = i8042_meanings },
};
DEVICE_TYPE(i8042_type)
