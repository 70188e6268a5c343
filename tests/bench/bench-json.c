/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the JSON reader is, and how much memory its values take: a document of about 10 MB made of
 * what query-qmp-schema answers, with some numbers and longer strings as block queries have them.
 *
 *     bench-json [FILE]       FILE instead; "bench-json -d" writes the document to standard output
 */
#include "util/osdep.h"
#include <malloc.h>
#include <time.h>
#include <unistd.h>
#include "qapi/qapi-command.h"
#include "qobject/json.h"

#define DOCUMENT_BYTES  (10 * 1000 * 1000)
#define ROUNDS          7

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);      /* others on the machine do not count */
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static char *make_document(void)
{
    QList *all = qlist_new();
    QObject *schema = qapi_introspect(&qapi_schema);
    char *piece = json_write(schema, JSON_COMPACT), *text;
    size_t copies = DOCUMENT_BYTES / (strlen(piece) + 300) + 1;

    for (size_t i = 0; i < copies; i++) {
        qlist_append(all, qobject_copy(schema));
        qlist_append(all, qdict_from_fmt("{'device': 'virtio%d', 'stats': {'rd_bytes': %lld, 'wr_bytes': %lld, "
                                         "'rd_total_time_ns': %lld, 'idle': %f}, 'file': "
                                         "'/var/lib/images/a-machine-with-a-long-name-%d.qcow2', "
                                         "'removable': false, 'parent': null}", (int)i,
                                         (long long)(i * 4096 * 977), (long long)(i * 512), 987654321012LL,
                                         (double)i / 7, (int)i));
    }
    free(piece);
    qobject_unref(schema);
    text = json_write(QOBJECT(all), JSON_COMPACT);
    qobject_unref(all);
    return text;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long len;

    if (!f || fseek(f, 0, SEEK_END) || (len = ftell(f)) < 0) {
        perror(path);
        exit(1);
    }
    rewind(f);
    text = calloc(1, len + 1);
    if (!text || fread(text, 1, len, f) != (size_t)len) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return text;
}

/* Bytes that are in the host's memory. */
static size_t resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    size_t pages = 0;

    if (f && fscanf(f, "%*u %zu", &pages) != 1) {
        pages = 0;
    }
    if (f) {
        fclose(f);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv)
{
    char *text = argc > 1 && strcmp(argv[1], "-d") ? read_file(argv[1]) : make_document();
    size_t len = strlen(text), before, memory = 0;
    double best = 1e9, best_write = 1e9, start;

    if (argc > 1 && !strcmp(argv[1], "-d")) {
        puts(text);
        free(text);
        return 0;
    }
    for (int i = 0; i < ROUNDS; i++) {
        QObject *o;
        char *again;

        malloc_trim(0);
        before = resident();
        start = now();
        o = json_parse_len(text, len, NULL);
        best = MIN(best, now() - start);
        if (!o) {
            fputs("bench-json: the document isn't accepted\n", stderr);
            return 1;
        }
        memory = resident() - before;
        start = now();
        again = json_write(o, JSON_COMPACT);
        best_write = MIN(best_write, now() - start);
        free(again);
        qobject_unref(o);
    }
    printf("json-document-bytes       %zu\n", len);
    printf("json-parse-mb-per-s       %.0f\n", (double)len / best / 1e6);
    printf("json-write-mb-per-s       %.0f\n", (double)len / best_write / 1e6);
    printf("json-memory-per-text      %.2f\n", (double)memory / (double)len);
    free(text);
    return 0;
}
