/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Security, websockets, sharing, limits, input, pseudo-encodings, clipboard. */
#include "util/osdep.h"
#include "config.h"
#include <glib.h>
#include <zlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "audio/audio.h"
#include "qapi/commands-ui.h"
#include "qom/object.h"
#include "qobject/qobject.h"
#include "tests/lib/tls-files.h"
#include "tests/lib/vnc-fixture.h"
#include "ui/core/clip-image.h"
#include "ui/core/clipboard.h"
#include "ui/core/input.h"
#include "ui/core/keymap.h"
#include "ui/vnc/vnc.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/timer.h"

static void fail(Fixture *f, const RfbClient *c, const char *what)
{
    test_fail(f->t, "%s: %s", what, c->error);
}

/* Whether it gets in and sees the screen. */
static bool enters(Fixture *f, const RfbLogin *login)
{
    const char *where = login->websocket ? f->where_ws : f->where;
    RfbClient c;
    bool ok = rfb_open(&c, rfb_connect(where), login) && rfb_update(&c, true) &&
              fixture_wrong(f, &c) == 0;

    if (!ok) {
        test_note(f->t, "%s", c.error);
    }
    rfb_close(&c);
    return ok;
}

/* --- passwords --- */

static void set_password(void *arg)
{
    SetPasswordOptions o = { .protocol = DISPLAY_PROTOCOL_VNC, .password = arg };
    Error *err = NULL;

    if (!qmp_set_password(&o, &err)) {
        fprintf(stderr, "%s\n", error_message(err));
        error_free(err);
    }
}

static void expire(void *arg)
{
    ExpirePasswordOptions o = { .protocol = DISPLAY_PROTOCOL_VNC, .time = arg };

    qmp_expire_password(&o, NULL);
}

static void passwords(Fixture *f, UNUSED void *arg)
{
    static const char *const versions[] = { "003.008", "003.007", "003.003" };

    check_true(f->t, !enters(f, &(RfbLogin){ .password = "" }), "no password is set: nobody enters");
    fixture_main(set_password, "secret");
    for (unsigned i = 0; i < ARRAY_SIZE(versions); i++) {
        check_true(f->t, enters(f, &(RfbLogin){ .version = versions[i], .password = "secret" }),
                   versions[i]);
        check_true(f->t, !enters(f, &(RfbLogin){ .version = versions[i], .password = "Secret" }),
                   versions[i]);
    }
    check_true(f->t, !enters(f, &(RfbLogin){ 0 }), "without a password");
    fixture_main(expire, "now");
    check_true(f->t, !enters(f, &(RfbLogin){ .password = "secret" }), "it has expired");
    fixture_main(expire, "+100");
    check_true(f->t, enters(f, &(RfbLogin){ .password = "secret" }), "it will expire");
    fixture_main(set_password, "longer than eight");
    check_true(f->t, enters(f, &(RfbLogin){ .password = "longer t" }), "eight bytes count");
}

TEST(session, vnc_password)
{
#ifdef CONFIG_NETTLE
    Fixture *f = fixture_start(t, 160, 100, "password=on");

    if (f) {
        fixture_run(f, passwords, NULL);
        fixture_stop(f);
    }
#else
    test_skip(t, "this build has no Nettle");
#endif
}

static void versions(Fixture *f, UNUSED void *arg)
{
    check_true(f->t, enters(f, &(RfbLogin){ .version = "003.003" }), "3.3");
    check_true(f->t, enters(f, &(RfbLogin){ .version = "003.007" }), "3.7");
    check_true(f->t, enters(f, &(RfbLogin){ .version = "003.008" }), "3.8");
    check_true(f->t, enters(f, &(RfbLogin){ .version = "003.889" }), "3.889 means 3.8");
    check_true(f->t, enters(f, &(RfbLogin){ .version = "003.005" }), "3.5 means 3.3");
    check_true(f->t, !enters(f, &(RfbLogin){ .version = "004.001" }), "4.1");
}

TEST(session, versions)
{
    Fixture *f = fixture_start(t, 160, 100, "");

    if (f) {
        fixture_run(f, versions, NULL);
        fixture_stop(f);
    }
}

/* --- TLS --- */

static bool object(Test *t, const char *type, const char *id, const char *json)
{
    QDict *d = qdict_new();
    Error *err = NULL;
    char **parts = g_strsplit(json, ",", -1);
    bool ok;

    for (char **p = parts; *p; p++) {
        char *eq = strchr(*p, '=');

        *eq = '\0';
        qdict_put_str(d, *p, eq + 1);
    }
    ok = user_object_new(type, id, d, true, &err);
    check_true(t, ok, err ? error_message(err) : type);
    error_free(err);
    g_strfreev(parts);
    qobject_unref(d);
    return ok;
}

static void x509(Fixture *f, UNUSED void *arg)
{
    const char *dir = test_tmpdir(f->t);
    RfbLogin l = { .vencrypt = 260, .tls_dir = dir, .tls_cert = true };

    check_true(f->t, enters(f, &l), "X509None");
    l.tls_cert = false;
    check_true(f->t, !enters(f, &l), "a client must show a certificate");
    l.vencrypt = 257;
    check_true(f->t, !enters(f, &l), "anonymous TLS isn't offered");
    check_true(f->t, !enters(f, &(RfbLogin){ 0 }), "nor is None");
}

static void x509_password(Fixture *f, UNUSED void *arg)
{
    const char *dir = test_tmpdir(f->t);
    RfbLogin l = { .vencrypt = 261, .tls_dir = dir, .password = "letmein", .username = "x" };

    check_true(f->t, enters(f, &l), "X509Vnc");
    l.password = "wrong";
    check_true(f->t, !enters(f, &l), "wrong password");
    l.vencrypt = 262;
    check_true(f->t, !enters(f, &l), "wrong password, plain");
    l.password = "letmein";
    check_true(f->t, enters(f, &l), "X509Plain");
    l = (RfbLogin){ .websocket = true, .wss = true, .tls_dir = dir, .password = "letmein" };
    check_true(f->t, enters(f, &l), "a websocket over TLS");
    l.wss = false;
    check_true(f->t, !enters(f, &l), "a plain one is refused");
}

static void anonymous(Fixture *f, UNUSED void *arg)
{
    check_true(f->t, enters(f, &(RfbLogin){ .vencrypt = 257 }), "TLSNone");
}

TEST(session, vencrypt)
{
#if defined(CONFIG_GNUTLS) && defined(CONFIG_NETTLE)
    char *more = g_strdup_printf("endpoint=server,dir=%s", test_tmpdir(t));
    char *lax = g_strdup_printf("endpoint=server,verify-peer=off,dir=%s", test_tmpdir(t));
    Fixture *f;

    main_loop_init();
    tls_files_make(test_tmpdir(t));
    object(t, "tls-creds-x509", "tls0", more);
    object(t, "tls-creds-x509", "tls1", lax);
    object(t, "tls-creds-anon", "tls2", "endpoint=server");
    object(t, "secret", "pw", "data=letmein");
    f = fixture_start(t, 160, 100, "tls-creds=tls0");
    if (f) {
        fixture_run(f, x509, NULL);
        fixture_stop(f);
    }
    f = fixture_start(t, 160, 100, "tls-creds=tls1,password-secret=pw,websocket=on");
    if (f) {
        fixture_run(f, x509_password, NULL);
        fixture_stop(f);
    }
    f = fixture_start(t, 160, 100, "tls-creds=tls2");
    if (f) {
        fixture_run(f, anonymous, NULL);
        fixture_stop(f);
    }
    for (int i = 0; i < 3; i++) {
        char id[8];

        snprintf(id, sizeof(id), "tls%d", i);
        check_true(t, user_object_delete(id, NULL), "the servers have let go of it");
    }
    user_object_delete("pw", NULL);
    g_free(more);
    g_free(lax);
#else
    test_skip(t, "this build has no TLS");
#endif
}

/* --- SASL --- */

static void anonymous_sasl(Fixture *f, UNUSED void *arg)
{
    RfbLogin l = { .sasl = true };
    VncInfo *info;

    check_true(f->t, enters(f, &l), "mechanism ANONYMOUS");
    info = qmp_query_vnc(NULL);
    check_str(f->t, info->auth, "sasl", "query-vnc");
    qapi_free_VncInfo(info);
}

TEST(session, sasl)
{
#ifdef CONFIG_SASL
    char *conf = g_build_filename(test_tmpdir(t), "qemu.conf", NULL);
    Fixture *f;

    g_file_set_contents(conf, "mech_list: anonymous\n", -1, NULL);
    setenv("SASL_CONF_PATH", test_tmpdir(t), 1);
    f = fixture_start(t, 160, 100, "sasl=on");
    if (f) {
        fixture_run(f, anonymous_sasl, NULL);
        fixture_stop(f);
    }
    unsetenv("SASL_CONF_PATH");
    g_free(conf);
#else
    test_skip(t, "this build has no SASL");
#endif
}

/* --- websocket --- */

static void websocket(Fixture *f, UNUSED void *arg)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "RFB 003.008\n",
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
        "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 7\r\n\r\n",
    };

    check_true(f->t, enters(f, &(RfbLogin){ .websocket = true }), "RFB in frames");
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        int fd = rfb_connect(f->where_ws);
        char answer[13] = "";

        if (send(fd, bad[i], strlen(bad[i]), MSG_NOSIGNAL) > 0) {
            shutdown(fd, SHUT_WR);
            if (recv(fd, answer, 12, MSG_WAITALL) == 12) {
                check_str(f->t, answer, "HTTP/1.1 400", bad[i]);
            }
        }
        close(fd);
    }
    check_true(f->t, enters(f, &(RfbLogin){ 0 }), "beside the other port");
}

TEST(session, websocket)
{
    Fixture *f = fixture_start(t, 160, 100, "websocket=on");

    if (f) {
        fixture_run(f, websocket, NULL);
        fixture_stop(f);
    }
}

/* --- sharing and limits --- */

static void exclusive(Fixture *f, UNUSED void *arg)
{
    RfbClient a, b, c;

    if (!rfb_open(&a, rfb_connect(f->where), NULL) ||
        !rfb_open(&b, rfb_connect(f->where), &(RfbLogin){ .exclusive = true })) {
        fail(f, &a, "two");
    }
    check_true(f->t, rfb_message(&a) < 0, "the first has to go");
    check_true(f->t, !rfb_open(&c, rfb_connect(f->where), NULL), "and nobody else may come");
    check_true(f->t, rfb_update(&b, true), "the second stays");
    rfb_close(&a);
    rfb_close(&b);
    rfb_close(&c);
}

static void forced(Fixture *f, UNUSED void *arg)
{
    check_true(f->t, !enters(f, &(RfbLogin){ .exclusive = true }), "force-shared");
    check_true(f->t, enters(f, &(RfbLogin){ 0 }), "force-shared");
}

static void ignored(Fixture *f, UNUSED void *arg)
{
    RfbClient a;

    rfb_open(&a, rfb_connect(f->where), NULL);
    check_true(f->t, enters(f, &(RfbLogin){ .exclusive = true }), "ignore");
    check_true(f->t, rfb_update(&a, true), "the first stays");
    rfb_close(&a);
}

static void handshakes(Fixture *f, UNUSED void *arg)
{
    int fd[4];
    char b[13];

    for (int i = 0; i < 4; i++) {
        fd[i] = rfb_connect(f->where);
        if (recv(fd[i], b, 12, MSG_WAITALL) != 12) {
            test_fail(f->t, "no version");
        }
    }
    check_int(f->t, recv(fd[0], b, 1, 0), 0, "the oldest that hasn't said anything goes");
    check_true(f->t, enters(f, &(RfbLogin){ 0 }), "others come in");
    for (int i = 0; i < 4; i++) {
        close(fd[i]);
    }
}

TEST(session, sharing_and_limits)
{
    static const struct {
        const char *options;
        void (*fn)(Fixture *f, void *arg);
    } cases[] = {
        { "", exclusive }, { "share=allow-exclusive", exclusive }, { "share=force-shared", forced },
        { "share=ignore", ignored }, { "connections=2", handshakes },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f = fixture_start(t, 160, 100, cases[i].options);

        if (f) {
            fixture_run(f, cases[i].fn, NULL);
            fixture_stop(f);
        }
    }
}

TEST(session, wrong_options)
{
    static const char *const bad[][2] = {
        { "share=both", "share" }, { "lossy=maybe", "lossy" }, { "nonsense=1", "nonsense" },
        { "tls-creds=none", "no TLS credentials" }, { "password-secret=none", "no secret" },
        { "tls-authz=x", "tls-authz" }, { "sasl-authz=x", "sasl-authz" }, { "acl=on", "acl" },
        { "key-delay-ms=99999", "key-delay-ms" }, { "display=nowhere", "nowhere" },
    };
    QDict *opts;
    Error *err = NULL;

    main_loop_init();
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        char **kv = g_strsplit(bad[i][0], "=", 2);

        opts = qdict_new();
        qdict_put_str(opts, "vnc", "none");
        qdict_put_str(opts, kv[0], kv[1]);
        check_true(t, !vnc_open(opts, &err) && strstr(error_message(err), bad[i][1]), bad[i][0]);
        error_free(err);
        err = NULL;
        qobject_unref(opts);
        g_strfreev(kv);
    }
    opts = qdict_new();
    qdict_put_str(opts, "vnc", "127.0.0.1");
    check_true(t, !vnc_open(opts, &err), "a place without a display");
    error_free(err);
    qobject_unref(opts);
    vnc_close_all();
}

/* --- input --- */

static GString *typed;
static int abs_x, abs_y;

static void on_key(UNUSED void *opaque, unsigned number, bool down)
{
    g_string_append_printf(typed, "%s%x ", down ? "" : "-", number);
}

static void on_abs(UNUSED void *opaque, int x, int y)
{
    abs_x = x;
    abs_y = y;
}

static void on_button(UNUSED void *opaque, InputButton button, bool down)
{
    g_string_append_printf(typed, "%sb%d ", down ? "" : "-", button);
}

static void take_typed(void *arg)
{
    *(char **)arg = g_strdup(typed->str);
    g_string_truncate(typed, 0);
}

/* What was held when the viewer went: a key and a button. */
static void released(void *arg)
{
    *(bool *)arg = strstr(typed->str, "-cd") && strstr(typed->str, "-b6");
}

static void settled(RfbClient *c)
{
    /* A fence or an update: all before it has been handled. */
    rfb_update(c, true);
}

static void input(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 0, -257, -258, -261, -316 };
    static const uint8_t ext_key[] = { 255, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xcd };
    static const uint8_t buttons[] = { 5, 0x80, 0, 10, 0, 10, 2 };
    bool all;
    RfbClient c;
    char *text;

    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 5) ||
        !rfb_update(&c, true)) {
        fail(f, &c, "start");
        return;
    }
    check_true(f->t, c.ext_keys && c.ext_buttons && c.leds >= 0, "what is announced");
    check_true(f->t, c.pointer_known && c.pointer_absolute, "a tablet takes places");
    rfb_key(&c, true, 'a');
    rfb_key(&c, false, 'a');
    rfb_key(&c, true, 'A');
    rfb_key(&c, false, 'A');
    rfb_key(&c, true, 0xffe1);
    rfb_key(&c, true, '!');
    rfb_key(&c, false, '!');
    rfb_key(&c, false, 0xffe1);
    rfb_key(&c, true, 0xff0d);
    rfb_key(&c, false, 0xff0d);
    rfb_send(&c, ext_key, sizeof(ext_key));
    settled(&c);
    fixture_main(take_typed, &text);
    check_str(f->t, text, "1e -1e 2a 1e -2a -1e 2a 2 -2 -2a 1c -1c cd ", "keys");
    g_free(text);
    rfb_pointer(&c, 1, 159, 99);
    rfb_pointer(&c, 0, 159, 99);
    settled(&c);
    check_true(f->t, abs_x == INPUT_ABS_MAX && abs_y == INPUT_ABS_MAX, "the lower right corner");
    rfb_send(&c, buttons, sizeof(buttons));
    settled(&c);
    fixture_main(take_typed, &text);
    check_str(f->t, text, "b0 -b0 b6 ", "buttons, the extended ones too");
    g_free(text);
    rfb_close(&c);
    do {
        fixture_main(released, &all);
    } while (!all);
    fixture_main(take_typed, &text);
    check_str(f->t, text, "-cd -b6 ", "what a viewer holds goes up when it goes");
    g_free(text);
}

#ifdef CONFIG_XKBCOMMON
/* The guest's keyboard is a German one: the viewer's characters are looked for there. */
static void german(Fixture *f, UNUSED void *arg)
{
    static const uint32_t keys[] = { 'z', 'Z', '@', 0xe4 };
    RfbClient c;
    char *text;

    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_update(&c, true)) {
        fail(f, &c, "start");
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        rfb_key(&c, true, keys[i]);
        rfb_key(&c, false, keys[i]);
    }
    rfb_key(&c, true, 0xfe03);              /* a viewer that says what is held */
    rfb_key(&c, true, '@');
    rfb_key(&c, false, '@');
    rfb_key(&c, false, 0xfe03);
    settled(&c);
    fixture_main(take_typed, &text);
    check_str(f->t, text, "15 -15 2a 15 -2a -15 b8 10 -b8 -10 28 -28 b8 10 -10 -b8 ", "keys of that layout");
    g_free(text);
    rfb_close(&c);
}

TEST(session, layout)
{
    InputHandler h = { .name = "test", .key = on_key };
    Fixture *f = fixture_start(t, 160, 100, "key-delay-ms=0");

    typed = g_string_new(NULL);
    input_add(&h);
    check_true(t, keymap_set_default("de", NULL), "de");
    if (f) {
        fixture_run(f, german, NULL);
        fixture_stop(f);
    }
    keymap_set_default(NULL, NULL);
    input_remove(&h);
    g_string_free(typed, true);
}
#endif

TEST(session, input)
{
    InputHandler h = { .name = "test", .absolute = true, .key = on_key, .abs = on_abs,
                       .button = on_button };
    Fixture *f = fixture_start(t, 160, 100, "key-delay-ms=0");

    typed = g_string_new(NULL);
    input_add(&h);
    if (f) {
        fixture_run(f, input, NULL);
        fixture_stop(f);
    }
    input_remove(&h);
    g_string_free(typed, true);
}

/* --- cursor --- */

static void define(void *arg)
{
    static const uint32_t argb[6] = { 0xffff0000, 0x8000ff00, 0, 0xff0000ff, 0x40ffffff,
                                      0xff123456 };

    console_define_cursor(((Fixture *)arg)->con, 3, 2, 1, 1, argb);
    console_move_cursor(((Fixture *)arg)->con, 7, 9, true);
}

static void hide(void *arg)
{
    console_move_cursor(((Fixture *)arg)->con, 7, 9, false);
    console_define_cursor(((Fixture *)arg)->con, 1, 1, 0, 0, &(uint32_t){ 0 });
}

static void cursors(Fixture *f, UNUSED void *arg)
{
    static const int32_t plain[] = { 0, -239, -232 }, alpha[] = { 0, -314 };
    RfbClient a, b;

    fixture_main(define, f);
    if (!rfb_open(&a, rfb_connect(f->where), NULL) || !rfb_set_encodings(&a, plain, 3) ||
        !rfb_update(&a, true) || !rfb_open(&b, rfb_connect(f->where), NULL) ||
        !rfb_set_encodings(&b, alpha, 2) || !rfb_update(&b, true)) {
        fail(f, *a.error ? &a : &b, "start");
        return;
    }
    check_true(f->t, a.cursor_w == 3 && a.cursor_h == 2 && a.cursor_x == 1 && a.cursor_y == 1,
               "size and hot spot");
    check_true(f->t, a.cursor[0] == 0x80ff0000 && a.cursor[2] == 0 && !(a.cursor[4] >> 31) &&
                     a.cursor[5] == 0x80123456, "pixels and mask");
    check_true(f->t, a.pointer_x == 7 && a.pointer_y == 9, "where it is");
    check_true(f->t, b.cursor_alpha && b.cursor[0] == 0xffff0000 && b.cursor[1] == 0x80008000 &&
                     b.cursor[2] == 0, "with alpha, premultiplied");
    fixture_main(hide, f);
    rfb_update(&a, false);
    check_int(f->t, a.cursor_w, 0, "a hidden one has no size");
    rfb_close(&a);
    rfb_close(&b);
}

TEST(session, cursor)
{
    Fixture *f = fixture_start(t, 160, 100, "");

    if (f) {
        fixture_run(f, cursors, NULL);
        fixture_stop(f);
    }
}

/* --- clipboard --- */

static bool send_clip(RfbClient *c, uint32_t flags, const void *data, size_t len)
{
    uint8_t b[12] = { 6 };

    store_be32(b + 4, -(uint32_t)(4 + len));
    store_be32(b + 8, flags);
    return rfb_send(c, b, 12) && rfb_send(c, data, len);
}

static bool until_cut(RfbClient *c)
{
    int m;

    do {
        m = rfb_message(c);
    } while (m >= 0 && m != 3);
    return m == 3;
}

/* zlib's stored form of "\0\0\0\7ol\303\251\r\n\0": the text "olé\n". */
static size_t packed_text(uint8_t *out)
{
    static const uint8_t data[] = "\0\0\0\7ol\303\251\r\n";
    static const uint8_t head[] = { 0x78, 1, 1, 11, 0, 0xf4, 0xff };
    uint32_t a = 1, b = 0;

    memcpy(out, head, 7);
    memcpy(out + 7, data, 11);
    for (int i = 0; i < 11; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    store_be32(out + 18, b << 16 | a);
    return 22;
}

static void clipboards(Fixture *f, UNUSED void *arg)
{
    static const int32_t ext[] = { 0, (int32_t)0xc0a1e5ce };
    static const uint8_t classic[] = { 6, 0, 0, 0, 0, 0, 0, 5, 'g', 'r', 0xfc, 0xdf, '\n' };
    uint8_t packed[64];
    size_t n = packed_text(packed);
    RfbClient a, b;

    if (!rfb_open(&a, rfb_connect(f->where), NULL) || !rfb_update(&a, true) ||
        !rfb_open(&b, rfb_connect(f->where), NULL) || !rfb_set_encodings(&b, ext, 2) ||
        !rfb_update(&b, true)) {
        fail(f, *a.error ? &a : &b, "start");
        return;
    }
    check_u32(f->t, b.clip_flags, 0x1f00000f, "caps: text, rtf, html, pictures, all actions");
    /* Latin-1 from one, UTF-8 to the other. */
    rfb_send(&a, classic, sizeof(classic));
    check_true(f->t, until_cut(&b) && b.clip_flags == (BIT(27) | 1), "notify");
    send_clip(&b, BIT(25) | 1, "", 0);
    check_true(f->t, until_cut(&b) && b.clip_flags == (BIT(28) | 1), "provide");
    check_true(f->t, b.clip_len == 4 + 9 && !memcmp(b.clip_data, "\0\0\0\11gr\303\274\303\237\r\n", 13),
               "UTF-8, CR LF, a NUL");
    /* And back: announced, asked for at once since the other can't ask. */
    send_clip(&b, BIT(27) | 1, "", 0);
    check_true(f->t, until_cut(&b) && b.clip_flags == (BIT(25) | 1), "request");
    send_clip(&b, BIT(28) | 1, packed, n);
    check_true(f->t, until_cut(&a), "classic text");
    check_str(f->t, a.cut_text, "ol\xe9\n", "Latin-1, LF");
    /* What isn't zlib is ignored; what is too long ends the connection. */
    send_clip(&b, BIT(28) | 1, "nonsense", 8);
    check_true(f->t, rfb_update(&b, true), "it goes on");
    rfb_send(&b, "\6\0\0\0\200\0\0\1", 8);
    check_true(f->t, rfb_message(&b) < 0, "2 GiB aren't taken");
    rfb_close(&a);
    rfb_close(&b);
}

/* --- pictures in the clipboard: viewers have DIBs, guests PNG --- */

#define SIDE_W  1303
#define SIDE_H  1301

typedef struct Picture {
    ClipPeer peer;
    GBytes *bmp, *png, *got;
} Picture;

static GBytes *noisy_bmp(void)
{
    size_t stride = ALIGN_UP(3 * SIDE_W, 4), size = 54 + stride * SIDE_H;
    uint8_t *b = g_malloc0(size);
    uint32_t seed = 7;

    memcpy(b, "BM", 2);
    store_le32(b + 2, size);
    store_le32(b + 10, 54);
    store_le32(b + 14, 40);
    store_le32(b + 18, SIDE_W);
    store_le32(b + 22, SIDE_H);
    store_le16(b + 26, 1);
    store_le16(b + 28, 24);
    for (int y = 0; y < SIDE_H; y++) {
        for (int x = 0; x < 3 * SIDE_W; x++) {
            seed = seed * 1664525 + 1013904223;
            b[54 + y * stride + x] = seed >> 24;
        }
    }
    return g_bytes_new_take(b, size);
}

static void picture_wanted(ClipPeer *p, UNUSED ClipFormat format)
{
    Picture *x = (Picture *)p;

    clipboard_provide(p, CLIP_PNG, g_bytes_get_data(x->png, NULL), g_bytes_get_size(x->png));
}

static void join_pictures(void *opaque)
{
    Picture *x = opaque;

    x->peer = (ClipPeer){ .name = "guest", .wanted = picture_wanted };
    clipboard_add(&x->peer);
    clipboard_claim(&x->peer, BIT(CLIP_PNG));
}

static void look_for_png(void *opaque)
{
    Picture *x = opaque;

    if (clipboard_owner() != &x->peer && clipboard_formats() & BIT(CLIP_PNG)) {
        clipboard_want(CLIP_PNG);
        x->got = clipboard_data(CLIP_PNG) ? g_bytes_ref(clipboard_data(CLIP_PNG)) : NULL;
    }
}

static void leave_pictures(void *opaque)
{
    clipboard_remove(&((Picture *)opaque)->peer);
}

static void pictures(Fixture *f, UNUSED void *arg)
{
    static const int32_t ext[] = { 0, (int32_t)0xc0a1e5ce };
    Picture x = { .bmp = noisy_bmp() };
    gsize size;
    const uint8_t *bmp = g_bytes_get_data(x.bmp, &size);
    GByteArray *plain = g_byte_array_new();
    uLongf n = compressBound(size + 4);
    uint8_t *packed = g_malloc(n), len[4];
    GBytes *back;
    RfbClient c;

    x.png = clip_png_from_bmp(x.bmp);
    check_true(f->t, x.png && g_bytes_get_size(x.png) > 5000000, "a PNG of 5 MB");
    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, ext, 2) || !rfb_update(&c, true)) {
        fail(f, &c, "start");
        return;
    }
    fixture_main(join_pictures, &x);
    check_true(f->t, until_cut(&c) && c.clip_flags == (BIT(27) | 8), "a PNG is announced as a picture");
    send_clip(&c, BIT(25) | 8, "", 0);
    check_true(f->t, until_cut(&c) && c.clip_flags == (BIT(28) | 8), "and comes");
    check_true(f->t, c.clip_len == 4 + size - 14 && !memcmp(c.clip_data + 4, bmp + 14, size - 14), "as a DIB of the same");
    /* And back. */
    send_clip(&c, BIT(27) | 8, "", 0);
    store_be32(len, size - 14);
    g_byte_array_append(plain, len, 4);
    g_byte_array_append(plain, bmp + 14, size - 14);
    compress2(packed, &n, plain->data, plain->len, 1);
    while (!x.got) {
        fixture_main(look_for_png, &x);
        if (!x.got && rfb_readable(&c, 20) && rfb_message(&c) == 3 && c.clip_flags == (BIT(25) | 8)) {
            send_clip(&c, BIT(28) | 8, packed, n);
        }
    }
    back = clip_bmp_from_png(x.got, CLIPBOARD_MAX);
    check_true(f->t, back && g_bytes_equal(back, x.bmp), "a DIB comes as PNG of the same");
    fixture_main(leave_pictures, &x);
    rfb_close(&c);
    g_bytes_unref(back);
    g_bytes_unref(x.bmp);
    g_bytes_unref(x.png);
    g_bytes_unref(x.got);
    g_byte_array_unref(plain);
    g_free(packed);
}

TEST(session, pictures)
{
    Fixture *f = fixture_start(t, 160, 100, "");

    if (f) {
        fixture_run(f, pictures, NULL);
        fixture_stop(f);
    }
}

TEST(session, clipboard)
{
    Fixture *f = fixture_start(t, 160, 100, "");

    if (f) {
        fixture_run(f, clipboards, NULL);
        fixture_stop(f);
    }
}

/* --- sound --- */

typedef struct Sound {
    AudioOut *voice;
    uint16_t sample;
} Sound;

static void more_sound(void *opaque, uint32_t bytes)
{
    Sound *s = opaque;
    g_autofree uint16_t *data = g_new(uint16_t, bytes / 2);

    for (uint32_t i = 0; i < bytes / 2; i++) {
        data[i] = 1000;
    }
    audio_out_write(s->voice, data, bytes);
}

static void begin_sound(void *arg)
{
    Sound *s = arg;
    AudioFormat f = { 44100, 2, AUDIO_S16 };

    s->voice = audio_out_open(audiodev_find("snd"), "test", &f, more_sound, s);
    audio_out_set_active(s->voice, true);
    clock_enable(true);
}

static void end_sound(void *arg)
{
    audio_out_close(((Sound *)arg)->voice);
}

static void hears(Fixture *f, UNUSED void *arg)
{
    static const int32_t list[] = { 0, -259 };
    static const uint8_t format[] = { 255, 1, 0, 2, 3, 1, 0, 0, 0x2b, 0x11 }, on[] = { 255, 1, 0, 0 },
                         off[] = { 255, 1, 0, 1 }, bad[] = { 255, 1, 0, 2, 9, 1, 0, 0, 1, 1 };
    Sound s = { NULL };
    RfbClient c;

    if (!rfb_open(&c, rfb_connect(f->where), NULL) || !rfb_set_encodings(&c, list, 2) ||
        !rfb_update(&c, true)) {
        fail(f, &c, "start");
        return;
    }
    check_true(f->t, c.audio, "it is offered");
    rfb_send(&c, format, sizeof(format));
    rfb_send(&c, on, sizeof(on));
    rfb_update(&c, true);
    fixture_main(begin_sound, &s);
    while (c.audio_bytes < 4000 && rfb_message(&c) >= 0) {
    }
    check_true(f->t, c.audio_on && c.audio_bytes >= 4000 && c.audio_bytes % 2 == 0, "sound comes");
    rfb_send(&c, off, sizeof(off));
    while (c.audio_on && rfb_message(&c) >= 0) {
    }
    check_true(f->t, !c.audio_on, "and ends");
    fixture_main(end_sound, &s);
    rfb_send(&c, bad, sizeof(bad));
    while (rfb_message(&c) >= 0) {
    }
    check_true(f->t, *c.error, "a format that isn't one ends the connection");
    rfb_close(&c);
}

TEST(session, audio)
{
    QDict *d = qdict_from_fmt("{'driver': 'none', 'id': 'snd'}");
    Fixture *f;

    main_loop_init();
    check_true(t, audiodev_add(d, NULL), "a back end");
    qobject_unref(d);
    f = fixture_start(t, 160, 100, "audiodev=snd");
    if (f) {
        fixture_run(f, hears, NULL);
        fixture_stop(f);
    }
}

/* --- monitor --- */

/* The server moves; who is connected stays. */
static void move_server(void *arg)
{
    UnixSocketAddress *u;
    DisplayUpdateOptions o = { .type = DISPLAY_UPDATE_TYPE_VNC };
    SocketAddress *a = qapi_new(SocketAddress);
    Error *err = NULL;
    Fixture *f = arg;

    a->type = SOCKET_ADDRESS_TYPE_UNIX;
    u = &a->u.q_unix;
    u->path = strdup(f->where + 5);
    o.u.vnc.addresses = qapi_new(SocketAddressList);
    qapi_list_append(o.u.vnc.addresses, a);
    check_true(f->t, qmp_display_update(&o, &err), err ? error_message(err) : "display-update");
    qapi_free_SocketAddressList(o.u.vnc.addresses);
}

static void moved(Fixture *f, UNUSED void *arg)
{
    RfbClient a;
    VncClientStatsList *st;

    if (!rfb_open(&a, rfb_connect(f->where), NULL) || !rfb_update(&a, true)) {
        fail(f, &a, "start");
    }
    fixture_main(move_server, f);
    check_true(f->t, enters(f, &(RfbLogin){ 0 }), "the same place again");
    g_free(f->where);
    f->where = g_strdup_printf("unix:%s/elsewhere", test_tmpdir(f->t));
    fixture_main(move_server, f);
    check_true(f->t, enters(f, &(RfbLogin){ 0 }), "another place");
    check_true(f->t, rfb_update(&a, true), "the first viewer stays");
    st = qmp_x_query_vnc_stats(NULL);
    check_true(f->t, st->n >= 1 && st->items[st->n - 1]->updates >= 2 &&
                     st->items[st->n - 1]->bytes > 160 * 100 * 4, "what it has cost");
    qapi_free_VncClientStatsList(st);
    rfb_close(&a);
}

TEST(session, display_update)
{
    Fixture *f = fixture_start(t, 160, 100, "");

    if (f) {
        fixture_run(f, moved, NULL);
        fixture_stop(f);
    }
}

TEST(session, query)
{
    Fixture *f = fixture_start(t, 160, 100, "websocket=on,id=one");
    VncInfo2List *list;
    VncInfo *info;

    if (!f) {
        return;
    }
    info = qmp_query_vnc(NULL);
    check_true(t, info->enabled && strcmp(info->host, "127.0.0.1") == 0, "query-vnc");
    check_str(t, info->service, f->where, "the port");
    check_str(t, info->auth, "none", "no authentication");
    qapi_free_VncInfo(info);
    list = qmp_query_vnc_servers(NULL);
    check_true(t, list->n == 1 && strcmp(list->items[0]->id, "one") == 0, "query-vnc-servers");
    check_true(t, list->items[0]->server->n == 2 && list->items[0]->server->items[1]->websocket,
               "both places");
    qapi_free_VncInfo2List(list);
    fixture_stop(f);
}
