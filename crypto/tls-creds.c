/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all kinds of credentials have in common. */
#include "util/osdep.h"
#include "config.h"
#ifdef CONFIG_GNUTLS
#include <glib.h>
#include <gnutls/gnutls.h>
#include <unistd.h>
#include "crypto/tls-creds-int.h"
#include "util/lazy-lib.h"

struct TlsCredsData {
    _Atomic unsigned refs;
    int type;
    void *handle;
};

TlsCredsData *tls_creds_data_new(int type, void *creds)
{
    TlsCredsData *d = g_new0(TlsCredsData, 1);

    d->refs = 1;
    d->type = type;
    d->handle = creds;
    return d;
}

int tls_creds_data_type(const TlsCredsData *d)
{
    return d->type;
}

void *tls_creds_data_handle(const TlsCredsData *d)
{
    return d->handle;
}

TlsCredsData *tls_creds_data_of(TlsCreds *c)
{
    MUTEX_GUARD(&c->lock);
    c->data->refs++;
    return c->data;
}

void tls_creds_data_unref(TlsCredsData *d)
{
    if (!d || --d->refs > 0) {
        return;
    }
    switch (d->type) {
    case GNUTLS_CRD_CERTIFICATE:
        gnutls_certificate_free_credentials(d->handle);
        break;
    case GNUTLS_CRD_ANON:           /* server's: the client's is another type */
        gnutls_anon_free_server_credentials(d->handle);
        break;
    case -GNUTLS_CRD_ANON:
        gnutls_anon_free_client_credentials(d->handle);
        break;
    case GNUTLS_CRD_PSK:
        gnutls_psk_free_server_credentials(d->handle);
        break;
    case -GNUTLS_CRD_PSK:
        gnutls_psk_free_client_credentials(d->handle);
        break;
    }
    g_free(d);
}

char *tls_creds_file(const TlsCreds *c, const char *name, bool needed, Error **errp)
{
    char *path = g_build_filename(c->dir ? c->dir : "", name, NULL);

    if (c->dir && access(path, R_OK) == 0) {
        return path;
    }
    if (!c->dir && needed) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "%s: 'dir' is missing: the folder of '%s'",
                   object_type_name(c), name);
    } else if (needed || (c->dir && errno != ENOENT)) {
        error_set_errno(errp, errno, "%s: can't read '%s'", object_type_name(c), path);
    }
    g_free(path);
    return NULL;
}

static const TlsCredsKind *kind_of(const TlsCreds *c)
{
    return type_info(c->parent.type)->data;
}

char *tls_creds_priority(const TlsCreds *c)
{
    const char *more = kind_of(c)->priority;

    return g_strdup_printf("%s%s%s", c->priority ? c->priority : "NORMAL", more ? ":" : "",
                           more ? more : "");
}

bool tls_creds_complete(Object *obj, Error **errp)
{
    TlsCreds *c = TLS_CREDS(obj);
    const char *missing = lazy_lib_load("libgnutls.");
    char *priority;
    gnutls_priority_t p;
    int rc;

    if (missing) {
        error_setf(errp, ERR_HOST, "%s: no TLS: %s", object_type_name(c), missing);
        return false;
    }
    priority = tls_creds_priority(c);
    rc = gnutls_priority_init(&p, priority, NULL);
    if (rc != 0) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "%s: priority '%s': %s", object_type_name(c),
                   priority, gnutls_strerror(rc));
        g_free(priority);
        return false;
    }
    gnutls_priority_deinit(p);
    g_free(priority);
    c->data = kind_of(c)->load(c, errp);
    return c->data;
}

bool tls_creds_reload(TlsCreds *c, Error **errp)
{
    TlsCredsData *fresh = kind_of(c)->load(c, errp), *old;

    if (!fresh) {
        return false;
    }
    mutex_lock(&c->lock);
    old = c->data;
    c->data = fresh;
    mutex_unlock(&c->lock);
    tls_creds_data_unref(old);
    return true;
}

bool tls_creds_is_x509(const TlsCreds *c)
{
    return object_is_a(c, "tls-creds-x509");
}

bool tls_creds_is_anon(const TlsCreds *c)
{
    return object_is_a(c, "tls-creds-anon");
}

static void creds_init(Object *obj)
{
    mutex_init(&TLS_CREDS(obj)->lock);
}

static void creds_finalize(Object *obj)
{
    tls_creds_data_unref(TLS_CREDS(obj)->data);
    mutex_destroy(&TLS_CREDS(obj)->lock);
}

static const char *const endpoint_names[] = { "client", "server", NULL };

static const Property creds_props[] = {
    PROP_ENUM("endpoint", TlsCreds, endpoint, TLS_ENDPOINT_CLIENT, endpoint_names,
              "which end of the connections: client, server"),
    PROP_STR("dir", TlsCreds, dir, NULL, "the folder with the files"),
    PROP_BOOL("verify-peer", TlsCreds, verify_peer, true, "check the other end's identity"),
    PROP_STR("priority", TlsCreds, priority, NULL, "GnuTLS's priority string; default NORMAL"),
    PROP_BOOL("loaded", TlsCreds, loaded, false, "accepted; files are read when it is made"),
    PROP_END
};

static const TypeInfo creds_type = {
    .name = TYPE_TLS_CREDS, .size = sizeof(TlsCreds), .abstract = true, .props = creds_props,
    .init = creds_init, .complete = tls_creds_complete, .finalize = creds_finalize,
};
TYPE(creds_type)

TlsCreds *tls_creds_get(const char *id, bool server, Error **errp)
{
    Object *obj = user_object_find(id, TYPE_TLS_CREDS, NULL);
    TlsCreds *c = obj ? TLS_CREDS(obj) : NULL;

    if (!c) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "there are no TLS credentials '%s'", id);
        error_hint(errp, "-object tls-creds-x509, tls-creds-anon and tls-creds-psk make them");
        return NULL;
    }
    if ((c->endpoint == TLS_ENDPOINT_SERVER) != server) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the TLS credentials '%s' are for a %s; accepted: "
                   "endpoint=%s", id, server ? "client" : "server", server ? "server" : "client");
        return NULL;
    }
    return object_ref(c);
}

#else
#include "crypto/tls-creds.h"

TlsCreds *tls_creds_get(UNUSED const char *id, UNUSED bool server, Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "TLS needs GnuTLS, which this build is without");
    return NULL;
}

bool tls_creds_is_x509(UNUSED const TlsCreds *c)
{
    return false;
}

bool tls_creds_is_anon(UNUSED const TlsCreds *c)
{
    return false;
}

bool tls_creds_reload(UNUSED TlsCreds *c, UNUSED Error **errp)
{
    return true;
}
#endif
