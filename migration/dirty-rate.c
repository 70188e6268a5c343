/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory the guest writes to, for those who plan a migration: checksums of some pages of each
 * RAM block, taken twice. The main thread does it in small pieces between its other work.
 */
#include "util/osdep.h"
#include <glib.h>
#include <zlib.h>
#include "memory/ram.h"
#include "qapi/commands-migration.h"
#include "util/timer.h"

#define PAGE_BYTES      BIT(MEM_PAGE_BITS)
#define PIECE           256         /* pages a round of the main loop: a MiB */
#define CALC_TIME_MAX   60
#define SAMPLES_MIN     128
#define SAMPLES_MAX     16384
#define SAMPLES_USUAL   512

typedef struct Sample {
    uint64_t ram_addr;              /* the block may go, and another come: that is a change */
    uint32_t sum;
} Sample;

/* Big lock. */
static struct {
    DirtyRateInfo info;
    GArray *samples;                /* of Sample */
    unsigned next;                  /* the sample that is taken or compared next */
    unsigned changed;
    uint64_t total;                 /* bytes of RAM */
    int64_t begin_ns;               /* of the pass that took them */
    bool again;                     /* the second pass */
    Timer timer;
} rate;

static int64_t now(void)
{
    return clock_get_ns(CLOCK_RT);
}

/* False: nothing is there any more. */
static bool sum_at(uint64_t ram_addr, uint32_t *sum)
{
    RamBlock *b = ram_block_at(ram_addr);

    if (b) {
        *sum = crc32_z(0, b->host + (ram_addr - b->start), PAGE_BYTES);
    }
    return b;
}

static int choose(RamBlock *b, void *opaque)
{
    uint64_t pages = b->size / PAGE_BYTES;
    uint64_t n = DIV_ROUND_UP(b->size * rate.info.sample_pages, GIB);

    (void)opaque;
    if (b->read_only || !b->host) {
        return 0;
    }
    rate.total += b->size;
    for (uint64_t i = 0; i < MIN(n, pages); i++) {
        /* One somewhere in each of n equal pieces. */
        uint64_t first = pages * i / n, last = MAX(pages * (i + 1) / n, first + 1);
        Sample s = { .ram_addr = b->start + (first + g_random_int() % (last - first)) * PAGE_BYTES };

        g_array_append_val(rate.samples, s);
    }
    return 0;
}

static void finish(void)
{
    double seconds = (double)(now() - rate.begin_ns) / NS_PER_SECOND;
    double part = rate.samples->len ? (double)rate.changed / rate.samples->len : 0;

    QAPI_SET(&rate.info, dirty_rate, (int64_t)(part * rate.total / MIB / seconds));
    rate.info.status = DIRTY_RATE_STATUS_MEASURED;
    g_array_free(rate.samples, TRUE);
    rate.samples = NULL;
}

static void piece(void *opaque)
{
    unsigned end = MIN(rate.next + PIECE, rate.samples->len);
    int64_t wait_until;

    (void)opaque;
    for (; rate.next < end; rate.next++) {
        Sample *s = &g_array_index(rate.samples, Sample, rate.next);
        uint32_t sum = 0;
        bool there = sum_at(s->ram_addr, &sum);

        if (rate.again) {
            rate.changed += !there || sum != s->sum;
        } else {
            s->sum = sum;
        }
    }
    if (rate.next < rate.samples->len) {
        timer_mod_ns(&rate.timer, now());
    } else if (rate.again) {
        finish();
    } else {
        wait_until = rate.begin_ns + rate.info.calc_time * NS_PER_SECOND;
        rate.again = true;
        rate.next = 0;
        timer_mod_ns(&rate.timer, MAX(wait_until, now()));
    }
}

static bool in_range(const char *name, int64_t value, int64_t min, int64_t max, Error **errp)
{
    g_autofree char *text = NULL, *accepted = NULL;

    if (value >= min && value <= max) {
        return true;
    }
    text = g_strdup_printf("%" PRId64, value);
    accepted = g_strdup_printf("%" PRId64 " to %" PRId64, min, max);
    error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is %s; accepted: %s", name, text, accepted);
    error_argument(errp, name, text, accepted);
    return false;
}

bool qmp_calc_dirty_rate(int64_t calc_time, bool has_sample_pages, int64_t sample_pages, bool has_mode,
                         DirtyRateMeasureMode mode, Error **errp)
{
    if (rate.info.status == DIRTY_RATE_STATUS_MEASURING) {
        error_setf(errp, ERR_WRONG_STATE, "the dirty rate is already being measured");
        return false;
    }
    sample_pages = has_sample_pages ? sample_pages : SAMPLES_USUAL;
    if (!in_range("calc-time", calc_time, 1, CALC_TIME_MAX, errp) ||
        !in_range("sample-pages", sample_pages, SAMPLES_MIN, SAMPLES_MAX, errp)) {
        return false;
    }
    if (has_mode && mode != DIRTY_RATE_MEASURE_MODE_PAGE_SAMPLING) {
        error_setf(errp, ERR_NOT_SUPPORTED, "mode '%s' isn't there; accepted: page-sampling",
                   DirtyRateMeasureMode_name(mode));
        error_argument(errp, "mode", DirtyRateMeasureMode_name(mode), "page-sampling");
        return false;
    }
    rate.info = (DirtyRateInfo){
        .status = DIRTY_RATE_STATUS_MEASURING, .start_time = now() / NS_PER_SECOND, .calc_time = calc_time,
        .sample_pages = (uint64_t)sample_pages,
    };
    rate.samples = g_array_new(FALSE, FALSE, sizeof(Sample));
    rate.next = rate.changed = 0;
    rate.total = 0;
    rate.again = false;
    rate.begin_ns = now();
    ram_block_foreach(choose, NULL);
    timer_del(&rate.timer);
    timer_init_ns(&rate.timer, CLOCK_RT, piece, NULL);
    timer_mod_ns(&rate.timer, now());
    return true;
}

DirtyRateInfo *qmp_query_dirty_rate(Error **errp)
{
    DirtyRateInfo *info = qapi_new(DirtyRateInfo);

    (void)errp;
    *info = rate.info;                  /* it holds nothing by pointer */
    return info;
}
