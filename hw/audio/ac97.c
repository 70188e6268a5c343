/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AC97: the audio function of Intel's 82801AA with a SigmaTel STAC9700 codec.
 *
 * Sources: Intel 82801AA (ICH) data sheet 290655, chapter 13 ("ICH"); Audio Codec '97 2.1 ("AC97").
 * Not modelled: more than two channels, the modem function, a second codec, S/PDIF.
 */
#include "util/osdep.h"
#include "audio/audio.h"
#include "hw/audio/sound-state.h"
#include "hw/pci/pci.h"

#include <math.h>
#include "util/bswap.h"

#define TYPE_AC97   "AC97"

/* ICH 13.2: native audio bus master registers of a channel. */
enum { BDBAR = 0x0, CIV = 0x4, LVI = 0x5, SR = 0x6, PICB = 0x8, PIV = 0xa, CR = 0xb };
enum { GLOB_CNT = 0x2c, GLOB_STA = 0x30, CAS = 0x34, NABM_SIZE = 0x40 };
enum { SR_DCH = BIT(0), SR_CELV = BIT(1), SR_LVBCI = BIT(2), SR_BCIS = BIT(3), SR_FIFOE = BIT(4),
       SR_W1C = SR_LVBCI | SR_BCIS | SR_FIFOE, SR_ALL = 0x1f };
enum { CR_RPBM = BIT(0), CR_RR = BIT(1), CR_LVBIE = BIT(2), CR_FEIE = BIT(3), CR_IOCE = BIT(4),
       CR_ALL = 0x1f };
enum { CNT_WARM_RESET = BIT(2), CNT_COLD = BIT(1), CNT_RW = 0x3f };
enum { STA_PIINT = BIT(5), STA_POINT = BIT(6), STA_MINT = BIT(7), STA_PCR = BIT(8) };
#define BD_IOC      BIT(31)
#define BD_COUNT    32
#define BD_LOOPS    64              /* empty descriptors passed over at a time */
/* AC97 5.7: mixer registers. */
enum { MIX_RESET = 0x00, MIX_MASTER = 0x02, MIX_PCM_OUT = 0x18, MIX_POWER = 0x26,
       MIX_EXT_ID = 0x28, MIX_EXT_CTRL = 0x2a, MIX_DAC_RATE = 0x2c, MIX_ADC_RATE = 0x32,
       MIX_MIC_RATE = 0x34, MIX_ID1 = 0x7c, MIX_ID2 = 0x7e, MIX_SIZE = 0x80 };
#define EXT_VRA     BIT(0)
#define EXT_VRM     BIT(3)
#define RATE_FIXED  48000

typedef enum ChannelNr { CH_PI, CH_PO, CH_MC, CH_COUNT } ChannelNr;

typedef struct Channel {
    uint32_t bdbar;
    uint8_t civ, lvi, piv, cr;
    uint16_t sr, picb;
    uint32_t addr, flags;           /* of the current buffer; its descriptor's high half */
} Channel;

typedef struct Ac97State {
    PCIDevice pci;
    MemRegion nam, nabm;
    AudioBackend *audio;
    AudioOut *out;
    AudioIn *in, *mic;
    Channel ch[CH_COUNT];
    uint16_t mixer[MIX_SIZE / 2];
    uint32_t glob_cnt;
    uint8_t cas;
} Ac97State;
DEFINE_CAST(AC97, Ac97State, TYPE_AC97)

/* AC97 5.7; what isn't here reads as 0. Volumes: attenuation of 1.5 dB a step, mute in bit 15. */
static const struct { uint8_t reg; uint16_t reset, rw; } mixer_regs[] = {
    { MIX_RESET, 0x6a90, 0 },
    { MIX_MASTER, 0x8000, 0xbf3f }, { 0x04, 0x8000, 0xbf3f }, { 0x06, 0x8000, 0x803f },
    { 0x0a, 0x0000, 0x801e }, { 0x0c, 0x8008, 0x801f }, { 0x0e, 0x8008, 0x805f },
    { 0x10, 0x8808, 0x9f1f }, { 0x12, 0x8808, 0x9f1f }, { 0x14, 0x8808, 0x9f1f },
    { 0x16, 0x8808, 0x9f1f }, { MIX_PCM_OUT, 0x8808, 0x9f1f }, { 0x1a, 0x0000, 0x0707 },
    { 0x1c, 0x8000, 0x8f0f }, { 0x1e, 0x8000, 0x800f }, { 0x20, 0x0000, 0xa380 },
    { 0x22, 0x0000, 0x000c }, { MIX_POWER, 0x000f, 0xff00 }, { MIX_EXT_ID, 0x0809, 0 },
    { MIX_EXT_CTRL, 0x0000, EXT_VRA | EXT_VRM }, { MIX_DAC_RATE, RATE_FIXED, 0xffff },
    { 0x2e, RATE_FIXED, 0xffff }, { 0x30, RATE_FIXED, 0xffff },
    { MIX_ADC_RATE, RATE_FIXED, 0xffff }, { MIX_MIC_RATE, RATE_FIXED, 0xffff },
    { MIX_ID1, 0x8384, 0 }, { MIX_ID2, 0x7600, 0 },
};

/* --- interrupts (ICH 13.2.6) --- */

static bool channel_irq(const Channel *c)
{
    return ((c->sr & SR_LVBCI) && (c->cr & CR_LVBIE)) ||
           ((c->sr & SR_BCIS) && (c->cr & CR_IOCE)) || ((c->sr & SR_FIFOE) && (c->cr & CR_FEIE));
}

static uint32_t glob_sta(const Ac97State *s)
{
    return STA_PCR | (channel_irq(&s->ch[CH_PI]) ? STA_PIINT : 0) |
           (channel_irq(&s->ch[CH_PO]) ? STA_POINT : 0) |
           (channel_irq(&s->ch[CH_MC]) ? STA_MINT : 0);
}

static void update_irq(Ac97State *s)
{
    pci_set_irq(&s->pci, glob_sta(s) != STA_PCR);
}

/* --- voices --- */

static uint16_t mix(const Ac97State *s, unsigned reg)
{
    return s->mixer[reg / 2];
}

static uint32_t rate(const Ac97State *s, unsigned reg)
{
    bool variable = mix(s, MIX_EXT_CTRL) & (reg == MIX_MIC_RATE ? EXT_VRM : EXT_VRA);
    uint32_t hz = variable ? mix(s, reg) : RATE_FIXED;

    return hz < 4000 ? 4000 : hz > 48000 ? 48000 : hz;
}

static void update_formats(Ac97State *s)
{
    audio_out_set_format(s->out, &(AudioFormat){ rate(s, MIX_DAC_RATE), 2, AUDIO_S16 });
    audio_in_set_format(s->in, &(AudioFormat){ rate(s, MIX_ADC_RATE), 2, AUDIO_S16 });
    audio_in_set_format(s->mic, &(AudioFormat){ rate(s, MIX_MIC_RATE), 1, AUDIO_S16 });
}

/* Half dB steps: master 0 to -94.5 dB, PCM out +12 to -34.5 dB; no more than 0 dB comes out. */
static uint8_t volume(int master, int pcm)
{
    double db = -1.5 * master - 1.5 * (pcm - 8);

    return db >= 0 ? 255 : (uint8_t)(255 * pow(10, db / 20));
}

static void update_volume(Ac97State *s)
{
    uint16_t m = mix(s, MIX_MASTER), p = mix(s, MIX_PCM_OUT);

    audio_out_set_volume(s->out, (m | p) & 0x8000, volume(m >> 8 & 0x3f, p >> 8 & 0x1f),
                         volume(m & 0x3f, p & 0x1f));
}

static void update_activity(Ac97State *s)
{
    bool run[CH_COUNT];

    for (int i = 0; i < CH_COUNT; i++) {
        run[i] = (s->ch[i].cr & CR_RPBM) && !(s->ch[i].sr & SR_DCH);
    }
    audio_out_set_active(s->out, run[CH_PO]);
    audio_in_set_active(s->in, run[CH_PI]);
    audio_in_set_active(s->mic, run[CH_MC]);
}

/* --- buffer descriptors (ICH 13.2.1) --- */

static void fetch(Ac97State *s, Channel *c)
{
    uint8_t raw[8] = { 0 };

    pci_dma_read(&s->pci, c->bdbar + 8 * c->civ, raw, sizeof(raw));
    c->addr = load_le32(raw) & ~1u;
    c->flags = load_le32(raw + 4) & 0xffff0000;
    c->picb = load_le16(raw + 4);
}

static void next_buffer(Ac97State *s, Channel *c)
{
    c->civ = c->piv;
    c->piv = (c->piv + 1) % BD_COUNT;
    fetch(s, c);
}

/* The current buffer is through. */
static void buffer_done(Ac97State *s, Channel *c)
{
    if (c->flags & BD_IOC) {
        c->sr |= SR_BCIS;
    }
    if (c->civ == c->lvi) {
        c->sr |= SR_LVBCI | SR_DCH | SR_CELV;
    } else {
        next_buffer(s, c);
    }
    update_irq(s);
}

/* Bytes that can be moved at c->addr now, at most @bytes; 0: the channel has stopped. */
static uint32_t available(Ac97State *s, Channel *c, uint32_t bytes)
{
    for (int i = 0; i < BD_LOOPS && (c->cr & CR_RPBM) && !(c->sr & SR_DCH); i++) {
        if (c->picb) {
            return MIN(bytes, 2u * c->picb);
        }
        buffer_done(s, c);
    }
    return 0;
}

static void advance(Ac97State *s, Channel *c, uint32_t bytes)
{
    c->addr += bytes;
    c->picb -= bytes / 2;
    if (!c->picb) {
        buffer_done(s, c);
    }
}

static void play(void *opaque, uint32_t bytes)
{
    Ac97State *s = opaque;
    Channel *c = &s->ch[CH_PO];
    uint8_t buf[4096];

    while (bytes >= 4) {
        uint32_t n = available(s, c, MIN(bytes, sizeof(buf))) & ~3u;

        if (!n) {
            if (c->picb == 1 && !(c->sr & SR_DCH)) {    /* half a frame at a buffer's end */
                advance(s, c, 2);
                continue;
            }
            break;
        }
        if (pci_dma_read(&s->pci, c->addr, buf, n) != MEM_OK) {
            memset(buf, 0, n);
        }
        audio_out_write(s->out, buf, n);
        advance(s, c, n);
        bytes -= n;
    }
    update_activity(s);
}

static void record(Ac97State *s, Channel *c, AudioIn *in, uint32_t bytes, uint32_t frame)
{
    uint8_t buf[4096];

    while (bytes >= frame) {
        uint32_t n = available(s, c, MIN(bytes, sizeof(buf))) & ~(frame - 1);

        if (n) {
            n = audio_in_read(in, buf, n);
        } else if (c->picb == 1 && !(c->sr & SR_DCH)) {
            advance(s, c, 2);
            continue;
        }
        if (!n) {
            break;
        }
        pci_dma_write(&s->pci, c->addr, buf, n);
        advance(s, c, n);
        bytes -= n;
    }
    update_activity(s);
}

static void record_line(void *opaque, uint32_t bytes)
{
    Ac97State *s = opaque;

    record(s, &s->ch[CH_PI], s->in, bytes, 4);
}

static void record_mic(void *opaque, uint32_t bytes)
{
    Ac97State *s = opaque;

    record(s, &s->ch[CH_MC], s->mic, bytes, 2);
}

/* --- mixer --- */

static void mixer_reset(Ac97State *s)
{
    memset(s->mixer, 0, sizeof(s->mixer));
    for (size_t i = 0; i < ARRAY_SIZE(mixer_regs); i++) {
        s->mixer[mixer_regs[i].reg / 2] = mixer_regs[i].reset;
    }
    update_formats(s);
    update_volume(s);
}

static void mixer_write(Ac97State *s, unsigned reg, uint16_t val)
{
    uint16_t rw = 0;

    for (size_t i = 0; i < ARRAY_SIZE(mixer_regs); i++) {
        if (mixer_regs[i].reg == reg) {
            rw = mixer_regs[i].rw;
        }
    }
    switch (reg) {
    case MIX_RESET:
        mixer_reset(s);
        return;
    case MIX_DAC_RATE:
    case MIX_ADC_RATE:
        rw = mix(s, MIX_EXT_CTRL) & EXT_VRA ? rw : 0;   /* AC97 A.2 */
        break;
    case MIX_MIC_RATE:
        rw = mix(s, MIX_EXT_CTRL) & EXT_VRM ? rw : 0;
        break;
    case MIX_MASTER:
        /* AC97 5.7.2: five bits of volume; writing the sixth sets them all. */
        val = (uint16_t)((val & 0x2000 ? (val & ~0x3f00) | 0x1f00 : val));
        val = (uint16_t)((val & 0x0020 ? (val & ~0x003f) | 0x001f : val));
        break;
    default:
        break;
    }
    s->mixer[reg / 2] = (uint16_t)((mix(s, reg) & ~rw) | (val & rw));
    if (reg >= MIX_EXT_CTRL && reg <= MIX_MIC_RATE) {
        for (unsigned r = MIX_DAC_RATE; r <= MIX_MIC_RATE; r += 2) {
            if (mix(s, r) > 48000 || mix(s, r) < 4000) {        /* it answers with what it can */
                s->mixer[r / 2] = mix(s, r) < 4000 ? 4000 : 48000;
            }
            if (!(mix(s, MIX_EXT_CTRL) & (r == MIX_MIC_RATE ? EXT_VRM : EXT_VRA))) {
                s->mixer[r / 2] = RATE_FIXED;
            }
        }
        update_formats(s);
    }
    update_volume(s);
}

static MemResult nam_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    Ac97State *s = opaque;

    s->cas = 0;
    *val = addr < MIX_SIZE ? mix(s, addr & ~1u) >> 8 * (addr & 1) : UINT16_MAX;
    return MEM_OK;
}

static MemResult nam_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    Ac97State *s = opaque;

    s->cas = 0;
    if (size == 2 && addr < MIX_SIZE) {
        mixer_write(s, addr & ~1u, (uint16_t)val);
    }
    return MEM_OK;
}

static const MemOps nam_ops = {
    .read = nam_read, .write = nam_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 2 },
};

/* --- bus master registers --- */

static void channel_reset(Channel *c)
{
    *c = (Channel){ .sr = SR_DCH, .cr = c->cr & (CR_LVBIE | CR_FEIE | CR_IOCE) };
}

static void write_control(Ac97State *s, Channel *c, uint8_t val)
{
    bool was = c->cr & CR_RPBM;

    if (val & CR_RR) {
        channel_reset(c);
    } else {
        c->cr = val & CR_ALL;
        if (!(c->cr & CR_RPBM)) {
            c->sr |= SR_DCH;
        } else if (!was) {
            c->sr &= ~(SR_DCH | SR_CELV);
            if (!c->picb) {             /* else it was paused */
                next_buffer(s, c);
            }
        }
    }
    update_activity(s);
    update_irq(s);
}

static void write_lvi(Ac97State *s, Channel *c, uint8_t val)
{
    c->lvi = val % BD_COUNT;
    if ((c->cr & CR_RPBM) && (c->sr & SR_DCH) && (c->sr & SR_CELV)) {
        c->sr &= ~(SR_DCH | SR_CELV);   /* ICH 13.2.3: more buffers: it goes on */
        next_buffer(s, c);
        update_activity(s);
    }
}

static uint8_t nabm_byte(Ac97State *s, uint32_t addr)
{
    const Channel *c = &s->ch[MIN(addr >> 4, CH_MC)];
    unsigned n = 8 * (addr & 3);

    switch (addr) {
    case GLOB_CNT ... GLOB_CNT + 3:
        return (uint8_t)(s->glob_cnt >> n);
    case GLOB_STA ... GLOB_STA + 3:
        return (uint8_t)(glob_sta(s) >> n);
    case CAS:
        n = s->cas;
        s->cas = 1;
        return (uint8_t)n;
    default:
        break;
    }
    switch (addr & 0xf) {
    case BDBAR ... BDBAR + 3:
        return (uint8_t)(c->bdbar >> n);
    case CIV:
        return c->civ;
    case LVI:
        return c->lvi;
    case SR:
        return (uint8_t)c->sr;
    case PICB:
        return (uint8_t)c->picb;
    case PICB + 1:
        return (uint8_t)(c->picb >> 8);
    case PIV:
        return c->piv;
    case CR:
        return c->cr;
    default:
        return 0;
    }
}

static MemResult nabm_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    *val = 0;
    for (unsigned i = 0; i < size; i++) {
        *val |= (uint64_t)nabm_byte(opaque, (uint32_t)addr + i) << 8 * i;
    }
    return MEM_OK;
}

static MemResult nabm_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                            UNUSED MemAttrs attrs)
{
    Ac97State *s = opaque;
    Channel *c = &s->ch[MIN(addr >> 4, CH_MC)];
    uint32_t v = (uint32_t)val;

    if (addr >= 0x30 || addr == GLOB_CNT) {
        if (addr == GLOB_CNT && size == 4) {
            if (!(v & CNT_COLD)) {      /* ICH 13.2.8: the link and the codec are in reset */
                mixer_reset(s);
            }
            s->glob_cnt = v & CNT_RW & ~CNT_WARM_RESET;
        }
        return MEM_OK;
    }
    switch (addr & 0xf) {
    case BDBAR:
        if (size == 4) {
            c->bdbar = v & ~7u;
        }
        break;
    case CIV:                           /* read-only; a 16-bit write is LVI's */
        if (size >= 2) {
            write_lvi(s, c, (uint8_t)(v >> 8));
        }
        break;
    case LVI:
        write_lvi(s, c, (uint8_t)v);
        break;
    case SR:
        c->sr &= ~(v & SR_W1C);
        update_irq(s);
        break;
    case CR:
        write_control(s, c, (uint8_t)v);
        break;
    default:
        break;
    }
    return MEM_OK;
}

static const MemOps nabm_ops = {
    .read = nabm_read, .write = nabm_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* --- life --- */

static void ac97_reset_hold(Device *dev)
{
    Ac97State *s = AC97(dev);

    for (int i = 0; i < CH_COUNT; i++) {
        s->ch[i].cr = 0;
        channel_reset(&s->ch[i]);
    }
    s->glob_cnt = 0;
    s->cas = 0;
    mixer_reset(s);
    update_activity(s);
    update_irq(s);
}

static bool ac97_realize(Device *dev, UNUSED Error **errp)
{
    Ac97State *s = AC97(dev);
    AudioFormat f = { RATE_FIXED, 2, AUDIO_S16 };

    pci_set_word(s->pci.config + PCI_STATUS, PCI_STATUS_DEVSEL_MED);
    s->out = audio_out_open(s->audio, "ac97.po", &f, play, s);
    s->in = audio_in_open(s->audio, "ac97.pi", &f, record_line, s);
    f.channels = 1;
    s->mic = audio_in_open(s->audio, "ac97.mc", &f, record_mic, s);
    memory_region_init_io(&s->nam, s, &nam_ops, s, "ac97-nam", 256);
    pci_register_bar(&s->pci, 0, PCI_BAR_IO, &s->nam);
    memory_region_init_io(&s->nabm, s, &nabm_ops, s, "ac97-nabm", NABM_SIZE);
    pci_register_bar(&s->pci, 1, PCI_BAR_IO, &s->nabm);
    return true;
}

static void ac97_unrealize(Device *dev)
{
    Ac97State *s = AC97(dev);

    audio_out_close(s->out);
    audio_in_close(s->in);
    audio_in_close(s->mic);
    memory_region_cleanup(&s->nam);
    memory_region_cleanup(&s->nabm);
}

static bool ac97_post_load(void *opaque, UNUSED Error **errp)
{
    Ac97State *s = opaque;

    update_formats(s);
    update_volume(s);
    update_activity(s);
    update_irq(s);
    return true;
}

static const VmField channel_fields[] = {
    VM_U32(Channel, bdbar), VM_U8_RANGE(Channel, civ, 0, BD_COUNT - 1),
    VM_U8_RANGE(Channel, lvi, 0, BD_COUNT - 1), VM_U8_RANGE(Channel, piv, 0, BD_COUNT - 1),
    VM_U8_RANGE(Channel, cr, 0, CR_ALL), VM_U16_RANGE(Channel, sr, 0, SR_ALL),
    VM_U16(Channel, picb), VM_U32(Channel, addr), VM_U32(Channel, flags), VM_END
};
static const VmMeaning channel_meanings[] = {
    { "flags", "of its descriptor", .flags = FLAGS({ "BUP", 0x40000000 }, { "IOC", 0x80000000 }) },
    { "bdbar", "buffer descriptors", .address = true }, { "civ", "current index" }, { "lvi", "last valid index" },
    { "piv", "prefetched index" },
    { "cr", "CR", .flags = FLAGS({ "RPBM", CR_RPBM }, { "RR", CR_RR }, { "LVBIE", CR_LVBIE }, { "FEIE", CR_FEIE },
                                 { "IOCE", CR_IOCE }) },
    { "sr", "SR", .flags = FLAGS({ "DCH", SR_DCH }, { "CELV", SR_CELV }, { "LVBCI", SR_LVBCI }, { "BCIS", SR_BCIS },
                                 { "FIFOE", SR_FIFOE }) },
    { "picb", "samples left" }, { "addr", "current buffer", .address = true },
    { .name = NULL }
};
static const VmState channel_vm = { 1, channel_fields, .name = "channel", .meanings = channel_meanings };

static const VmField ac97_fields[] = {
    VM_PCI(Ac97State, pci), VM_STRUCT_ARRAY(Ac97State, ch, channel_vm),
    VM_U16_ARRAY(Ac97State, mixer), VM_U32_RANGE(Ac97State, glob_cnt, 0, CNT_RW),
    VM_U8_RANGE(Ac97State, cas, 0, 1), VM_END
};

static const Property ac97_props[] = {
    PROP_AUDIODEV("audiodev", Ac97State, audio, "the sound back end"),
    PROP_END
};

static const VmMeaning ac97_meanings[] = {
    { "ch", "PCM in, PCM out, microphone in" },
    { "mixer", "codec registers, by half their offset", ELEMENTS("reset", "master-volume", "headphone-volume",
      "mono-volume", "tone", "beep-volume", "phone-volume", "mic-volume", "line-in-volume", "cd-volume",
      "video-volume", "aux-volume", "pcm-out-volume", "record-select", "record-gain", "mic-gain", "general",
      "3d-control", NULL, "power", "extended-id", "extended-control", "front-rate", "surround-rate", "lfe-rate",
      "adc-rate", "mic-rate") },
    { "glob_cnt", "GLOB_CNT" }, { "cas", "CAS: the codec is being accessed" },
    { .name = NULL }
};

static const DeviceType ac97_type = {
    .name = TYPE_AC97, .parent = TYPE_PCI_DEVICE, .size = sizeof(Ac97State),
    .desc = "Intel 82801AA AC97 Audio", .category = DEVICE_SOUND,
    .pci = { .vendor = 0x8086, .device = 0x2415, .class_code = 0x040100, .revision = 1,
             .pin = PCI_PIN_A },
    .props = ac97_props, .realize = ac97_realize, .unrealize = ac97_unrealize,
    .reset_hold = ac97_reset_hold, .vm = { 1, ac97_fields, .post_load = ac97_post_load, .meanings = ac97_meanings },
    .printers = ac97_printers,
};
DEVICE_TYPE(ac97_type)
