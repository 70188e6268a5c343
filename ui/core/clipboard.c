/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "ui/core/clipboard.h"

static ClipPeer *peers;             /* registry */

static struct {
    ClipPeer *owner;
    unsigned formats, asked;
    GBytes *data[CLIP_NUM];
} board;

static void empty_board(void)
{
    for (unsigned i = 0; i < CLIP_NUM; i++) {
        if (board.data[i]) {
            g_bytes_unref(board.data[i]);
            board.data[i] = NULL;
        }
    }
    board.formats = board.asked = 0;
}

static void tell_changed(void)
{
    for (ClipPeer *p = peers, *next; p; p = next) {
        next = p->next;
        if (p != board.owner && p->changed) {
            p->changed(p, board.formats);
        }
    }
}

void clipboard_add(ClipPeer *p)
{
    p->next = peers;
    peers = p;
    if (board.formats && p->changed) {
        p->changed(p, board.formats);
    }
}

bool clipboard_is_peer(const ClipPeer *p)
{
    for (const ClipPeer *q = peers; q; q = q->next) {
        if (p == q) {
            return true;
        }
    }
    return false;
}

void clipboard_remove(ClipPeer *p)
{
    for (ClipPeer **pp = &peers; *pp; pp = &(*pp)->next) {
        if (*pp == p) {
            *pp = p->next;
            break;
        }
    }
    if (board.owner == p) {
        board.owner = NULL;
        empty_board();
        tell_changed();
    }
}

ClipPeer *clipboard_owner(void)
{
    return board.owner;
}

unsigned clipboard_formats(void)
{
    return board.formats;
}

void clipboard_claim(ClipPeer *p, unsigned formats)
{
    empty_board();
    board.owner = p;
    board.formats = formats & (BIT(CLIP_NUM) - 1);
    tell_changed();
}

void clipboard_provide(ClipPeer *p, ClipFormat format, const void *data, size_t len)
{
    if (board.owner != p || len > CLIPBOARD_MAX || !(board.formats & BIT(format))) {
        return;
    }
    if (board.data[format]) {
        g_bytes_unref(board.data[format]);
    }
    board.data[format] = g_bytes_new(data, len);
    board.asked &= ~BIT(format);
    for (ClipPeer *q = peers, *next; q; q = next) {
        next = q->next;
        if (q != p && q->arrived) {
            q->arrived(q, format);
        }
    }
}

GBytes *clipboard_data(ClipFormat format)
{
    return board.data[format];
}

void clipboard_want(ClipFormat format)
{
    if (board.owner && board.formats & ~board.asked & BIT(format) && !board.data[format] &&
        board.owner->wanted) {
        board.asked |= BIT(format);
        board.owner->wanted(board.owner, format);
    }
}
