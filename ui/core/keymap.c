/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "config.h"
#include "ui/core/keymap.h"

/* The layout that -k asked for. */
static Keymap *standard;

struct Keymap {
    const char *name;
    GHashTable *keys;           /* name of a character: number | held << 8 */
};

/* QEMU's names and the X server's. */
static const struct {
    const char *name, *layout, *variant;
} layouts[] = {
    { "ar", "ara", NULL }, { "bepo", "fr", "bepo" }, { "cz", "cz", NULL }, { "da", "dk", NULL },
    { "de", "de", NULL }, { "de-ch", "ch", "de" }, { "en-gb", "gb", NULL }, { "en-us", "us", NULL },
    { "es", "es", NULL }, { "et", "ee", NULL }, { "fi", "fi", NULL }, { "fo", "fo", NULL },
    { "fr", "fr", NULL }, { "fr-be", "be", NULL }, { "fr-ca", "ca", NULL }, { "fr-ch", "ch", "fr" },
    { "hr", "hr", NULL }, { "hu", "hu", NULL }, { "is", "is", NULL }, { "it", "it", NULL },
    { "ja", "jp", NULL }, { "lt", "lt", NULL }, { "lv", "lv", NULL }, { "mk", "mk", NULL },
    { "nl", "nl", NULL }, { "no", "no", NULL }, { "pl", "pl", NULL }, { "pt", "pt", NULL },
    { "pt-br", "br", NULL }, { "ru", "ru", NULL }, { "sl", "si", NULL }, { "sv", "se", NULL },
    { "th", "th", NULL }, { "tr", "tr", NULL },
};

#ifdef CONFIG_XKBCOMMON
#include <xkbcommon/xkbcommon.h>

#define EVDEV           8           /* an X keycode is Linux' code and this */
#define KEY_FIRST       1           /* Linux: these codes are the PC's scan codes */
#define KEY_LAST        88
#define KEY_NONE_FIRST  84          /* no PC has these two */
#define KEY_NONE_LAST   85
#define KEY_KP_FIRST    55          /* digits of the keypad are other keys */
#define KEY_KP_LAST     83
#define KEY_SPACE       57
#define KEY_RO          89          /* Japanese and Brazilian keyboards: one more key, 0x73 */
#define KEY_YEN         124

/* Dead keys by the combining character that Unicode's decomposition has for them. */
static const struct {
    uint16_t combining, keysym, alone;      /* what types it by itself, with the space bar */
} dead_keys[] = {
    { 0x300, 0xfe50, '`' }, { 0x301, 0xfe51, 0xb4 }, { 0x302, 0xfe52, '^' }, { 0x303, 0xfe53, '~' },
    { 0x304, 0xfe54, 0xaf }, { 0x306, 0xfe55, 0 }, { 0x307, 0xfe56, 0 }, { 0x308, 0xfe57, 0xa8 },
    { 0x30a, 0xfe58, 0xb0 }, { 0x30b, 0xfe59, 0 }, { 0x30c, 0xfe5a, 0 }, { 0x327, 0xfe5b, 0xb8 },
    { 0x328, 0xfe5c, 0 },
};

/* A character has several keysyms. */
static uint32_t name_of(uint32_t keysym)
{
    uint32_t c = keysym >= 0xff00 && keysym < 0x1000000 ? 0 : xkb_keysym_to_utf32(keysym);

    return c ? c : keysym | BIT(31);
}

static unsigned number_of(xkb_keycode_t code)
{
    unsigned linux_code = code - EVDEV;

    if (linux_code == KEY_RO) {
        return 0x73;
    }
    if (linux_code == KEY_YEN) {
        return 0x7d;
    }
    if (linux_code < KEY_FIRST || linux_code > KEY_LAST ||
        (linux_code >= KEY_NONE_FIRST && linux_code <= KEY_NONE_LAST)) {
        return 0;
    }
    return linux_code >= KEY_KP_FIRST && linux_code <= KEY_KP_LAST && linux_code != KEY_SPACE ? 0 : linux_code;
}

/* What must be held for that level; false: something that we don't hold, such as Caps Lock. */
static bool held_for(struct xkb_keymap *x, xkb_keycode_t code, xkb_level_index_t level, unsigned *held)
{
    xkb_mod_mask_t shift = 1u << xkb_keymap_mod_get_index(x, XKB_MOD_NAME_SHIFT);
    xkb_mod_mask_t altgr = 1u << xkb_keymap_mod_get_index(x, "Mod5"), masks[16];
    size_t n = xkb_keymap_key_get_mods_for_level(x, code, 0, level, masks, ARRAY_SIZE(masks));

    for (size_t i = 0; i < n; i++) {
        if (!(masks[i] & ~(shift | altgr))) {
            *held = (masks[i] & shift ? KEYMAP_SHIFT : 0) | (masks[i] & altgr ? KEYMAP_ALTGR : 0);
            return true;
        }
    }
    return false;
}

static void add_key(struct xkb_keymap *x, xkb_keycode_t code, void *opaque)
{
    GHashTable *keys = opaque;
    unsigned number = number_of(code), held;

    for (xkb_level_index_t l = 0; number && l < xkb_keymap_num_levels_for_key(x, code, 0); l++) {
        const xkb_keysym_t *syms;

        if (xkb_keymap_key_get_syms_by_level(x, code, 0, l, &syms) != 1 || !held_for(x, code, l, &held)) {
            continue;
        }
        /* What needs less to be held is better. */
        gpointer name = GUINT_TO_POINTER(name_of(syms[0]));
        gpointer old = g_hash_table_lookup(keys, name);

        if (!old || GPOINTER_TO_UINT(old) >> 8 > held) {
            g_hash_table_insert(keys, name, GUINT_TO_POINTER(number | held << 8));
        }
    }
}

static bool load(GHashTable *keys, const char *layout, const char *variant)
{
    struct xkb_rule_names names = { .rules = "evdev", .model = "pc105", .layout = layout, .variant = variant };
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    struct xkb_keymap *x = context ? xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS) : NULL;

    if (x) {
        xkb_keymap_key_for_each(x, add_key, keys);
        xkb_keymap_unref(x);
    }
    if (context) {
        xkb_context_unref(context);
    }
    return x;
}

Keymap *keymap_new(const char *name, Error **errp)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(layouts); i++) {
        Keymap *m;

        if (strcmp(layouts[i].name, name) != 0) {
            g_string_append_printf(all, "%s%s", i ? ", " : "", layouts[i].name);
            continue;
        }
        m = g_new0(Keymap, 1);
        m->name = layouts[i].name;
        m->keys = g_hash_table_new(NULL, NULL);
        if (load(m->keys, layouts[i].layout, layouts[i].variant)) {
            return m;
        }
        keymap_free(m);
        error_setf(errp, ERR_INVALID_ARGUMENT, "the keyboard layout '%s' can't be loaded; Debian package: xkb-data", name);
        return NULL;
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no keyboard layout; accepted: %s", name, all->str);
    return NULL;
}

unsigned keymap_key(const Keymap *m, uint32_t keysym, unsigned *held)
{
    unsigned v = GPOINTER_TO_UINT(g_hash_table_lookup(m->keys, GUINT_TO_POINTER(name_of(keysym))));

    *held = v >> 8;
    return v & 0xff;
}

static bool stroke_of(const Keymap *m, uint32_t name, KeymapStroke *s)
{
    unsigned v = GPOINTER_TO_UINT(g_hash_table_lookup(m->keys, GUINT_TO_POINTER(name)));

    *s = (KeymapStroke){ v & 0xff, v >> 8 };
    return v;
}

unsigned keymap_strokes(const Keymap *m, uint32_t c, KeymapStroke s[2])
{
    gunichar base, mark;

    if (c == '\n' || c == '\t') {
        s[0] = (KeymapStroke){ c == '\n' ? 0x1c : 0x0f, 0 };
        return 1;
    }
    if (stroke_of(m, c, &s[0])) {
        return 1;
    }
    if (!g_unichar_decompose(c, &base, &mark)) {
        base = ' ';
        mark = 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(dead_keys); i++) {
        if (mark ? dead_keys[i].combining == mark : dead_keys[i].alone == c) {
            return stroke_of(m, dead_keys[i].keysym | BIT(31), &s[0]) && stroke_of(m, base, &s[1]) ? 2 : 0;
        }
    }
    return 0;
}
#else
Keymap *keymap_new(const char *name, Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "keyboard layout '%s': built without libxkbcommon (%zu layouts)", name,
               ARRAY_SIZE(layouts));
    return NULL;
}

unsigned keymap_key(UNUSED const Keymap *m, UNUSED uint32_t keysym, UNUSED unsigned *held)
{
    return 0;
}

unsigned keymap_strokes(UNUSED const Keymap *m, UNUSED uint32_t c, UNUSED KeymapStroke s[2])
{
    return 0;
}
#endif

void keymap_free(Keymap *m)
{
    if (m) {
        g_hash_table_destroy(m->keys);
        g_free(m);
    }
}

bool keymap_set_default(const char *name, Error **errp)
{
    Keymap *m = name ? keymap_new(name, errp) : NULL;

    if (m || !name) {
        keymap_free(standard);
        standard = m;
    }
    return m || !name;
}

const Keymap *keymap_default(void)
{
    return standard;
}

const char *keymap_default_name(void)
{
    return standard ? standard->name : "en-us";
}
