/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ES1370: Ensoniq AudioPCI with an AK4531 codec.
 *
 * Sources: Ensoniq AudioPCI ES1370 Specification; register names as Linux's sound/pci/ens1370.c
 * has them. Not modelled: the joystick port, the UART's data, codec volumes.
 */
#include "util/osdep.h"
#include "audio/audio.h"
#include "hw/pci/pci.h"

#include "util/bswap.h"

#define TYPE_ES1370     "ES1370"
#define IO_SIZE         0x40

enum { CONTROL = 0x00, STATUS = 0x04, UART_DATA = 0x08, UART_STATUS = 0x09, MEM_PAGE = 0x0c,
       CODEC = 0x10, SERIAL = 0x20, COUNT1 = 0x24, WINDOW = 0x30 };
enum { CTRL_ADC_STOP = BIT(31), CTRL_ADC_EN = BIT(4), CTRL_DAC2_EN = BIT(5), CTRL_DAC1_EN = BIT(6),
       CTRL_SERR_DIS = BIT(0) };
#define CTRL_PCLKDIV(c)     ((c) >> 16 & 0x1fff)
#define CTRL_WTSRSEL(c)     ((c) >> 12 & 3)
#define STAT_INTR           BIT(31)
#define PCLK_HZ             1411200     /* DAC2 and ADC: divided by PCLKDIV + 2 */
#define SERIAL_RW           0x003fffffu
#define STEREO              BIT(0)
#define BITS16              BIT(1)

typedef enum ChannelNr { CH_DAC1, CH_DAC2, CH_ADC, CH_COUNT } ChannelNr;

/* Where the bits of each channel are. */
static const struct {
    uint32_t enable, status, int_en, pause, loop_off;
    uint8_t mode_shift;
    uint8_t page, frame;        /* of its frame registers: page and offset in the window */
} channels[CH_COUNT] = {
    [CH_DAC1] = { CTRL_DAC1_EN, BIT(2), BIT(8), BIT(11), BIT(13), 0, 0xc, 0x0 },
    [CH_DAC2] = { CTRL_DAC2_EN, BIT(1), BIT(9), BIT(12), BIT(14), 2, 0xc, 0x8 },
    [CH_ADC] = { CTRL_ADC_EN, BIT(0), BIT(10), 0, BIT(15), 4, 0xd, 0x0 },
};

typedef struct Channel {
    uint16_t count, left;       /* sample frames of a period, less one; still to go */
    uint32_t addr;              /* of the buffer */
    uint16_t size, pos;         /* in 32-bit words: the buffer, less one; where it is */
    uint8_t byte;               /* in the word */
} Channel;

typedef struct Es1370State {
    PCIDevice pci;
    MemRegion io;
    AudioBackend *audio;
    AudioOut *out[2];
    AudioIn *in;
    uint32_t control, status, serial, page;
    uint16_t codec;
    Channel ch[CH_COUNT];
} Es1370State;
DEFINE_CAST(ES1370, Es1370State, TYPE_ES1370)

static void update_irq(Es1370State *s)
{
    uint32_t waiting = s->status & 7;

    s->status = waiting | (waiting ? STAT_INTR : 0);
    pci_set_irq(&s->pci, waiting != 0);
}

static unsigned mode(const Es1370State *s, int n)
{
    return s->serial >> channels[n].mode_shift & 3;
}

static uint32_t frame_bytes(const Es1370State *s, int n)
{
    return (mode(s, n) & STEREO ? 2u : 1u) * (mode(s, n) & BITS16 ? 2 : 1);
}

static AudioFormat format(const Es1370State *s, int n)
{
    static const uint16_t rates[4] = { 5512, 11025, 22050, 44100 };

    return (AudioFormat){
        n == CH_DAC1 ? rates[CTRL_WTSRSEL(s->control)] : PCLK_HZ / (CTRL_PCLKDIV(s->control) + 2),
        mode(s, n) & STEREO ? 2 : 1, mode(s, n) & BITS16 ? AUDIO_S16 : AUDIO_U8,
    };
}

static bool runs(const Es1370State *s, int n)
{
    return (s->control & channels[n].enable) && !(s->serial & channels[n].pause) &&
           !(n == CH_ADC && (s->control & CTRL_ADC_STOP));
}

static void update_voices(Es1370State *s, bool formats)
{
    for (int n = 0; n < CH_COUNT; n++) {
        AudioFormat f = format(s, n);

        f.freq = MAX(MIN(f.freq, AUDIO_FREQ_MAX), AUDIO_FREQ_MIN);
        if (n == CH_ADC) {
            if (formats) {
                audio_in_set_format(s->in, &f);
            }
            audio_in_set_active(s->in, runs(s, n));
        } else {
            if (formats) {
                audio_out_set_format(s->out[n], &f);
            }
            audio_out_set_active(s->out[n], runs(s, n));
        }
    }
}

/* --- moving sound --- */

/* Bytes to the end of the buffer, or of the period. */
static uint32_t contiguous(const Es1370State *s, int n, uint32_t bytes)
{
    const Channel *c = &s->ch[n];
    uint32_t end = (c->size + 1u) * 4, at = c->pos * 4u + c->byte;

    bytes = MIN(bytes, end > at ? end - at : 4);
    return MIN(bytes, (c->left + 1u) * frame_bytes(s, n));
}

static void advance(Es1370State *s, int n, uint32_t bytes)
{
    Channel *c = &s->ch[n];
    uint32_t at = c->pos * 4u + c->byte + bytes, frames = bytes / frame_bytes(s, n);

    if (at >= (c->size + 1u) * 4) {
        at = 0;
    }
    c->pos = (uint16_t)(at / 4);
    c->byte = at & 3;
    if (frames > c->left) {             /* a period is through */
        c->left = c->count;
        if (s->serial & channels[n].int_en) {
            s->status |= channels[n].status;
            update_irq(s);
        }
        if (s->serial & channels[n].loop_off) {     /* stop mode */
            s->control &= ~channels[n].enable;
            update_voices(s, false);
        }
    } else {
        c->left = (uint16_t)(c->left - frames);
    }
}

static void play(Es1370State *s, int n, uint32_t bytes)
{
    uint32_t frame = frame_bytes(s, n);
    uint8_t buf[4096];

    while (bytes >= frame && runs(s, n)) {
        const Channel *c = &s->ch[n];
        uint32_t k = contiguous(s, n, MIN(bytes, sizeof(buf)));

        k = k < frame ? frame : k - k % frame;
        if (pci_dma_read(&s->pci, c->addr + c->pos * 4u + c->byte, buf, k) != MEM_OK) {
            memset(buf, 0, k);
        }
        audio_out_write(s->out[n], buf, k);
        advance(s, n, k);
        bytes -= k;
    }
}

static void play_dac1(void *opaque, uint32_t bytes)
{
    play(opaque, CH_DAC1, bytes);
}

static void play_dac2(void *opaque, uint32_t bytes)
{
    play(opaque, CH_DAC2, bytes);
}

static void record(void *opaque, uint32_t bytes)
{
    Es1370State *s = opaque;
    uint32_t frame = frame_bytes(s, CH_ADC);
    uint8_t buf[4096];

    while (bytes >= frame && runs(s, CH_ADC)) {
        const Channel *c = &s->ch[CH_ADC];
        uint32_t k = contiguous(s, CH_ADC, MIN(bytes, sizeof(buf)));

        k = audio_in_read(s->in, buf, k < frame ? frame : k - k % frame);
        if (!k) {
            break;
        }
        pci_dma_write(&s->pci, c->addr + c->pos * 4u + c->byte, buf, k);
        advance(s, CH_ADC, k);
        bytes -= k;
    }
}

/* --- registers --- */

/* The channel whose frame registers the page shows at @offset in the window; NULL. */
static Channel *window_channel(Es1370State *s, uint32_t offset)
{
    for (int n = 0; n < CH_COUNT; n++) {
        if (channels[n].page == (s->page & 0xf) && channels[n].frame == (offset & ~7u)) {
            return &s->ch[n];
        }
    }
    return NULL;
}

static uint32_t read_register(Es1370State *s, uint32_t addr)
{
    const Channel *c;

    switch (addr) {
    case CONTROL:
        return s->control;
    case STATUS:
        return s->status;
    case UART_DATA:
        return 0x0200;                  /* the transmitter is ready */
    case MEM_PAGE:
        return s->page;
    case CODEC:
        return s->codec;
    case SERIAL:
        return s->serial;
    case COUNT1:
    case COUNT1 + 4:
    case COUNT1 + 8:
        c = &s->ch[(addr - COUNT1) / 4];
        return c->count | (uint32_t)c->left << 16;
    case WINDOW ... IO_SIZE - 4:
        c = window_channel(s, addr - WINDOW);
        return !c ? 0 : addr & 4 ? c->size | (uint32_t)c->pos << 16 : c->addr;
    default:
        return 0;
    }
}

static void write_register(Es1370State *s, uint32_t addr, uint32_t v)
{
    uint32_t old;
    Channel *c;

    switch (addr) {
    case CONTROL:
        old = s->control;
        s->control = v;
        for (int n = 0; n < CH_COUNT; n++) {
            if ((v & ~old) & channels[n].enable) {
                s->ch[n].left = s->ch[n].count;
            }
        }
        update_voices(s, (v ^ old) & 0x1fff3000);
        break;
    case MEM_PAGE:
        s->page = v & 0xf;
        break;
    case CODEC:
        s->codec = (uint16_t)v;
        break;
    case SERIAL:
        old = s->serial;
        s->serial = v & SERIAL_RW;
        for (int n = 0; n < CH_COUNT; n++) {
            if (!(v & channels[n].int_en)) {        /* that clears the interrupt too */
                s->status &= ~channels[n].status;
            }
        }
        update_irq(s);
        update_voices(s, (v ^ old) & 0x3f);
        break;
    case COUNT1:
    case COUNT1 + 4:
    case COUNT1 + 8:
        c = &s->ch[(addr - COUNT1) / 4];
        c->count = c->left = (uint16_t)v;
        break;
    case WINDOW ... IO_SIZE - 4:
        c = window_channel(s, addr - WINDOW);
        if (c && (addr & 4)) {
            c->size = (uint16_t)v;
            c->pos = (uint16_t)(v >> 16);
            c->byte = 0;
        } else if (c) {
            c->addr = v & ~3u;
        }
        break;
    default:
        break;
    }
}

static MemResult io_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                         UNUSED MemAttrs attrs)
{
    *val = read_register(opaque, addr & ~3u) >> 8 * (addr & 3);
    if (size < 4) {
        *val &= (1u << 8 * size) - 1;
    }
    return MEM_OK;
}

static MemResult io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    Es1370State *s = opaque;
    uint32_t reg = addr & ~3u, shift = 8 * (addr & 3);
    uint32_t mask = (size == 4 ? UINT32_MAX : (1u << 8 * size) - 1) << shift;

    write_register(s, reg, (read_register(s, reg) & ~mask) | ((uint32_t)val << shift & mask));
    return MEM_OK;
}

static const MemOps io_ops = {
    .read = io_read, .write = io_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* --- life --- */

static void es1370_reset_hold(Device *dev)
{
    Es1370State *s = ES1370(dev);

    s->control = CTRL_SERR_DIS;
    s->status = s->serial = s->page = 0;
    s->codec = 0;
    memset(s->ch, 0, sizeof(s->ch));
    update_voices(s, true);
    update_irq(s);
}

static bool es1370_realize(Device *dev, UNUSED Error **errp)
{
    Es1370State *s = ES1370(dev);
    AudioFormat f = { 44100, 2, AUDIO_S16 };

    pci_set_word(s->pci.config + PCI_STATUS, 0x0400);     /* slow DEVSEL# */
    s->pci.config[PCI_MIN_GNT] = 0x0c;
    s->pci.config[PCI_MAX_LAT] = 0x80;
    s->out[CH_DAC1] = audio_out_open(s->audio, "es1370.dac1", &f, play_dac1, s);
    s->out[CH_DAC2] = audio_out_open(s->audio, "es1370.dac2", &f, play_dac2, s);
    s->in = audio_in_open(s->audio, "es1370.adc", &f, record, s);
    memory_region_init_io(&s->io, s, &io_ops, s, "es1370", IO_SIZE);
    pci_register_bar(&s->pci, 0, PCI_BAR_IO, &s->io);
    return true;
}

static void es1370_unrealize(Device *dev)
{
    Es1370State *s = ES1370(dev);

    audio_out_close(s->out[CH_DAC1]);
    audio_out_close(s->out[CH_DAC2]);
    audio_in_close(s->in);
    memory_region_cleanup(&s->io);
}

static bool es1370_post_load(void *opaque, UNUSED Error **errp)
{
    Es1370State *s = opaque;

    update_voices(s, true);
    update_irq(s);
    return true;
}

static const VmField channel_fields[] = {
    VM_U16(Channel, count), VM_U16(Channel, left), VM_U32(Channel, addr), VM_U16(Channel, size),
    VM_U16(Channel, pos), VM_U8_RANGE(Channel, byte, 0, 3), VM_END
};
static const VmMeaning channel_meanings[] = {
    { "count", "Sample Count: frames of a period, less one" },
    { "left", "of these, still to go" },
    { "addr", "Frame Address: the buffer", .address = true },
    { "size", "Frame Size: 32-bit words of the buffer, less one" },
    { "pos", "the word that is played or recorded" },
    { "byte", "the byte of it" },
    { .name = NULL }
};
static const VmState channel_vm = { 1, channel_fields, .name = "channel", .meanings = channel_meanings };

static const VmField es1370_fields[] = {
    VM_PCI(Es1370State, pci), VM_U32(Es1370State, control), VM_U32(Es1370State, status),
    VM_U32_RANGE(Es1370State, serial, 0, SERIAL_RW), VM_U32_RANGE(Es1370State, page, 0, 0xf),
    VM_U16(Es1370State, codec), VM_STRUCT_ARRAY(Es1370State, ch, channel_vm), VM_END
};
static const VmMeaning es1370_meanings[] = {
    { "control", "Interrupt/Chip Select Control", .flags = FLAGS({ "SERR_DIS", 1 }, { "CDC_EN", 2 }, { "JYSTK_EN", 4 },
      { "UART_EN", 8 }, { "ADC_EN", 0x10 }, { "DAC2_EN", 0x20 }, { "DAC1_EN", 0x40 }, { "BREQ", 0x80 }, { "XCTL0", 0x100 },
      { "M_CB", 0x200 }, { "CCB_INTRM", 0x400 }, { "M_SBB", 0x800 }, { "WTSRSEL", 0x3000 }, { "DAC_SYNC", 0x4000 },
      { "MSFMTSEL", 0x8000 }, { "PCLKDIV", 0x1fff0000 }, { "XCTL1", 0x40000000 }, { "ADC_STOP", 0x80000000 }) },
    { "status", "Interrupt/Chip Select Status", .flags = FLAGS({ "ADC", 1 }, { "DAC2", 2 }, { "DAC1", 4 }, { "UART", 8 },
      { "MCCB", 0x10 }, { "INTR", 0x80000000 }) },
    { "serial", "Serial Interface Control", .flags = FLAGS({ "P1_STEREO", 1 }, { "P1_16BIT", 2 }, { "P2_STEREO", 4 },
      { "P2_16BIT", 8 }, { "R1_STEREO", 0x10 }, { "R1_16BIT", 0x20 }, { "P2_DAC_SEN", 0x40 }, { "P1_SCT_RLD", 0x80 },
      { "P1_INTR_EN", 0x100 }, { "P2_INTR_EN", 0x200 }, { "R1_INT_EN", 0x400 }, { "P1_PAUSE", 0x800 }, { "P2_PAUSE", 0x1000 },
      { "P1_LOOP_SEL", 0x2000 }, { "P2_LOOP_SEL", 0x4000 }, { "R1_LOOP_SEL", 0x8000 }, { "P2_ST_INC", 0x70000 },
      { "P2_END_INC", 0x380000 }) },
    { "page", "Memory Page: which registers are at 30h to 3Fh" },
    { "codec", "last address and value for the codec" },
    { "ch", "the channels DAC1, DAC2 and ADC" },
    { .name = NULL }
};

static const Property es1370_props[] = {
    PROP_AUDIODEV("audiodev", Es1370State, audio, "the sound back end"),
    PROP_END
};

static const DeviceType es1370_type = {
    .name = TYPE_ES1370, .parent = TYPE_PCI_DEVICE, .size = sizeof(Es1370State),
    .desc = "ENSONIQ AudioPCI ES1370", .category = DEVICE_SOUND,
    .pci = { .vendor = 0x1274, .device = 0x5000, .class_code = 0x040100,
             .subsystem_vendor = 0x4942, .subsystem = 0x4c4c, .pin = PCI_PIN_A },
    .props = es1370_props, .realize = es1370_realize, .unrealize = es1370_unrealize,
    .reset_hold = es1370_reset_hold, .vm = { 1, es1370_fields, .post_load = es1370_post_load, .meanings = es1370_meanings },
};
DEVICE_TYPE(es1370_type)
