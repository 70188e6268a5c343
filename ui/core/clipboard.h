/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clipboard that viewers, windows and the guest's agent share. One peer owns it: it has said
 * which formats it has. The data of a format is fetched from the owner when somebody wants it, and
 * kept until the next owner. Of PNG and BMP, the one that the owner hasn't got is made of the other. Big lock.
 */
#ifndef UI_CORE_CLIPBOARD_H
#define UI_CORE_CLIPBOARD_H

#include <glib.h>
#include "util/osdep.h"

#define CLIPBOARD_MAX   (128 * 1024 * 1024)      /* bytes of one format */

typedef enum ClipFormat {
    CLIP_TEXT,                  /* UTF-8, lines end with a line feed; no NUL */
    CLIP_HTML, CLIP_RTF, CLIP_PNG, CLIP_BMP,
    CLIP_NUM
} ClipFormat;

typedef struct ClipPeer ClipPeer;
struct ClipPeer {
    const char *name;
    /* Somebody else (or nobody: no formats) owns it from now on. @formats: BIT(ClipFormat). */
    void (*changed)(ClipPeer *p, unsigned formats);
    /* Data of that format has come; clipboard_data() has it. NULL allowed. */
    void (*arrived)(ClipPeer *p, ClipFormat format);
    /* Of the owner: clipboard_provide() it, now or later. */
    void (*wanted)(ClipPeer *p, ClipFormat format);
    ClipPeer *next;
};

void clipboard_add(ClipPeer *p);
/* An owner that goes leaves nothing behind. */
void clipboard_remove(ClipPeer *p);
bool clipboard_is_peer(const ClipPeer *p);
ClipPeer *clipboard_owner(void);
unsigned clipboard_formats(void);

/* @p has something in these formats; what there was before is gone. */
void clipboard_claim(ClipPeer *p, unsigned formats);
/* @p's data; copied. Ignored if @p doesn't own it (any more) or it is too much. */
void clipboard_provide(ClipPeer *p, ClipFormat format, const void *data, size_t len);
/* NULL if it isn't there; borrowed until the clipboard changes. */
GBytes *clipboard_data(ClipFormat format);
/* Have it fetched; `arrived` tells. Nothing if the owner doesn't have the format. */
void clipboard_want(ClipFormat format);

#endif
