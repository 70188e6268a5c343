/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/options.h"

#include "migration/bitmaps.h"
#include "migration/multifd.h"
#include "migration/ram.h"
#include "util/host-utils.h"
#include "vmstate/blocker.h"

static bool caps[MIGRATION_CAPABILITY__MAX];
static MigrationParameters *params;

static const bool supported[MIGRATION_CAPABILITY__MAX] = {
    [MIGRATION_CAPABILITY_XBZRLE] = true,
    [MIGRATION_CAPABILITY_AUTO_CONVERGE] = true,
    [MIGRATION_CAPABILITY_ZERO_BLOCKS] = true,
    [MIGRATION_CAPABILITY_EVENTS] = true,
    [MIGRATION_CAPABILITY_RETURN_PATH] = true,
    [MIGRATION_CAPABILITY_MULTIFD] = true,
    [MIGRATION_CAPABILITY_POSTCOPY_RAM] = true,
    [MIGRATION_CAPABILITY_RELEASE_RAM] = true,
    [MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER] = true,
    [MIGRATION_CAPABILITY_LATE_BLOCK_ACTIVATE] = true,
    [MIGRATION_CAPABILITY_X_IGNORE_SHARED] = true,
    [MIGRATION_CAPABILITY_VALIDATE_UUID] = true,
    [MIGRATION_CAPABILITY_DIRTY_BITMAPS] = true,
    [MIGRATION_CAPABILITY_BACKGROUND_SNAPSHOT] = true,
};

/* What makes no sense for a guest that goes on here, as QEMU has it. */
static const MigrationCapability not_in_background[] = {
    MIGRATION_CAPABILITY_POSTCOPY_RAM, MIGRATION_CAPABILITY_DIRTY_BITMAPS, MIGRATION_CAPABILITY_LATE_BLOCK_ACTIVATE,
    MIGRATION_CAPABILITY_RETURN_PATH, MIGRATION_CAPABILITY_MULTIFD, MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER,
    MIGRATION_CAPABILITY_AUTO_CONVERGE, MIGRATION_CAPABILITY_RELEASE_RAM, MIGRATION_CAPABILITY_XBZRLE,
    MIGRATION_CAPABILITY_VALIDATE_UUID, MIGRATION_CAPABILITY_X_IGNORE_SHARED,
};

bool mig_cap(MigrationCapability cap)
{
    return caps[cap];
}

static bool background_possible(const bool *wanted, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(not_in_background); i++) {
        if (wanted[not_in_background[i]]) {
            error_setf(errp, ERR_NOT_SUPPORTED, "Background-snapshot is not compatible with %s",
                       MigrationCapability_name(not_in_background[i]));
            return false;
        }
    }
    return ram_save_can_guard(errp);
}

bool mig_caps_set(const MigrationCapabilityStatusList *list, Error **errp)
{
    bool wanted[MIGRATION_CAPABILITY__MAX];

    if (migration_is_busy()) {
        error_setf(errp, ERR_WRONG_STATE, "There's a migration process in progress");
        return false;
    }
    for (size_t i = 0; i < list->n; i++) {
        MigrationCapability c = list->items[i]->capability;

        if (list->items[i]->state && !supported[c]) {
            error_setf(errp, ERR_NOT_SUPPORTED, "the migration capability '%s' is not supported",
                       MigrationCapability_name(c));
            error_argument(errp, "capability", MigrationCapability_name(c), NULL);
            return false;
        }
    }
    memcpy(wanted, caps, sizeof(wanted));
    for (size_t i = 0; i < list->n; i++) {
        wanted[list->items[i]->capability] = list->items[i]->state;
    }
    if (wanted[MIGRATION_CAPABILITY_MULTIFD] && wanted[MIGRATION_CAPABILITY_POSTCOPY_RAM]) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Postcopy is not compatible with multifd");
        return false;
    }
    if (wanted[MIGRATION_CAPABILITY_X_IGNORE_SHARED] &&
        wanted[MIGRATION_CAPABILITY_POSTCOPY_RAM]) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Postcopy is not compatible with ignore-shared");
        return false;
    }
    if (wanted[MIGRATION_CAPABILITY_BACKGROUND_SNAPSHOT] && !background_possible(wanted, errp)) {
        return false;
    }
    memcpy(caps, wanted, sizeof(wanted));
    return true;
}

static MigrationParameters *defaults(void)
{
    MigrationParameters *p = qapi_new(MigrationParameters);

    QAPI_SET(p, announce_initial, 50);
    QAPI_SET(p, announce_max, 550);
    QAPI_SET(p, announce_rounds, 5);
    QAPI_SET(p, announce_step, 100);
    QAPI_SET(p, compress_level, 1);
    QAPI_SET(p, compress_threads, 8);
    QAPI_SET(p, compress_wait_thread, true);
    QAPI_SET(p, decompress_threads, 2);
    QAPI_SET(p, throttle_trigger_threshold, 50);
    QAPI_SET(p, cpu_throttle_initial, 20);
    QAPI_SET(p, cpu_throttle_increment, 10);
    QAPI_SET(p, cpu_throttle_tailslow, false);
    p->tls_creds = strdup("");
    p->tls_hostname = strdup("");
    p->tls_authz = strdup("");
    QAPI_SET(p, max_bandwidth, 128 * MIB);
    QAPI_SET(p, downtime_limit, 300);
    QAPI_SET(p, x_checkpoint_delay, 20000);
    QAPI_SET(p, block_incremental, false);
    QAPI_SET(p, multifd_channels, 2);
    QAPI_SET(p, xbzrle_cache_size, 64 * MIB);
    QAPI_SET(p, max_postcopy_bandwidth, 0);
    QAPI_SET(p, max_cpu_throttle, 99);
    QAPI_SET(p, multifd_compression, MULTI_FD_COMPRESSION_NONE);
    QAPI_SET(p, multifd_zlib_level, 1);
    QAPI_SET(p, multifd_zstd_level, 1);
    return p;
}

const MigrationParameters *mig_params(void)
{
    if (!params) {
        params = defaults();
    }
    return params;
}

/* One row a number: where it is, and what is accepted. */
typedef struct Range {
    const char *name, *accepted;
    bool given;
    uint64_t value, min, max;
} Range;

static bool check_ranges(const Range *r, size_t n, Error **errp)
{
    for (; n--; r++) {
        if (r->given && (r->value < r->min || r->value > r->max)) {
            error_setf(errp, ERR_OUT_OF_RANGE,
                       "Parameter '%s' expects a value in the range of %s; it is %" PRIu64,
                       r->name, r->accepted, r->value);
            error_argument(errp, r->name, NULL, r->accepted);
            return false;
        }
    }
    return true;
}

#define ROW(s, member, name, lo, hi, text) \
    { name, text, (s)->has_##member, (s)->has_##member ? (uint64_t)(s)->member : 0, lo, hi }

static bool check(const MigrateSetParameters *s, Error **errp)
{
    const Range ranges[] = {
        ROW(s, announce_initial, "announce-initial", 0, 100000, "0 to 100000"),
        ROW(s, announce_max, "announce-max", 0, 100000, "0 to 100000"),
        ROW(s, announce_rounds, "announce-rounds", 0, 1000, "0 to 1000"),
        ROW(s, announce_step, "announce-step", 1, 10000, "1 to 10000"),
        ROW(s, compress_level, "compress-level", 0, 9, "0 to 9"),
        ROW(s, compress_threads, "compress-threads", 1, 255, "1 to 255"),
        ROW(s, decompress_threads, "decompress-threads", 1, 255, "1 to 255"),
        ROW(s, throttle_trigger_threshold, "throttle-trigger-threshold", 1, 100, "1 to 100"),
        ROW(s, cpu_throttle_initial, "cpu-throttle-initial", 1, 99, "1 to 99"),
        ROW(s, cpu_throttle_increment, "cpu-throttle-increment", 1, 99, "1 to 99"),
        ROW(s, max_cpu_throttle, "max-cpu-throttle", s->has_cpu_throttle_initial
            ? s->cpu_throttle_initial : mig_params()->cpu_throttle_initial, 99,
            "cpu-throttle-initial to 99"),
        ROW(s, max_bandwidth, "max-bandwidth", 0, SIZE_MAX, "0 to 18446744073709551615"),
        ROW(s, downtime_limit, "downtime-limit", 0, 2000000, "0 to 2000000 (milliseconds)"),
        ROW(s, multifd_channels, "multifd-channels", 1, 255, "1 to 255"),
        ROW(s, xbzrle_cache_size, "xbzrle-cache-size", 4096, (uint64_t)1 << 40,
            "4096 to 1099511627776, a power of two"),
        ROW(s, multifd_zlib_level, "multifd-zlib-level", 0, 9, "0 to 9"),
        ROW(s, multifd_zstd_level, "multifd-zstd-level", 0, 20, "0 to 20"),
    };

    if (!check_ranges(ranges, ARRAY_SIZE(ranges), errp)) {
        return false;
    }
    if (s->has_multifd_compression && !mig_compression_is_there(s->multifd_compression)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "multifd-compression '%s' isn't in this build",
                   MultiFDCompression_name(s->multifd_compression));
        return false;
    }
    if (s->has_xbzrle_cache_size && (s->xbzrle_cache_size & (s->xbzrle_cache_size - 1))) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "Parameter 'xbzrle-cache-size' expects a power of two no less than the page "
                   "size; it is %" PRIu64, s->xbzrle_cache_size);
        return false;
    }
    return !s->block_bitmap_mapping || mig_bitmap_mapping_check(s->block_bitmap_mapping, errp);
}

static void set_text(char **to, const StrOrNull *from)
{
    if (from) {
        free(*to);
        *to = strdup(from->alt == STR_OR_NULL_ALT_S ? from->u.s : "");
    }
}

#define TAKE(member) \
    do { \
        if (s->has_##member) { \
            params->member = s->member; \
        } \
    } while (0)

/* Of what may change while a migration goes on. */
#define TAKE_SHARED(member) \
    do { \
        if (s->has_##member) { \
            __atomic_store_n(&params->member, s->member, __ATOMIC_RELAXED); \
        } \
    } while (0)

uint64_t mig_max_bandwidth(bool postcopy)
{
    return __atomic_load_n(postcopy ? &params->max_postcopy_bandwidth : &params->max_bandwidth, __ATOMIC_RELAXED);
}

uint64_t mig_downtime_limit(void)
{
    return __atomic_load_n(&params->downtime_limit, __ATOMIC_RELAXED);
}

bool mig_params_set(const MigrateSetParameters *s, Error **errp)
{
    mig_params();
    if (!check(s, errp)) {
        return false;
    }
    TAKE(announce_initial);
    TAKE(announce_max);
    TAKE(announce_rounds);
    TAKE(announce_step);
    TAKE(compress_level);
    TAKE(compress_threads);
    TAKE(compress_wait_thread);
    TAKE(decompress_threads);
    TAKE(throttle_trigger_threshold);
    TAKE(cpu_throttle_initial);
    TAKE(cpu_throttle_increment);
    TAKE(cpu_throttle_tailslow);
    set_text(&params->tls_creds, s->tls_creds);
    set_text(&params->tls_hostname, s->tls_hostname);
    set_text(&params->tls_authz, s->tls_authz);
    TAKE_SHARED(max_bandwidth);
    TAKE_SHARED(downtime_limit);
    TAKE(x_checkpoint_delay);
    TAKE(block_incremental);
    TAKE(multifd_channels);
    TAKE(xbzrle_cache_size);
    TAKE_SHARED(max_postcopy_bandwidth);
    TAKE(max_cpu_throttle);
    TAKE(multifd_compression);
    TAKE(multifd_zlib_level);
    TAKE(multifd_zstd_level);
    if (s->block_bitmap_mapping) {
        qapi_free_BitmapMigrationNodeAliasList(params->block_bitmap_mapping);
        params->block_bitmap_mapping = qapi_clone(&qapi_type_BitmapMigrationNodeAliasList, s->block_bitmap_mapping);
    }
    return true;
}
