/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/channel.h"

bool mig_channel_read_or_end(MigChannel *c, void *buf, size_t len, bool *end, Error **errp)
{
    char *p = buf;
    size_t done = 0;

    *end = false;
    while (done < len) {
        ssize_t n;

        if (c->interrupted) {
            error_setf(errp, ERR_WRONG_STATE, "the migration was cancelled");
            return false;
        }
        n = c->ops->read(c, p + done, len - done, errp);
        if (n < 0) {
            return false;
        }
        if (n == 0 && done == 0) {
            *end = true;
            return true;
        }
        if (n == 0) {
            error_setf(errp, ERR_EOF, "the stream ends early, %zu of %zu bytes are there", done,
                       len);
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

bool mig_channel_read(MigChannel *c, void *buf, size_t len, Error **errp)
{
    bool end;

    if (!mig_channel_read_or_end(c, buf, len, &end, errp)) {
        return false;
    }
    if (end && len) {
        error_setf(errp, ERR_EOF, "the stream ends early");
        return false;
    }
    return true;
}

bool mig_channel_write(MigChannel *c, const void *buf, size_t len, Error **errp)
{
    const char *p = buf;

    while (len) {
        ssize_t n;

        if (c->interrupted) {
            error_setf(errp, ERR_WRONG_STATE, "the migration was cancelled");
            return false;
        }
        n = c->ops->write(c, p, len, errp);
        if (n < 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

void mig_channel_interrupt(MigChannel *c)
{
    atomic_store(&c->interrupted, true);
    if (c->ops->interrupt) {
        c->ops->interrupt(c);
    }
}

bool mig_channel_finish(MigChannel *c, Error **errp)
{
    return !c->ops->finish || c->ops->finish(c, errp);
}

void mig_channel_free(MigChannel *c)
{
    if (c) {
        c->ops->free(c);
    }
}
