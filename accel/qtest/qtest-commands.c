/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the qtest line protocol. Words are separated by blanks;
 * numbers are decimal, 0x hex, or 0 octal. Answers are "OK", "OK value" or
 * "FAIL text"; "IRQ raise N" and "IRQ lower N" may come in between.
 */
#include "util/osdep.h"
#include "accel/qtest/qtest.h"

#include <glib.h>
#include "hw/core/cpu.h"
#include "hw/core/irq.h"
#include "hw/core/machine.h"
#include "util/bswap.h"
#include "util/timer.h"

#define TRANSFER_MAX    (64 * MIB)      /* bytes a command may move */

static struct {
    void (*sink)(const char *text);
    Device *intercepted;        /* whose lines are told about; NULL: none */
    GHashTable *levels;         /* line number to level as told last */
} qtest;

void qtest_set_event_sink(void (*sink)(const char *text))
{
    qtest.sink = sink;
}

/* --- where accesses go --- */

static AddressSpace *memory_space(void)
{
    CPUState *cpu = cpu_by_index(0);

    return cpu ? cpu_address_space(cpu, 0) : &address_space_memory;
}

static MemOrder target_order(void)
{
    CPUState *cpu = cpu_by_index(0);

    return cpu && cpu->ops ? cpu->ops->order : MEM_LE;
}

/* --- answers --- */

static char *ok(void)
{
    return g_strdup("OK\n");
}

static char *ok_number(uint64_t v)
{
    return g_strdup_printf("OK 0x%016" PRIx64 "\n", v);
}

static char *fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
static char *fail(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return g_strdup_printf("FAIL %s\n", text);
}

static bool number(const char *word, uint64_t *v)
{
    char *end;

    errno = 0;
    *v = g_ascii_strtoull(word, &end, 0);
    return *word && !*end && !errno;
}

/* The size that the last letter of a command's name says. */
static unsigned size_of(const char *name)
{
    switch (name[strlen(name) - 1]) {
    case 'b': return 1;
    case 'w': return 2;
    case 'l': return 4;
    default: return 8;
    }
}

/* --- ports and memory, one number --- */

static char *cmd_out(char **w)
{
    uint64_t port, v;

    if (!number(w[1], &port) || !number(w[2], &v) || port > 0xffff) {
        return fail("%s: a port and a value are expected", w[0]);
    }
    address_space_store(&address_space_io, port, v, size_of(w[0]), MEM_LE,
                        MEM_ATTRS_NONE, NULL);
    return ok();
}

static char *cmd_in(char **w)
{
    uint64_t port;
    unsigned size = size_of(w[0]);

    if (!number(w[1], &port) || port > 0xffff) {
        return fail("%s: a port is expected", w[0]);
    }
    return g_strdup_printf("OK 0x%04" PRIx64 "\n",
                           address_space_load(&address_space_io, port, size, MEM_LE,
                                              MEM_ATTRS_NONE, NULL));
}

static char *cmd_write_number(char **w)
{
    uint64_t addr, v;

    if (!number(w[1], &addr) || !number(w[2], &v)) {
        return fail("%s: an address and a value are expected", w[0]);
    }
    address_space_store(memory_space(), addr, v, size_of(w[0]), target_order(),
                        MEM_ATTRS_NONE, NULL);
    return ok();
}

static char *cmd_read_number(char **w)
{
    uint64_t addr;

    if (!number(w[1], &addr)) {
        return fail("%s: an address is expected", w[0]);
    }
    return ok_number(address_space_load(memory_space(), addr, size_of(w[0]), target_order(),
                                        MEM_ATTRS_NONE, NULL));
}

/* --- memory, many bytes --- */

static bool range(char **w, uint64_t *addr, uint64_t *len, char **why)
{
    if (!number(w[1], addr) || !number(w[2], len)) {
        *why = fail("%s: an address and a length are expected", w[0]);
        return false;
    }
    if (*len > TRANSFER_MAX) {
        *why = fail("%s: at most %" PRIu64 " bytes at once", w[0], (uint64_t)TRANSFER_MAX);
        return false;
    }
    return true;
}

static char *cmd_read(char **w)
{
    uint64_t addr, len;
    g_autofree uint8_t *data = NULL;
    GString *out;
    char *why;

    if (!range(w, &addr, &len, &why)) {
        return why;
    }
    data = g_malloc0(len + 1);
    address_space_read(memory_space(), addr, MEM_ATTRS_NONE, data, len);
    out = g_string_sized_new(2 * len + 8);
    g_string_append(out, "OK 0x");
    for (uint64_t i = 0; i < len; i++) {
        static const char hex[] = "0123456789abcdef";

        g_string_append_c(out, hex[data[i] >> 4]);
        g_string_append_c(out, hex[data[i] & 15]);
    }
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

static char *cmd_write(char **w)
{
    uint64_t addr, len;
    g_autofree uint8_t *data = NULL;
    const char *hex = w[3];
    char *why;
    size_t digits;

    if (!range(w, &addr, &len, &why)) {
        return why;
    }
    if (strncmp(hex, "0x", 2)) {
        return fail("%s: the data begins with 0x", w[0]);
    }
    hex += 2;
    digits = strlen(hex);
    data = g_malloc0(len + 1);
    /* Data that is too short is filled up with zeros. */
    for (uint64_t i = 0; i < len && 2 * i + 1 < digits; i++) {
        int hi = g_ascii_xdigit_value(hex[2 * i]), lo = g_ascii_xdigit_value(hex[2 * i + 1]);

        if (hi < 0 || lo < 0) {
            return fail("%s: the data isn't hex", w[0]);
        }
        data[i] = (uint8_t)(hi << 4 | lo);
    }
    address_space_write(memory_space(), addr, MEM_ATTRS_NONE, data, len);
    return ok();
}

static char *cmd_b64read(char **w)
{
    uint64_t addr, len;
    g_autofree uint8_t *data = NULL;
    g_autofree char *text = NULL;
    char *why;

    if (!range(w, &addr, &len, &why)) {
        return why;
    }
    data = g_malloc0(len + 1);
    address_space_read(memory_space(), addr, MEM_ATTRS_NONE, data, len);
    text = g_base64_encode(data, len);
    return g_strdup_printf("OK %s\n", text);
}

static char *cmd_b64write(char **w)
{
    uint64_t addr, len;
    g_autofree uint8_t *data = NULL;
    gsize got;
    char *why;

    if (!range(w, &addr, &len, &why)) {
        return why;
    }
    data = g_base64_decode(w[3], &got);
    address_space_write(memory_space(), addr, MEM_ATTRS_NONE, data, MIN(len, got));
    return ok();
}

static char *cmd_memset(char **w)
{
    uint64_t addr, len, byte;

    if (!number(w[1], &addr) || !number(w[2], &len) || !number(w[3], &byte)) {
        return fail("%s: an address, a length and a value are expected", w[0]);
    }
    if (len > TRANSFER_MAX) {
        return fail("%s: at most %" PRIu64 " bytes at once", w[0], (uint64_t)TRANSFER_MAX);
    }
    address_space_set(memory_space(), addr, (uint8_t)byte, len, MEM_ATTRS_NONE);
    return ok();
}

static char *cmd_endianness(UNUSED char **w)
{
    return g_strdup_printf("OK %s\n", target_order() == MEM_BE ? "big" : "little");
}

/* --- interrupt lines --- */

static void tell_irq(UNUSED void *opaque, int n, int level)
{
    gpointer key = GINT_TO_POINTER(n);
    bool high = level != 0;

    if (high == GPOINTER_TO_INT(g_hash_table_lookup(qtest.levels, key))) {
        return;
    }
    g_hash_table_insert(qtest.levels, key, GINT_TO_POINTER(high));
    if (qtest.sink) {
        g_autofree char *text = g_strdup_printf("IRQ %s %d\n", high ? "raise" : "lower", n);

        qtest.sink(text);
    }
}

static Device *find_device(const char *path)
{
    Object *obj = object_resolve_path_type(path, TYPE_DEVICE, NULL);

    return (Device *)obj;
}

static char *intercept(char **w, bool out, const char *name)
{
    Device *dev = find_device(w[1]);

    if (!dev) {
        return fail("Unknown device");
    }
    if (qtest.intercepted) {
        return qtest.intercepted == dev ? ok() : fail("IRQ intercept already enabled");
    }
    if (!qtest.levels) {
        qtest.levels = g_hash_table_new(NULL, NULL);
    }
    if (out ? !device_intercept_irq_out(dev, name, tell_irq, NULL)
            : !device_intercept_irq_in(dev, name, tell_irq, NULL)) {
        return fail("no such line");
    }
    qtest.intercepted = dev;
    return ok();
}

static char *cmd_intercept_in(char **w)
{
    return intercept(w, false, NULL);
}

static char *cmd_intercept_out(char **w)
{
    return intercept(w, true, NULL);
}

static char *cmd_intercept_out_named(char **w)
{
    return intercept(w, true, w[2]);
}

static char *cmd_set_irq_in(char **w)
{
    Device *dev = find_device(w[1]);
    const char *name = strcmp(w[2], "unnamed-gpio-in") ? w[2] : NULL;
    uint64_t n, level;
    IrqLine *line;

    if (!dev) {
        return fail("Unknown device");
    }
    if (!number(w[3], &n) || !number(w[4], &level) || n > INT32_MAX || level > INT32_MAX) {
        return fail("%s: a line's number and a level are expected", w[0]);
    }
    line = device_irq_in(dev, name, (int)n);
    if (!line) {
        return fail("no such line");
    }
    irq_set(line, (int)level);
    return ok();
}

/* --- time --- */

static char *ok_time(void)
{
    return g_strdup_printf("OK %" PRId64 "\n", clock_get_ns(CLOCK_VIRTUAL));
}

static char *cmd_clock_step(char **w)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), deadline;
    uint64_t ns;

    if (w[1]) {
        if (!number(w[1], &ns) || ns > (uint64_t)(INT64_MAX - now)) {
            return fail("%s: nanoseconds are expected", w[0]);
        }
        virtual_clock_advance_to(now + (int64_t)ns);
        return ok_time();
    }
    deadline = clock_deadline_ns(CLOCK_VIRTUAL);
    if (deadline < 0) {
        return fail("cannot advance clock to the next deadline because there is no pending "
                    "deadline");
    }
    virtual_clock_advance_to(MAX(deadline, now));
    return ok_time();
}

static char *cmd_clock_set(char **w)
{
    uint64_t ns;

    if (!number(w[1], &ns) || ns > INT64_MAX) {
        return fail("%s: nanoseconds are expected", w[0]);
    }
    virtual_clock_advance_to((int64_t)ns);
    return ok_time();
}

/* --- saved state --- */

typedef struct Saved {
    Device *dev;
    GByteArray *state;
} Saved;

static int save_one(Device *dev, void *opaque)
{
    GArray *all = opaque;
    Saved s = { dev, g_byte_array_new() };

    device_save(dev, s.state, NULL);
    g_array_append_val(all, s);
    return 0;
}

/* What every device holds goes to memory, the machine is reset, and it comes back. */
static char *cmd_reload(UNUSED char **w)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Saved));
    char *answer = NULL;

    device_foreach(save_one, all);
    machine_reset(RESET_COLD);
    for (guint i = 0; i < all->len; i++) {
        Saved *s = &g_array_index(all, Saved, i);
        Error *err = NULL;

        if (!device_load(s->dev, s->state->data, s->state->len, &err) && !answer) {
            answer = fail("%s: %s", object_type_name(s->dev), error_message(err));
        }
        error_free(err);
        g_byte_array_unref(s->state);
    }
    g_array_free(all, TRUE);
    return answer ? answer : ok();
}

/* Everything is built in. */
static char *cmd_module_load(UNUSED char **w)
{
    return ok();
}

/* --- the table --- */

static const struct {
    const char *name;
    unsigned min, max;          /* words after the name */
    char *(*run)(char **words);
} commands[] = {
    { "outb", 2, 2, cmd_out }, { "outw", 2, 2, cmd_out }, { "outl", 2, 2, cmd_out },
    { "inb", 1, 1, cmd_in }, { "inw", 1, 1, cmd_in }, { "inl", 1, 1, cmd_in },
    { "writeb", 2, 2, cmd_write_number }, { "writew", 2, 2, cmd_write_number },
    { "writel", 2, 2, cmd_write_number }, { "writeq", 2, 2, cmd_write_number },
    { "readb", 1, 1, cmd_read_number }, { "readw", 1, 1, cmd_read_number },
    { "readl", 1, 1, cmd_read_number }, { "readq", 1, 1, cmd_read_number },
    { "read", 2, 2, cmd_read }, { "write", 3, 3, cmd_write },
    { "b64read", 2, 2, cmd_b64read }, { "b64write", 3, 3, cmd_b64write },
    { "memset", 3, 3, cmd_memset }, { "endianness", 0, 0, cmd_endianness },
    { "irq_intercept_in", 1, 1, cmd_intercept_in },
    { "irq_intercept_out", 1, 1, cmd_intercept_out },
    { "irq_intercept_out_named", 2, 2, cmd_intercept_out_named },
    { "set_irq_in", 4, 4, cmd_set_irq_in },
    { "clock_step", 0, 1, cmd_clock_step }, { "clock_set", 1, 1, cmd_clock_set },
    { "reload", 0, 0, cmd_reload }, { "module_load", 1, 2, cmd_module_load },
};

/* Runs of blanks are one separator. */
static char **words_of(const char *line)
{
    g_auto(GStrv) raw = g_strsplit_set(line, " \t\r", -1);
    GPtrArray *words = g_ptr_array_new();

    for (char **p = raw; *p; p++) {
        if (**p) {
            g_ptr_array_add(words, g_strdup(*p));
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

char *qtest_command(const char *line)
{
    g_auto(GStrv) w = words_of(line);
    unsigned n = g_strv_length(w);

    if (!n) {
        return fail("Unknown command ''");
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(w[0], commands[i].name)) {
            continue;
        }
        if (n - 1 < commands[i].min || n - 1 > commands[i].max) {
            return fail("%s: %u words, %u to %u are expected", w[0], n - 1,
                        commands[i].min, commands[i].max);
        }
        return commands[i].run(w);
    }
    return fail("Unknown command '%s'", w[0]);
}
