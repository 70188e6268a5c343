/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices: byte streams between a front end (a serial port, a
 * monitor, a virtio-serial port) and a back end (a socket, a pseudo terminal,
 * a file, this terminal).
 *
 * A Chardev is the back end; it has an id, lives in one registry and is freed
 * by chardev_remove() or chardev_cleanup(). A CharFrontend is embedded in the
 * device that uses it. One front end per back end, except for a mux, which
 * takes several and gives the input to the one that has the focus.
 *
 * Everything here is called under the big lock, callbacks come from the main
 * loop. Nothing blocks: what the host doesn't take at once is buffered.
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include "util/osdep.h"
#include "qobject/error.h"

typedef struct Chardev Chardev;

typedef enum {
    CHR_EVENT_OPENED,       /* the other side is there */
    CHR_EVENT_CLOSED,       /* the other side went away */
    CHR_EVENT_BREAK,        /* a serial break */
    CHR_EVENT_MUX_IN,       /* mux: this front end got the focus */
    CHR_EVENT_MUX_OUT,      /* mux: this front end lost the focus */
} ChrEvent;

typedef struct ChrHandlers {
    /* How many bytes the front end takes now; NULL means any number. */
    size_t (*can_receive)(void *opaque);
    /* @len is at most what can_receive said. */
    void (*receive)(void *opaque, const uint8_t *buf, size_t len);
    void (*event)(void *opaque, ChrEvent event);
    /* Room again after chr_fe_write() took less than it was given. */
    void (*writable)(void *opaque);
} ChrHandlers;

/* Embedded in a device, zero-initialised; the fields belong to chardev/. */
typedef struct CharFrontend {
    Chardev *chr;                   /* NULL: not connected */
    const ChrHandlers *handlers;
    void *opaque;
    unsigned mux_index;
    bool want_writable;
} CharFrontend;

/*
 * Connect @fe to @chr. Fails (code ERR_IN_USE) when @chr has a front end and
 * isn't a mux. @chr may be NULL: then the front end is connected to nothing,
 * what it writes is dropped, and all calls below are still allowed.
 */
bool chr_fe_init(CharFrontend *fe, Chardev *chr, Error **errp);
/* As chr_fe_init with the back end's id, for properties. */
bool chr_fe_init_by_id(CharFrontend *fe, const char *id, Error **errp);
void chr_fe_deinit(CharFrontend *fe);
/*
 * Set (or with NULL remove) the callbacks. If the back end is open already,
 * @handlers->event gets CHR_EVENT_OPENED before this returns.
 */
void chr_fe_set_handlers(CharFrontend *fe, const ChrHandlers *handlers, void *opaque);
bool chr_fe_is_connected(const CharFrontend *fe);       /* has a back end */
bool chr_fe_is_open(const CharFrontend *fe);            /* its other side is there */
Chardev *chr_fe_get_chardev(const CharFrontend *fe);    /* borrowed, may be NULL */

/*
 * Write without ever blocking. Returns how many bytes were taken: all of them
 * unless the output buffer (CHR_BUFFER_SIZE) is full; then handlers->writable
 * is called once there is room. With no back end, or when its other side
 * isn't there, everything is taken and dropped.
 */
size_t chr_fe_write(CharFrontend *fe, const void *buf, size_t len);
#define CHR_BUFFER_SIZE     (64 * 1024)
/* Whether something that was taken hasn't been written yet, after another try. */
bool chr_fe_pending(CharFrontend *fe);
/* As chr_fe_write; what doesn't fit is dropped. For output nobody waits for. */
void chr_fe_write_all(CharFrontend *fe, const void *buf, size_t len);
void chr_fe_printf(CharFrontend *fe, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Call when can_receive() would now say more than it did before. */
void chr_fe_accept_input(CharFrontend *fe);
/* Tell the back end whether the guest's side is open (virtio-serial). */
void chr_fe_set_open(CharFrontend *fe, bool open);
/* Close the connection to the other side; a server goes back to listening. */
void chr_fe_disconnect(CharFrontend *fe);
/* Start a mux front end's life with the focus. */
void chr_fe_take_focus(CharFrontend *fe);

/* Serial line parameters, for back ends that are real or pseudo terminals. */
typedef struct ChrSerialParams {
    int speed;              /* bit/s */
    int parity;             /* 'N', 'E' or 'O' */
    int data_bits;          /* 5 to 8 */
    int stop_bits;          /* 1 or 2 */
} ChrSerialParams;
void chr_fe_set_serial_params(CharFrontend *fe, const ChrSerialParams *params);
void chr_fe_set_break(CharFrontend *fe, bool on);

/*
 * Take the oldest file descriptor that the other side sent (SCM_RIGHTS, unix
 * sockets only); the caller owns it then. -1 if there is none.
 */
int chr_fe_take_fd(CharFrontend *fe);

/*
 * For protocols of questions and answers, on sockets only: write all (@fds, up to CHR_SYNC_FDS of them,
 * are sent with it) or read exactly @len bytes, waiting for at most @timeout_ms. The handlers must take no
 * bytes then (can_receive says 0). False with *errp set; half of it may be done. Descriptors
 * that come with what is read wait for chr_fe_take_fd().
 */
#define CHR_SYNC_FDS    16
bool chr_fe_write_sync(CharFrontend *fe, const void *buf, size_t len, const int *fds, size_t n_fds,
                       int timeout_ms, Error **errp);
bool chr_fe_read_sync(CharFrontend *fe, void *buf, size_t len, int timeout_ms, Error **errp);
/* Wait until the other side is there, at most @timeout_ms; the main loop runs meanwhile. */
bool chr_fe_wait_open(CharFrontend *fe, int timeout_ms, Error **errp);

/* ------------------------------------------------ creating and finding */

/* Borrowed; NULL if there is none with that id. */
Chardev *chardev_find(const char *id);
const char *chardev_id(const Chardev *chr);
bool chardev_is_mux(const Chardev *chr);
/* An id that nobody has: PREFIX0, PREFIX1 ...; freed with g_free(). */
char *chardev_new_id(const char *prefix);

/*
 * The short forms of -serial, -parallel, -monitor, -qmp, -debugcon:
 * null, stdio, pty, vc, msmouse-like names without arguments, file:F, pipe:F,
 * tcp:H:P[,server=on][,wait=off][,nodelay=on][,reconnect=N], telnet:...,
 * unix:F[,...], fdset names as in chardev-add, mon:SPEC (a mux shared with a
 * human monitor), chardev:ID (an existing one), none (result NULL, no error).
 * @id names a newly made one. Borrowed result; NULL with *errp set on failure.
 */
Chardev *chardev_new_from_spec(const char *id, const char *spec, Error **errp);
/* Is it such a text? Nothing is made. */
bool chardev_check_spec(const char *spec, Error **errp);

typedef struct QDict QDict;
/*
 * -chardev: @opts has "backend" and "id" and the options of that back end,
 * as strings (key=value) or as JSON values. *errp names wrong ones.
 */
Chardev *chardev_new_from_opts(const QDict *opts, Error **errp);
/* The same for one that is there: it gets this back end, the front end stays. */
Chardev *chardev_change_from_opts(const QDict *opts, Error **errp);
/* Text for "-chardev help"; the caller frees it. */
char *chardev_help(void);

/* Give a connected socket to a back end that listens; takes @fd on success. */
bool chardev_add_client(Chardev *chr, int fd, Error **errp);
/* Fails with ERR_IN_USE while a front end is connected. */
bool chardev_remove(const char *id, Error **errp);

/*
 * A mux made by "mon:" wants a human monitor as one of its front ends;
 * monitor/ sets this hook at start-up, before the command line is read.
 */
void chardev_set_monitor_hook(bool (*new_monitor)(Chardev *mux, Error **errp));
/* What Ctrl-a x of a mux asks for (end the emulator). */
void chardev_set_exit_hook(void (*request_exit)(void));
/* -echr: the control character instead of Ctrl-a. */
void chardev_set_mux_escape(int c);
/*
 * Whether a Ctrl-c typed on the stdio back end is a signal for the emulator
 * (as QEMU's default) or a byte for the guest (-nographic, mon:stdio).
 */
void chardev_stdio_set_signals(bool signal);

/* Flush what can be flushed at once, close all, restore the terminal. */
void chardev_cleanup(void);

#endif
