/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HDA codecs: a DAC behind a jack or a speaker, and for two of them an ADC behind a jack or a microphone.
 *
 *     1 audio function group
 *     2 DAC  <- stream        3 output pin <- 2
 *     4 ADC  <- 5             5 input pin
 *
 * Jacks know whether something is plugged in, and say so when that changes. Source: HDA (see hda.h), chapter 7. Not modelled:
 * digital converters, amplifiers of the input.
 */
#include "util/osdep.h"
#include "audio/audio.h"
#include "hw/audio/hda.h"

#include <glib.h>
#include <math.h>
#include "qobject/qobject.h"
#include "qom/property.h"

#define TYPE_HDA_AUDIO  "hda-audio"
#define VENDOR          0x1af40000u
#define CHUNK           4096
#define AMP_MUTE        0x80
#define AMP_STEPS       0x4a    /* of 1 dB; the highest is 0 dB */
/* HDA 7.3.4.10: 0 dB is the last step, steps of (3 + 1) * 0.25 dB, mute. */
#define AMP_CAPS        (BIT(31) | 3u << 16 | AMP_STEPS << 8 | AMP_STEPS)
/* HDA 7.3.4.7: 16, 20, 24 and 32 bits; 8 kHz to 192 kHz. */
#define PCM_CAPS        (0xfu << 17 | 0x7ff)
#define FORMAT_RESET    0x0011  /* 48 kHz, 16 bits, two channels */

enum { NID_ROOT, NID_AFG, NID_DAC, NID_OUT, NID_ADC, NID_IN, NUM_NODES };
/* HDA 7.3.4.6 */
enum { CAP_STEREO = BIT(0), CAP_OUT_AMP = BIT(2), CAP_AMP_OVERRIDE = BIT(3), CAP_FORMAT = BIT(4), CAP_CONNECTIONS = BIT(8),
       CAP_UNSOLICITED = BIT(7),
       CAP_TYPE_IN = 1 << 20, CAP_TYPE_PIN = 4 << 20 };
enum { PIN_OUT_EN = 0x40, PIN_IN_EN = 0x20 };
enum { PIN_CAP_PRESENCE = BIT(2), SENSE_PRESENCE = BIT(31) };     /* HDA 7.3.4.9, 7.3.3.15 */
enum { UNSOLICITED_EN = BIT(7), UNSOLICITED_TAG = 0x3f };         /* HDA 7.3.3.14 */
#define CONFIG_FIXED    (2u << 30)      /* HDA 7.3.3.31: built in, no jack */

/* What a type of codec is. */
typedef struct HdaAudioKind {
    HdaCodecOps ops;            /* first: what the controller sees */
    uint32_t id;                /* of the codec with amplifier; 1 less without */
    uint32_t out_default, in_default;   /* configuration defaults of pins (HDA 7.3.3.31); 0: there is none */
} HdaAudioKind;

typedef struct HdaWidget {
    uint8_t stream;             /* stream tag and lowest channel */
    uint8_t power, pin_control, unsolicited;
    uint8_t amp[2];             /* left and right: mute and gain */
    uint16_t format;
    uint32_t config_default;
} HdaWidget;

typedef struct HdaAudio {
    HdaCodec codec;
    AudioBackend *audio;
    bool mixer;
    AudioOut *out;
    AudioIn *in;
    HdaWidget w[NUM_NODES];
    uint8_t unplugged;          /* bit n: nothing is in the jack of node n */
} HdaAudio;

static HdaAudio *HDA_AUDIO(const void *obj)
{
    return (HdaAudio *)object_cast(obj, TYPE_HDA_AUDIO);
}

static const HdaAudioKind *kind(const HdaAudio *s)
{
    return device_data(&s->codec.dev);
}

static HdaBus *link_of(const HdaAudio *s)
{
    return HDA_BUS(s->codec.dev.bus);
}

/* --- converters and voices --- */

/* HDA 3.7.1; as it is on the link. */
typedef struct LinkFormat {
    AudioFormat host;
    uint32_t channels, sample_bytes;
} LinkFormat;

static LinkFormat link_format(const HdaWidget *w)
{
    static const AudioSample samples[8] = { AUDIO_U8, AUDIO_S16, AUDIO_S32, AUDIO_S32, AUDIO_S32, AUDIO_S32, AUDIO_S32,
                                            AUDIO_S32 };
    uint32_t base = w->format & BIT(14) ? 44100 : 48000, mult = (w->format >> 11 & 7) + 1u, div = (w->format >> 8 & 7) + 1u;
    unsigned bits = w->format >> 4 & 7;
    LinkFormat f = { .channels = (w->format & 15) + 1u, .sample_bytes = bits == 0 ? 1 : bits == 1 ? 2 : 4 };

    f.host = (AudioFormat){ MAX(MIN(base * mult / div, AUDIO_FREQ_MAX), AUDIO_FREQ_MIN),
                            (uint8_t)MIN(f.channels, 2), samples[bits] };
    return f;
}

static void play(void *opaque, uint32_t bytes)
{
    HdaAudio *s = opaque;
    const HdaWidget *w = &s->w[NID_DAC];
    LinkFormat f = link_format(w);
    uint32_t used = f.host.channels * f.sample_bytes, frame = f.channels * f.sample_bytes;
    uint32_t frames = bytes / used, first = w->stream & 15;
    uint8_t buf[CHUNK];

    first = first + f.host.channels <= f.channels ? first : 0;
    while (frames) {
        uint32_t n = MIN(frames, CHUNK / frame);
        uint32_t got = link_of(s)->ops->transfer(link_of(s), w->stream >> 4, true, buf, n * frame) / frame;

        for (uint32_t i = 0; frame != used && i < got; i++) {
            memmove(buf + i * used, buf + i * frame + first * f.sample_bytes, used);
        }
        audio_out_write(s->out, buf, got * used);
        if (got < n) {
            break;
        }
        frames -= n;
    }
}

static void record(void *opaque, uint32_t bytes)
{
    HdaAudio *s = opaque;
    const HdaWidget *w = &s->w[NID_ADC];
    LinkFormat f = link_format(w);
    uint32_t used = f.host.channels * f.sample_bytes, frame = f.channels * f.sample_bytes;
    uint32_t frames = bytes / used;
    uint8_t in[CHUNK], buf[CHUNK];

    while (frames) {
        uint32_t n = MIN(frames, CHUNK / frame);
        uint32_t got = audio_in_read(s->in, in, n * used) / used;

        memset(buf, 0, sizeof(buf));
        for (uint32_t i = 0; i < got; i++) {
            memcpy(buf + i * frame, in + i * used, used);
        }
        if (!got || link_of(s)->ops->transfer(link_of(s), w->stream >> 4, false, buf, got * frame) < got * frame) {
            break;
        }
        frames -= got;
    }
}

static uint8_t volume(uint8_t amp)
{
    unsigned gain = MIN(amp & 0x7f, AMP_STEPS);

    return (uint8_t)lrint(255 * pow(10, (double)((int)gain - AMP_STEPS) / 20));
}

static void update_volume(HdaAudio *s)
{
    const uint8_t *amp = s->w[NID_DAC].amp;
    bool left = amp[0] & AMP_MUTE, right = amp[1] & AMP_MUTE;

    if (s->mixer) {
        audio_out_set_volume(s->out, left && right, left ? 0 : volume(amp[0]), right ? 0 : volume(amp[1]));
    }
}

static void update_formats(HdaAudio *s)
{
    LinkFormat f = link_format(&s->w[NID_DAC]);

    audio_out_set_format(s->out, &f.host);
    f = link_format(&s->w[NID_ADC]);
    if (s->in) {
        audio_in_set_format(s->in, &f.host);
    }
}

static bool takes_part(const HdaAudio *s, int nid)
{
    unsigned tag = s->w[nid].stream >> 4;

    return tag && link_of(s)->ops->running(link_of(s), tag, nid == NID_DAC);
}

static void update_activity(HdaCodec *c)
{
    HdaAudio *s = HDA_AUDIO(c);

    if (!s->out) {              /* not complete yet */
        return;
    }
    audio_out_set_active(s->out, takes_part(s, NID_DAC));
    if (s->in) {
        audio_in_set_active(s->in, takes_part(s, NID_ADC));
    }
}

/* --- parameters (HDA 7.3.4) --- */

static bool exists(const HdaAudio *s, unsigned nid)
{
    return nid <= NID_OUT || (nid < NUM_NODES && kind(s)->in_default);
}

static bool is_jack(const HdaAudio *s, unsigned nid)
{
    uint32_t config = nid == NID_OUT ? kind(s)->out_default : nid == NID_IN ? kind(s)->in_default : 0;

    return config && !(config & CONFIG_FIXED);
}

static uint32_t widget_caps(const HdaAudio *s, unsigned nid)
{
    uint32_t jack = is_jack(s, nid) ? CAP_UNSOLICITED : 0;

    switch (nid) {
    case NID_DAC:
        return CAP_STEREO | CAP_FORMAT | (s->mixer ? CAP_OUT_AMP | CAP_AMP_OVERRIDE : 0);
    case NID_OUT:
        return CAP_STEREO | CAP_CONNECTIONS | CAP_TYPE_PIN | jack;
    case NID_ADC:
        return CAP_STEREO | CAP_FORMAT | CAP_CONNECTIONS | CAP_TYPE_IN;
    case NID_IN:
        return CAP_STEREO | CAP_TYPE_PIN | jack;
    default:
        return 0;
    }
}

static bool is_converter(unsigned nid)
{
    return nid == NID_DAC || nid == NID_ADC;
}

static uint32_t get_parameter(const HdaAudio *s, unsigned nid, unsigned n)
{
    bool group = nid == NID_AFG;

    switch (n) {
    case 0x00:                  /* vendor and device */
        return nid == NID_ROOT ? VENDOR | (kind(s)->id - (s->mixer ? 0 : 1)) : 0;
    case 0x02:                  /* revision: HDA 1.0 */
        return nid == NID_ROOT ? 0x00100101 : 0;
    case 0x04:                  /* nodes below: where they start, how many */
        return nid == NID_ROOT ? NID_AFG << 16 | 1 : group ? NID_DAC << 16 | (kind(s)->in_default ? 4 : 2) : 0;
    case 0x05:                  /* function group type: audio */
        return group ? 1 : 0;
    case 0x08:                  /* delays of the group: none */
        return 0;
    case 0x09:
        return widget_caps(s, nid);
    case 0x0a:
        return group || is_converter(nid) ? PCM_CAPS : 0;
    case 0x0b:                  /* stream formats: PCM */
        return group || is_converter(nid) ? 1 : 0;
    case 0x0c:                  /* pin: output, input */
        return (nid == NID_OUT ? BIT(4) : nid == NID_IN ? BIT(5) : 0) | (is_jack(s, nid) ? PIN_CAP_PRESENCE : 0);
    case 0x0e:                  /* connections */
        return nid == NID_OUT || nid == NID_ADC ? 1 : 0;
    case 0x0f:                  /* power states: D0, D3 */
        return group ? BIT(0) | BIT(3) : 0;
    case 0x12:                  /* output amplifier */
        return nid == NID_DAC && s->mixer ? AMP_CAPS : 0;
    default:
        return 0;
    }
}

/* --- verbs (HDA 7.3.3) --- */

static void set_amp(HdaAudio *s, unsigned nid, uint16_t v)
{
    if (nid == NID_DAC && v & BIT(15) && !(v >> 8 & 15)) {      /* 7.3.3.7: output, index 0 */
        for (int side = 0; side < 2; side++) {
            if (v & (side ? BIT(12) : BIT(13))) {
                s->w[nid].amp[side] = (uint8_t)v;
            }
        }
        update_volume(s);
    }
}

/* Verbs of 4 bits, with 16 bits of data. */
static uint32_t long_verb(HdaAudio *s, unsigned nid, unsigned verb, uint16_t v)
{
    HdaWidget *w = &s->w[nid];

    switch (verb) {
    case 0x2:
        if (is_converter(nid) && w->format != v) {
            w->format = v;
            update_formats(s);
        }
        return 0;
    case 0xa:
        return is_converter(nid) ? w->format : 0;
    case 0x3:
        set_amp(s, nid, v);
        return 0;
    case 0xb:
        return nid == NID_DAC && v & BIT(15) ? w->amp[v & BIT(13) ? 0 : 1] : 0;
    default:
        return 0;
    }
}

static void link_reset(HdaCodec *c);

static uint32_t get_verb(const HdaAudio *s, unsigned nid, unsigned verb, uint8_t v)
{
    const HdaWidget *w = &s->w[nid];

    switch (verb) {
    case 0xf00:
        return get_parameter(s, nid, v);
    case 0xf02:                 /* connection list */
        return v ? 0 : nid == NID_OUT ? NID_DAC : nid == NID_ADC ? NID_IN : 0;
    case 0xf05:                 /* actual and set power state */
        return w->power * 0x11u;
    case 0xf06:
        return w->stream;
    case 0xf07:
        return w->pin_control;
    case 0xf08:
        return w->unsolicited;
    case 0xf09:                 /* pin sense */
        return is_jack(s, nid) && !(s->unplugged & BIT(nid)) ? SENSE_PRESENCE : 0;
    case 0xf1c:
        return w->config_default;
    case 0xf20:                 /* subsystem */
        return nid == NID_AFG ? VENDOR | kind(s)->id : 0;
    default:
        return 0;
    }
}

static uint32_t short_verb(HdaAudio *s, unsigned nid, unsigned verb, uint8_t v)
{
    HdaWidget *w = &s->w[nid];

    switch (verb) {
    case 0x705:
        w->power = v & 3;
        break;
    case 0x706:
        if (is_converter(nid)) {
            w->stream = v;
            update_activity(&s->codec);
        }
        break;
    case 0x707:
        w->pin_control = nid == NID_OUT ? v & PIN_OUT_EN : nid == NID_IN ? v & PIN_IN_EN : 0;
        break;
    case 0x708:
        w->unsolicited = v;
        break;
    case 0x71c ... 0x71f:
        if (nid == NID_OUT || nid == NID_IN) {
            unsigned shift = 8 * (verb - 0x71c);

            w->config_default = (w->config_default & ~(0xffu << shift)) | (uint32_t)v << shift;
        }
        break;
    case 0x7ff:                 /* reset of the function group */
        if (nid == NID_AFG) {
            link_reset(&s->codec);
        }
        break;
    default:
        return get_verb(s, nid, verb, v);
    }
    return 0;
}

/* 7.3: what isn't known is answered with 0. */
static uint32_t codec_command(HdaCodec *c, uint32_t command)
{
    HdaAudio *s = HDA_AUDIO(c);
    unsigned nid = command >> 20 & 0xff, verb = command >> 16 & 15;

    if (!exists(s, nid)) {
        return 0;
    }
    return verb == 7 || verb == 15 ? short_verb(s, nid, command >> 8 & 0xfff, (uint8_t)command)
                                   : long_verb(s, nid, verb, (uint16_t)command);
}

/* --- jacks --- */

static QObject *get_plugged(Object *obj, const Property *p, UNUSED Error **errp)
{
    return qbool_from(!(HDA_AUDIO(obj)->unplugged & BIT(p->bit)));
}

static bool set_plugged(Object *obj, const Property *p, const QObject *v, Error **errp)
{
    HdaAudio *s = HDA_AUDIO(obj);
    const HdaWidget *w = &s->w[p->bit];
    const char *text = qobject_type(v) == QTYPE_STRING ? qstring_value(v) : "";
    bool on = qobject_type(v) == QTYPE_BOOL ? qbool_value(v) : g_str_equal(text, "on");
    uint8_t was = s->unplugged;

    if (qobject_type(v) != QTYPE_BOOL && !on && !g_str_equal(text, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "property '%s' accepts on and off", p->name);
        return false;
    }
    if (!is_jack(s, p->bit)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "property '%s': a codec '%s' has no such jack", p->name, object_type_name(obj));
        return false;
    }
    s->unplugged = (uint8_t)(on ? was & ~BIT(p->bit) : was | BIT(p->bit));
    if (s->out && s->unplugged != was && w->unsolicited & UNSOLICITED_EN) {
        link_of(s)->ops->unsolicited(link_of(s), s->codec.cad, (uint32_t)(w->unsolicited & UNSOLICITED_TAG) << 26);
    }
    return true;
}

/* --- life --- */

static void link_reset(HdaCodec *c)
{
    HdaAudio *s = HDA_AUDIO(c);

    if (!s->out) {
        return;
    }
    memset(s->w, 0, sizeof(s->w));
    s->w[NID_AFG].power = 3;    /* HDA 7.3.3.10: D3 */
    s->w[NID_DAC].format = s->w[NID_ADC].format = FORMAT_RESET;
    s->w[NID_DAC].amp[0] = s->w[NID_DAC].amp[1] = AMP_STEPS;
    s->w[NID_OUT].config_default = kind(s)->out_default;
    s->w[NID_IN].config_default = kind(s)->in_default;
    update_formats(s);
    update_volume(s);
    update_activity(c);
}

static void hda_audio_reset_hold(Device *dev)
{
    link_reset(HDA_CODEC(dev));
}

static bool hda_audio_realize(Device *dev, UNUSED Error **errp)
{
    HdaAudio *s = HDA_AUDIO(dev);
    AudioFormat f = { 48000, 2, AUDIO_S16 };

    s->out = audio_out_open(s->audio, "hda.dac", &f, play, s);
    if (kind(s)->in_default) {
        s->in = audio_in_open(s->audio, "hda.adc", &f, record, s);
    }
    return true;
}

static void hda_audio_unrealize(Device *dev)
{
    HdaAudio *s = HDA_AUDIO(dev);

    audio_out_close(s->out);
    audio_in_close(s->in);
    s->out = NULL;
    s->in = NULL;
}

static bool hda_audio_post_load(void *opaque, UNUSED Error **errp)
{
    HdaAudio *s = opaque;

    update_formats(s);
    update_volume(s);
    update_activity(&s->codec);
    return true;
}

static const VmField widget_fields[] = {
    VM_U8(HdaWidget, stream), VM_U8_RANGE(HdaWidget, power, 0, 3), VM_U8(HdaWidget, pin_control),
    VM_U8(HdaWidget, unsolicited), VM_U8_ARRAY(HdaWidget, amp), VM_U16(HdaWidget, format),
    VM_U32(HdaWidget, config_default), VM_END
};
static const VmMeaning widget_meanings[] = {
    { "stream", "stream tag and lowest channel" }, { "power", "power state D0 to D3" },
    { "pin_control", "pin widget control", .flags = FLAGS({ "OUT", PIN_OUT_EN }, { "IN", PIN_IN_EN }) },
    { "unsolicited", "tag of unsolicited responses" }, { "amp", "mute and gain", ELEMENTS("left", "right") },
    { "format", "stream format" }, { "config_default", "configuration default" }, { .name = NULL }
};
static const VmState widget_vm = { 1, widget_fields, .name = "widget", .meanings = widget_meanings };

static const VmField hda_audio_fields[] = {
    VM_STRUCT_ARRAY(HdaAudio, w, widget_vm),
    VM_SCALAR_(HdaAudio, unplugged, uint8_t, vm_kind_u8, .max = BIT(NID_OUT) | BIT(NID_IN), .since = 2), VM_END
};
static const VmMeaning hda_audio_meanings[] = {
    { "w", "nodes", ELEMENTS("root", "function group", "DAC", "output pin", "ADC", "input pin") },
    { "unplugged", "bit n: nothing is in the jack of node n" }, { .name = NULL }
};

static const Property hda_audio_props[] = {
    PROP_AUDIODEV("audiodev", HdaAudio, audio, "the sound back end"),
    PROP_BOOL("mixer", HdaAudio, mixer, true, "the DAC has an amplifier"),
    { .name = "out-plugged", .desc = "something is in the jack of the output", .kind = PROP_KIND_CUSTOM, .type = "bool",
      .bit = NID_OUT, .get = get_plugged, .set = set_plugged, .flags = PROP_F_RUNTIME },
    { .name = "in-plugged", .desc = "something is in the jack of the input", .kind = PROP_KIND_CUSTOM, .type = "bool",
      .bit = NID_IN, .get = get_plugged, .set = set_plugged, .flags = PROP_F_RUNTIME },
    PROP_END
};

static const DeviceType hda_audio_type = {
    .name = TYPE_HDA_AUDIO, .parent = TYPE_HDA_CODEC, .size = sizeof(HdaAudio), .abstract = true,
    .props = hda_audio_props, .realize = hda_audio_realize, .unrealize = hda_audio_unrealize,
    .reset_hold = hda_audio_reset_hold,
    .vm = { 2, hda_audio_fields, .min_version = 1, .post_load = hda_audio_post_load, .meanings = hda_audio_meanings },
};
DEVICE_TYPE(hda_audio_type)

#define OPS { .command = codec_command, .streams_changed = update_activity, .link_reset = link_reset }

/* Green jack and blue jack on the rear panel; a speaker and a microphone that are built in. */
static const HdaAudioKind output_kind = { OPS, 0x12, .out_default = 0x01014010 };
static const HdaAudioKind duplex_kind = { OPS, 0x22, .out_default = 0x01014010, .in_default = 0x01813020 };
static const HdaAudioKind micro_kind = { OPS, 0x32, .out_default = 0x90170110, .in_default = 0x90a70120 };

#define CODEC(ident, type_name, text, facts) \
    static const DeviceType ident = { .name = type_name, .parent = TYPE_HDA_AUDIO, .desc = text, .data = &facts }; \
    DEVICE_TYPE(ident)

CODEC(hda_output, "hda-output", "HDA codec: line out", output_kind)
CODEC(hda_duplex, "hda-duplex", "HDA codec: line out, line in", duplex_kind)
CODEC(hda_micro, "hda-micro", "HDA codec: speaker, microphone", micro_kind)
