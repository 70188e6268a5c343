/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the back ends of chardev/ share; front ends use chardev/chardev.h. */
#ifndef CHARDEV_CHAR_INT_H
#define CHARDEV_CHAR_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "chardev/chardev.h"
#include "qapi/types-char.h"
#include "util/main-loop.h"

struct msghdr;

typedef struct ChardevOps {
    ChardevBackendKind kind;
    const char *args;           /* options for -chardev help, "" for none */
    size_t size;                /* of the struct that starts with a Chardev */
    /* Set chr->filename; call chr_be_event(OPENED) when the other side is there. */
    bool (*open)(Chardev *chr, const ChardevBackend *backend, Error **errp);
    void (*close)(Chardev *chr);
    /*
     * Write what can be written at once: the number of bytes, or -1 when they
     * are lost. After less than @len the back end calls chr_be_flush() later.
     */
    ssize_t (*write)(Chardev *chr, const uint8_t *buf, size_t len);
    /* The rest may be NULL. */
    void (*accept_input)(Chardev *chr);
    void (*set_fe_open)(Chardev *chr, bool open);
    void (*disconnect)(Chardev *chr);
    void (*set_serial_params)(Chardev *chr, const ChrSerialParams *params);
    void (*set_break)(Chardev *chr, bool on);
    bool (*add_client)(Chardev *chr, int fd, Error **errp);
    int (*take_fd)(Chardev *chr);
    /* Keep the descriptors of a message that was read behind our back, for take_fd. */
    void (*keep_fds)(Chardev *chr, struct msghdr *msg);
    /* The connected socket, -1: none. For reading and writing by turns. */
    int (*socket_fd)(Chardev *chr);
    /* Mux only: more than one front end, told apart by fe->mux_index. */
    bool (*attach)(Chardev *chr, CharFrontend *fe, Error **errp);
    void (*detach)(Chardev *chr, CharFrontend *fe);
    void (*handlers_set)(Chardev *chr, CharFrontend *fe);
    void (*take_focus)(Chardev *chr, CharFrontend *fe);
    void (*fe_accept_input)(Chardev *chr, CharFrontend *fe);
    bool (*busy)(const Chardev *chr);
} ChardevOps;

struct Chardev {
    const ChardevOps *ops;
    char *id;
    char *filename;             /* what query-chardev shows */
    CharFrontend *fe;           /* not for a mux */
    bool be_open, fe_open;
    GByteArray *out;            /* waits for the host to take it */
    int log_fd;                 /* -1: none */
    Chardev *next;              /* in the registry */
};

/* The registry, for query-chardev. */
extern Chardev *chardev_list;

/* Back ends that another room brings (vc); at start-up. */
void chardev_register(const ChardevOps *ops);
const ChardevOps *chardev_ops(ChardevBackendKind kind);
extern const ChardevOps chr_null_ops, chr_vc_ops, chr_file_ops, chr_pipe_ops, chr_stdio_ops,
    chr_pty_ops, chr_serial_ops, chr_socket_ops, chr_udp_ops, chr_ringbuf_ops, chr_memory_ops,
    chr_mux_ops;

/* Borrowed; NULL with *errp set. */
Chardev *chardev_new(const char *id, const ChardevBackend *backend, Error **errp);
/* Replace the back end behind the front end. */
Chardev *chardev_change(const char *id, const ChardevBackend *backend, Error **errp);
bool chardev_is_busy(const Chardev *chr);

/* ------------------------------------------- from back end to front end */

/* How many bytes the front end takes now. */
size_t chr_be_can_receive(Chardev *chr);
void chr_be_receive(Chardev *chr, const uint8_t *buf, size_t len);
void chr_be_event(Chardev *chr, ChrEvent event);
/* The host takes output again. */
void chr_be_flush(Chardev *chr);
/* Whether output waits. */
static inline bool chr_be_pending(const Chardev *chr)
{
    return chr->out->len != 0;
}

/* ------------------------------------------ descriptors (char-fd.c) */

/*
 * The part that file, pipe, stdio, pty and serial have in common: one
 * descriptor to read, one to write (maybe the same), both non-blocking.
 */
typedef struct FdPair {
    Chardev *chr;
    int in, out;                /* -1: none; owned */
    FdWatch *in_watch, *out_watch;
    /* The other side closed; NULL: CHR_EVENT_CLOSED, and no more reading. */
    void (*hangup)(struct FdPair *p);
} FdPair;

void fd_pair_init(FdPair *p, Chardev *chr, int in, int out);
void fd_pair_close(FdPair *p);
/* Start, stop or go on reading, by what the front end takes. */
void fd_pair_poll(FdPair *p);
ssize_t fd_pair_write(FdPair *p, const uint8_t *buf, size_t len);
/* Only the watches; the descriptors stay. */
void fd_pair_stop(FdPair *p);

#endif
