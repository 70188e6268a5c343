/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NBD server's side of negotiating (P "Newstyle negotiation"). */
#include "util/osdep.h"
#include "block/nbd-int.h"
#include "util/bswap.h"

enum { OPTION_MAX = 64 * 1024 };

static bool coroutine_fn reply_option(NbdPeer *c, uint32_t option, uint32_t type, const void *data, uint32_t len,
                                      Error **errp)
{
    uint8_t head[20];
    struct iovec v[2] = { { head, sizeof(head) }, { (void *)data, len } };

    store_be64(head, NBD_REP_MAGIC);
    store_be32(head + 8, option);
    store_be32(head + 12, type);
    store_be32(head + 16, len);
    return nbd_writev(&c->st, v, 2, errp);
}

static bool coroutine_fn refuse_option(NbdPeer *c, uint32_t option, uint32_t type, const char *text, Error **errp)
{
    return reply_option(c, option, type, text, strlen(text), errp);
}

static uint16_t export_flags(const NbdPeer *c, const NbdExport *e)
{
    return NBD_HAS_FLAGS | NBD_SEND_FLUSH | NBD_CAN_MULTI_CONN | NBD_SEND_CACHE | (c->structured ? NBD_SEND_DF : 0) |
           (e->writable ? NBD_SEND_FUA | NBD_SEND_TRIM | NBD_SEND_WRITE_ZEROES : NBD_READ_ONLY);
}

/* Names are copied first: exports come and go while they are sent. */
static bool coroutine_fn list_exports(NbdPeer *c, Error **errp)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    bool ok = true;

    for (NbdExport *e = nbd_export_first(); e; e = e->next) {
        g_ptr_array_add(names, g_strdup(e->name));
    }
    for (unsigned i = 0; ok && i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        uint32_t len = strlen(name);
        uint8_t *b = g_malloc(4 + len);

        store_be32(b, len);
        memcpy(b + 4, name, len);
        ok = reply_option(c, NBD_OPT_LIST, NBD_REP_SERVER, b, 4 + len, errp);
        g_free(b);
    }
    g_ptr_array_unref(names);
    return ok && reply_option(c, NBD_OPT_LIST, NBD_REP_ACK, NULL, 0, errp);
}

static bool coroutine_fn tell_export(NbdPeer *c, uint32_t option, const NbdExport *e, Error **errp)
{
    uint8_t info[14];

    store_be16(info, NBD_INFO_EXPORT);
    store_be64(info + 2, blk_length(e->blk));
    store_be16(info + 10, export_flags(c, e));
    if (!reply_option(c, option, NBD_REP_INFO, info, 12, errp)) {
        return false;
    }
    if (e->description) {
        size_t len = strlen(e->description);
        uint8_t *text = g_malloc(2 + len);
        bool ok;

        store_be16(text, NBD_INFO_DESCRIPTION);
        memcpy(text + 2, e->description, len);
        ok = reply_option(c, option, NBD_REP_INFO, text, 2 + len, errp);
        g_free(text);
        if (!ok) {
            return false;
        }
    }
    store_be16(info, NBD_INFO_BLOCK_SIZE);
    store_be32(info + 2, 1);
    store_be32(info + 6, 4096);
    store_be32(info + 10, NBD_DATA_MAX);
    return reply_option(c, option, NBD_REP_INFO, info, 14, errp) &&
           reply_option(c, option, NBD_REP_ACK, NULL, 0, errp);
}

/* Transmission begins. Contexts of another export don't count. */
static void choose(NbdPeer *c, NbdExport *e)
{
    c->e = e;
    if (c->contexts && c->contexts_of != e->serial) {
        g_clear_pointer(&c->contexts, g_free);
    }
}

/* INFO and GO: length of the name, the name, what else the client asks for. */
static bool coroutine_fn go(NbdPeer *c, uint32_t option, const uint8_t *data, uint32_t len, bool *chosen,
                            Error **errp)
{
    uint32_t name_len = len >= 6 ? load_be32(data) : UINT32_MAX;
    NbdExport *e;
    bool ok;

    if (len < 6 || name_len > len - 6) {
        return refuse_option(c, option, NBD_REP_ERR_INVALID, "the name is longer than the option", errp);
    }
    e = nbd_export_by_name((const char *)data + 4, name_len);
    if (!e) {
        return refuse_option(c, option, NBD_REP_ERR_UNKNOWN, "there is no export of that name", errp);
    }
    c->e = e;
    ok = tell_export(c, option, e, errp);
    c->e = NULL;
    if (ok && option == NBD_OPT_GO) {
        choose(c, e);
        *chosen = true;
    }
    return ok;
}

static bool coroutine_fn export_name(NbdPeer *c, const uint8_t *data, uint32_t len, Error **errp)
{
    NbdExport *e = nbd_export_by_name((const char *)data, len);
    uint8_t b[10 + 124] = { 0 };

    if (!e) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "no export of that name");
        return false;               /* P: the only answer that there is */
    }
    store_be64(b, blk_length(e->blk));
    store_be16(b + 8, export_flags(c, e));
    choose(c, e);
    return nbd_write(&c->st, b, c->no_zeroes ? 10 : sizeof(b), errp);
}

static bool coroutine_fn structured_reply(NbdPeer *c, uint32_t len, Error **errp)
{
    if (len) {
        return refuse_option(c, NBD_OPT_STRUCTURED_REPLY, NBD_REP_ERR_INVALID, "STRUCTURED_REPLY has no data", errp);
    }
    c->structured = true;
    return reply_option(c, NBD_OPT_STRUCTURED_REPLY, NBD_REP_ACK, NULL, 0, errp);
}

/* --- metadata contexts (P "Metadata querying") --- */

typedef struct Text {
    const uint8_t *at;
    uint32_t len;
} Text;

static bool take_number(Text *in, uint32_t *n)
{
    if (in->len < 4) {
        return false;
    }
    *n = load_be32(in->at);
    in->at += 4;
    in->len -= 4;
    return true;
}

/* A length and so many bytes. */
static bool take_text(Text *in, Text *out)
{
    if (!take_number(in, &out->len) || out->len > in->len) {
        return false;
    }
    out->at = in->at;
    in->at += out->len;
    in->len -= out->len;
    return true;
}

/* With LIST, a query that ends in a colon is for all that begin so. */
static bool matches(const char *name, const Text *query, bool wildcards)
{
    size_t len = strlen(name);

    return query->len && query->len <= len && memcmp(name, query->at, query->len) == 0 &&
           (query->len == len || (wildcards && query->at[query->len - 1] == ':'));
}

/* Sets @chosen by @n names, of which some may be NULL. False: the queries aren't well formed. */
static bool take_queries(Text *in, bool list, char *const *names, unsigned n, bool *chosen)
{
    uint32_t queries;
    Text query;

    if (!take_number(in, &queries)) {
        return false;
    }
    for (unsigned id = 0; id < n && queries == 0 && list; id++) {
        chosen[id] = names[id];
    }
    while (queries-- > 0) {
        if (!take_text(in, &query)) {
            return false;
        }
        for (unsigned id = 0; id < n; id++) {
            chosen[id] |= names[id] && matches(names[id], &query, list);
        }
    }
    return in->len == 0;
}

static bool coroutine_fn tell_context(NbdPeer *c, uint32_t option, unsigned id, const char *name, Error **errp)
{
    size_t len = strlen(name);
    uint8_t *b = g_malloc(4 + len);
    bool ok;

    store_be32(b, option == NBD_OPT_SET_META_CONTEXT ? id : 0);
    memcpy(b + 4, name, len);
    ok = reply_option(c, option, NBD_REP_META_CONTEXT, b, 4 + len, errp);
    g_free(b);
    return ok;
}

static bool coroutine_fn tell_contexts(NbdPeer *c, uint32_t option, NbdExport *e, Text *in, Error **errp)
{
    unsigned n = nbd_contexts(e);
    char **names = g_new0(char *, n);
    bool *chosen = g_new0(bool, n), ok = true;

    for (unsigned id = 0; id < n; id++) {
        names[id] = nbd_context_name(e, id);
    }
    if (!take_queries(in, option == NBD_OPT_LIST_META_CONTEXT, names, n, chosen)) {
        ok = refuse_option(c, option, NBD_REP_ERR_INVALID, "the queries don't fit into the option", errp);
    } else {
        if (option == NBD_OPT_SET_META_CONTEXT) {
            c->contexts_of = e->serial;
            c->contexts = g_memdup2(chosen, n * sizeof(*chosen));
        }
        for (unsigned id = 0; id < n && ok; id++) {
            ok = !chosen[id] || tell_context(c, option, id, names[id], errp);
        }
        ok = ok && reply_option(c, option, NBD_REP_ACK, NULL, 0, errp);
    }
    for (unsigned id = 0; id < n; id++) {
        g_free(names[id]);
    }
    g_free(names);
    g_free(chosen);
    return ok;
}

static bool coroutine_fn meta_context(NbdPeer *c, uint32_t option, const uint8_t *data, uint32_t len, Error **errp)
{
    Text in = { data, len }, name;
    NbdExport *e;
    bool ok;

    if (option == NBD_OPT_SET_META_CONTEXT) {
        g_clear_pointer(&c->contexts, g_free);
    }
    if (!c->structured) {
        return refuse_option(c, option, NBD_REP_ERR_INVALID, "contexts need structured replies", errp);
    }
    if (!take_text(&in, &name)) {
        return refuse_option(c, option, NBD_REP_ERR_INVALID, "the name is longer than the option", errp);
    }
    e = nbd_export_by_name((const char *)name.at, name.len);
    if (!e) {
        return refuse_option(c, option, NBD_REP_ERR_UNKNOWN, "there is no export of that name", errp);
    }
    c->e = e;
    ok = tell_contexts(c, option, e, &in, errp);
    c->e = NULL;
    return ok;
}

/* --- all of them --- */

static bool coroutine_fn start_tls(NbdPeer *c, uint32_t len, Error **errp)
{
    if (len || c->st.tls || !c->creds) {
        return refuse_option(c, NBD_OPT_STARTTLS, c->creds ? NBD_REP_ERR_INVALID : NBD_REP_ERR_POLICY,
                             "no TLS here", errp);
    }
    return reply_option(c, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL, 0, errp) &&
           nbd_start_tls(&c->st, c->creds, NULL, c->authz, errp);
}

static bool coroutine_fn one_option(NbdPeer *c, bool *chosen, Error **errp)
{
    uint8_t head[16], *data;
    uint32_t option, len;
    bool ok;

    if (!nbd_read(&c->st, head, sizeof(head), errp)) {
        return false;
    }
    option = load_be32(head + 8);
    len = load_be32(head + 12);
    if (load_be64(head) != NBD_OPTS_MAGIC) {
        error_setf(errp, ERR_PROTOCOL, "a wrong magic number");
        return false;
    }
    if (len > OPTION_MAX) {
        return nbd_skip(&c->st, len, errp) && option != NBD_OPT_EXPORT_NAME &&
               refuse_option(c, option, NBD_REP_ERR_TOO_BIG, "the option is too long", errp);
    }
    data = g_malloc(len + 1);
    ok = nbd_read(&c->st, data, len, errp);
    if (!ok) {
        /* errp is set */
    } else if (c->creds && !c->st.tls && option != NBD_OPT_STARTTLS && option != NBD_OPT_ABORT) {
        ok = option != NBD_OPT_EXPORT_NAME &&
             refuse_option(c, option, NBD_REP_ERR_TLS_REQD, "this server wants TLS", errp);
    } else {
        switch (option) {
        case NBD_OPT_EXPORT_NAME:
            ok = export_name(c, data, len, errp);
            *chosen = ok;
            break;
        case NBD_OPT_ABORT:
            reply_option(c, option, NBD_REP_ACK, NULL, 0, errp);
            ok = false;
            break;
        case NBD_OPT_LIST:
            ok = len ? refuse_option(c, option, NBD_REP_ERR_INVALID, "LIST has no data", errp)
                     : list_exports(c, errp);
            break;
        case NBD_OPT_STARTTLS:
            ok = start_tls(c, len, errp);
            break;
        case NBD_OPT_INFO:
        case NBD_OPT_GO:
            ok = go(c, option, data, len, chosen, errp);
            break;
        case NBD_OPT_STRUCTURED_REPLY:
            ok = structured_reply(c, len, errp);
            break;
        case NBD_OPT_LIST_META_CONTEXT:
        case NBD_OPT_SET_META_CONTEXT:
            ok = meta_context(c, option, data, len, errp);
            break;
        default:
            ok = refuse_option(c, option, NBD_REP_ERR_UNSUP, "the option isn't supported", errp);
        }
    }
    g_free(data);
    return ok;
}

bool coroutine_fn nbd_negotiate(NbdPeer *c, Error **errp)
{
    bool chosen = false;
    uint8_t b[18];
    uint32_t flags;

    store_be64(b, NBD_MAGIC);
    store_be64(b + 8, NBD_OPTS_MAGIC);
    store_be16(b + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
    if (!nbd_write(&c->st, b, sizeof(b), errp) || !nbd_read(&c->st, b, 4, errp)) {
        return false;
    }
    flags = load_be32(b);
    if (flags & ~(uint32_t)(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES)) {
        error_setf(errp, ERR_PROTOCOL, "flags 0x%x aren't known", flags);
        return false;
    }
    c->no_zeroes = flags & NBD_FLAG_NO_ZEROES;
    while (!chosen) {
        if (!one_option(c, &chosen, errp)) {
            return false;
        }
    }
    return true;
}
