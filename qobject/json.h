/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON (RFC 8259), strictly: UTF-8 is checked, surrogates come in pairs,
 * duplicate keys and data after the value are refused, depth and size are
 * limited. Errors tell line, column and byte offset. Libc only.
 */
#ifndef QOBJECT_JSON_H
#define QOBJECT_JSON_H

#include "util/osdep.h"
#include "qobject/qobject.h"

typedef struct JsonLimits {
    size_t depth;               /* of lists and dicts in each other */
    size_t bytes;               /* of the text of one value */
    size_t values;              /* in one value, itself included */
} JsonLimits;

#define JSON_DEPTH_DEFAULT  1024
#define JSON_BYTES_DEFAULT  (64 * 1024 * 1024)
#define JSON_VALUES_DEFAULT (2 * 1024 * 1024)

/* -------------------------------------------------------- whole buffers */

/* One value with white space around it; the caller owns it. NULL on error. */
QObject *json_parse(const char *text, Error **errp);
QObject *json_parse_len(const char *text, size_t len, Error **errp);
/* The same, and the value must be an object. */
QDict *json_parse_dict(const char *text, Error **errp);

/* -------------------------------------------------------------- streams */

/*
 * Values one after the other, in pieces of any size:
 *
 *     json_reader_feed(r, buf, n);
 *     while (json_reader_next(r, &value, &err)) {
 *         if (value) ... the caller owns it ... else ... err tells ...
 *     }
 *
 * After a syntax error the rest of the line is dropped, and reading goes on in
 * the next one. A byte 0xff, which no UTF-8 text has, drops what was begun.
 */
typedef struct JsonReader JsonReader;

JsonReader *json_reader_new(const JsonLimits *limits);  /* NULL: the defaults */
void json_reader_free(JsonReader *r);                   /* NULL is allowed */
void json_reader_feed(JsonReader *r, const void *data, size_t len);
/* The stream ends here: a value that was begun is an error. */
void json_reader_end(JsonReader *r);
/* True with either *value or *err set; false: feed more. */
bool json_reader_next(JsonReader *r, QObject **value, Error **err);

/* -------------------------------------------------------------- writing */

typedef enum JsonStyle {
    JSON_COMPACT,               /* one line, ", " and ": " between */
    JSON_PRETTY,                /* a member a line, indented by four */
} JsonStyle;

/* The text, freed by the caller with free(). All of it is ASCII; bytes that are
 * not UTF-8 become U+FFFD, numbers that are not finite become null. */
char *json_write(const QObject *o, JsonStyle style);

/* Text made piece by piece. @name is a member's, NULL in lists and outside. */
typedef struct JsonWriter JsonWriter;

JsonWriter *json_writer_new(JsonStyle style);
void json_writer_free(JsonWriter *w);
void json_writer_begin_dict(JsonWriter *w, const char *name);
void json_writer_end_dict(JsonWriter *w);
void json_writer_begin_list(JsonWriter *w, const char *name);
void json_writer_end_list(JsonWriter *w);
void json_writer_null(JsonWriter *w, const char *name);
void json_writer_bool(JsonWriter *w, const char *name, bool value);
void json_writer_int(JsonWriter *w, const char *name, int64_t value);
void json_writer_uint(JsonWriter *w, const char *name, uint64_t value);
void json_writer_double(JsonWriter *w, const char *name, double value);
void json_writer_str(JsonWriter *w, const char *name, const char *value);
void json_writer_value(JsonWriter *w, const char *name, const QObject *value);
/* What has been written so far; valid until the next call. */
const char *json_writer_text(const JsonWriter *w, size_t *len);
/* The text, freed by the caller; the writer is freed. */
char *json_writer_finish(JsonWriter *w);

#endif
