/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -audiodev: back ends, their drivers and options; and the "audiodev" property of devices. */
#include "util/osdep.h"
#include "audio/audio-int.h"
#include "audio/wav-capture.h"

#include <glib.h>
#include "qapi/commands-misc.h"
#include "qom/object.h"
#include "qom/property.h"


static AudioDriver *drivers;            /* registry */
static AudioBackend *backends;          /* registry, in order of making */

void audio_driver_register(AudioDriver *d)
{
    d->next = drivers;
    drivers = d;
}

/* --- options --- */

/* {"out": {"frequency": 48000}} and "out.frequency=48000" are the same. */
static void flatten(QDict *to, const QDict *from, const char *prefix)
{
    QDICT_FOR_EACH(e, from) {
        g_autofree char *key = g_strconcat(prefix, e->key, NULL);
        const QDict *sub = qobject_to_dict(e->value);

        if (sub) {
            g_autofree char *deeper = g_strconcat(key, ".", NULL);

            flatten(to, sub, deeper);
        } else {
            qdict_put(to, key, qobject_ref(e->value));
        }
    }
}

/* Text as the command line has it, or a JSON number or bool. NULL: not there. */
static char *text_of(const QDict *d, const char *key)
{
    const QObject *o = qdict_get(d, key);
    int64_t n;
    bool on;

    if (!o) {
        return NULL;
    }
    if (qobject_type(o) == QTYPE_STRING) {
        return g_strdup(qobject_get_str(o, NULL, NULL));
    }
    if (qobject_get_bool(o, key, &on, NULL)) {
        return g_strdup(on ? "on" : "off");
    }
    return qobject_get_int(o, key, &n, NULL) ? g_strdup_printf("%" PRId64, n) : g_strdup("?");
}

static bool number(const QDict *d, const char *key, uint32_t lo, uint32_t hi, uint32_t *v,
                   Error **errp)
{
    g_autofree char *text = text_of(d, key);
    char *end;
    unsigned long n;

    if (!text) {
        return true;
    }
    n = strtoul(text, &end, 10);
    if (!g_ascii_isdigit(text[0]) || *end || n < lo || n > hi) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "audiodev: '%s' is '%s'; accepted: %u to %u", key,
                   text, lo, hi);
        error_argument(errp, key, text, NULL);
        return false;
    }
    *v = (uint32_t)n;
    return true;
}

static const char *const common_options[] = {
    "id", "driver", "timer-period", NULL
};
static const char *const direction_options[] = {
    "mixing-engine", "fixed-settings", "frequency", "channels", "format", "voices",
    "buffer-length", NULL
};

static bool listed(const char *key, const char *const *list)
{
    for (; list && *list; list++) {
        if (!strcmp(*list, key)) {
            return true;
        }
    }
    return false;
}

static bool check_keys(const QDict *d, const AudioDriver *drv, Error **errp)
{
    QDICT_FOR_EACH(e, d) {
        const char *key = e->key;
        bool dir = g_str_has_prefix(key, "in.") || g_str_has_prefix(key, "out.");

        if (!listed(key, common_options) && !listed(key, drv->options) &&
            !(dir && listed(strchr(key, '.') + 1, direction_options))) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "audiodev: driver '%s' has no parameter '%s'",
                       drv->name, key);
            error_argument(errp, key, NULL, NULL);
            return false;
        }
    }
    return true;
}

static bool set_direction(AudioDirection *dir, const QDict *d, const char *name, Error **errp)
{
    g_autofree char *freq = g_strconcat(name, ".frequency", NULL);
    g_autofree char *channels = g_strconcat(name, ".channels", NULL);
    g_autofree char *format = g_strconcat(name, ".format", NULL);
    g_autofree char *length = g_strconcat(name, ".buffer-length", NULL);
    g_autofree char *dev = g_strconcat(name, ".dev", NULL);
    g_autofree char *sample = text_of(d, format);
    uint32_t n_channels = 2;

    dir->format = (AudioFormat){ 44100, 2, AUDIO_S16 };
    if (!number(d, freq, AUDIO_FREQ_MIN, AUDIO_FREQ_MAX, &dir->format.freq, errp) ||
        !number(d, channels, 1, 2, &n_channels, errp) ||
        !number(d, length, 1000, 10000000, &dir->buffer_us, errp)) {
        return false;
    }
    dir->format.channels = (uint8_t)n_channels;
    dir->dev = text_of(d, dev);
    for (int i = 0; sample; i++) {
        if (!audio_sample_names[i]) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "audiodev: '%s' is '%s'; accepted: u8, s8, u16, "
                       "s16, u32, s32, f32", format, sample);
            error_argument(errp, format, sample, NULL);
            return false;
        }
        if (!strcmp(audio_sample_names[i], sample)) {
            dir->format.sample = (AudioSample)i;
            break;
        }
    }
    return true;
}

/* --- back ends --- */

static const AudioDriver *find_driver(const char *name, Error **errp)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (const AudioDriver *d = drivers; d; d = d->next) {
        if (!strcmp(d->name, name)) {
            return d;
        }
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", d->name);
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "audiodev: unknown driver '%s'; accepted: %s", name,
               names->str);
    error_argument(errp, "driver", name, names->str);
    return NULL;
}

char *audiodev_help(void)
{
    GString *text = g_string_new("Available audio drivers:\n");

    for (const AudioDriver *d = drivers; d; d = d->next) {
        g_string_append_printf(text, "%s\n", d->name);
    }
    return g_string_free(text, FALSE);
}

static void free_backend(AudioBackend *b)
{
    g_free(b->in.dev);
    g_free(b->out.dev);
    g_free(b->state);
    g_free(b->id);
    g_free(b);
}

static bool add(const QDict *d, Error **errp)
{
    const char *driver = qdict_str_or(d, "driver", NULL), *id = qdict_str_or(d, "id", NULL);
    uint32_t period_us = 10000;
    const AudioDriver *drv;
    AudioBackend *b, **pp = &backends;

    if (!driver || !id) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "audiodev: parameter '%s' is missing",
                   driver ? "id" : "driver");
        return false;
    }
    if (audiodev_find(id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is an audiodev '%s' already", id);
        return false;
    }
    drv = find_driver(driver, errp);
    if (!drv || !check_keys(d, drv, errp) ||
        !number(d, "timer-period", 1000, 1000000, &period_us, errp)) {
        return false;
    }
    b = g_new0(AudioBackend, 1);
    b->id = g_strdup(id);
    b->drv = drv;
    b->state = g_malloc0(drv->state_size);
    b->period_ns = period_us * NS_PER_US;
    if (!set_direction(&b->in, d, "in", errp) || !set_direction(&b->out, d, "out", errp) ||
        !drv->open(b, d, errp)) {
        free_backend(b);
        return false;
    }
    audio_backend_start(b);
    while (*pp) {
        pp = &(*pp)->next;
    }
    *pp = b;
    return true;
}

bool audiodev_add(const QDict *opts, Error **errp)
{
    QOBJECT_AUTO QDict *flat = qdict_new();

    flatten(flat, opts, "");
    return add(flat, errp);
}

AudioBackend *audiodev_find(const char *id)
{
    for (AudioBackend *b = backends; b; b = b->next) {
        if (!strcmp(b->id, id)) {
            return b;
        }
    }
    return NULL;
}

AudioBackend *audiodev_default(void)
{
    if (!backends) {
        QOBJECT_AUTO QDict *d = qdict_new();

        qdict_put_str(d, "driver", "none");
        qdict_put_str(d, "id", "#none");
        add(d, NULL);
    }
    return backends;
}

const char *audiodev_id(const AudioBackend *b)
{
    return b->id;
}

void audio_close_all(void)
{
    while (wav_capture_first()) {
        wav_capture_stop(0, NULL);
    }
    for (AudioBackend *b = backends; b; b = b->next) {
        if (b->drv->close) {
            b->drv->close(b);
        }
    }
}

HumanReadableText *qmp_x_query_audio(UNUSED Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    HumanReadableText *result = qapi_new(HumanReadableText);

    for (const AudioBackend *b = backends; b; b = b->next) {
        g_string_append_printf(text, "%s: driver=%s, out %u Hz, %u channels, %s%s\n", b->id,
                               b->drv->name, b->out.format.freq, b->out.format.channels,
                               audio_sample_names[b->out.format.sample],
                               b->playing ? ", playing" : "");
        audio_voices_text(b, text);
    }
    result->human_readable_text = strdup(text->str);
    return result;
}

/* --- the property --- */

static void *attach(UNUSED Object *owner, const char *id, Error **errp)
{
    AudioBackend *b = audiodev_find(id);

    if (!b) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no audiodev '%s'", id);
    }
    return b;                           /* many may use it */
}

static void detach(UNUSED Object *owner, UNUSED void *backend)
{
}

static const char *backend_id(void *backend)
{
    return audiodev_id(backend);
}

static const BackendKind audiodev_kind = { attach, detach, backend_id };

CONSTRUCTOR static void register_kind(void)
{
    backend_kind_register(PROP_KIND_AUDIODEV, &audiodev_kind);
}
