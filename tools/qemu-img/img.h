/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-img: makes, looks at and changes disk images, with the emulator's own
 * drivers. One function a command, each in the file of its kind; main.c finds it.
 * Output is what scripts know from other programs of this name.
 */
#ifndef TOOLS_QEMU_IMG_IMG_H
#define TOOLS_QEMU_IMG_IMG_H

#include <getopt.h>
#include <glib.h>
#include "block/block.h"
#include "qapi/types-block.h"

typedef int ImgCommand(int argc, char **argv);
ImgCommand img_create, img_info, img_convert, img_check, img_resize, img_snapshot, img_map, img_compare,
           img_commit, img_rebase, img_measure, img_dd, img_bitmap, img_bench;

/* --- common.c --- */
enum { IMG_RW = 1, IMG_NO_BACKING = 2, IMG_FORCE_SHARE = 4, IMG_CHECK = 8, IMG_IMAGE_OPTS = 16 };
/* @format NULL: probed; @cache: a mode's name or NULL. NULL: the mistake was told. */
BlockNode *img_open(const char *name, const char *format, const char *cache, unsigned flags);
/* For writing; @secret: the id of the object with its password, or NULL. */
BlockNode *img_open_with_secret(const char *name, const char *format, const char *cache, const char *secret);
/* What the commands' options have in common. */
typedef struct ImgOptions {
    const char *format;         /* -f */
    unsigned flags;             /* -U, --force-share, --image-opts are added */
    bool quiet, progress;       /* -q, -p */
    bool json;                  /* --output=json */
} ImgOptions;
enum { IMG_TAKES_OUTPUT = 1, IMG_TAKES_IMAGE_OPTS = 2 };
/* getopt_long(): @shorts says which of -f, -q, -p, -U are accepted, @takes which long options; these go into
 * @o. What else is in @shorts and @longs (may be NULL) is returned; '?' after a mistake, which was told. */
/* --object "secret,id=ID,data=...": what options of images name by its id. False: the mistake was told. */
bool img_object(const char *text);
int img_getopt(int argc, char **argv, const char *shorts, unsigned takes, const struct option *longs, ImgOptions *o);
/* Tells "qemu-img: ..." and frees @err; returns 1. */
int img_fail(Error *err);
int img_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* "10G", "512k"; false: it was told. */
bool img_size(const char *text, const char *what, uint64_t *size);
char *img_size_text(uint64_t bytes);            /* "64 MiB"; freed by the caller */
/* "a=b,c=d" into @opts; ",," is a comma. False: it was told. */
bool img_options(const char *text, QDict *opts);
bool img_wants_help(const char *text);
/* Creates an image by @format in file @name; @opts: creation options, which get "size". */
bool img_make(const char *name, const char *format, QDict *opts, Error **errp);
/* The creation options of a format, checked and given their types. */
bool img_typed_options(const char *format, QDict *opts, Error **errp);
void img_print_create_options(const char *format);

/* The table of snapshot -l and info. */
void img_print_snapshots(const SnapshotInfoList *list);

typedef struct ImgProgress {
    bool on;
    double last;
} ImgProgress;
void img_progress(ImgProgress *p, double percent);
void img_progress_end(ImgProgress *p);

#endif
