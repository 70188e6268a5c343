/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common properties of disks, and what a failed access leads to. */
#include "util/osdep.h"
#include "hw/block/block-conf.h"

#include "hw/core/runstate.h"
#include "qapi/events-block.h"

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
    return true;
}

uint32_t block_conf_discard_unit(const BlockConf *c)
{
    return c->discard_granularity == UINT32_MAX ? c->logical_block_size : c->discard_granularity;
}

bool block_conf_write_cache(const BlockConf *c)
{
    return c->write_cache != ON_OFF_AUTO_OFF;
}

static BlockErrorAction action_of(const BlockConf *c, bool is_read, int error)
{
    int own = is_read ? c->rerror : c->werror;
    BlockErrorAction a = own ? (BlockErrorAction)(own - 1)
                         : is_read ? c->blk->on_read_error : c->blk->on_write_error;

    if (a == BLOCK_ERROR_ENOSPC) {
        a = error == ENOSPC ? BLOCK_ERROR_STOP : BLOCK_ERROR_REPORT;
    }
    return a;
}

BlockErrorAction block_conf_error(const BlockConf *c, bool is_read, int error)
{
    static const BlockIoErrorAction told[] = {
        [BLOCK_ERROR_REPORT] = BLOCK_IO_ERROR_ACTION_REPORT,
        [BLOCK_ERROR_IGNORE] = BLOCK_IO_ERROR_ACTION_IGNORE,
        [BLOCK_ERROR_STOP] = BLOCK_IO_ERROR_ACTION_STOP,
    };
    BlockErrorAction a = action_of(c, is_read, error);

    qapi_event_send_block_io_error(c->blk->id, c->blk->node ? c->blk->node->name : NULL,
                                   is_read ? IO_OPERATION_TYPE_READ : IO_OPERATION_TYPE_WRITE,
                                   told[a], true, error == ENOSPC, strerror(error));
    if (a == BLOCK_ERROR_STOP) {
        vm_stop_request(RUN_STATE_IO_ERROR);
    }
    return a;
}
