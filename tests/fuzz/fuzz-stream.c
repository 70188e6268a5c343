/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A migration stream from a hostile source, loaded into a PC: a stream of that
 * PC, changed as the input says. Checksums are made right again where the
 * input wants it, so that the contents of records are reached.
 *
 * Input: edits of four bytes each: where (24 bits, little endian, modulo the
 * size), what. An edit at a place whose top bit is set is relative to a device's
 * record instead: 8 bits say which, 15 bits where in it. The first byte: bit 0
 * puts the checksums right; bits 1 to 7 cut the stream short.
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "hw/core/runstate.h"
#include "migration/state-file.h"
#include "migration/stream.h"
#include "tests/fuzz/machine.h"
#include "util/bswap.h"
#include "util/crc32c.h"
#include "util/main-loop.h"
#include "util/timer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EDITS_MAX   256
#define DEVICES_MAX 256

typedef struct MemChannel {
    MigChannel parent;
    GByteArray *data;
    size_t pos;
} MemChannel;

static GByteArray *good;        /* the stream as it was saved */
static uint32_t device_at[DEVICES_MAX];     /* where contents of DEVI records begin */
static unsigned n_devices;

static ssize_t mem_read(MigChannel *c, void *buf, size_t len, UNUSED Error **errp)
{
    MemChannel *m = (MemChannel *)c;
    size_t n = MIN(len, m->data->len - m->pos);

    memcpy(buf, m->data->data + m->pos, n);
    m->pos += n;
    return (ssize_t)n;
}

static ssize_t mem_write(MigChannel *c, const void *buf, size_t len, UNUSED Error **errp)
{
    g_byte_array_append(((MemChannel *)c)->data, buf, (guint)len);
    return (ssize_t)len;
}

static const MigChannelOps mem_ops = { .read = mem_read, .write = mem_write };

/* Records by their lengths, as far as these make sense. */
static void walk(GByteArray *s, bool mend)
{
    size_t at = 16;

    while (at + 12 <= s->len) {
        uint32_t len = load_be32(s->data + at + 4);

        if (len > s->len - at - 12) {
            return;
        }
        if (mend) {
            store_be32(s->data + at + 8 + len, crc32c(0, s->data + at, 8 + len));
        } else if (load_be32(s->data + at) == MIG_DEVI && n_devices < DEVICES_MAX) {
            device_at[n_devices++] = (uint32_t)at + 8;
        }
        at += 12 + len;
    }
}

int LLVMFuzzerInitialize(UNUSED int *argc, UNUSED char ***argv)
{
    MemChannel m = { .parent.ops = &mem_ops };
    Error *err = NULL;

    fuzz_machine(FUZZ_PC "-accel qtest -m 2 -vga none", NULL);
    machine_reset(RESET_COLD);
    good = m.data = g_byte_array_new();
    if (!state_write(&m.parent, RUN_STATE_RUNNING, &err)) {
        error_report(err);
        exit(1);
    }
    walk(good, false);
    return 0;
}

static void edit(GByteArray *s, const uint8_t *e)
{
    uint32_t at = e[0] | e[1] << 8 | (e[2] & 0x7f) << 16;

    if (e[2] & 0x80 && n_devices) {
        at = device_at[at % n_devices] + (at >> 8);
    }
    s->data[at % s->len] = e[3];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MemChannel m = { .parent.ops = &mem_ops };
    Error *err = NULL;

    if (size < 5) {
        return 0;
    }
    m.data = g_byte_array_sized_new(good->len);
    g_byte_array_append(m.data, good->data, good->len);
    for (size_t i = 1; i + 3 < size && i < 4 * EDITS_MAX; i += 4) {
        edit(m.data, data + i);
    }
    if (data[0] & 1) {
        walk(m.data, true);
    }
    g_byte_array_set_size(m.data, m.data->len - (guint)((uint64_t)m.data->len * (data[0] >> 1) / 128));
    if (!state_read(&m.parent, &err)) {
        if (!*error_message(err)) {
            abort();
        }
        error_free(err);
        err = NULL;
    }
    g_byte_array_unref(m.data);
    for (int i = 0; i < 100 && main_loop_iterate(false); i++) {
    }
    machine_reset(RESET_COLD);
    m.data = good;
    m.pos = 0;
    if (!state_read(&m.parent, &err)) {
        error_report(err);
        abort();                /* a good stream must load into whatever came out */
    }
    return 0;
}
