/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM through several connections (the capability multifd). Each begins with a head that has its
 * number, from 1 on, and then brings RAMP or RAMZ records in any order. At the end of a pass all
 * of them have a PASS; nobody goes on to the next pass before the receiver has all of it, since a page
 * may come again by another way.
 */
#ifndef MIGRATION_MULTIFD_H
#define MIGRATION_MULTIFD_H

#include "qapi/types-migration.h"
#include "migration/ram.h"

/* A RAMZ record: u32 bytes of the RAMP's contents, u8 method (MultiFDCompression), those
 * contents compressed. @from has a RAMP that mig_end() hasn't seen; false: it failed. */
bool mig_compress(MigWriter *to, const MigWriter *from, MultiFDCompression method, int level);
/* The RAMZ that the reader has becomes the RAMP that it was. */
bool mig_uncompress(MigReader *r, Error **errp);
/* The build has it. */
bool mig_compression_is_there(MultiFDCompression method);

/* ---------------------------------------------------------------- sending */

typedef struct MultifdSend MultifdSend;

/* Takes @channels, which must be open; a thread for each. */
MultifdSend *multifd_send_new(MigChannel **channels, unsigned n, MultiFDCompression method,
                              int level);
/* The record in @w goes out by whichever is free; @w gets another buffer. May wait. */
bool multifd_send(MultifdSend *m, MigWriter *w, Error **errp);
/* A pass is over. */
bool multifd_send_pass(MultifdSend *m, Error **errp);
/* Any thread. */
uint64_t multifd_send_bytes(MultifdSend *m);
void multifd_send_interrupt(MultifdSend *m);
void multifd_send_free(MultifdSend *m);         /* waits for the threads; NULL is allowed */

/* -------------------------------------------------------------- receiving */

typedef struct MultifdRecv MultifdRecv;

/* @fail: called once, from any thread, when one of the connections fails: the main one should too. */
MultifdRecv *multifd_recv_new(unsigned n, void (*fail)(void *opaque), void *opaque);
/* @n; 0 for NULL. */
unsigned multifd_recv_connections(const MultifdRecv *m);
/* Runs a connection to its end, in the caller's thread; the reader has had its head. */
void multifd_recv_run(MultifdRecv *m, uint32_t number, MigReader *r);
/* What the pages are for is known. */
void multifd_recv_start(MultifdRecv *m, RamLoad *ram);
/* The main connection has a PASS: wait until the others have it too. */
bool multifd_recv_pass(MultifdRecv *m, Error **errp);
/* No more comes, or something failed: all connections end. Their error, if one failed first. */
Error *multifd_recv_end(MultifdRecv *m);
void multifd_recv_free(MultifdRecv *m);         /* after _end; NULL is allowed */

#endif
