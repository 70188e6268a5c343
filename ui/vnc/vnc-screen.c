/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a console shows, kept as tiles that workers may read while the console goes on.
 *
 * While somebody watches, a timer has the console painted; what it says to be damaged is compared
 * with the tiles, 16 pixels of a line at a time, so that only real changes count, however coarse
 * the device's idea of them is. A tile that a worker holds is not written but replaced.
 *
 * A console may show the device's memory itself (console_lend), which the guest writes meanwhile; the device tells
 * of that later. So nothing counts on a pixel being what it was a moment ago: what clients are sent comes from the
 * tiles.
 */
#include "util/osdep.h"
#include "ui/vnc/vnc-int.h"

#define TICK_MIN_NS     (16 * NS_PER_MS)
#define TICK_MAX_NS     (100 * NS_PER_MS)
#define COOL_NS         (500 * NS_PER_MS)
#define HOT             3           /* changes in about half a second */
#define CELL            16          /* pixels that are compared at once */
#define CELLS_MAX       (CONSOLE_MAX_WIDTH / CELL)
#define FEW_PIXELS      (64 * 1024)     /* damaged; what has changed of them is found to the column */
/* Two parts of a line become one if that adds less than this share. */
#define JOIN_PERCENT    25

static VncScreen *screens;          /* registry */

void vnc_tile_unref(VncTile *t)
{
    if (t && atomic_fetch_sub(&t->refs, 1) == 1) {
        g_free(t);
    }
}

static VncTile *writable_tile(VncScreen *s, size_t i)
{
    VncTile *t = s->tiles[i], *fresh;

    if (t && atomic_load(&t->refs) == 1) {
        return t;
    }
    fresh = t ? g_new(VncTile, 1) : g_new0(VncTile, 1);
    if (t) {
        memcpy(fresh->px, t->px, sizeof(t->px));
        vnc_tile_unref(t);
    }
    fresh->refs = 1;
    s->tiles[i] = fresh;
    return fresh;
}

/* --- size --- */

static void free_tiles(VncScreen *s)
{
    for (int i = 0; i < s->tiles_x * s->tiles_y; i++) {
        vnc_tile_unref(s->tiles[i]);
    }
    g_free(s->tiles);
    g_free(s->heat);
    g_free(s->frozen);
    s->frozen = NULL;
}

static void set_size(VncScreen *s, int width, int height)
{
    free_tiles(s);
    s->width = width;
    s->height = height;
    s->tiles_x = DIV_ROUND_UP(width, VNC_TILE);
    s->tiles_y = DIV_ROUND_UP(height, VNC_TILE);
    s->tiles = g_new0(VncTile *, (size_t)s->tiles_x * s->tiles_y);
    s->heat = g_new0(uint8_t, (size_t)s->tiles_x * s->tiles_y);
    pixman_region_clear(&s->damage);
    pixman_region_union_rect(&s->damage, &s->damage, 0, 0, width, height);
}

/* --- the console's news --- */

static void changed(ConsoleListener *l, int x, int y, int w, int h)
{
    VncScreen *s = container_of(l, VncScreen, listener);

    pixman_region_union_rect(&s->damage, &s->damage, x, y, w, h);
}

static void resized(ConsoleListener *l)
{
    VncScreen *s = container_of(l, VncScreen, listener);

    set_size(s, console_width(l->console), console_height(l->console));
    vnc_update_resized(s);
}

static void pend_one(VncClient *c, void *opaque)
{
    c->pending |= c->caps & *(uint32_t *)opaque;
}

static void pend(VncScreen *s, uint32_t caps)
{
    vnc_for_each_client(s, pend_one, &caps);
    vnc_update_kick(s);
}

static void cursor_defined(ConsoleListener *l)
{
    pend(container_of(l, VncScreen, listener), CAP_CURSOR | CAP_ALPHA_CURSOR);
}

static void cursor_moved(ConsoleListener *l, UNUSED int x, UNUSED int y, UNUSED bool visible)
{
    pend(container_of(l, VncScreen, listener), CAP_POINTER_POS);
}

/* --- comparing --- */

typedef struct Span {
    int16_t first, last;            /* changed lines of a cell in its band; first < 0: none */
} Span;

/* Whatever the top byte is. */
static inline bool differ(const uint32_t *a, const uint32_t *b, int n)
{
    uint32_t d = 0;

    for (int i = 0; i < n; i++) {
        d |= a[i] ^ b[i];
    }
    return d & 0xffffff;
}

/* Which cells of a line within a tile differ. */
static unsigned compare_line(const uint32_t *now, const uint32_t *old, int wide)
{
    unsigned cells = 0;

    for (int x = 0; x + CELL <= wide; x += CELL) {
        cells |= (unsigned)differ(now + x, old + x, CELL) << x / CELL;
    }
    if (wide % CELL) {
        int x = ALIGN_DOWN(wide, CELL);

        cells |= (unsigned)differ(now + x, old + x, wide - x) << x / CELL;
    }
    return cells;
}

/* Which cells of a band of lines [y0, y1) within one tile row differ, from @x0 to @x1. @keep: tiles follow at once. */
static bool compare_band(VncScreen *s, int x0, int x1, int y0, int y1, Span *cells, bool keep)
{
    static const uint32_t black[VNC_TILE];
    const Console *con = s->listener.console;
    bool any = false;

    for (int tx = x0 / VNC_TILE; tx * VNC_TILE < x1; tx++) {
        int left = tx * VNC_TILE, wide = MIN(VNC_TILE, s->width - left);
        size_t i = (size_t)(y0 / VNC_TILE) * s->tiles_x + tx;
        VncTile *t = s->tiles[i];
        bool kept = false;

        for (int y = y0; y < y1; y++) {
            const uint32_t *now = console_line(con, y) + left;
            const uint32_t *old = t ? t->px + (y % VNC_TILE) * VNC_TILE : black;
            unsigned changed;

            if (memcmp(now, old, 4 * (size_t)wide) == 0) {
                continue;
            }
            changed = compare_line(now, old, wide);
            if (keep && changed && !kept) {
                t = writable_tile(s, i);
                kept = true;
            }
            for (int k = 0; changed >> k; k++) {
                Span *c = &cells[left / CELL + k];

                if (!(changed >> k & 1)) {
                    continue;
                }
                if (keep) {
                    memcpy(t->px + (y % VNC_TILE) * VNC_TILE + k * CELL, now + k * CELL,
                           4 * (size_t)MIN(CELL, wide - k * CELL));
                }
                c->first = c->first < 0 ? y : c->first;
                c->last = y;
                any = true;
            }
        }
    }
    return any;
}

static int area_of(int cells, int first, int last)
{
    return cells * (last - first + 1);
}

/* From the cells of a band to rectangles: neighbours are joined where little is added. */
static void add_runs(VncScreen *s, const Span *cells, int n, GArray *boxes)
{
    for (int i = 0; i < n; i++) {
        int from = i, first = cells[i].first, last = cells[i].last, sum;
        pixman_box16_t b;

        if (first < 0) {
            continue;
        }
        sum = area_of(1, first, last);
        while (i + 1 < n && cells[i + 1].first >= 0) {
            int f = MIN(first, cells[i + 1].first), l = MAX(last, cells[i + 1].last);
            int more = sum + area_of(1, cells[i + 1].first, cells[i + 1].last);

            if (area_of(i + 2 - from, f, l) * 100 > more * (100 + JOIN_PERCENT)) {
                break;
            }
            first = f;
            last = l;
            sum = more;
            i++;
        }
        b = (pixman_box16_t){ from * CELL, first, MIN((i + 1) * CELL, s->width), last + 1 };
        g_array_append_val(boxes, b);
    }
}

static void compare_box(VncScreen *s, const pixman_box16_t *b, GArray *boxes, Span *cells, bool keep)
{
    int x0 = ALIGN_DOWN(b->x1, CELL), x1 = MIN(ALIGN_UP(b->x2, CELL), s->width);
    int c0 = x0 / CELL, n = DIV_ROUND_UP(x1, CELL);

    for (int y = b->y1; y < b->y2; ) {
        int y1 = MIN(ALIGN_DOWN(y, CELL) + CELL, b->y2);

        for (int i = c0; i < n; i++) {
            cells[i].first = -1;
        }
        if (compare_band(s, x0, x1, y, y1, cells, keep)) {
            for (int i = 0; i < c0; i++) {
                cells[i].first = -1;
            }
            add_runs(s, cells, n, boxes);
        }
        y = y1;
    }
}

static void copy_box(VncScreen *s, const pixman_box16_t *b)
{
    for (int ty = b->y1 / VNC_TILE; ty * VNC_TILE < b->y2; ty++) {
        for (int tx = b->x1 / VNC_TILE; tx * VNC_TILE < b->x2; tx++) {
            size_t i = (size_t)ty * s->tiles_x + tx;
            VncTile *t = writable_tile(s, i);
            int x0 = MAX(b->x1, tx * VNC_TILE), x1 = MIN(b->x2, (tx + 1) * VNC_TILE);
            int y1 = MIN(b->y2, (ty + 1) * VNC_TILE);

            for (int y = MAX(b->y1, ty * VNC_TILE); y < y1; y++) {
                memcpy(t->px + (y % VNC_TILE) * VNC_TILE + x0 % VNC_TILE,
                       vnc_screen_line(s, y) + x0, 4 * (size_t)(x1 - x0));
            }
        }
    }
}

/* To the columns that differ: a letter is narrower than a cell. */
static void trim(const VncScreen *s, pixman_box16_t *b)
{
    int x0 = b->x2, x1 = b->x1;

    for (int y = b->y1; y < b->y2; y++) {
        const uint32_t *now = console_line(s->listener.console, y);

        for (int x = b->x1; x < b->x2; x++) {
            const VncTile *t = s->tiles[(size_t)(y / VNC_TILE) * s->tiles_x + x / VNC_TILE];

            if ((now[x] ^ (t ? t->px[y % VNC_TILE * VNC_TILE + x % VNC_TILE] : 0)) & 0xffffff) {
                x0 = MIN(x0, x);
                x1 = MAX(x1, x + 1);
            }
        }
    }
    if (x0 < x1) {
        b->x1 = x0;
        b->x2 = x1;
    }
}

static size_t damaged_pixels(const pixman_box16_t *b, int n)
{
    size_t sum = 0;

    for (int i = 0; i < n; i++) {
        sum += (size_t)(b[i].x2 - b[i].x1) * (b[i].y2 - b[i].y1);
    }
    return sum;
}

/* --- what has moved --- */

/* A search that finds nothing makes the next ones rarer: a film isn't searched each time. */
static void knows_copies(VncClient *c, void *opaque)
{
    *(bool *)opaque |= c->caps & CAP_COPY;
}

/* Whether to look this time. */
static bool motion_counts(VncScreen *s)
{
    bool wanted = false;

    vnc_for_each_client(s, knows_copies, &wanted);
    if (wanted && s->skip_motion) {
        s->skip_motion--;
        wanted = false;
    }
    return wanted;
}

/* What is found must be what the tiles get: the guest may write meanwhile. */
static void freeze(VncScreen *s, const pixman_box16_t *e)
{
    const Console *con = s->listener.console;

    s->is_frozen = con->lent;
    if (!con->lent) {
        return;
    }
    if (!s->frozen) {
        s->frozen = g_new(uint32_t, (size_t)s->width * s->height);
    }
    for (int y = e->y1; y < e->y2; y++) {
        memcpy(s->frozen + (size_t)y * s->width + e->x1, console_line(con, y) + e->x1, 4 * (size_t)(e->x2 - e->x1));
    }
}

static void look_for_motion(VncScreen *s, pixman_region16_t *delta, VncCopy *copy)
{
    if (vnc_motion_find(s, pixman_region_extents(delta), copy)) {
        s->no_motion = 0;
    } else {
        s->no_motion = MIN(s->no_motion + 1, 5);
        s->skip_motion = BIT(s->no_motion - 1) - 1;
    }
}

/* --- heat --- */

/* Once for a tile, however many boxes of a tick touch it. */
static void warm(VncScreen *s, const pixman_box16_t *boxes, unsigned n)
{
    bool *done = g_new0(bool, (size_t)s->tiles_x * s->tiles_y);

    for (const pixman_box16_t *b = boxes; b < boxes + n; b++) {
        for (int ty = b->y1 / VNC_TILE; ty * VNC_TILE < b->y2; ty++) {
            for (int tx = b->x1 / VNC_TILE; tx * VNC_TILE < b->x2; tx++) {
                size_t i = (size_t)ty * s->tiles_x + tx;

                s->heat[i] = done[i] ? s->heat[i] : MIN(s->heat[i] + 1, 16);
                done[i] = true;
            }
        }
    }
    g_free(done);
}

static void cool(VncScreen *s)
{
    int64_t now = clock_get_ns(CLOCK_RT);

    if (now - s->cooled_ns >= COOL_NS) {
        s->cooled_ns = now;
        for (int i = 0; i < s->tiles_x * s->tiles_y; i++) {
            s->heat[i] /= 2;
        }
    }
}

const uint32_t *vnc_screen_line(const VncScreen *s, int y)
{
    return s->is_frozen ? s->frozen + (size_t)y * s->width : console_line(s->listener.console, y);
}

bool vnc_screen_hot(const VncScreen *s, const pixman_box16_t *b)
{
    for (int ty = b->y1 / VNC_TILE; ty * VNC_TILE < b->y2 && ty < s->tiles_y; ty++) {
        for (int tx = b->x1 / VNC_TILE; tx * VNC_TILE < b->x2 && tx < s->tiles_x; tx++) {
            if (s->heat[(size_t)ty * s->tiles_x + tx] >= HOT) {
                return true;
            }
        }
    }
    return false;
}

/* --- the tick --- */

bool vnc_screen_scan(VncScreen *s, pixman_region16_t *delta, VncCopy *copy)
{
    GArray *boxes;
    Span *cells;
    pixman_box16_t *b;
    bool search, few;
    int n;

    copy->n = 0;
    if (!s->listener.console) {
        return false;
    }
    pixman_region_intersect_rect(&s->damage, &s->damage, 0, 0, s->width, s->height);
    b = pixman_region_rectangles(&s->damage, &n);
    if (!n) {
        return false;
    }
    boxes = g_array_new(FALSE, FALSE, sizeof(pixman_box16_t));
    cells = g_new(Span, CELLS_MAX);
    search = motion_counts(s);
    few = damaged_pixels(b, n) <= FEW_PIXELS;
    for (int i = 0; i < n; i++) {
        compare_box(s, &b[i], boxes, cells, !search && !few);
    }
    pixman_region_clear(&s->damage);
    if (boxes->len) {
        for (guint i = 0; few && i < boxes->len; i++) {
            trim(s, &g_array_index(boxes, pixman_box16_t, i));
        }
        pixman_region_fini(delta);
        pixman_region_init_rects(delta, (pixman_box16_t *)boxes->data, boxes->len);
        if (search) {
            freeze(s, pixman_region_extents(delta));
            look_for_motion(s, delta, copy);
        }
        for (guint i = 0; (search || few) && i < boxes->len; i++) {
            copy_box(s, &g_array_index(boxes, pixman_box16_t, i));
        }
        s->is_frozen = false;
        warm(s, (pixman_box16_t *)boxes->data, boxes->len);
    }
    n = boxes->len;
    g_free(cells);
    g_array_unref(boxes);
    return n;
}

static void poll_one(VncClient *c, UNUSED void *opaque)
{
    vnc_pseudo_poll(c);
}

static void tick(void *opaque)
{
    VncScreen *s = opaque;
    pixman_region16_t delta;
    VncCopy copy;
    int64_t now = clock_get_ns(CLOCK_RT);

    if (!s->watchers) {
        return;
    }
    if (s->listener.console) {
        console_refresh(s->listener.console);
    }
    cool(s);
    pixman_region_init(&delta);
    if (vnc_screen_scan(s, &delta, &copy)) {
        vnc_update_changed(s, &delta, &copy);
        s->changed_ns = now;
        s->tick_ns = TICK_MIN_NS;
    } else {
        s->tick_ns = MIN(s->tick_ns + s->tick_ns / 4, TICK_MAX_NS);
    }
    pixman_region_fini(&delta);
    vnc_for_each_client(s, poll_one, NULL);
    vnc_update_kick(s);
    timer_mod_ns(&s->tick, now + s->tick_ns);
}

void vnc_screen_hurry(VncScreen *s)
{
    if (s->watchers) {
        s->tick_ns = TICK_MIN_NS;
        timer_mod_anticipate_ns(&s->tick, clock_get_ns(CLOCK_RT) + TICK_MIN_NS / 2);
    }
}

void vnc_screen_watch(VncScreen *s)
{
    if (s->watchers++ == 0) {
        if (s->listener.console) {
            console_invalidate(s->listener.console);
        }
        tick(s);
    }
}

void vnc_screen_unwatch(VncScreen *s)
{
    if (--s->watchers == 0) {
        timer_del(&s->tick);
    }
}

/* --- life --- */

VncScreen *vnc_screen_get(Console *con)
{
    VncScreen *s = screens;

    while (s && s->listener.console != con) {
        s = s->next;
    }
    if (s) {
        s->refs++;
        return s;
    }
    s = g_new0(VncScreen, 1);
    s->refs = 1;
    s->listener = (ConsoleListener){ .changed = changed, .resized = resized,
                                     .cursor_moved = cursor_moved,
                                     .cursor_defined = cursor_defined };
    pixman_region_init(&s->damage);
    timer_init_ns(&s->tick, CLOCK_RT, tick, s);
    s->tick_ns = TICK_MIN_NS;
    s->kick = bh_new_on(main_event_loop(), vnc_update_serve, s);
    if (con) {
        console_listen(con, &s->listener);
        set_size(s, console_width(con), console_height(con));
    } else {
        set_size(s, 640, 480);
    }
    s->next = screens;
    screens = s;
    return s;
}

void vnc_screen_show(VncScreen *s, Console *con)
{
    console_unlisten(&s->listener);
    console_listen(con, &s->listener);
    resized(&s->listener);
    cursor_defined(&s->listener);
    console_invalidate(con);
}

void vnc_screen_unref(VncScreen *s)
{
    if (!s || --s->refs) {
        return;
    }
    for (VncScreen **pp = &screens; *pp; pp = &(*pp)->next) {
        if (*pp == s) {
            *pp = s->next;
            break;
        }
    }
    console_unlisten(&s->listener);
    timer_del(&s->tick);
    bh_delete(s->kick);
    for (EncOut *o; (o = g_queue_pop_head(&s->spare)); ) {
        enc_out_free(o);
    }
    free_tiles(s);
    pixman_region_fini(&s->damage);
    g_free(s);
}
