/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices: front ends, back ends, options. */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include "chardev/char-ringbuf.h"
#include "chardev/char-telnet.h"
#include "chardev/chardev.h"
#include "qapi/commands-char.h"
#include "qobject/json.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"

typedef struct Front {
    CharFrontend fe;
    GString *got;
    size_t room;                /* what can_receive says */
    int opened, closed, breaks, mux_in, mux_out, writable;
} Front;

static size_t front_can_receive(void *opaque)
{
    Front *f = opaque;

    return f->room;
}

static void front_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Front *f = opaque;

    assert(len <= f->room);
    g_string_append_len(f->got, (const char *)buf, len);
    f->room -= len;
}

static void front_event(void *opaque, ChrEvent event)
{
    Front *f = opaque;
    int *const counts[] = {
        [CHR_EVENT_OPENED] = &f->opened, [CHR_EVENT_CLOSED] = &f->closed,
        [CHR_EVENT_BREAK] = &f->breaks, [CHR_EVENT_MUX_IN] = &f->mux_in,
        [CHR_EVENT_MUX_OUT] = &f->mux_out,
    };

    (*counts[event])++;
}

static void front_writable(void *opaque)
{
    ((Front *)opaque)->writable++;
}

static const ChrHandlers front_handlers = {
    front_can_receive, front_receive, front_event, front_writable,
};

static void front_init(Test *t, Front *f, const char *id)
{
    Error *err = NULL;

    memset(f, 0, sizeof(*f));
    f->got = g_string_new(NULL);
    f->room = 1 << 20;
    check_true(t, chr_fe_init_by_id(&f->fe, id, &err), err ? error_message(err) : "connects");
    error_free(err);
    chr_fe_set_handlers(&f->fe, &front_handlers, f);
}

static void front_cleanup(Front *f)
{
    chr_fe_deinit(&f->fe);
    g_string_free(f->got, true);
}

/* From @json with single quotes; the error's text, freed by the caller, or NULL. */
static char *make(const char *json)
{
    g_autofree char *quoted = g_strdelimit(g_strdup(json), "'", '"');
    Error *err = NULL;
    QDict *d = json_parse_dict(quoted, NULL);
    char *text;

    assert(d);
    chardev_new_from_opts(d, &err);
    qobject_unref(d);
    text = err ? strdup(error_message(err)) : NULL;
    error_free(err);
    return text;
}

static void expect_made(Test *t, const char *json)
{
    char *text = make(json);

    check_str(t, text, NULL, json);
    free(text);
}

/* Events of the loop until @cond: the harness has the time limit. */
#define WAIT_FOR(cond) \
    do { \
        while (!(cond)) { \
            if (!main_loop_iterate(false)) { \
                usleep(1000); \
            } \
        } \
    } while (0)

/* --------------------------------------------------------------- options */

static const struct { const char *json, *error; } bad_options[] = {
    { "{'backend': 'null'}", "chardev: no id specified" },
    { "{'id': 'a'}", "chardev: \"a\" missing backend" },
    { "{'id': 'a', 'backend': 'nul'}", "'nul' is not a valid char driver name" },
    { "{'id': 'a', 'backend': 'null', 'path': 'x'}", "Invalid parameter 'path'" },
    { "{'id': 'a', 'backend': 'file'}", "chardev: file: no path given" },
    { "{'id': 'a', 'backend': 'socket'}", "chardev: socket: no host given" },
    { "{'id': 'a', 'backend': 'socket', 'path': 'x', 'host': 'y'}",
      "None or one of 'path', 'host' and 'fd' is expected" },
    { "{'id': 'a', 'backend': 'socket', 'path': 'x', 'server': 'maybe'}",
      "Parameter 'server' expects 'on' or 'off', not 'maybe'" },
    { "{'id': 'a', 'backend': 'socket', 'path': 'x', 'server': 'on', 'reconnect': '1'}",
      "'reconnect' option is incompatible with socket in server listen mode" },
    { "{'id': 'a', 'backend': 'socket', 'path': 'x', 'wait': 'off'}",
      "'wait' option is incompatible with socket in client connect mode" },
    { "{'id': 'a', 'backend': 'ringbuf', 'size': '1000'}",
      "size of ringbuf chardev must be power of two, 1 to 1 GiB, not 1000" },
    { "{'id': 'a', 'backend': 'mux', 'chardev': 'nix'}", "mux: base chardev nix not found" },
    { "{'id': '1a', 'backend': 'null'}", "Parameter 'id' expects an identifier, not '1a'" },
    { "{'id': 'a', 'backend': 'file', 'path': '/no/such/folder/x'}",
      "can't open '/no/such/folder/x': No such file or directory" },
};

TEST(chardev, wrong_options)
{
    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(bad_options); i++) {
        char *text = make(bad_options[i].json);

        check_str(t, text, bad_options[i].error, bad_options[i].json);
        free(text);
        check_true(t, !chardev_find("a"), "nothing is left");
    }
    chardev_cleanup();
}

static const struct { const char *spec, *shows; } specs[] = {
    { "null", "null" }, { "vc", "vc" }, { "vc:80Cx24C", "vc" }, { "ringbuf,size=16", "ringbuf" },
    { "tcp:127.0.0.1:0,server=on,wait=off", NULL }, { "udp:127.0.0.1:9@127.0.0.1:0", NULL },
    { "telnet:[::1]:0,server,nowait", NULL },
};

TEST(chardev, short_forms)
{
    Error *err = NULL;

    main_loop_init();
    for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
        char *id = chardev_new_id("c");
        Chardev *chr = chardev_new_from_spec(id, specs[i].spec, &err);

        check_true(t, chr != NULL, err ? error_message(err) : specs[i].spec);
        error_free(err);
        err = NULL;
        g_free(id);
    }
    check_true(t, !chardev_new_from_spec("n", "none", &err) && !err, "none is no error");
    check_true(t, !chardev_new_from_spec("n", "chardev:nix", &err) && err, "an unknown id is one");
    error_free(err);
    err = NULL;
    check_true(t, chardev_new_from_spec("n", "chardev:c0", &err) == chardev_find("c0"),
               "a known one is that");
    check_true(t, !chardev_new_from_spec("n", "bogus:x", &err) &&
               !strcmp(error_message(err), "'bogus:x' is not a valid char driver"), "bogus");
    error_free(err);
    chardev_cleanup();
}

/* ---------------------------------------------------------- front and back */

TEST(chardev, one_front_end_unless_mux)
{
    Front a;
    CharFrontend b;
    Error *err = NULL;

    main_loop_init();
    expect_made(t, "{'id': 'r', 'backend': 'ringbuf', 'size': 16}");
    front_init(t, &a, "r");
    check_int(t, a.opened, 1, "an open back end says so at once");
    check_true(t, !chr_fe_init_by_id(&b, "r", &err) && error_code(err) == ERR_IN_USE,
               "a second front end");
    error_free(err);
    err = NULL;
    check_true(t, !chardev_remove("r", &err) && error_code(err) == ERR_IN_USE, "remove in use");
    error_free(err);
    front_cleanup(&a);
    check_true(t, chardev_remove("r", NULL), "remove");
    /* Connected to nothing, everything is allowed. */
    chr_fe_init(&b, NULL, NULL);
    check_int(t, (int64_t)chr_fe_write(&b, "x", 1), 1, "written to nothing");
    check_true(t, !chr_fe_is_connected(&b) && !chr_fe_is_open(&b), "nothing there");
    chr_fe_accept_input(&b);
    chr_fe_deinit(&b);
    chardev_cleanup();
}

/* A socket back end @id on one of a pair; the other is returned. */
static int socket_pair(Test *t, const char *id)
{
    int pair[2] = { -1, -1 };
    g_autofree char *opts = NULL;

    check_true(t, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0, "socketpair");
    opts = g_strdup_printf("{'id': '%s', 'backend': 'socket', 'fd': '%d'}", id, pair[0]);
    expect_made(t, opts);
    return pair[1];
}

TEST(chardev, input_waits_for_room)
{
    Front f;
    int fd;

    main_loop_init();
    fd = socket_pair(t, "s");
    front_init(t, &f, "s");
    f.room = 3;
    check_int(t, write(fd, "abcdef", 6), 6, "write");
    WAIT_FOR(f.got->len == 3);
    for (int i = 0; i < 20; i++) {
        main_loop_iterate(false);
    }
    check_str(t, f.got->str, "abc", "no more than there is room for");
    f.room = 100;
    chr_fe_accept_input(&f.fe);
    WAIT_FOR(f.got->len == 6);
    check_str(t, f.got->str, "abcdef", "the rest after chr_fe_accept_input()");
    f.room = 0;
    chr_fe_accept_input(&f.fe);
    close(fd);
    WAIT_FOR(f.closed);
    check_int(t, f.closed, 1, "the end is seen even when nothing is read");
    check_int(t, (int64_t)chr_fe_write(&f.fe, "x", 1), 1, "written to nobody");
    front_cleanup(&f);
    chardev_cleanup();
}

TEST(chardev, output_never_blocks)
{
    static char block[100000];
    Front f;
    char buf[65536];
    size_t sent = 0, got = 0, n;
    int fd;

    main_loop_init();
    fd = socket_pair(t, "s");
    front_init(t, &f, "s");
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = (char)(i % 251);
    }
    do {
        n = chr_fe_write(&f.fe, block, sizeof(block));
        sent += n;
    } while (n == sizeof(block) && sent < 100 * MIB);
    check_true(t, n < sizeof(block), "at last not all is taken");
    check_int(t, f.writable, 0, "no room yet");
    while (got < sent) {
        ssize_t r = read(fd, buf, sizeof(buf));

        if (r > 0) {
            for (ssize_t i = 0; i < r; i++) {
                if (buf[i] != (char)((got + i) % sizeof(block) % 251)) {
                    test_fail(t, "wrong byte at %zu", got + i);
                    got = sent;
                    break;
                }
            }
            got += r;
        } else if (errno != EAGAIN) {
            break;
        }
        main_loop_iterate(false);
    }
    check_int(t, (int64_t)got, (int64_t)sent, "everything taken arrives");
    check_int(t, f.writable, 1, "and the front end was told once");
    front_cleanup(&f);
    close(fd);
    chardev_cleanup();
}

TEST(chardev, server_takes_one_client_after_the_other)
{
    g_autofree char *path = g_strdup_printf("%s/sock", test_tmpdir(t));
    g_autofree char *opts = g_strdup_printf("{'id': 's', 'backend': 'socket', 'path': '%s', "
                                            "'server': 'on', 'wait': 'off'}", path);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    Front f;

    main_loop_init();
    strcpy(un.sun_path, path);
    expect_made(t, opts);
    front_init(t, &f, "s");
    check_int(t, f.opened, 0, "nobody there");
    for (int i = 1; i <= 2; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        check_true(t, connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0, "connect");
        WAIT_FOR(f.opened == i);
        check_int(t, f.opened, i, "a client came");
        close(fd);
        WAIT_FOR(f.closed == i);
        check_int(t, f.closed, i, "and went");
    }
    front_cleanup(&f);
    chardev_cleanup();
    check_true(t, access(path, F_OK) != 0, "the file goes with the server");
}

TEST(chardev, client_connects_again)
{
    g_autofree char *path = g_strdup_printf("%s/sock", test_tmpdir(t));
    g_autofree char *opts = g_strdup_printf("{'id': 's', 'backend': 'socket', 'path': '%s', "
                                            "'reconnect': '1'}", path);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), client;
    Front f;

    main_loop_init();
    strcpy(un.sun_path, path);
    expect_made(t, opts);
    front_init(t, &f, "s");
    check_int(t, f.opened, 0, "no server yet, no error");
    check_true(t, bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(fd, 1) == 0,
               "a server");
    WAIT_FOR(f.opened);
    check_int(t, f.opened, 1, "found after a second");
    client = accept(fd, NULL, NULL);
    check_int(t, write(client, "hi", 2), 2, "write");
    WAIT_FOR(f.got->len == 2);
    check_str(t, f.got->str, "hi", "data");
    close(client);
    close(fd);
    front_cleanup(&f);
    chardev_cleanup();
}

TEST(chardev, descriptors_come_with_data)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { (char *)"x", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    int fd, sent = open("/dev/null", O_RDONLY), got;
    Front f;

    main_loop_init();
    fd = socket_pair(t, "s");
    front_init(t, &f, "s");
    check_int(t, chr_fe_take_fd(&f.fe), -1, "none yet");
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &sent, sizeof(int));
    check_int(t, sendmsg(fd, &msg, 0), 1, "send");
    WAIT_FOR(f.got->len == 1);
    got = chr_fe_take_fd(&f.fe);
    check_true(t, got >= 0 && got != sent, "a descriptor of our own");
    check_int(t, chr_fe_take_fd(&f.fe), -1, "only one");
    close(got);
    close(sent);
    close(fd);
    front_cleanup(&f);
    chardev_cleanup();
}

/* ------------------------------------------------------------------ others */

TEST(chardev, mux_focus_and_keys)
{
    Front a, b;
    int fd;

    main_loop_init();
    fd = socket_pair(t, "s");
    expect_made(t, "{'id': 'm', 'backend': 'mux', 'chardev': 's'}");
    front_init(t, &a, "m");
    front_init(t, &b, "m");
    check_true(t, a.mux_in == 1 && a.mux_out == 1 && b.mux_in == 1, "the last one has the focus");
    check_int(t, write(fd, "1\001c2\001\0013\001b", 9), 9, "write");
    WAIT_FOR(a.breaks);
    check_str(t, b.got->str, "1", "until Ctrl-a c");
    check_str(t, a.got->str, "2\0013", "then the other; Ctrl-a Ctrl-a is one");
    check_int(t, a.breaks, 1, "Ctrl-a b");
    check_int(t, (int64_t)chr_fe_write(&b.fe, "out", 3), 3, "all may write");
    front_cleanup(&a);
    check_int(t, write(fd, "z", 1), 1, "write");
    WAIT_FOR(b.got->len == 2);
    check_str(t, b.got->str, "1z", "who is left has the focus");
    front_cleanup(&b);
    close(fd);
    chardev_cleanup();
}

TEST(chardev, mux_keeps_input_for_a_busy_front_end)
{
    Front a;
    int fd;

    main_loop_init();
    fd = socket_pair(t, "s");
    expect_made(t, "{'id': 'm', 'backend': 'mux', 'chardev': 's'}");
    front_init(t, &a, "m");
    a.room = 0;
    check_int(t, write(fd, "abc", 3), 3, "write");
    for (int i = 0; i < 20; i++) {
        main_loop_iterate(false);
    }
    check_int(t, (int64_t)a.got->len, 0, "it takes nothing");
    a.room = 100;
    chr_fe_accept_input(&a.fe);
    check_str(t, a.got->str, "abc", "until it does");
    front_cleanup(&a);
    close(fd);
    chardev_cleanup();
}

TEST(chardev, pty)
{
    struct termios tio;
    ChardevInfoList *list;
    Front f;
    char buf[16] = "";
    int fd, peer;

    /* A chroot or container without devpts. */
    if (openpty(&fd, &peer, NULL, NULL, NULL) < 0) {
        test_skip(t, access("/dev/pts/ptmx", F_OK) < 0 ? "/dev/pts is not mounted"
                                                       : "no pseudo terminals here");
        return;
    }
    close(fd);
    close(peer);
    main_loop_init();
    expect_made(t, "{'id': 'p', 'backend': 'pty'}");
    front_init(t, &f, "p");
    list = qmp_query_chardev(NULL);
    check_true(t, !strncmp(list->items[0]->filename, "pty:/", 5), "its name is told");
    fd = open(list->items[0]->filename + 4, O_RDWR | O_NONBLOCK | O_NOCTTY);
    qapi_free_ChardevInfoList(list);
    if (check_true(t, fd >= 0, "it can be opened")) {
        check_true(t, tcgetattr(fd, &tio) == 0 && !(tio.c_lflag & ECHO), "raw");
        WAIT_FOR(f.opened);
        check_int(t, f.opened, 1, "somebody opened it");
        chr_fe_write(&f.fe, "hello", 5);
        check_int(t, read(fd, buf, 5), 5, "output");
        check_str(t, buf, "hello", "as it was");
        check_int(t, write(fd, "\003x", 2), 2, "write");
        WAIT_FOR(f.got->len == 2);
        check_str(t, f.got->str, "\003x", "input as it was");
        close(fd);
        WAIT_FOR(f.closed);
        check_int(t, f.closed, 1, "and closed it");
    }
    front_cleanup(&f);
    chardev_cleanup();
}

TEST(chardev, file_and_log)
{
    g_autofree char *out = g_strdup_printf("%s/out", test_tmpdir(t));
    g_autofree char *log = g_strdup_printf("%s/log", test_tmpdir(t));
    g_autofree char *opts = g_strdup_printf("{'id': 'f', 'backend': 'file', 'path': '%s', "
                                            "'logfile': '%s'}", out, log);
    g_autofree char *text = NULL, *logged = NULL;
    Front f;

    main_loop_init();
    expect_made(t, opts);
    front_init(t, &f, "f");
    chr_fe_printf(&f.fe, "%d lines\n", 2);
    front_cleanup(&f);
    chardev_cleanup();
    g_file_get_contents(out, &text, NULL, NULL);
    g_file_get_contents(log, &logged, NULL, NULL);
    check_str(t, text, "2 lines\n", "the file");
    check_str(t, logged, "2 lines\n", "and its copy");
}

static const struct { const char *in; size_t len; const char *out; bool is_break; } telnet[] = {
    { "abc", 3, "abc", false },
    { "a\r\0b\r\nc", 7, "a\rb\rc", false },
    { "\377\375\001x\377\374\003y", 8, "xy", false },
    { "a\377\377b", 4, "a\377b", false },
    { "\377\372\030\000xx\377\360z", 9, "z", false },
    { "\377\363", 2, "", true },
};

TEST(chardev, telnet)
{
    for (size_t i = 0; i < ARRAY_SIZE(telnet); i++) {
        TelnetState whole, parts;
        uint8_t buf[16] = { 0 }, got[16] = { 0 };
        bool is_break = false;
        size_t n, len;

        telnet_start(&whole, &len);
        memcpy(buf, telnet[i].in, telnet[i].len);
        n = telnet_input(&whole, buf, telnet[i].len, &is_break);
        buf[n] = 0;
        check_str(t, (char *)buf, telnet[i].out, "in one piece (RFC 854)");
        check_true(t, is_break == telnet[i].is_break, "break");
        telnet_start(&parts, &len);
        for (size_t k = n = 0; k < telnet[i].len; k++) {
            uint8_t c = (uint8_t)telnet[i].in[k];

            if (telnet_input(&parts, &c, 1, &is_break)) {
                got[n++] = c;
            }
        }
        check_str(t, (char *)got, telnet[i].out, "byte by byte");
    }
}

TEST(chardev, change_keeps_the_front_end)
{
    ChardevRingbuf ring = { .has_size = true, .size = 16 };
    ChardevBackend to_ring = { .type = CHARDEV_BACKEND_KIND_RINGBUF, .u.ringbuf.data = &ring };
    ChardevFile file = { .out = (char *)"/no/such/folder/x" };
    ChardevBackend to_file = { .type = CHARDEV_BACKEND_KIND_FILE, .u.file.data = &file };
    g_autofree uint8_t *got = NULL;
    size_t len;
    Error *err = NULL;
    Front f;

    main_loop_init();
    expect_made(t, "{'id': 'c', 'backend': 'null'}");
    front_init(t, &f, "c");
    check_true(t, !qmp_chardev_change("c", &to_file, &err), "what can't be made");
    error_free(err);
    check_int(t, f.closed, 0, "changes nothing");
    qapi_free_ChardevReturn(qmp_chardev_change("c", &to_ring, NULL));
    check_true(t, f.closed == 1 && f.opened == 2, "closed and opened");
    chr_fe_write(&f.fe, "new", 3);
    got = chr_ringbuf_read("c", 16, &len, NULL);
    check_str(t, (char *)got, "new", "output goes to the new one");
    front_cleanup(&f);
    chardev_cleanup();
}
