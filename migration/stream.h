/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The migration stream (docs/migration.md): a head of 16 bytes, then records.
 * A record is a tag of four letters, the length of its contents, the contents,
 * and a CRC-32C of all that. Numbers are big-endian.
 *
 * A writer keeps one record in memory until it is complete. A reader checks
 * length and CRC before anybody looks at the contents, and every getter checks
 * that the record has what is asked for. One thread uses a writer or a reader.
 */
#ifndef MIGRATION_STREAM_H
#define MIGRATION_STREAM_H

#include "migration/channel.h"

#define MIG_VERSION         1
#define MIG_RESUME          UINT32_MAX  /* number of a connection that takes up an interrupted post-copy */
#define MIG_RECORD_MAX      (64 * MIB)  /* bytes of contents */

#define MIG_TAG(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (c) << 8 | (d))
#define MIG_CONF    MIG_TAG('C', 'O', 'N', 'F')     /* what machine this is: JSON */
#define MIG_RAMP    MIG_TAG('R', 'A', 'M', 'P')     /* pages */
#define MIG_RAMZ    MIG_TAG('R', 'A', 'M', 'Z')     /* the same, compressed */
#define MIG_PASS    MIG_TAG('P', 'A', 'S', 'S')     /* a pass over the RAM ends */
#define MIG_DISC    MIG_TAG('D', 'I', 'S', 'C')     /* post-copy: pages whose contents aren't valid */
#define MIG_POST    MIG_TAG('P', 'O', 'S', 'T')     /* post-copy: run; pages follow */
#define MIG_BITM    MIG_TAG('B', 'I', 'T', 'M')     /* a part of a disk's dirty bitmap */
#define MIG_DEVI    MIG_TAG('D', 'E', 'V', 'I')     /* one device's state */
#define MIG_DESC    MIG_TAG('D', 'E', 'S', 'C')     /* form of the device states: JSON */
#define MIG_STAT    MIG_TAG('S', 'T', 'A', 'T')     /* run state: JSON */
#define MIG_DONE    MIG_TAG('D', 'O', 'N', 'E')     /* the end */
#define MIG_ACKN    MIG_TAG('A', 'C', 'K', 'N')     /* return path: all is loaded */
#define MIG_RUNS    MIG_TAG('R', 'U', 'N', 'S')     /* return path, post-copy: the guest runs */
#define MIG_REQP    MIG_TAG('R', 'E', 'Q', 'P')     /* return path, post-copy: this page first */
#define MIG_FAIL    MIG_TAG('F', 'A', 'I', 'L')     /* return path: why not */

typedef struct MigWriter {
    MigChannel *ch;             /* borrowed */
    uint8_t *buf;
    size_t len, room;
    _Atomic uint64_t bytes;     /* written so far */
    bool broken;                /* the channel has failed */
} MigWriter;

typedef struct MigReader {
    MigChannel *ch;             /* borrowed */
    uint8_t *buf;               /* contents of the record that was read last */
    size_t room, len, pos;
    uint32_t tag;
    uint64_t bytes, record_at;  /* read so far; where this record begins */
    bool broken;                /* the channel has failed, or ended */
} MigReader;

void mig_writer_init(MigWriter *w, MigChannel *ch);
void mig_writer_cleanup(MigWriter *w);
/* @channel: 0 is the stream itself, MIG_RESUME goes on with one, others bring pages for it (multifd.h). */
bool mig_write_head(MigWriter *w, uint32_t channel, Error **errp);
/* A record: begin, contents, end (which writes it). */
void mig_begin(MigWriter *w, uint32_t tag);
void mig_put_u8(MigWriter *w, uint8_t v);
void mig_put_u16(MigWriter *w, uint16_t v);
void mig_put_u32(MigWriter *w, uint32_t v);
void mig_put_u64(MigWriter *w, uint64_t v);
void mig_put(MigWriter *w, const void *data, size_t len);
/* Room for @len bytes, which the caller fills at once. */
uint8_t *mig_put_space(MigWriter *w, size_t len);
/* Contents so far. */
size_t mig_record_len(const MigWriter *w);
/* Change a number that was put at @at (as mig_record_len() said before). */
void mig_patch_u32(MigWriter *w, size_t at, uint32_t v);
bool mig_end(MigWriter *w, Error **errp);
bool mig_put_json(MigWriter *w, uint32_t tag, const struct QObject *value, Error **errp);

void mig_reader_init(MigReader *r, MigChannel *ch);
void mig_reader_cleanup(MigReader *r);
bool mig_read_head(MigReader *r, uint32_t *channel, Error **errp);
/* The next record. */
bool mig_next(MigReader *r, Error **errp);
/* The bytes of the record that was read last, for a buffer of @room bytes, or none, that the next one may overwrite. */
void mig_exchange(MigReader *r, uint8_t **buf, size_t *room);
/* What hasn't been looked at of the record. */
size_t mig_left(const MigReader *r);
bool mig_get_u8(MigReader *r, uint8_t *v, Error **errp);
bool mig_get_u16(MigReader *r, uint16_t *v, Error **errp);
bool mig_get_u32(MigReader *r, uint32_t *v, Error **errp);
bool mig_get_u64(MigReader *r, uint64_t *v, Error **errp);
/* What the reader has becomes a record of @tag with these contents, whose bytes were somewhere else. */
void mig_replace(MigReader *r, uint32_t tag, uint8_t *contents, size_t len, size_t room);
/* Borrowed until the next record; NULL with *errp set. */
const void *mig_get(MigReader *r, size_t len, Error **errp);
/* The record must end here. */
bool mig_get_end(MigReader *r, Error **errp);
struct QDict *mig_get_json(MigReader *r, Error **errp);
/* "RAMP"; letters that can't be shown become "?". */
void mig_tag_text(uint32_t tag, char text[5]);

#endif
