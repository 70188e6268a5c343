/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common properties of disks. */
#include "util/osdep.h"
#include "hw/block/block-conf.h"

const char *const block_error_names[] = { "auto", "report", "ignore", "stop", "enospc", NULL };

static bool power_of_two(const char *name, uint32_t v, Error **errp)
{
    if (v < 512 || v > 2 * MIB || (v & (v - 1))) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property '%s' is %u; accepted: a power of two from 512 to 2097152", name, v);
        return false;
    }
    return true;
}

bool block_conf_realize(BlockConf *c, uint32_t block_size, Error **errp)
{
    if (!c->logical_block_size) {
        c->logical_block_size = block_size;
    }
    if (!c->physical_block_size) {
        c->physical_block_size = c->logical_block_size;
    }
    if (!power_of_two("logical_block_size", c->logical_block_size, errp) ||
        !power_of_two("physical_block_size", c->physical_block_size, errp)) {
        return false;
    }
    if (c->logical_block_size > c->physical_block_size) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'physical_block_size' is %u; accepted: "
                   "at least 'logical_block_size', %u", c->physical_block_size,
                   c->logical_block_size);
        return false;
    }
    if (c->min_io_size % c->logical_block_size || c->opt_io_size % c->logical_block_size) {
        error_setf(errp, ERR_PROPERTY_RANGE, "properties 'min_io_size' and 'opt_io_size' are %u and "
                   "%u; accepted: multiples of 'logical_block_size', %u", c->min_io_size,
                   c->opt_io_size, c->logical_block_size);
        return false;
    }
    if (c->discard_granularity != UINT32_MAX &&
        c->discard_granularity % c->logical_block_size) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'discard_granularity' is %u; accepted: "
                   "multiples of 'logical_block_size', %u", c->discard_granularity,
                   c->logical_block_size);
        return false;
    }
    if (c->rerror) {
        c->blk->on_read_error = (BlockErrorAction)(c->rerror - 1);
    }
    if (c->werror) {
        c->blk->on_write_error = (BlockErrorAction)(c->werror - 1);
    }
    if (c->write_cache != ON_OFF_AUTO_AUTO) {
        blk_set_write_cache(c->blk, c->write_cache == ON_OFF_AUTO_ON);
    }
    c->cache_at_start = c->blk->write_cache;
    return true;
}

uint32_t block_conf_discard_unit(const BlockConf *c)
{
    return c->discard_granularity == UINT32_MAX ? c->logical_block_size : c->discard_granularity;
}

bool block_conf_write_cache(const BlockConf *c)
{
    return c->cache_at_start;
}
