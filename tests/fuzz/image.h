/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fuzz targets of image formats share: an image in memory, opened or refused with a word. */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include <glib.h>
#include "block/block.h"
#include "util/main-loop.h"

/* A file in memory with these bytes, zeros behind them up to a multiple of @round; its name goes to @path. The descriptor is
 * closed by whoever asked, after fuzz_image_settle(). */
int fuzz_image_file(char path[64], const uint8_t *data, size_t size, size_t round);
/* NULL: refused. Takes @opts. */
BlockNode *fuzz_image_open(QDict *opts);
/* Events that are on their way. */
void fuzz_image_settle(void);

/* One request of up to 128 KiB, as the bytes choose: where, how long, and, if it @write-s, whether data, zeros, or nothing. */
enum { FUZZ_IO_CHOICES = 5 };
void coroutine_fn fuzz_image_io(BlockNode *n, const uint8_t *choice, bool write);

/* In a target: how it begins. */
#define FUZZ_IMAGES_BEGIN \
    int LLVMFuzzerInitialize(int *argc, char ***argv); \
    int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv) \
    { \
        main_loop_init(); \
        return 0; \
    }

#endif
