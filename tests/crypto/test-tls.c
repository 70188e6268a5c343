/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS sessions of two ends in one process, for each kind of credentials. */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "crypto/tls-session.h"
#include "qobject/json.h"
#include "tests/lib/test.h"
#include "tests/lib/tls-files.h"
#include "util/coroutine.h"
#include "util/main-loop.h"

typedef struct End {
    TlsSession *tls;
    int fd;
    bool done, ok;
    char *error;
} End;

static bool creds(Test *t, const char *type, const char *id, const char *more, Error **errp)
{
    char *json = g_strdup_printf("{'dir': '%s', %s}", test_tmpdir(t), more);
    QDict *d = json_parse_dict(g_strdelimit(json, "'", '"'), NULL);
    bool ok = user_object_new(type, id, d, true, errp);

    qobject_unref(d);
    g_free(json);
    return ok;
}

static void shake(void *opaque)
{
    End *e = opaque;
    Error *err = NULL;

    e->ok = tls_handshake_co(e->tls, e->fd, &err);
    if (!e->ok) {
        e->error = g_strdup(error_message(err));
        error_free(err);
        shutdown(e->fd, SHUT_RDWR);
    }
    e->done = true;
}

static void end_free(End *e)
{
    tls_session_free(e->tls);
    close(e->fd);
    g_free(e->error);
}

/* Both ends shake hands; whether each was content. */
static void pair(Test *t, End *a, End *b, const char *host, const char *authz)
{
    Error *err = NULL;
    TlsCreds *sc = tls_creds_get("server", true, &err), *cc = tls_creds_get("client", false, &err);
    int fd[2];

    memset(a, 0, sizeof(*a));
    memset(b, 0, sizeof(*b));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0) {
        abort();
    }
    a->fd = fd[0];
    b->fd = fd[1];
    a->tls = tls_session_new_fd(sc, NULL, authz, fd[0], &err);
    b->tls = tls_session_new_fd(cc, host, NULL, fd[1], &err);
    check_true(t, a->tls && b->tls, err ? error_message(err) : "sessions");
    object_unref(sc);
    object_unref(cc);
    co_start(shake, a);
    co_start(shake, b);
    main_loop_run_until(&a->done);
    main_loop_run_until(&b->done);
}

static void talk(Test *t, End *a, End *b)
{
    static uint8_t sent[100000], got[sizeof(sent)];
    size_t out = 0, in = 0;

    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = i * 7 + (i >> 8);
    }
    while (in < sizeof(sent)) {
        ssize_t n = out < sizeof(sent) ? tls_write(a->tls, sent + out, sizeof(sent) - out) : 0;

        out += MAX(n, 0);
        n = tls_read(b->tls, got + in, sizeof(got) - in);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            test_fail(t, "reading ended after %zu bytes: %s", in, strerror(errno));
            return;
        }
        in += MAX(n, 0);
    }
    check_mem(t, got, sent, sizeof(sent), "what was sent");
}

static void drop_all(void)
{
    user_object_delete("server", NULL);
    user_object_delete("client", NULL);
}

static bool begin(Test *t)
{
    main_loop_init();
    if (!tls_files_make(test_tmpdir(t))) {
        test_skip(t, "this build has no TLS");
        return false;
    }
    return true;
}

TEST(tls, x509)
{
    End a, b;

    if (!begin(t)) {
        return;
    }
    check_true(t, creds(t, "tls-creds-x509", "server", "'endpoint': 'server'", NULL), "server");
    check_true(t, creds(t, "tls-creds-x509", "client", "'endpoint': 'client'", NULL), "client");
    check_true(t, !tls_creds_get("server", false, NULL), "a server's aren't a client's");
    pair(t, &a, &b, "localhost", NULL);
    check_true(t, a.ok && b.ok, a.error ? a.error : b.error ? b.error : "both are content");
    check_str(t, tls_peer_name(a.tls), "CN=viewer,O=Tests", "the client's name");
    talk(t, &a, &b);
    end_free(&a);
    end_free(&b);

    pair(t, &a, &b, "elsewhere.example", NULL);
    check_true(t, !b.ok && b.error && strstr(b.error, "isn't for the host"), "the host is checked");
    end_free(&a);
    end_free(&b);
    drop_all();
}

TEST(tls, authorization)
{
    QDict *d = qdict_from_fmt("{'identity': 'CN=somebody'}");
    End a, b;

    if (!begin(t)) {
        qobject_unref(d);
        return;
    }
    user_object_new("authz-simple", "who", d, true, NULL);
    qobject_unref(d);
    creds(t, "tls-creds-x509", "server", "'endpoint': 'server'", NULL);
    creds(t, "tls-creds-x509", "client", "'endpoint': 'client'", NULL);
    pair(t, &a, &b, "localhost", "who");
    check_true(t, !a.ok && a.error && strstr(a.error, "doesn't allow"), "the name is checked");
    end_free(&a);
    end_free(&b);
    user_object_delete("who", NULL);
    drop_all();
}

TEST(tls, client_without_certificate)
{
    char *path;
    End a, b;

    if (!begin(t)) {
        return;
    }
    path = g_build_filename(test_tmpdir(t), "client-cert.pem", NULL);
    unlink(path);
    g_free(path);
    creds(t, "tls-creds-x509", "server", "'endpoint': 'server'", NULL);
    creds(t, "tls-creds-x509", "client", "'endpoint': 'client'", NULL);
    pair(t, &a, &b, "localhost", NULL);
    check_true(t, !a.ok && a.error && strstr(a.error, "no certificate"), "verify-peer asks for one");
    end_free(&a);
    end_free(&b);
    drop_all();
    creds(t, "tls-creds-x509", "server", "'endpoint': 'server', 'verify-peer': false", NULL);
    creds(t, "tls-creds-x509", "client", "'endpoint': 'client'", NULL);
    pair(t, &a, &b, "localhost", NULL);
    check_true(t, a.ok && b.ok, "without verify-peer it may come");
    end_free(&a);
    end_free(&b);
    drop_all();
}

TEST(tls, anonymous_and_psk)
{
    static const char *const types[] = { "tls-creds-anon", "tls-creds-psk" };

    if (!begin(t)) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        End a, b;

        check_true(t, creds(t, types[i], "server", "'endpoint': 'server'", NULL), types[i]);
        check_true(t, creds(t, types[i], "client",
                            i ? "'endpoint': 'client', 'username': 'viewer'"
                              : "'endpoint': 'client'", NULL), types[i]);
        pair(t, &a, &b, NULL, NULL);
        if (check_true(t, a.ok && b.ok, a.error ? a.error : b.error ? b.error : types[i])) {
            talk(t, &a, &b);
        }
        end_free(&a);
        end_free(&b);
        drop_all();
    }
}

TEST(tls, bad_files)
{
    Error *err = NULL;

    if (!begin(t)) {
        return;
    }
    check_true(t, !creds(t, "tls-creds-psk", "c", "'endpoint': 'client', 'username': 'x'", &err) &&
                  strstr(error_message(err), "no key for 'x'"), "a name without a key");
    error_free(err);
    err = NULL;
    check_true(t, !creds(t, "tls-creds-x509", "c", "'priority': 'NONSENSE'", &err) &&
                  strstr(error_message(err), "priority"), "a priority that isn't one");
    error_free(err);
    err = NULL;
    check_true(t, creds(t, "tls-creds-x509", "server", "'endpoint': 'server'", NULL), "good ones");
    tls_files_spoil(test_tmpdir(t), false);
    check_true(t, !creds(t, "tls-creds-x509", "c", "'endpoint': 'server'", &err) &&
                  strstr(error_message(err), "isn't signed"), "signed by somebody else");
    error_free(err);
    err = NULL;
    {
        TlsCreds *c = tls_creds_get("server", true, NULL);

        check_true(t, !tls_creds_reload(c, NULL), "a reload of bad files fails");
        tls_files_make(test_tmpdir(t));
        check_true(t, tls_creds_reload(c, NULL), "and of good ones doesn't");
        object_unref(c);
    }
    tls_files_spoil(test_tmpdir(t), true);
    check_true(t, !creds(t, "tls-creds-x509", "c", "'endpoint': 'server'", &err) &&
                  strstr(error_message(err), "has expired"), "an expired one");
    error_free(err);
    drop_all();
}
