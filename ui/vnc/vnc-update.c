/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Updates. Clients that can be served and want the very same (parts, format, encoding, levels)
 * share a job. A job holds the tiles it needs, encodes on a worker thread, and then compresses for
 * each of its clients with that client's zlib streams; the main loop only passes on the bytes.
 */
#include "util/osdep.h"
#include <time.h>
#include "ui/vnc/vnc-int.h"
#include "util/bswap.h"
#include "util/thread-pool.h"

#define JOB_MAX_PIXELS  (8 * 1024 * 1024)   /* the rest comes with the next */
#define SPARE_MAX       2                   /* EncOuts that are kept for the next jobs */
#define BOXES_MAX       1000                /* more are joined into one */
#define SMALL_PIXELS    2048                /* are encoded at once: less than 0.1 ms */
#define REST_NS         (300 * NS_PER_MS)   /* without motion: lossy parts are sent again */
#define FILM_GRID       16                  /* where a film's edges are */
#define REFINE_PIXELS   (512 * 1024)        /* of them at a time */
#define QUEUE_NS        (40 * NS_PER_MS)    /* that a round trip may be longer than the shortest */
#define WINDOW_MIN      (16 * 1024)
#define WINDOW_MAX      (8 * 1024 * 1024)

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

/* --- the worker's part --- */

/* As many pixels, in lines of @w, at any address. */
static void gather(const VncJob *j, uint8_t *to, int x0, int y0, int w, int h)
{
    for (int y = y0; y < y0 + h; y++) {
        for (int x = x0; x < x0 + w; ) {
            size_t i = (size_t)(y / VNC_TILE) * j->tiles_x + x / VNC_TILE;
            const VncTile *t = y / VNC_TILE < j->tiles_y && x / VNC_TILE < j->tiles_x
                             ? j->tiles[i] : NULL;
            int n = MIN(x0 + w, (x / VNC_TILE + 1) * VNC_TILE) - x;

            if (t) {
                const uint32_t *p = t->px + (y % VNC_TILE) * VNC_TILE + x % VNC_TILE;

                for (int k = 0; k < n; k++) {
                    store_host32(to + 4 * k, p[k] & 0xffffff);
                }
            } else {
                memset(to, 0, 4 * (size_t)n);
            }
            to += 4 * n;
            x += n;
        }
    }
}

/* Raw, for clients whose pixels are ours: nothing is in between. */
static bool encode_plainly(const VncJob *j, EncOut *o, const pixman_box16_t *b)
{
    int w = b->x2 - b->x1, h = b->y2 - b->y1;
    size_t n = (size_t)w * h;

    if (j->params.encoding != ENC_RAW || !vnc_format_is_ours(j->params.format)) {
        return false;
    }
    enc_rect(o, b->x1, b->y1, w, h, ENC_RAW);
    gather(j, enc_room(o, 4 * n), b->x1, b->y1, w, h);
    o->pixels += n;
    return true;
}

static void encode_film(const VncJob *j, EncOut *o, const pixman_box16_t *b)
{
    int w = b->x2 - b->x1, h = b->y2 - b->y1;
    uint32_t *rgb = enc_scratch(o, SCRATCH_RGB, 4 * (size_t)w * h);
    EncPicture pic = { b->x1, b->y1, w, h, rgb, rgb, w };

    gather(j, (uint8_t *)rgb, b->x1, b->y1, w, h);
    enc_h264(o, &j->params, &pic);
    o->pixels += (size_t)w * h;
}

static void encode_box(const VncJob *j, EncOut *o, const pixman_box16_t *b, bool loss)
{
    EncParams p = j->params;
    EncFn *encode = enc_function(p.encoding);
    int wide = MIN(b->x2 - b->x1, ENC_MAX_SIDE);
    /* In multiples of 64 lines, so that ZRLE's tiles aren't cut. */
    int high = MAX(VNC_TILE, ALIGN_DOWN(ENC_MAX_PIXELS / wide, VNC_TILE));
    uint32_t *rgb, *values;

    high = MIN(high, b->y2 - b->y1);
    rgb = enc_scratch(o, SCRATCH_RGB, 4 * (size_t)wide * high);
    values = p.format->same ? rgb : enc_scratch(o, SCRATCH_VALUES, 4 * (size_t)wide * high);
    if (!loss) {
        p.quality = -1;
    }
    for (int y = b->y1; y < b->y2; y += high) {
        for (int x = b->x1; x < b->x2; x += wide) {
            EncPicture pic = { x, y, MIN(wide, b->x2 - x), MIN(high, b->y2 - y), rgb, values,
                               MIN(wide, b->x2 - x) };
            size_t n = (size_t)pic.w * pic.h;

            gather(j, (uint8_t *)rgb, x, y, pic.w, pic.h);
            if (!p.format->same) {
                vnc_values(p.format, values, rgb, n);
            }
            encode(o, &p, &pic);
            o->pixels += n;
        }
    }
}

static int64_t thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static const uint8_t message_head[4];

static bool finish(VncJob *j, JobClient *jc)
{
    jc->out = g_byte_array_new();
    g_byte_array_append(jc->out, message_head, 4);
    store_be16(jc->out->data + 2, jc->n_head + j->rects);
    if (jc->head) {
        g_byte_array_append(jc->out, jc->head->data, jc->head->len);
    }
    return j->shared || enc_finish(&jc->c->streams, j->space, jc->out);
}

/* Bytes that need no stream are copied for nobody: one client takes them with its head in front, several share
 * them. */
static int job_work(void *arg)
{
    VncJob *j = arg;
    JobClient *first = &g_array_index(j->clients, JobClient, 0);
    int64_t start = thread_ns();
    EncOut *o = j->space;
    bool alone = j->clients->len == 1 && enc_is_plain(j->params.encoding) && !j->params.film;

    if (alone) {
        enc_put(o, message_head, 4);
        if (first->head) {
            enc_put(o, first->head->data, first->head->len);
        }
    }
    for (int i = 0; i < j->n_boxes; i++) {
        if (j->params.film && j->loss[i]) {
            encode_film(j, o, &j->boxes[i]);
        } else if (!encode_plainly(j, o, &j->boxes[i])) {
            encode_box(j, o, &j->boxes[i], j->loss[i]);
        }
    }
    j->pixels = o->pixels;
    j->rects = o->n_rects;
    if (alone) {
        store_be16(o->bytes->data + 2, first->n_head + j->rects);
        first->out = enc_out_take(o);
    } else {
        j->shared = j->clients->len > 1 ? enc_out_take(o) : NULL;
        for (guint i = 0; i < j->clients->len; i++) {
            j->failed |= !finish(j, &g_array_index(j->clients, JobClient, i));
        }
    }
    j->cpu_ns = thread_ns() - start;
    return 0;
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

/* --- fewer, larger rectangles --- */

#define JOIN_LOOK_BACK  24

static bool overlap(const pixman_box16_t *a, const pixman_box16_t *b)
{
    return a->x1 < b->x2 && b->x1 < a->x2 && a->y1 < b->y2 && b->y1 < a->y2;
}

static pixman_box16_t joined(const pixman_box16_t *a, const pixman_box16_t *b)
{
    return (pixman_box16_t){ MIN(a->x1, b->x1), MIN(a->y1, b->y1), MAX(a->x2, b->x2),
                             MAX(a->y2, b->y2) };
}

static size_t area_of(const pixman_box16_t *b)
{
    return (size_t)(b->x2 - b->x1) * (b->y2 - b->y1);
}

/* How much larger one may be than two: as many quarters, and pixels. */
typedef struct Joining {
    size_t quarters, pixels;
} Joining;

/* For encodings that compress each rectangle for itself: a header, a flush and new Huffman tables
 * cost more than pixels that haven't changed, which compress well. Returns how many are left, of
 * which none overlap. */
static int join_boxes(pixman_box16_t *b, int n, const Joining *how)
{
    int m = 0;
    bool again = true;

    for (int i = 0; i < n; i++) {
        int k = m - 1, last = MAX(0, m - JOIN_LOOK_BACK);

        for (; k >= last; k--) {
            pixman_box16_t u = joined(&b[k], &b[i]);

            if (area_of(&u) * 4 <= (area_of(&b[k]) + area_of(&b[i])) * how->quarters + how->pixels) {
                b[k] = u;
                break;
            }
        }
        if (k < last) {
            b[m++] = b[i];
        }
    }
    while (again) {
        again = false;
        for (int i = 0; i < m; i++) {
            for (int k = i + 1; k < m; k++) {
                if (overlap(&b[i], &b[k])) {
                    b[i] = joined(&b[i], &b[k]);
                    b[k--] = b[--m];
                    again = true;
                }
            }
        }
    }
    return m;
}

/* Those that have palettes make little of what hasn't changed; zlib of raw pixels makes bytes of it. NULL: none. */
static const Joining *joining(int32_t encoding)
{
    static const Joining much = { 5, 8192 }, little = { 4, 2048 };

    if (encoding == ENC_ZLIB) {
        return &little;
    }
    return encoding == ENC_TIGHT || encoding == ENC_ZRLE || encoding == ENC_ZYWRLE ||
           encoding == ENC_TIGHT_PNG ? &much : NULL;
}

/* --- jobs --- */

static bool contains(const pixman_box16_t *a, const pixman_box16_t *b)
{
    return a->x1 <= b->x1 && a->y1 <= b->y1 && a->x2 >= b->x2 && a->y2 >= b->y2;
}

/* What moves becomes one box, the first. It stays where it is while it can: at another place a film begins
 * anew, with a whole picture. */
static void join_film(VncJob *j, VncClient *c)
{
    pixman_box16_t u = { INT16_MAX, INT16_MAX, 0, 0 };
    int m = 1;

    for (int i = 0; i < j->n_boxes; i++) {
        u = j->loss[i] ? joined(&u, &j->boxes[i]) : u;
    }
    if (u.x2 <= u.x1) {
        return;
    }
    if (!contains(&c->film, &u) || area_of(&c->film) > 4 * area_of(&u)) {
        c->film = (pixman_box16_t){ ALIGN_DOWN(u.x1, FILM_GRID), ALIGN_DOWN(u.y1, FILM_GRID),
                                    MIN(ALIGN_UP(u.x2, FILM_GRID), MIN(c->width, c->screen->width)),
                                    MIN(ALIGN_UP(u.y2, FILM_GRID), MIN(c->height, c->screen->height)) };
    }
    memmove(j->boxes + 1, j->boxes, j->n_boxes * sizeof(*j->boxes));
    memmove(j->loss + 1, j->loss, j->n_boxes * sizeof(*j->loss));
    j->boxes[0] = c->film;
    j->loss[0] = true;
    for (int i = 1; i <= j->n_boxes; i++) {
        if (!j->loss[i] && !contains(&c->film, &j->boxes[i])) {
            j->loss[m] = false;
            j->boxes[m++] = j->boxes[i];
        }
    }
    j->n_boxes = m;
}

static void hold_tiles(VncJob *j, const VncScreen *s, const pixman_box16_t *b)
{
    for (int ty = b->y1 / VNC_TILE; ty * VNC_TILE < b->y2 && ty < s->tiles_y; ty++) {
        for (int tx = b->x1 / VNC_TILE; tx * VNC_TILE < b->x2 && tx < s->tiles_x; tx++) {
            size_t at = (size_t)ty * s->tiles_x + tx;

            if (s->tiles[at] && !j->tiles[at]) {
                j->tiles[at] = s->tiles[at];
                atomic_fetch_add(&j->tiles[at]->refs, 1);
            }
        }
    }
}

static VncJob *job_new(VncClient *c, pixman_region16_t *r, bool refining)
{
    VncScreen *s = c->screen;
    const EncParams *p = &c->params;
    VncJob *j = g_new0(VncJob, 1);
    pixman_box16_t *b;
    int n;

    j->screen = s;
    s->refs++;
    j->tiles_x = s->tiles_x;
    j->tiles_y = s->tiles_y;
    j->tiles = g_new0(VncTile *, (size_t)s->tiles_x * s->tiles_y);
    j->params = *p;
    vnc_format_ref(j->params.format);
    j->clients = g_array_new(FALSE, FALSE, sizeof(JobClient));
    j->space = g_queue_pop_head(&s->spare);
    if (!j->space) {
        j->space = enc_out_new();
    }
    pixman_region_init(&j->region);
    pixman_region_copy(&j->region, r);
    b = pixman_region_rectangles(r, &n);
    j->boxes = g_new(pixman_box16_t, n + 1);
    j->loss = g_new0(bool, n + 1);
    if (n) {
        memcpy(j->boxes, b, n * sizeof(*b));
    }
    if (joining(p->encoding)) {
        n = join_boxes(j->boxes, n, joining(p->encoding));
    }
    j->n_boxes = n;
    for (int i = 0; i < n; i++) {
        j->loss[i] = p->quality >= 0 && !refining &&
                     (!c->server->adaptive || vnc_screen_hot(s, &j->boxes[i]));
    }
    if (p->film) {
        join_film(j, c);
    }
    for (int i = 0; i < j->n_boxes; i++) {
        hold_tiles(j, s, &j->boxes[i]);
    }
    return j;
}

static void job_free(VncJob *j)
{
    for (int i = 0; i < j->tiles_x * j->tiles_y; i++) {
        vnc_tile_unref(j->tiles[i]);
    }
    enc_out_reset(j->space);
    if (g_queue_get_length(&j->screen->spare) < SPARE_MAX) {
        g_queue_push_head(&j->screen->spare, j->space);
    } else {
        enc_out_free(j->space);
    }
    if (j->shared) {
        g_byte_array_unref(j->shared);
    }
    g_free(j->tiles);
    g_free(j->boxes);
    g_free(j->loss);
    g_array_unref(j->clients);
    pixman_region_fini(&j->region);
    vnc_format_unref(j->params.format);
    vnc_screen_unref(j->screen);
    g_free(j);
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
    job_free(j);
}

/* --- serving --- */

typedef struct Serving {
    GPtrArray *jobs;
} Serving;

static bool same_params(const EncParams *a, const EncParams *b)
{
    return vnc_format_equal(a->format, b->format) && a->encoding == b->encoding &&
           a->compress == b->compress && a->quality == b->quality &&
           a->fine_quality == b->fine_quality && a->subsampling == b->subsampling &&
           a->tight_plain == b->tight_plain && a->no_gradient == b->no_gradient && a->film == b->film;
}

static bool same_wish(VncJob *j, VncJob *other)
{
    return same_params(&j->params, &other->params) && pixman_region_equal(&j->region, &other->region) &&
           j->n_boxes == other->n_boxes && memcmp(j->loss, other->loss, j->n_boxes * sizeof(bool)) == 0 &&
           memcmp(j->boxes, other->boxes, j->n_boxes * sizeof(*j->boxes)) == 0;
}

static void join_job(Serving *sv, VncClient *c, pixman_region16_t *r, bool refining,
                     GByteArray *head, unsigned n_head)
{
    VncJob *j = job_new(c, r, refining);
    JobClient jc = { c, head, n_head, NULL };

    for (guint i = 0; i < sv->jobs->len; i++) {
        VncJob *other = g_ptr_array_index(sv->jobs, i);

        if (same_wish(other, j)) {
            job_free(j);
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

static bool is_small(const VncJob *j)
{
    size_t pixels = 0;

    for (int i = 0; i < j->n_boxes; i++) {
        pixels += area_of(&j->boxes[i]);
    }
    return pixels * j->clients->len <= SMALL_PIXELS && !j->params.film;
}

void vnc_update_serve(void *screen)
{
    VncScreen *s = screen;
    Serving sv = { g_ptr_array_new() };

    vnc_for_each_client(s, serve_one, &sv);
    for (guint i = 0; i < sv.jobs->len; i++) {
        VncJob *j = g_ptr_array_index(sv.jobs, i);

        /* A letter, or a blinking cursor: waking a thread and being woken takes longer. */
        if (i == 0 && is_small(j)) {
            job_work(j);
            job_done(j, 0);
        } else {
            thread_pool_submit(job_work, j, job_done, j);
        }
    }
    g_ptr_array_unref(sv.jobs);
}

void vnc_update_kick(VncScreen *s)
{
    bh_schedule(s->kick);
}
