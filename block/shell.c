/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/shell.h"

#include <ctype.h>
#include "util/timer.h"

typedef struct Request {
    BlockBackend *b;
    GString *out;
    char **words;               /* what is behind the options */
    bool machine, quiet, fua, zeroes, unmap, vmstate, compressed, dump;
    int pattern;                /* -1: none */
    int64_t pattern_at, pattern_len;        /* -1: all */
    uint64_t offset, len;
    const struct Command *cmd;
    uint8_t *buf;
    int result;
    int64_t ns;
    BlockStatus status;
} Request;

typedef struct Command {
    const char *name, *options; /* letters; ':' behind one that has a value */
    unsigned min, max;          /* number of words */
    bool (*run)(Request *r);
    const char *params, *help;
} Command;

static bool complain(Request *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool complain(Request *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(r->out, fmt, ap);
    va_end(ap);
    g_string_append_c(r->out, '\n');
    return false;
}

/* --- numbers and sizes --- */

static bool number(Request *r, const char *text, uint64_t *v)
{
    static const char units[] = "kmgtpe";
    char *end;
    const char *unit;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

    errno = 0;
    *v = strtoull(text, &end, hex ? 16 : 10);
    unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
    if (end == text || *text == '-' || errno || (*end && (!unit || end[1]))) {
        return complain(r, "Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- %s", text);
    }
    if (unit) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);

        if (*v > UINT64_MAX >> shift) {
            return complain(r, "Parsing error: argument too large -- %s", text);
        }
        *v <<= shift;
    }
    if (*v > INT64_MAX) {
        return complain(r, "Parsing error: argument too large -- %s", text);
    }
    return true;
}

/* "64 KiB"; g_free(). */
static char *size_text(double bytes)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    unsigned u = 0;
    g_autofree char *text = NULL;
    char *point;

    for (; bytes >= 1024 && u + 1 < ARRAY_SIZE(units); u++) {
        bytes /= 1024;
    }
    text = g_strdup_printf("%.3f", bytes);
    point = strchr(text, '.');
    if (!strcmp(point, ".000")) {
        *point = '\0';
    }
    return g_strdup_printf("%s %s", text, units[u]);
}

static void report(Request *r, const char *done)
{
    double seconds = MAX(r->ns, 1) / 1e9, rate = r->len / seconds;
    g_autofree char *size = size_text((double)r->len), *speed = size_text(rate);

    if (r->quiet) {
        return;
    }
    if (r->machine) {
        g_string_append_printf(r->out, "%" PRIu64 ",1,0:%02d:%05.2f,%.3f,%.3f\n", r->len, (int)seconds / 60,
                               seconds - (int)seconds / 60 * 60, rate, 1 / seconds);
        return;
    }
    g_string_append_printf(r->out, "%s %" PRIu64 "/%" PRIu64 " bytes at offset %" PRIu64 "\n"
                           "%s, 1 ops; %05.2f sec (%s/sec and %.4f ops/sec)\n", done, r->len, r->len,
                           r->offset, size, seconds, speed, 1 / seconds);
}

/* --- requests --- */

static void co_read(void *opaque)
{
    Request *r = opaque;
    struct iovec v = { r->buf, r->len };

    r->result = blk_co_preadv(r->b, r->offset, &v, 1);
}

static void co_write(void *opaque)
{
    Request *r = opaque;
    struct iovec v = { r->buf, r->len };

    r->result = r->zeroes ? blk_co_zero(r->b, r->offset, r->len, r->unmap ? BLOCK_ZERO_UNMAP : 0)
                          : blk_co_pwritev(r->b, r->offset, &v, 1);
    if (r->result == 0 && r->fua) {
        r->result = blk_co_flush(r->b);
    }
}

static void co_discard(void *opaque)
{
    Request *r = opaque;

    r->result = blk_co_discard(r->b, r->offset, r->len);
}

static void co_flush(void *opaque)
{
    Request *r = opaque;

    r->result = blk_co_flush(r->b);
}

static void co_status(void *opaque)
{
    Request *r = opaque;

    r->result = block_co_status(r->b->node, r->offset, r->len, &r->status);
}

/* False: it has failed, which is told. */
static bool timed(Request *r, void (*fn)(void *opaque), const char *verb)
{
    int64_t begin = clock_get_ns(CLOCK_RT);

    block_run(fn, r);
    r->ns = clock_get_ns(CLOCK_RT) - begin;
    return r->result == 0 || complain(r, "%s failed: %s", verb, strerror(-r->result));
}

static bool range(Request *r, uint64_t max)
{
    if (!number(r, r->words[0], &r->offset) || !number(r, r->words[1], &r->len)) {
        return false;
    }
    if (r->len > max) {
        return complain(r, "length cannot exceed %" PRIu64 ", given %s", max, r->words[1]);
    }
    return true;
}

static void dump(Request *r)
{
    for (uint64_t i = 0; i < r->len; i += 16) {
        uint64_t n = MIN(r->len - i, UINT64_C(16));

        g_string_append_printf(r->out, "%08" PRIx64 ":  ", r->offset + i);
        for (uint64_t k = 0; k < n; k++) {
            g_string_append_printf(r->out, "%02x ", r->buf[i + k]);
        }
        g_string_append_c(r->out, ' ');
        for (uint64_t k = 0; k < n; k++) {
            g_string_append_c(r->out, isprint(r->buf[i + k]) ? (char)r->buf[i + k] : '.');
        }
        g_string_append_c(r->out, '\n');
    }
}

static bool verify(Request *r)
{
    uint64_t from = r->pattern_at < 0 ? 0 : (uint64_t)r->pattern_at;
    uint64_t len = r->pattern_len < 0 ? r->len - MIN(from, r->len) : (uint64_t)r->pattern_len;

    if (r->pattern < 0) {
        return true;
    }
    if (from > r->len || len > r->len - from) {
        return complain(r, "pattern verification range exceeds end of read data");
    }
    for (uint64_t i = from; i < from + len; i++) {
        if (r->buf[i] != r->pattern) {
            return complain(r, "Pattern verification failed at offset %" PRIu64 ", %" PRIu64 " bytes",
                            r->offset + from, len);
        }
    }
    return true;
}

static bool run_read(Request *r)
{
    bool ok;

    if (r->vmstate) {
        return complain(r, "-b isn't there; machine states are read with loadvm");
    }
    if (!range(r, BLOCK_SHELL_MAX)) {
        return false;
    }
    r->buf = g_malloc0(r->len + 1);
    if (!timed(r, co_read, "read")) {
        return false;
    }
    ok = verify(r);
    if (r->dump) {
        dump(r);
    }
    report(r, "read");
    return ok;
}

static bool run_write(Request *r)
{
    if (r->vmstate || r->compressed) {
        return complain(r, "-%c isn't there", r->vmstate ? 'b' : 'c');
    }
    if (r->zeroes && r->pattern >= 0) {
        return complain(r, "-z and -P cannot be specified at the same time");
    }
    if (r->unmap && !r->zeroes) {
        return complain(r, "-u requires -z to be specified");
    }
    if (!range(r, r->zeroes ? INT32_MAX : BLOCK_SHELL_MAX)) {
        return false;
    }
    if (!r->zeroes) {
        r->buf = g_malloc(r->len + 1);
        memset(r->buf, r->pattern < 0 ? 0xcd : r->pattern, r->len);
    }
    if (!timed(r, co_write, "write")) {
        return false;
    }
    report(r, "wrote");
    return true;
}

static bool run_discard(Request *r)
{
    if (!range(r, INT32_MAX) || !timed(r, co_discard, "discard")) {
        return false;
    }
    report(r, "discard");
    return true;
}

static bool run_flush(Request *r)
{
    return timed(r, co_flush, "flush");
}

static bool run_length(Request *r)
{
    g_autofree char *text = size_text((double)blk_length(r->b));

    g_string_append_printf(r->out, "%s\n", text);
    return true;
}

static bool run_info(Request *r)
{
    BlockFormatInfo f = { 0 };
    g_autofree char *cluster = NULL, *vm = NULL;

    if (r->b->node->drv->info) {
        r->b->node->drv->info(r->b->node, &f);
    }
    cluster = size_text((double)f.cluster_size);
    vm = size_text((double)f.vm_state_offset);
    g_string_append_printf(r->out, "format name: %s\ncluster size: %s\nvm state offset: %s\n",
                           r->b->node->drv->name, cluster, vm);
    return true;
}

/* What is allocated from @offset on, up to @end or the first change. */
static bool piece(Request *r, uint64_t offset, uint64_t end)
{
    r->offset = offset;
    r->len = end - offset;
    return timed(r, co_status, "status");
}

static bool run_alloc(Request *r)
{
    uint64_t offset, count = 1, allocated = 0, length = blk_length(r->b);
    g_autofree char *at = NULL;

    if (!number(r, r->words[0], &offset) || (r->words[1] && !number(r, r->words[1], &count))) {
        return false;
    }
    if (offset > length || count > length - offset) {
        return complain(r, "the disk ends at %" PRIu64, length);
    }
    for (uint64_t p = offset; p < offset + count; p += r->status.len) {
        if (!piece(r, p, offset + count)) {
            return false;
        }
        allocated += r->status.allocated ? r->status.len : 0;
    }
    at = size_text((double)offset);
    g_string_append_printf(r->out, "%" PRIu64 "/%" PRIu64 " bytes allocated at offset %s\n", allocated, count,
                           at);
    return true;
}

static bool run_map(Request *r)
{
    uint64_t length = blk_length(r->b), start = 0;
    bool allocated = false;

    for (uint64_t p = 0; p <= length; p += r->status.len) {
        bool now = false;

        if (p < length) {
            if (!piece(r, p, length)) {
                return false;
            }
            now = r->status.allocated;
        }
        if (p > start && (p == length || now != allocated)) {
            g_autofree char *size = size_text((double)(p - start)), *at = size_text((double)start);

            g_string_append_printf(r->out, "%s (0x%" PRIx64 ") bytes %s allocated at offset %s (0x%" PRIx64
                                   ")\n", size, p - start, allocated ? "   " : "not", at, start);
            start = p;
        }
        if (p == length) {
            break;
        }
        allocated = now;
    }
    return true;
}

static bool run_truncate(Request *r)
{
    Error *err = NULL;

    if (!number(r, r->words[0], &r->len)) {
        return false;
    }
    if (!block_truncate(r->b->node, r->len, &err)) {
        complain(r, "%s", error_message(err));
        error_free(err);
        return false;
    }
    return true;
}

static bool run_nothing(UNUSED Request *r)
{
    return true;                /* nothing is ever left under way */
}

static bool run_help(Request *r);

static const Command commands[] = {
    { "aio_flush", "", 0, 0, run_nothing, "", "completes all outstanding aio requests" },
    { "aio_read", "CiqvP:", 2, 2, run_read, "[-Ciqv] [-P pattern] off len", "reads a number of bytes" },
    { "aio_write", "CfiquzP:", 2, 2, run_write, "[-Cfiquz] [-P pattern] off len", "writes a number of bytes" },
    { "alloc", "", 1, 2, run_alloc, "offset [count]", "checks if offset is allocated in the file" },
    { "discard", "Cq", 2, 2, run_discard, "[-Cq] off len", "discards a number of bytes" },
    { "flush", "", 0, 0, run_flush, "", "flush all in-core file state to disk" },
    { "help", "", 0, 0, run_help, "", "help for all commands" },
    { "info", "", 0, 0, run_info, "", "prints information about the current file" },
    { "length", "", 0, 0, run_length, "", "gets the length of the current file" },
    { "map", "", 0, 0, run_map, "", "prints the allocated areas of a file" },
    { "read", "abCpqvP:s:l:", 2, 2, run_read, "[-Cqv] [-P pattern [-s off] [-l len]] off len",
      "reads a number of bytes" },
    { "readv", "CqvP:", 2, 2, run_read, "[-Cqv] [-P pattern] off len", "reads a number of bytes" },
    { "truncate", "", 1, 1, run_truncate, "off", "truncates the current file at the given offset" },
    { "write", "bcCfnpquzP:", 2, 2, run_write, "[-Cfquz] [-P pattern] off len", "writes a number of bytes" },
    { "writev", "CfqP:", 2, 2, run_write, "[-Cfq] [-P pattern] off len", "writes a number of bytes" },
};

static bool run_help(Request *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        g_string_append_printf(r->out, "%s %s -- %s\n", commands[i].name, commands[i].params, commands[i].help);
    }
    return true;
}

/* --- lines --- */

static bool set_value(Request *r, char letter, const char *text)
{
    uint64_t v;

    if (!number(r, text, &v)) {
        return false;
    }
    switch (letter) {
    case 'P':
        if (v > 255) {
            return complain(r, "%s is not a valid pattern byte", text);
        }
        r->pattern = (int)v;
        return true;
    case 's':
        r->pattern_at = (int64_t)v;
        return true;
    default:
        r->pattern_len = (int64_t)v;
        return true;
    }
}

static void set_flag(Request *r, char letter)
{
    const struct { char letter; bool *flag; } flags[] = {
        { 'C', &r->machine }, { 'q', &r->quiet }, { 'f', &r->fua }, { 'z', &r->zeroes }, { 'u', &r->unmap },
        { 'b', &r->vmstate }, { 'c', &r->compressed }, { 'v', &r->dump },
    };

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (flags[i].letter == letter) {
            *flags[i].flag = true;
        }
    }
}

/* Options stand before the other words; r->words is moved behind them. */
static bool take_options(Request *r)
{
    for (; r->words[0] && r->words[0][0] == '-' && r->words[0][1]; r->words++) {
        for (const char *p = r->words[0] + 1; *p; p++) {
            const char *known = *p == ':' ? NULL : strchr(r->cmd->options, *p);

            if (!known) {
                return complain(r, "%s: invalid option -- '%c'", r->cmd->name, *p);
            }
            if (known[1] != ':') {
                set_flag(r, *p);
                continue;
            }
            if (!p[1] && !r->words[1]) {
                return complain(r, "%s: option requires an argument -- '%c'", r->cmd->name, *p);
            }
            if (!p[1]) {
                r->words++;
            }
            if (!set_value(r, *p, p[1] ? p + 1 : r->words[0])) {
                return false;
            }
            break;
        }
    }
    return true;
}

bool block_shell_run(BlockBackend *b, const char *line, GString *out)
{
    Request r = { .b = b, .out = out, .pattern = -1, .pattern_at = -1, .pattern_len = -1 };
    g_auto(GStrv) words = NULL;
    unsigned n;
    bool ok;

    if (!g_shell_parse_argv(line, NULL, &words, NULL)) {
        return true;                    /* empty */
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        r.cmd = strcmp(commands[i].name, words[0]) ? r.cmd : &commands[i];
    }
    if (!r.cmd) {
        return complain(&r, "command \"%s\" not found", words[0]);
    }
    r.words = words + 1;
    if (!take_options(&r)) {
        return false;
    }
    n = g_strv_length(r.words);
    if (n < r.cmd->min || n > r.cmd->max) {
        return complain(&r, "bad argument count %u to %s, expected %s%u arguments", n, r.cmd->name,
                        r.cmd->min == r.cmd->max ? "" : n < r.cmd->min ? "at least " : "at most ",
                        n < r.cmd->min ? r.cmd->min : r.cmd->max);
    }
    if (!b->node) {
        return complain(&r, "no medium in '%s'", b->id);
    }
    ok = r.cmd->run(&r);
    g_free(r.buf);
    return ok;
}
