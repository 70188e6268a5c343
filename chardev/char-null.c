/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * null: takes everything, gives nothing. vc too, in programs without displays
 * that shows text consoles: it registers its own.
 */
#include "util/osdep.h"
#include "chardev/char-int.h"

static bool null_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    (void)backend;
    (void)errp;
    chr_be_event(chr, CHR_EVENT_OPENED);
    return true;
}

static ssize_t null_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    (void)chr;
    (void)buf;
    return len;
}

const ChardevOps chr_null_ops = {
    .kind = CHARDEV_BACKEND_KIND_NULL, .args = "",
    .size = sizeof(Chardev), .open = null_open, .write = null_write,
};

const ChardevOps chr_vc_ops = {
    .kind = CHARDEV_BACKEND_KIND_VC, .args = "[width=W][,height=H][,cols=C][,rows=R]",
    .size = sizeof(Chardev), .open = null_open, .write = null_write,
};
