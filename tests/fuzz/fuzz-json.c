/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON reader on any bytes: whole and in pieces it must give the same, and
 * what it accepts must read back equal after writing.
 */
#include "util/osdep.h"
#include "qobject/error.h"
#include "qobject/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const QObject *o, JsonStyle style)
{
    char *text = json_write(o, style);
    QObject *again = json_parse(text, NULL);

    if (!again || !qobject_equal(o, again)) {
        abort();
    }
    qobject_unref(again);
    free(text);
}

/* A stream in one piece, which is read by whole tokens, and byte by byte. */
static void compare_ways(const uint8_t *data, size_t size)
{
    JsonLimits limits = { .depth = 64, .values = 500 };
    JsonReader *a = json_reader_new(&limits), *b = json_reader_new(&limits);
    QObject *x = NULL, *y = NULL;
    Error *ex = NULL, *ey = NULL;
    bool more;

    json_reader_feed(a, data, size);
    for (size_t i = 0; i < size; i++) {
        json_reader_feed(b, data + i, 1);
    }
    json_reader_end(a);
    json_reader_end(b);
    do {
        more = json_reader_next(a, &x, &ex);
        if (more != json_reader_next(b, &y, &ey)) {
            abort();
        }
        if (more && (x ? !y || !qobject_equal(x, y) : y || strcmp(error_message(ex), error_message(ey)))) {
            abort();
        }
        qobject_unref(x);
        qobject_unref(y);
        error_free(ex);
        error_free(ey);
        x = y = NULL;
        ex = ey = NULL;
    } while (more);
    json_reader_free(a);
    json_reader_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    JsonLimits limits = { .depth = 64, .bytes = 4096, .values = 500 };
    JsonReader *r = json_reader_new(&limits);
    size_t piece = size ? data[0] % 16 + 1 : 1;
    Error *err = NULL;
    QObject *whole = json_parse_len((const char *)data, size, &err), *o;

    if (!whole == !err) {
        abort();
    }
    if (whole) {
        round_trip(whole, JSON_COMPACT);
        round_trip(whole, JSON_PRETTY);
        qobject_unref(whole);
    }
    error_free(err);
    err = NULL;
    for (size_t i = 0; i < size; i += piece) {
        json_reader_feed(r, data + i, MIN(piece, size - i));
        while (json_reader_next(r, &o, &err)) {
            if (!o == !err) {
                abort();
            }
            qobject_unref(o);
            error_free(err);
            err = NULL;
        }
    }
    json_reader_end(r);
    json_reader_free(r);
    compare_ways(data, size);
    return 0;
}
