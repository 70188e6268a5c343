/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Updates. Clients that can be served and want the very same (parts, format, encoding, levels)
 * share a job (vnc-job.c), which a worker thread does; the main loop only passes on the bytes.
 */
#include "util/osdep.h"
#include "ui/vnc/vnc-job.h"
#include "util/bswap.h"
#include "util/thread-pool.h"

#define JOB_MAX_PIXELS  (8 * 1024 * 1024)   /* the rest comes with the next */
#define BOXES_MAX       1000                /* more are joined into one */
#define REST_NS         (300 * NS_PER_MS)   /* without motion: lossy parts are sent again */
#define REFINE_PIXELS   (512 * 1024)        /* of them at a time */
#define QUEUE_NS        (40 * NS_PER_MS)    /* that a round trip may be longer than the shortest */
#define WINDOW_MIN      (16 * 1024)
#define WINDOW_MAX      (8 * 1024 * 1024)

/* --- what has changed --- */

typedef struct Change {
    pixman_region16_t *delta, dst, src, rest;
    const VncCopy *copy;
} Change;

static void plain_copy(VncClient *c)
{
    for (int i = 0; i < c->copy.n; i++) {
        const pixman_box16_t *b = &c->copy.dst[i];

        pixman_region_union_rect(&c->dirty, &c->dirty, b->x1, b->y1, b->x2 - b->x1, b->y2 - b->y1);
    }
    c->copy.n = 0;
}

/* What is copied keeps the loss of its source. */
static void move_lossy(VncClient *c, Change *ch)
{
    pixman_region16_t moved;

    pixman_region_init(&moved);
    pixman_region_intersect(&moved, &c->lossy, &ch->src);
    pixman_region_translate(&moved, -ch->copy->dx, -ch->copy->dy);
    pixman_region_intersect(&moved, &moved, &ch->dst);
    pixman_region_subtract(&c->lossy, &c->lossy, &ch->dst);
    pixman_region_union(&c->lossy, &c->lossy, &moved);
    pixman_region_fini(&moved);
}

static bool can_copy(VncClient *c, Change *ch)
{
    pixman_region16_t common;
    bool clean;

    if (!ch->copy->n || !(c->caps & CAP_COPY) || c->copy.n || c->size_changed ||
        c->width < c->screen->width || c->height < c->screen->height) {
        return false;
    }
    pixman_region_init(&common);
    pixman_region_intersect(&common, &c->dirty, &ch->src);
    clean = !pixman_region_not_empty(&common);
    pixman_region_fini(&common);
    return clean;
}

static void changed_for(VncClient *c, void *opaque)
{
    Change *ch = opaque;

    if (!c->initialized) {
        return;
    }
    if (can_copy(c, ch)) {
        c->copy = *ch->copy;
        pixman_region_subtract(&c->dirty, &c->dirty, &ch->dst);
        pixman_region_union(&c->dirty, &c->dirty, &ch->rest);
        move_lossy(c, ch);
    } else {
        pixman_region_union(&c->dirty, &c->dirty, ch->delta);
    }
}

void vnc_update_changed(VncScreen *s, pixman_region16_t *delta, const VncCopy *copy)
{
    Change ch = { .delta = delta, .copy = copy };

    pixman_region_init(&ch.dst);
    pixman_region_init(&ch.src);
    pixman_region_init(&ch.rest);
    if (copy->n) {
        pixman_region_fini(&ch.dst);
        pixman_region_init_rects(&ch.dst, copy->dst, copy->n);
        pixman_region_copy(&ch.src, &ch.dst);
        pixman_region_translate(&ch.src, copy->dx, copy->dy);
        pixman_region_subtract(&ch.rest, delta, &ch.dst);
    }
    vnc_for_each_client(s, changed_for, &ch);
    pixman_region_fini(&ch.dst);
    pixman_region_fini(&ch.src);
    pixman_region_fini(&ch.rest);
}

void vnc_update_dirty_all(VncClient *c)
{
    c->copy.n = 0;
    pixman_region_clear(&c->lossy);
    pixman_region_union_rect(&c->dirty, &c->dirty, 0, 0, CONSOLE_MAX_WIDTH, CONSOLE_MAX_HEIGHT);
}

static void resized_for(VncClient *c, UNUSED void *opaque)
{
    c->size_changed = true;
    c->film = (pixman_box16_t){ 0 };
    vnc_update_dirty_all(c);
}

void vnc_update_resized(VncScreen *s)
{
    vnc_for_each_client(s, resized_for, NULL);
    vnc_update_kick(s);
}

/* --- congestion --- */

static void note_sent(VncClient *c, size_t bytes)
{
    uint8_t payload[4];

    if (!(c->caps & CAP_FENCE) || !c->continuous || c->fence_seq - c->fence_acked >= 64) {
        return;
    }
    c->fence_sent_ns[c->fence_seq % 64] = clock_get_ns(CLOCK_RT);
    c->fence_bytes[c->fence_seq % 64] = bytes;
    c->in_flight += bytes;
    store_be32(payload, c->fence_seq++);
    vnc_pseudo_send_fence(c, BIT(31), payload, 4);
}

/* An update has been handled. Round trips that grow mean that a queue grows somewhere: the window
 * shrinks; else it grows while it is used. */
void vnc_update_fence(VncClient *c, uint32_t seq)
{
    int64_t rtt;

    if (seq - c->fence_acked >= c->fence_seq - c->fence_acked) {
        return;                             /* never sent, or already answered */
    }
    rtt = clock_get_ns(CLOCK_RT) - c->fence_sent_ns[seq % 64];
    for (; c->fence_acked != seq + 1; c->fence_acked++) {
        c->in_flight -= MIN(c->in_flight, c->fence_bytes[c->fence_acked % 64]);
    }
    if (!c->base_rtt_ns || rtt < c->base_rtt_ns) {
        c->base_rtt_ns = rtt;
    }
    if (rtt > c->base_rtt_ns + QUEUE_NS) {
        c->window = MAX(WINDOW_MIN, c->window * (c->base_rtt_ns + QUEUE_NS) / rtt);
    } else {
        c->window = MIN(WINDOW_MAX, c->window + MAX(4096, c->fence_bytes[seq % 64] / 2));
    }
    vnc_update_kick(c->screen);
}

static bool congested(const VncClient *c)
{
    return c->continuous && c->caps & CAP_FENCE && c->in_flight >= c->window;
}

/* --- choosing --- */

static bool servable(const VncClient *c)
{
    return c->initialized && !c->closing && !c->job && !c->sync_next && c->format && (c->wanted || c->continuous) &&
           c->out_bytes <= VNC_OUT_LOW && !congested(c);
}

/* The parts that it may be sent now. */
static void visible(VncClient *c, pixman_region16_t *r, pixman_region16_t *of)
{
    pixman_region16_t where;

    pixman_region_init(&where);
    if (c->continuous) {
        const pixman_box16_t *b = &c->continuous_box;

        pixman_region_union_rect(&where, &where, b->x1, b->y1, b->x2 - b->x1, b->y2 - b->y1);
    }
    if (c->wanted) {
        pixman_region_union(&where, &where, &c->request);
    }
    pixman_region_intersect(r, of, &where);
    /* A client that can't follow a larger screen sees the part that fits; what a smaller one
     * leaves is black. */
    pixman_region_intersect_rect(r, r, 0, 0, c->width, c->height);
    pixman_region_fini(&where);
}

/* At most @max pixels of it, from the top. */
static void limit_area(pixman_region16_t *r, size_t max)
{
    const pixman_box16_t *e;
    pixman_box16_t *b;
    size_t sum = 0;
    int n;

    b = pixman_region_rectangles(r, &n);
    for (int i = 0; i < n; i++) {
        size_t w = b[i].x2 - b[i].x1, h = b[i].y2 - b[i].y1;

        if (sum + w * h > max) {
            int y = b[i].y1 + MAX(1, (int)((max - sum) / w));

            e = pixman_region_extents(r);
            pixman_region_intersect_rect(r, r, e->x1, e->y1, e->x2 - e->x1, y - e->y1);
            return;
        }
        sum += w * h;
    }
}

/* Nothing moves: what was sent with loss is sent again without. */
static bool refine(VncClient *c, pixman_region16_t *r)
{
    if (!pixman_region_not_empty(&c->lossy) ||
        clock_get_ns(CLOCK_RT) - c->screen->changed_ns < REST_NS) {
        return false;
    }
    visible(c, r, &c->lossy);
    limit_area(r, REFINE_PIXELS);
    return pixman_region_not_empty(r);
}

static unsigned copy_rects(VncClient *c, GByteArray *to)
{
    unsigned n = c->copy.n;
    const pixman_box16_t *e = pixman_region_extents(&c->request);
    bool whole = c->continuous ||
                 (e->x1 <= 0 && e->y1 <= 0 && e->x2 >= c->width && e->y2 >= c->height);

    if (!n || !whole) {
        plain_copy(c);
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        const pixman_box16_t *b = &c->copy.dst[i];
        uint8_t r[16];

        store_be16(r, b->x1);
        store_be16(r + 2, b->y1);
        store_be16(r + 4, b->x2 - b->x1);
        store_be16(r + 6, b->y2 - b->y1);
        store_be32(r + 8, ENC_COPY_RECT);
        store_be16(r + 12, b->x1 + c->copy.dx);
        store_be16(r + 14, b->y1 + c->copy.dy);
        g_byte_array_append(to, r, 16);
    }
    c->copy.n = 0;
    return n;
}

static void job_done(void *opaque, UNUSED int result)
{
    VncJob *j = opaque;

    for (guint i = 0; i < j->clients->len; i++) {
        JobClient *jc = &g_array_index(j->clients, JobClient, i);
        VncClient *c = jc->c;
        size_t bytes = jc->out->len + (j->shared ? j->shared->len : 0);

        c->job = NULL;
        c->updates++;
        c->rects += j->rects + jc->n_head;
        c->pixels += j->pixels;
        c->cpu_ns += j->cpu_ns / j->clients->len;
        if (jc->head) {
            g_byte_array_unref(jc->head);
        }
        vnc_put_array(c, jc->out);
        if (j->shared) {
            vnc_put_array(c, g_byte_array_ref(j->shared));
        }
        if (j->failed) {
            vnc_client_close(c);
        } else if (!c->closing) {
            note_sent(c, bytes);
            vnc_flush(c);
        }
        vnc_unpark(c);
    }
    vnc_update_kick(j->screen);
    vnc_job_free(j);
}

/* --- serving --- */

typedef struct Serving {
    GPtrArray *jobs;
} Serving;

static void join_job(Serving *sv, VncClient *c, pixman_region16_t *r, bool refining,
                     GByteArray *head, unsigned n_head)
{
    VncJob *j = vnc_job_new(c, r, refining);
    JobClient jc = { c, head, n_head, NULL };

    for (guint i = 0; i < sv->jobs->len; i++) {
        VncJob *other = g_ptr_array_index(sv->jobs, i);

        if (vnc_job_same(other, j)) {
            vnc_job_free(j);
            j = other;
            break;
        }
    }
    if (j->clients->len == 0) {
        g_ptr_array_add(sv->jobs, j);
    }
    g_array_append_val(j->clients, jc);
    c->job = j;
    /* What will be on its screen. */
    for (int i = 0; i < j->n_boxes; i++) {
        const pixman_box16_t *b = &j->boxes[i];
        pixman_region16_t box;

        pixman_region_init_rect(&box, b->x1, b->y1, b->x2 - b->x1, b->y2 - b->y1);
        if (j->loss[i]) {
            pixman_region_union(&c->lossy, &c->lossy, &box);
        } else {
            pixman_region_subtract(&c->lossy, &c->lossy, &box);
        }
        pixman_region_fini(&box);
    }
}

static bool follow_size(VncClient *c)
{
    if (!c->size_changed) {
        return false;
    }
    c->size_changed = false;
    if (!(c->caps & (CAP_SIZE | CAP_EXT_SIZE)) ||
        (c->width == c->screen->width && c->height == c->screen->height)) {
        return false;
    }
    vnc_pseudo_size(c, 0, 0);
    return true;
}

static void serve_one(VncClient *c, void *opaque)
{
    Serving *sv = opaque;
    pixman_region16_t r;
    GByteArray *head;
    unsigned n_head, n_copies;
    bool refining = false;
    int n;

    if (!servable(c)) {
        return;
    }
    if (follow_size(c)) {                   /* an update of its own, which answers the request */
        c->wanted = false;
        vnc_flush(c);
        return;
    }
    head = g_byte_array_new();
    n_head = vnc_pseudo_rects(c, head);
    n_copies = copy_rects(c, head);
    n_head += n_copies;
    pixman_region_init(&r);
    visible(c, &r, &c->dirty);
    pixman_region_rectangles(&r, &n);
    if (n > BOXES_MAX) {
        pixman_box16_t e = *pixman_region_extents(&r);

        pixman_region_fini(&r);
        pixman_region_init_rect(&r, e.x1, e.y1, e.x2 - e.x1, e.y2 - e.y1);
    }
    limit_area(&r, JOB_MAX_PIXELS);
    if (!n && !n_head) {
        refining = refine(c, &r);
    }
    if (n || n_head || refining) {
        pixman_region_subtract(&c->dirty, &c->dirty, &r);
        join_job(sv, c, &r, refining, head, n_head);
        c->wanted = false;
        pixman_region_clear(&c->request);
    } else {
        g_byte_array_unref(head);
    }
    pixman_region_fini(&r);
}

void vnc_update_serve(void *screen)
{
    VncScreen *s = screen;
    Serving sv = { g_ptr_array_new() };

    vnc_for_each_client(s, serve_one, &sv);
    for (guint i = 0; i < sv.jobs->len; i++) {
        VncJob *j = g_ptr_array_index(sv.jobs, i);

        /* A letter, or a blinking cursor: waking a thread and being woken takes longer. */
        if (i == 0 && vnc_job_is_small(j)) {
            vnc_job_work(j);
            job_done(j, 0);
        } else {
            thread_pool_submit(vnc_job_work, j, job_done, j);
        }
    }
    g_ptr_array_unref(sv.jobs);
}

void vnc_update_kick(VncScreen *s)
{
    bh_schedule(s->kick);
}
