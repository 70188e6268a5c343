/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copy and paste between a VNC viewer and a Debian guest that runs Xorg and our clipboard daemon, or the agent of SPICE
 * guests: text, HTML (ours), and a picture of 5 MB there and back, which is a DIB to the viewer and PNG to the guest.
 */
#include "util/osdep.h"
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include "tests/lib/rfb-client.h"
#include "tests/lib/test.h"
#include "util/bswap.h"

/* rfbproto.rst, "Extended Clipboard Pseudo-encoding" */
enum { CLIP_TEXT = BIT(0), CLIP_HTML = BIT(2), CLIP_DIB = BIT(3), CLIP_REQUEST = BIT(25), CLIP_NOTIFY = BIT(27), CLIP_PROVIDE = BIT(28) };

#define PICTURE_W   1303
#define PICTURE_H   1301

static const char text[] = "caf\xc3\xa9 \xf0\x9f\x98\x80";
static const char html[] = "<p>caf\xc3\xa9 <b>\xf0\x9f\x98\x80</b></p>";
static const char of_guest[] = "of the guest \xc3\xbc \xf0\x9f\x98\x80";

typedef struct Vm {
    Test *t;
    RfbClient c;
    pid_t pid;
    char *serial, *where;
    const char *has[2];         /* text, HTML */
    bool given;                 /* and it is here */
    bool announced;             /* the guest has a text */
    GByteArray *dib;            /* the viewer's picture; NULL: none */
    bool picture_announced, picture_given;
} Vm;

static char *output_of(char **argv)
{
    char *out = NULL;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, NULL, NULL);
    return g_strstrip(out ? out : g_strdup(""));
}

/* The initramfs, Debian's modules, and what make.sh adds, in one file. NULL: this host has no Xorg. */
static char *initrd(Test *t, char **kernel)
{
    g_autofree char *guests = test_src_path("scripts/guests.sh"),
                    *make = test_src_path("tests/guests/clipboard/make.sh"), *daemon = NULL, *cache = NULL, *more = NULL;
    char *ask_cache[] = { guests, "kernel-amd64", "initramfs-x86_64", "modules-amd64", NULL };
    char *ask_more[] = { make, NULL, NULL };
    char *path = g_build_filename(test_tmpdir(t), "initrd", NULL), *parts[3];
    FILE *to;

    daemon = g_build_filename(g_getenv("BUILD_DIR"), "guest/qemu-clipboard", NULL);
    ask_more[1] = daemon;
    cache = output_of(ask_cache);
    more = output_of(ask_more);
    if (!*more) {
        g_free(path);
        return NULL;
    }
    parts[0] = g_build_filename(cache, "initramfs-x86_64.cpio.gz", NULL);
    parts[1] = g_build_filename(cache, "modules-amd64.cpio.gz", NULL);
    parts[2] = g_strdup(more);
    to = fopen(path, "w");
    for (unsigned i = 0; i < 3; i++) {
        char *data = NULL;
        gsize len = 0;

        if (!g_file_get_contents(parts[i], &data, &len, NULL) || fwrite(data, 1, len, to) != len) {
            test_fail(t, "%s can't be had", parts[i]);
        }
        g_free(data);
        g_free(parts[i]);
    }
    fclose(to);
    *kernel = g_build_filename(cache, "linux-amd64", NULL);
    return path;
}

static void start(Vm *v, const char *kernel, const char *ram_disk, const char *agent)
{
    g_autofree char *serial = g_strdup_printf("file:%s", v->serial),
                    *binary = g_strdup_printf("%s-x86_64", getenv("QEMU_BIN")),
                    *line = g_strdup_printf("console=ttyS0 no_timer_check quiet mods=virtio_pci,virtio_console,bochs "
                                            "run=clipboard agent=%s", agent);
    const char *argv[] = {
        binary, "-m", "768", "-display", "none", "-no-reboot", "-net", "none", "-serial", serial,
        "-vnc", v->where, "-kernel", kernel, "-initrd", ram_disk, "-append",
        line, "-device", "virtio-serial-pci", "-chardev", "qemu-vdagent,id=vda,clipboard=on,mouse=off", "-device",
        "virtserialport,chardev=vda,name=com.redhat.spice.0", NULL,
    };

    v->pid = fork();
    if (v->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execv(argv[0], (char **)argv);
        _exit(127);
    }
}

static bool said(const Vm *v, const char *what)
{
    g_autofree char *all = NULL;

    return g_file_get_contents(v->serial, &all, NULL, NULL) && strstr(all, what);
}

static void send_clip(RfbClient *c, uint32_t flags, const void *data, size_t len)
{
    uint8_t b[12] = { 6 };

    store_be32(b + 4, -(uint32_t)(4 + len));
    store_be32(b + 8, flags);
    rfb_send(c, b, 12);
    rfb_send(c, data, len);
}

static void add(GByteArray *to, const void *data, size_t len)
{
    uint8_t size[4];

    store_be32(size, len);
    g_byte_array_append(to, size, 4);
    g_byte_array_append(to, data, len);
}

static void provide(Vm *v, uint32_t formats)
{
    GByteArray *plain = g_byte_array_new();
    uint8_t *packed;
    uLongf len;

    for (unsigned i = 0; i < 2; i++) {
        if (formats & (i ? CLIP_HTML : CLIP_TEXT) && v->has[i]) {
            add(plain, v->has[i], strlen(v->has[i]) + 1);
        }
    }
    if (formats & CLIP_DIB && v->dib) {
        add(plain, v->dib->data, v->dib->len);
    }
    len = compressBound(plain->len);
    packed = g_malloc(len);
    compress2(packed, &len, plain->data, plain->len, 1);
    send_clip(&v->c, CLIP_PROVIDE | formats, packed, len);
    g_byte_array_unref(plain);
    g_free(packed);
}

/* Noise, which no format makes smaller. */
static GByteArray *picture(void)
{
    size_t stride = ALIGN_UP(3 * PICTURE_W, 4);
    GByteArray *a = g_byte_array_new();
    uint32_t seed = 3;

    g_byte_array_set_size(a, 40 + stride * PICTURE_H);
    memset(a->data, 0, a->len);
    store_le32(a->data, 40);
    store_le32(a->data + 4, PICTURE_W);
    store_le32(a->data + 8, PICTURE_H);
    store_le16(a->data + 12, 1);
    store_le16(a->data + 14, 24);
    for (int y = 0; y < PICTURE_H; y++) {
        for (int x = 0; x < 3 * PICTURE_W; x++) {
            seed = seed * 1664525 + 1013904223;
            a->data[40 + y * stride + x] = seed >> 24;
        }
    }
    return a;
}

/* Serve the viewer's side until the guest has said @what (if it isn't NULL), or has announced a text, or sent it. */
static bool serve(Vm *v, const char *what, bool *until)
{
    while (kill(v->pid, 0) == 0 && waitpid(v->pid, NULL, WNOHANG) == 0) {
        if (what ? said(v, what) : *until) {
            return true;
        }
        if (!rfb_readable(&v->c, 100)) {
            continue;
        }
        if (rfb_message(&v->c) < 0) {
            if (what && said(v, what)) {
                return true;            /* with its last words */
            }
            test_fail(v->t, "%s", v->c.error);
            return false;
        }
        if (v->c.clip_flags & CLIP_REQUEST) {
            provide(v, v->c.clip_flags & (CLIP_TEXT | CLIP_HTML | CLIP_DIB));
        }
        v->announced |= v->c.clip_flags == (CLIP_NOTIFY | CLIP_TEXT);
        v->given |= v->c.clip_flags == (CLIP_PROVIDE | CLIP_TEXT);
        v->picture_announced |= v->c.clip_flags == (CLIP_NOTIFY | CLIP_DIB);
        v->picture_given |= v->c.clip_flags == (CLIP_PROVIDE | CLIP_DIB);
        v->c.clip_flags = 0;
    }
    if (what && said(v, what)) {
        return true;
    }
    test_fail(v->t, "the emulator has ended before '%s'", what ? what : "a message");
    return false;
}

static char *got_line(const char *target, const char *s)
{
    GString *line = g_string_new(NULL);

    g_string_printf(line, "GOT %s ", target);
    for (; *s; s++) {
        g_string_append_printf(line, "%02x", (uint8_t)*s);
    }
    return g_string_free(line, FALSE);
}

static bool copy_and_paste(Vm *v, bool rich)
{
    static const int32_t list[] = { 0, (int32_t)0xc0a1e5ce };
    g_autofree char *first = got_line("UTF8_STRING", text), *second = got_line("text/html", html);
    int fd;

    while ((fd = rfb_connect(v->where)) < 0) {
        g_usleep(50000);
    }
    if (!rfb_open(&v->c, fd, NULL) || !rfb_set_encodings(&v->c, list, 2) || !rfb_update(&v->c, true)) {
        test_fail(v->t, "%s", v->c.error);
        return false;
    }
    if (!serve(v, "CLIPBOARD-READY", NULL)) {
        return false;
    }
    v->has[0] = text;
    v->has[1] = html;
    send_clip(&v->c, CLIP_NOTIFY | CLIP_TEXT | CLIP_HTML, "", 0);
    if (!serve(v, first, NULL) || (rich && !serve(v, second, NULL)) || !serve(v, NULL, &v->announced)) {
        return false;
    }
    check_true(v->t, true, "the viewer's text, and HTML, have come to a program in the guest");
    send_clip(&v->c, CLIP_REQUEST | CLIP_TEXT, "", 0);
    if (!serve(v, NULL, &v->given)) {
        return false;
    }
    check_str(v->t, (char *)v->c.clip_data + 4, of_guest, "text of the guest has come to the viewer");
    v->dib = picture();
    send_clip(&v->c, CLIP_NOTIFY | CLIP_DIB, "", 0);
    if (!serve(v, "PICTURE 5", NULL) || !serve(v, NULL, &v->picture_announced)) {
        return false;
    }
    send_clip(&v->c, CLIP_REQUEST | CLIP_DIB, "", 0);
    if (!serve(v, NULL, &v->picture_given)) {
        return false;
    }
    check_true(v->t, v->c.clip_len == 4 + v->dib->len && !memcmp(v->c.clip_data + 4, v->dib->data, v->dib->len),
               "a picture of 5 MB has gone to the guest and back");
    g_byte_array_unref(v->dib);
    v->dib = NULL;
    v->has[0] = "END";
    v->has[1] = NULL;
    send_clip(&v->c, CLIP_NOTIFY | CLIP_TEXT, "", 0);
    return serve(v, "GUEST-DONE rc=0", NULL);
}

static void with_agent(Test *t, const char *agent)
{
    g_autofree char *kernel = NULL, *ram_disk = NULL;
    Vm v = { .t = t };
    bool ok;

    ram_disk = initrd(t, &kernel);
    if (!ram_disk) {
        test_skip(t, "this host has no Xorg or no xclip");
        return;
    }
    v.serial = g_build_filename(test_tmpdir(t), "serial", NULL);
    v.where = g_strdup_printf("unix:%s/vnc", test_tmpdir(t));
    start(&v, kernel, ram_disk, agent);
    ok = copy_and_paste(&v, strcmp(agent, "spice") != 0);
    rfb_close(&v.c);
    kill(v.pid, SIGKILL);
    waitpid(v.pid, NULL, 0);
    if (!ok) {
        g_autofree char *all = NULL;

        g_file_get_contents(v.serial, &all, NULL, NULL);
        test_note(t, "%s", all ? all : "");
    }
    g_free(v.serial);
    g_free(v.where);
}

TEST(guest_clipboard, through_a_viewer)
{
    printf("# timeout: 600\n");
    fflush(stdout);
    with_agent(t, "ours");
}

TEST(guest_clipboard, agent_of_spice)
{
    if (!g_file_test("/usr/bin/spice-vdagent", G_FILE_TEST_EXISTS)) {
        test_skip(t, "spice-vdagent is missing");
        return;
    }
    with_agent(t, "spice");
}
