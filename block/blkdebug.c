/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "blkdebug": another node whose requests fail when rules say so, for tests of what
 * guests and formats do then. Rules come from inject-error.N.* and set-state.N.* or from a file:
 *
 *     [inject-error]
 *     event = "write_aio"      what happens: read_aio, write_aio, flush_to_disk, pwritev, none
 *     iotype = "write"         instead: read, write, write-zeroes, discard, flush, block-status
 *     state = "1"              only in this state; 0: in each
 *     errno = "28"             default 5
 *     sector = "100"           only where a request touches it; default: anywhere
 *     once = "on"              only once
 *     immediately = "on"       accepted: requests always fail at once
 *
 *     [set-state]
 *     event = "write_aio"
 *     state = "1"
 *     new_state = "2"
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/format.h"
#include "util/iov.h"
#include "util/thread.h"

#define MAX_RULES   256

typedef enum Io { IO_READ, IO_WRITE, IO_ZERO, IO_DISCARD, IO_FLUSH, IO_STATUS, IO_KINDS } Io;

typedef struct Rule {
    bool sets_state, once, used;
    unsigned kinds;                     /* bits of Io */
    unsigned state, new_state;
    int error;
    int64_t sector;                     /* -1: any */
} Rule;

typedef struct DebugNode {
    Mutex lock;                         /* guards the rest */
    Rule rules[MAX_RULES];
    unsigned n_rules, state;
} DebugNode;

/* Events of formats' insides aren't told to this node; those of its own requests are. */
static const struct { const char *name; unsigned kinds; } events[] = {
    { "read_aio", BIT(IO_READ) }, { "write_aio", BIT(IO_WRITE) | BIT(IO_ZERO) },
    { "pwritev", BIT(IO_WRITE) }, { "pwritev_zero", BIT(IO_ZERO) }, { "flush_to_disk", BIT(IO_FLUSH) },
    { "none", 0 },
};
static const char *const kinds[IO_KINDS] = { "read", "write", "write-zeroes", "discard", "flush",
                                             "block-status" };

/* --- rules --- */

static bool set_event(Rule *r, const char *value, Error **errp)
{
    GString *list = g_string_new("");

    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        if (strcmp(events[i].name, value) == 0) {
            r->kinds = events[i].kinds;
            g_string_free(list, true);
            return true;
        }
        g_string_append_printf(list, "%s%s", i ? ", " : "", events[i].name);
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid event name \"%s\"; accepted: %s", value, list->str);
    g_string_free(list, true);
    return false;
}

static bool set_kind(Rule *r, const char *value, Error **errp)
{
    for (int i = 0; i < IO_KINDS; i++) {
        if (strcmp(kinds[i], value) == 0) {
            r->kinds = BIT(i);
            return true;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'iotype' is '%s'; accepted: read, write, write-zeroes, discard, "
               "flush, block-status", value);
    return false;
}

static bool set_member(Rule *r, const char *key, const char *value, Error **errp)
{
    char *end;
    long long n = strtoll(value, &end, 0);
    bool number = *value && !*end;

    if (!strcmp(key, "event")) {
        return set_event(r, value, errp);
    }
    if (!strcmp(key, "iotype") && !r->sets_state) {
        return set_kind(r, value, errp);
    }
    if (!strcmp(key, "once") || !strcmp(key, "immediately")) {
        r->once |= *key == 'o' && (!strcmp(value, "on") || !strcmp(value, "true"));
        return true;
    }
    if (number && n >= 0 && n <= 1000000 && !strcmp(key, "state")) {
        r->state = n;
    } else if (number && n >= 0 && n <= 1000000 && !strcmp(key, "new_state") && r->sets_state) {
        r->new_state = n;
    } else if (number && n > 0 && n < 4096 && !strcmp(key, "errno") && !r->sets_state) {
        r->error = n;
    } else if (number && n >= -1 && !strcmp(key, "sector") && !r->sets_state) {
        r->sector = n;
    } else {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' of a rule is '%s', which isn't known", key, value);
        return false;
    }
    return true;
}

static Rule *new_rule(DebugNode *s, bool sets_state, Error **errp)
{
    Rule *r;

    if (s->n_rules == MAX_RULES) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there are more than %d rules", MAX_RULES);
        return NULL;
    }
    r = &s->rules[s->n_rules++];
    *r = (Rule){ .sets_state = sets_state, .error = EIO, .sector = -1 };
    return r;
}

/* A file of sections and lines KEY = "VALUE". */
static bool read_config(DebugNode *s, const char *name, Error **errp)
{
    char *text, **lines;
    GError *gerr = NULL;
    Rule *r = NULL;
    bool ok = true;

    if (!g_file_get_contents(name, &text, NULL, &gerr)) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "Could not read blkdebug config file: %s", gerr->message);
        g_error_free(gerr);
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i] && ok; i++) {
        char *line = g_strstrip(lines[i]), *eq = strchr(line, '=');

        if (!*line || *line == '#') {
            continue;
        }
        if (*line == '[') {
            bool state = !strcmp(line, "[set-state]");

            ok = state || !strcmp(line, "[inject-error]");
            r = ok ? new_rule(s, state, errp) : NULL;
            if (!ok) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "%s:%d: there is no group %s", name, i + 1, line);
            }
            ok = r;
        } else if (!eq || !r) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "%s:%d: parse error", name, i + 1);
            ok = false;
        } else {
            char *value = g_strstrip(eq + 1);
            size_t len = strlen(value);

            *eq = 0;
            if (len >= 2 && *value == '"' && value[len - 1] == '"') {
                value[len - 1] = 0;
                value++;
            }
            ok = set_member(r, g_strstrip(line), value, errp);
        }
    }
    g_strfreev(lines);
    g_free(text);
    return ok;
}

static char *as_text(const QObject *o)
{
    bool b;
    int64_t n;

    if (qobject_get_bool(o, "", &b, NULL)) {
        return g_strdup(b ? "on" : "off");
    }
    if (qobject_get_int(o, "", &n, NULL)) {
        return g_strdup_printf("%" PRId64, n);
    }
    return g_strdup(qobject_to_string(o) ? qobject_get_str(o, "", NULL) : "");
}

static bool from_dict(Rule *r, const QDict *d, Error **errp)
{
    QDICT_FOR_EACH(e, d) {
        char *value = as_text(e->value);
        bool ok = set_member(r, e->key, value, errp);

        g_free(value);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* A list of objects, or members "inject-error.0.event". */
static bool read_rules(DebugNode *s, const QDict *opts, const char *key, bool sets_state, Error **errp)
{
    QList *list = qobject_to_list(qdict_get(opts, key));

    for (size_t i = 0; list && i < qlist_size(list); i++) {
        QDict *d = qobject_get_dict(qlist_get(list, i), key, errp);
        Rule *r = d ? new_rule(s, sets_state, errp) : NULL;

        if (!r || !from_dict(r, d, errp)) {
            return false;
        }
    }
    for (unsigned i = 0; !list && i < MAX_RULES; i++) {
        char *prefix = g_strdup_printf("%s.%u.", key, i);
        size_t len = strlen(prefix);
        QDict *d = qdict_new();
        bool ok = true;
        Rule *r;

        QDICT_FOR_EACH(e, opts) {
            if (strncmp(e->key, prefix, len) == 0) {
                qdict_put(d, e->key + len, qobject_ref(e->value));
            }
        }
        if (qdict_size(d) > 0) {
            r = new_rule(s, sets_state, errp);
            ok = r && from_dict(r, d, errp);
        }
        len = qdict_size(d);
        qobject_unref(d);
        g_free(prefix);
        if (!ok || len == 0) {
            return ok;
        }
    }
    return true;
}

static bool debug_open(BlockNode *n, const QDict *opts, Error **errp)
{
    DebugNode *s = n->state;
    const char *config = qdict_str_or(opts, "config", NULL);

    s->state = 1;
    if ((config && *config && !read_config(s, config, errp)) ||
        !read_rules(s, opts, "inject-error", false, errp) ||
        !read_rules(s, opts, "set-state", true, errp)) {
        return false;
    }
    mutex_init(&s->lock);
    n->read_only |= n->file->read_only;
    n->grows = n->file->grows;
    n->discard = true;
    n->filename = g_strdup(n->file->filename);
    return true;
}

static void debug_close(BlockNode *n)
{
    mutex_destroy(&((DebugNode *)n->state)->lock);
}

/* --- requests --- */

/* What the rules say: 0 or -errno; states change afterwards. */
static int event(BlockNode *n, Io io, uint64_t offset, uint64_t len)
{
    DebugNode *s = n->state;
    unsigned state, next;
    int error = 0;

    MUTEX_GUARD(&s->lock);
    state = next = s->state;
    for (unsigned i = 0; i < s->n_rules; i++) {
        Rule *r = &s->rules[i];
        bool here = r->sector < 0 || ((uint64_t)r->sector * 512 < offset + len &&
                                      (uint64_t)r->sector * 512 + 512 > offset);

        if (!(r->kinds & BIT(io)) || (r->state && r->state != state) || r->used || !here) {
            continue;
        }
        if (r->sets_state) {
            next = r->new_state;
        } else if (!error) {
            error = -r->error;
            r->used = r->once;
        }
    }
    s->state = next;
    return error;
}

static int64_t debug_length(BlockNode *n)
{
    return block_length(n->file);
}

static int coroutine_fn debug_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    int r = event(n, IO_READ, offset, iov_size(iov, niov));

    return r < 0 ? r : block_co_preadv(n->file, offset, iov, niov);
}

static int coroutine_fn debug_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    int r = event(n, IO_WRITE, offset, iov_size(iov, niov));

    return r < 0 ? r : block_co_pwritev(n->file, offset, iov, niov);
}

static int coroutine_fn debug_co_flush(BlockNode *n)
{
    int r = event(n, IO_FLUSH, 0, UINT64_MAX);

    return r < 0 ? r : block_co_flush(n->file);
}

static int coroutine_fn debug_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    int r = event(n, IO_DISCARD, offset, len);

    return r < 0 ? r : block_co_discard(n->file, offset, len);
}

static int coroutine_fn debug_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    int r = event(n, IO_ZERO, offset, len);

    return r < 0 ? r : block_co_zero(n->file, offset, len, flags);
}

static int coroutine_fn debug_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    int r = event(n, IO_STATUS, offset, len);

    return r < 0 ? r : block_co_status(n->file, offset, len, st);
}

static const char *const debug_options[] = { "image", "config", "inject-error", "set-state", NULL };

static BlockDriver driver_blkdebug = {
    .name = "blkdebug", .options = debug_options, .state_size = sizeof(DebugNode), .is_filter = true,
    .open = debug_open, .close = debug_close, .length = debug_length, .co_preadv = debug_co_preadv,
    .co_pwritev = debug_co_pwritev, .co_flush = debug_co_flush, .co_discard = debug_co_discard,
    .co_zero = debug_co_zero, .co_truncate = format_truncate_file, .co_status = debug_co_status,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_blkdebug);
}
