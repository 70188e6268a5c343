/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "ui/core/clip-image.h"
#include "ui/core/clipboard.h"
#include "util/thread-pool.h"

static ClipPeer *peers;             /* registry */

static struct {
    ClipPeer *owner;
    unsigned formats, asked;    /* of the owner */
    unsigned made_asked;        /* of those that are made of others: the other one is awaited */
    unsigned making;            /* of those: a thread is at it */
    unsigned epoch;             /* counts owners */
    GBytes *data[CLIP_NUM];
} board;

/* One picture's format from the other's: what the owner hasn't got is made. */
static bool is_picture(ClipFormat f)
{
    return f == CLIP_PNG || f == CLIP_BMP;
}

static ClipFormat other_picture(ClipFormat f)
{
    return f == CLIP_PNG ? CLIP_BMP : CLIP_PNG;
}

static unsigned makeable(void)
{
    unsigned pictures = board.formats & (BIT(CLIP_PNG) | BIT(CLIP_BMP));

    return pictures ? (BIT(CLIP_PNG) | BIT(CLIP_BMP)) & ~pictures : 0;
}

static void empty_board(void)
{
    for (unsigned i = 0; i < CLIP_NUM; i++) {
        if (board.data[i]) {
            g_bytes_unref(board.data[i]);
            board.data[i] = NULL;
        }
    }
    board.formats = board.asked = board.made_asked = board.making = 0;
    board.epoch++;
}

static void tell_changed(void)
{
    for (ClipPeer *p = peers, *next; p; p = next) {
        next = p->next;
        if (p != board.owner && p->changed) {
            p->changed(p, clipboard_formats());
        }
    }
}

void clipboard_add(ClipPeer *p)
{
    p->next = peers;
    peers = p;
    if (board.formats && p->changed) {
        p->changed(p, clipboard_formats());
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
    return board.formats | makeable();
}

void clipboard_claim(ClipPeer *p, unsigned formats)
{
    empty_board();
    board.owner = p;
    board.formats = formats & (BIT(CLIP_NUM) - 1);
    tell_changed();
}

static void tell_arrived(ClipPeer *but, ClipFormat format)
{
    for (ClipPeer *q = peers, *next; q; q = next) {
        next = q->next;
        if (q != but && q->arrived) {
            q->arrived(q, format);
        }
    }
}

/* --- pictures, on a worker thread --- */

typedef struct Making {
    GBytes *from, *to;
    ClipFormat format;
    unsigned epoch;
} Making;

static int make(void *opaque)
{
    Making *m = opaque;

    m->to = m->format == CLIP_PNG ? clip_png_from_bmp(m->from) : clip_bmp_from_png(m->from, CLIPBOARD_MAX);
    return 0;
}

static void made(void *opaque, UNUSED int result)
{
    Making *m = opaque;

    if (m->epoch == board.epoch) {
        board.making &= ~BIT(m->format);
    }
    if (m->to && m->epoch == board.epoch && !board.data[m->format]) {
        board.data[m->format] = g_bytes_ref(m->to);
        tell_arrived(board.owner, m->format);
    }
    g_bytes_unref(m->from);
    if (m->to) {
        g_bytes_unref(m->to);
    }
    g_free(m);
}

static void start_making(ClipFormat format)
{
    Making *m = g_new(Making, 1);

    board.made_asked &= ~BIT(format);
    board.making |= BIT(format);
    *m = (Making){ .from = g_bytes_ref(board.data[other_picture(format)]), .format = format, .epoch = board.epoch };
    thread_pool_submit(make, m, made, m);
}

void clipboard_provide(ClipPeer *p, ClipFormat format, const void *data, size_t len)
{
    ClipFormat other = other_picture(format);

    if (board.owner != p || len > CLIPBOARD_MAX || !(board.formats & BIT(format))) {
        return;
    }
    if (board.data[format]) {
        g_bytes_unref(board.data[format]);
    }
    board.data[format] = g_bytes_new(data, len);
    board.asked &= ~BIT(format);
    tell_arrived(p, format);
    if (is_picture(format) && board.made_asked & BIT(other) && board.data[format]) {
        start_making(other);
    }
}

GBytes *clipboard_data(ClipFormat format)
{
    return board.data[format];
}

void clipboard_want(ClipFormat format)
{
    if (board.data[format] || board.making & BIT(format)) {
        return;
    }
    if (makeable() & ~board.made_asked & BIT(format)) {
        board.made_asked |= BIT(format);
        format = other_picture(format);
        if (board.data[format]) {
            start_making(other_picture(format));
            return;
        }
    }
    if (board.owner && board.formats & ~board.asked & BIT(format) && board.owner->wanted) {
        board.asked |= BIT(format);
        board.owner->wanted(board.owner, format);
    }
}
