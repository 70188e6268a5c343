/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: an update's rectangles, and what a worker thread does with them. A job holds the tiles it needs, encodes
 * them, and then compresses for each of its clients with that client's zlib streams.
 */
#include "util/osdep.h"
#include <time.h>
#include "ui/vnc/vnc-job.h"
#include "util/bswap.h"

#define SPARE_MAX       2                   /* EncOuts that are kept for the next jobs */
#define SMALL_PIXELS    2048                /* take less than 0.1 ms */
#define FILM_GRID       16                  /* where a film's edges are */

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
int vnc_job_work(void *arg)
{
    VncJob *j = arg;
    JobClient *first = &g_array_index(j->clients, JobClient, 0);
    int64_t start = thread_ns();
    EncOut *o = j->space;
    bool alone = j->clients->len == 1 && enc_is_plain(j->params.encoding) && !j->params.film;

    if (alone) {
        enc_put(o, message_head, 4);
        if (first->head && first->head->len) {
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

VncJob *vnc_job_new(VncClient *c, pixman_region16_t *r, bool refining)
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

void vnc_job_free(VncJob *j)
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

/* --- comparing --- */

static bool same_params(const EncParams *a, const EncParams *b)
{
    return vnc_format_equal(a->format, b->format) && a->encoding == b->encoding &&
           a->compress == b->compress && a->quality == b->quality &&
           a->fine_quality == b->fine_quality && a->subsampling == b->subsampling &&
           a->tight_plain == b->tight_plain && a->no_gradient == b->no_gradient && a->film == b->film;
}

bool vnc_job_same(const VncJob *j, const VncJob *other)
{
    return same_params(&j->params, &other->params) && pixman_region_equal((pixman_region16_t *)&j->region, (pixman_region16_t *)&other->region) &&
           j->n_boxes == other->n_boxes && memcmp(j->loss, other->loss, j->n_boxes * sizeof(bool)) == 0 &&
           memcmp(j->boxes, other->boxes, j->n_boxes * sizeof(*j->boxes)) == 0;
}

bool vnc_job_is_small(const VncJob *j)
{
    size_t pixels = 0;

    for (int i = 0; i < j->n_boxes; i++) {
        pixels += area_of(&j->boxes[i]);
    }
    return pixels * j->clients->len <= SMALL_PIXELS && !j->params.film;
}
