/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker thread encodes for one client or several that want the very same. Between vnc-update.c and vnc-job.c. */
#ifndef UI_VNC_VNC_JOB_H
#define UI_VNC_VNC_JOB_H

#include "ui/vnc/vnc-int.h"

typedef struct JobClient {
    VncClient *c;
    GByteArray *head;           /* rectangles that go first; NULL */
    unsigned n_head;
    GByteArray *out;            /* the result */
} JobClient;

struct VncJob {
    VncScreen *screen;          /* a reference */
    int tiles_x, tiles_y;
    VncTile **tiles;            /* references to those that are needed */
    pixman_region16_t region;
    pixman_box16_t *boxes;
    int n_boxes;
    bool *loss;                 /* of each box: loss is allowed */
    EncParams params;           /* .format is a reference */
    GArray *clients;            /* of JobClient */
    EncOut *space;              /* what is encoded into */
    GByteArray *shared;         /* what follows each client's @out; NULL: nothing */
    unsigned rects;
    size_t pixels;
    int64_t cpu_ns;
    bool failed;
};

/* Of the parts @r for @c; @refining: without loss. */
VncJob *vnc_job_new(VncClient *c, pixman_region16_t *r, bool refining);
void vnc_job_free(VncJob *j);
/* A thread pool's function, on the job: each client's @out, and @shared. */
int vnc_job_work(void *job);
/* Whether both make the same bytes before any stream. */
bool vnc_job_same(const VncJob *a, const VncJob *b);
/* Sooner done than given to another thread. */
bool vnc_job_is_small(const VncJob *j);

#endif
