/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/debug.h"
#include "accel/tcg/target-ops.h"
#include "chardev/chardev.h"
#include "hw/core/cpu.h"
#include "hw/core/runstate.h"
#include "monitor/monitor.h"
#include "system/gdbstub.h"

#define PACKET_MAX      16384       /* as qSupported tells */
#define REG_MAX         64          /* bytes of one register */

/* Where the reader stands in a packet: $data#cc */
enum { WAIT_START, IN_DATA, IN_ESCAPE, IN_SUM1, IN_SUM2 };

static struct {
    CharFrontend fe;
    bool open, no_ack, attached;
    bool detached;                  /* said goodbye: nothing of it is left */
    int state;
    GString *in;
    uint8_t sum, sent_sum;
    GString *last;                  /* the last packet sent, for a resend */
    int cpu_g, cpu_c;               /* threads chosen by Hg and Hc, as CPU indices; -1: any */
    int stop_cpu;
    bool waits;                     /* the debugger waits for a stop reply */
    bool watch;
    uint64_t watch_addr;
    bool exiting;
} gdb;

/* --- sending --- */

static void put_packet(const char *data, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += (uint8_t)data[i];
    }
    g_string_truncate(gdb.last, 0);
    g_string_append_c(gdb.last, '$');
    g_string_append_len(gdb.last, data, len);
    g_string_append_printf(gdb.last, "#%02x", sum);
    chr_fe_write_all(&gdb.fe, gdb.last->str, gdb.last->len);
}

static void put_text(const char *text)
{
    put_packet(text, strlen(text));
}

static void put_hex(GString *s, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(s, "%02x", b[i]);
    }
}

/* Binary replies: '#', '$', '}' and '*' are escaped. */
static void append_escaped(GString *s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strchr("#$}*", p[i]) && p[i]) {
            g_string_append_c(s, '}');
            g_string_append_c(s, p[i] ^ 0x20);
        } else {
            g_string_append_c(s, p[i]);
        }
    }
}

/* Two digits a byte; the number of bytes. */
static size_t get_hex(const char *p, uint8_t *b, size_t max)
{
    size_t n = 0;

    while (n < max && g_ascii_isxdigit(p[2 * n]) && g_ascii_isxdigit(p[2 * n + 1])) {
        b[n] = g_ascii_xdigit_value(p[2 * n]) << 4 | g_ascii_xdigit_value(p[2 * n + 1]);
        n++;
    }
    return n;
}

/* --- CPUs as threads: number index + 1 --- */

static CPUState *cpu_chosen(int index)
{
    CPUState *c = index >= 0 ? cpu_by_index(index) : NULL;

    return c ? c : cpu_by_index(0);
}

static const TargetOps *target_of(CPUState *c)
{
    return c->ops->target;
}

static TcgEnv *env_of(CPUState *c)
{
    return target_of(c)->env_of(c);
}

static void put_stop_reply(void)
{
    char text[96];
    int n;

    gdb.cpu_g = gdb.cpu_c = gdb.stop_cpu;       /* the debugger takes it for chosen */
    if (gdb.watch) {
        n = snprintf(text, sizeof(text), "T05thread:%02x;watch:%" PRIx64 ";", gdb.stop_cpu + 1,
                     gdb.watch_addr);
    } else {
        n = snprintf(text, sizeof(text), "T05thread:%02x;", gdb.stop_cpu + 1);
    }
    put_packet(text, n);
}

/* --- registers --- */

static void read_all(CPUState *c)
{
    GString *s = g_string_new("");
    uint8_t b[REG_MAX];
    unsigned n;

    for (unsigned r = 0; (n = target_of(c)->gdb_read(env_of(c), r, b)) != 0; r++) {
        put_hex(s, b, n);
    }
    put_packet(s->str, s->len);
    g_string_free(s, true);
}

static void write_all(CPUState *c, const char *p)
{
    uint8_t b[REG_MAX];

    for (unsigned r = 0; *p; r++) {
        size_t have = get_hex(p, b, sizeof(b));
        unsigned n = have ? target_of(c)->gdb_write(env_of(c), r, b) : 0;

        if (n == 0 || n > have) {
            break;
        }
        p += 2 * n;
    }
    put_text("OK");
}

static void read_one(CPUState *c, const char *p)
{
    unsigned r = strtoul(p, NULL, 16);
    uint8_t b[REG_MAX];
    unsigned n = target_of(c)->gdb_read(env_of(c), r, b);
    GString *s;

    if (n == 0) {
        put_text("E14");
        return;
    }
    s = g_string_new("");
    put_hex(s, b, n);
    put_packet(s->str, s->len);
    g_string_free(s, true);
}

static void write_one(CPUState *c, const char *p)
{
    uint8_t b[REG_MAX] = { 0 };
    char *end;
    unsigned r = strtoul(p, &end, 16);

    if (*end != '=' || !get_hex(end + 1, b, sizeof(b)) ||
        !target_of(c)->gdb_write(env_of(c), r, b)) {
        put_text("E14");
    } else {
        put_text("OK");
    }
}

/* --- memory --- */

static void read_memory(CPUState *c, const char *p)
{
    char *end;
    uint64_t addr = strtoull(p, &end, 16), len = *end == ',' ? strtoull(end + 1, NULL, 16) : 0;
    uint8_t *b;
    GString *s;

    if (len > PACKET_MAX / 2) {
        len = PACKET_MAX / 2;
    }
    b = g_malloc(MAX(len, 1));
    if (!cpu_memory_rw_debug(c, addr, b, len, false, NULL)) {
        put_text("E14");
    } else {
        s = g_string_new("");
        put_hex(s, b, len);
        put_packet(s->str, s->len);
        g_string_free(s, true);
    }
    g_free(b);
}

static void write_memory(CPUState *c, const char *p)
{
    char *end;
    uint64_t addr = strtoull(p, &end, 16), len = *end == ',' ? strtoull(end + 1, &end, 16) : 0;
    uint8_t *b;

    if (*end != ':' || len > PACKET_MAX / 2) {
        put_text("E22");
        return;
    }
    b = g_malloc(MAX(len, 1));
    if (get_hex(end + 1, b, len) != len || !cpu_memory_rw_debug(c, addr, b, len, true, NULL)) {
        put_text("E14");
    } else {
        put_text("OK");
    }
    g_free(b);
}

/* --- break- and watchpoints: Ztype,addr,kind --- */

static void breakpoint(const char *p, bool insert)
{
    unsigned type = *p - '0';
    char *end;
    uint64_t addr = p[1] == ',' ? strtoull(p + 2, &end, 16) : 0, len;
    bool ok;

    if (p[1] != ',' || *end != ',' || type > 4) {
        put_text("E22");
        return;
    }
    len = MAX(strtoull(end + 1, NULL, 16), 1);
    if (type <= 1) {
        if (insert) {
            tcg_breakpoint_insert(addr);
            ok = true;
        } else {
            ok = tcg_breakpoint_remove(addr);
        }
    } else {
        bool rd = type != 2, wr = type != 3;

        ok = insert ? tcg_watchpoint_insert(addr, len, rd, wr)
                    : tcg_watchpoint_remove(addr, len, rd, wr);
    }
    put_text(ok ? "OK" : "E22");
}

/* --- running --- */

static void step_only(int index)
{
    CPU_FOREACH(c) {
        tcg_single_step(c, c->index == index);
    }
}

static void resume(int step_cpu, const char *addr)
{
    CPUState *c = cpu_chosen(gdb.cpu_c);

    if (addr && *addr && c->ops->set_pc) {
        c->ops->set_pc(c, strtoull(addr, NULL, 16));
    }
    step_only(step_cpu);
    gdb.watch = false;
    gdb.waits = true;
    gdb.stop_cpu = step_cpu >= 0 ? step_cpu : gdb.stop_cpu;
    if (!vm_start(NULL)) {
        gdb.waits = false;
        put_text("E01");
    }
}

/* vCont;action[:thread]...: the first step decides which CPU steps. */
static void v_cont(const char *p)
{
    int step = -1;

    while (*p == ';') {
        char action = p[1];
        const char *colon;
        size_t n;

        p++;
        n = strcspn(p, ";");
        colon = memchr(p, ':', n);
        if ((action == 's' || action == 'S') && step < 0) {
            long t = colon ? strtol(colon + 1, NULL, 16) : 0;

            step = t > 0 ? t - 1 : gdb.stop_cpu;
        }
        p += n;
    }
    resume(step, NULL);
}

static void vcpu_stopped(CPUState *cpu, bool watch, uint64_t addr)
{
    gdb.stop_cpu = cpu->index;
    gdb.watch = watch;
    gdb.watch_addr = addr;
    vm_stop_request(RUN_STATE_DEBUG);
}

static void runstate_changed(UNUSED RunstateListener *l, bool running, UNUSED RunState state)
{
    if (!running && gdb.open && gdb.waits && !gdb.exiting) {
        gdb.waits = false;
        step_only(-1);
        put_stop_reply();
    }
}

/* --- queries --- */

static void features(CPUState *c, const char *p)
{
    const char *colon = strchr(p, ':');
    char *annex, *end;
    const char *xml;
    size_t offset, len, size;
    GString *s;

    if (!colon) {
        put_text("E00");
        return;
    }
    annex = g_strndup(p, colon - p);
    xml = target_of(c)->gdb_xml ? target_of(c)->gdb_xml(env_of(c), annex) : NULL;
    g_free(annex);
    if (!xml) {
        put_text("E00");
        return;
    }
    offset = strtoull(colon + 1, &end, 16);
    len = *end == ',' ? strtoull(end + 1, NULL, 16) : 0;
    size = strlen(xml);
    s = g_string_new("");
    if (offset >= size) {
        g_string_append_c(s, 'l');
    } else {
        size_t n = MIN(MIN(len, PACKET_MAX / 4), size - offset);

        g_string_append_c(s, offset + n < size ? 'm' : 'l');
        append_escaped(s, xml + offset, n);
    }
    put_packet(s->str, s->len);
    g_string_free(s, true);
}

static void threads(void)
{
    GString *s = g_string_new("m");

    CPU_FOREACH(c) {
        g_string_append_printf(s, "%s%02x", s->len > 1 ? "," : "", c->index + 1);
    }
    put_packet(s->str, s->len);
    g_string_free(s, true);
}

/* "monitor ..." in the debugger. */
static void monitor_command(const char *hex)
{
    size_t max = strlen(hex) / 2;
    char *line = g_malloc0(max + 1), *text;
    GString *s = g_string_new("");

    get_hex(hex, (uint8_t *)line, max);
    text = hmp_run(line, gdb.cpu_g >= 0 ? gdb.cpu_g : 0);
    if (text && *text) {
        put_hex(s, (const uint8_t *)text, MIN(strlen(text), PACKET_MAX / 2 - 1));
        put_packet(s->str, s->len);
    } else {
        put_text("OK");
    }
    g_string_free(s, true);
    g_free(text);
    g_free(line);
}

static void query(const char *p)
{
    CPUState *c = cpu_chosen(gdb.cpu_g);
    char text[160];

    if (g_str_has_prefix(p, "Supported")) {
        snprintf(text, sizeof(text), "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;"
                 "vContSupported+;multiprocess-", PACKET_MAX);
        put_text(text);
    } else if (g_str_has_prefix(p, "Xfer:features:read:")) {
        features(c, p + 19);
    } else if (!strcmp(p, "C")) {
        snprintf(text, sizeof(text), "QC%02x", c->index + 1);
        put_text(text);
    } else if (!strcmp(p, "fThreadInfo")) {
        threads();
    } else if (!strcmp(p, "sThreadInfo")) {
        put_text("l");
    } else if (g_str_has_prefix(p, "ThreadExtraInfo,")) {
        int i = strtol(p + 16, NULL, 16) - 1;
        CPUState *t = cpu_by_index(i);
        GString *s = g_string_new("");
        char name[48];

        snprintf(name, sizeof(name), "CPU#%d [%s]", i, !t ? "none" : t->halted ? "halted" : "running");
        put_hex(s, (uint8_t *)name, strlen(name));
        put_packet(s->str, s->len);
        g_string_free(s, true);
    } else if (g_str_has_prefix(p, "Attached")) {
        put_text("1");
    } else if (g_str_has_prefix(p, "Rcmd,")) {
        monitor_command(p + 5);
    } else {
        put_text("");
    }
}

/* --- packets --- */

static void choose_thread(const char *p)
{
    long t = strtol(p + 1, NULL, 16);

    if (t > 0 && !cpu_by_index(t - 1)) {
        put_text("E22");
        return;
    }
    if (*p == 'g') {
        gdb.cpu_g = t > 0 ? t - 1 : gdb.cpu_g;
    } else {
        gdb.cpu_c = t > 0 ? t - 1 : -1;
    }
    put_text("OK");
}

static void handle_packet(const char *p)
{
    CPUState *c = cpu_chosen(gdb.cpu_g);
    const char *sig;

    if (!c) {
        put_text("E01");
        return;
    }
    switch (*p) {
    case '?': put_stop_reply(); break;
    case 'g': read_all(c); break;
    case 'G': write_all(c, p + 1); break;
    case 'p': read_one(c, p + 1); break;
    case 'P': write_one(c, p + 1); break;
    case 'm': read_memory(c, p + 1); break;
    case 'M': write_memory(c, p + 1); break;
    case 'Z': case 'z': breakpoint(p + 1, *p == 'Z'); break;
    case 'c': resume(-1, p + 1); break;
    case 's': resume(cpu_chosen(gdb.cpu_c)->index, p + 1); break;
    case 'C': case 'S':
        sig = strchr(p, ';');
        resume(*p == 'S' ? cpu_chosen(gdb.cpu_c)->index : -1, sig ? sig + 1 : NULL);
        break;
    case 'H': choose_thread(p + 1); break;
    case 'T':
        put_text(cpu_by_index(strtol(p + 1, NULL, 16) - 1) ? "OK" : "E22");
        break;
    case 'q': query(p + 1); break;
    case 'Q':
        if (!strcmp(p, "QStartNoAckMode")) {
            put_text("OK");
            gdb.no_ack = true;
        } else {
            put_text("");
        }
        break;
    case 'v':
        if (!strcmp(p, "vCont?")) {
            put_text("vCont;c;C;s;S");
        } else if (g_str_has_prefix(p, "vCont")) {
            v_cont(p + 5);
        } else {
            put_text("");
        }
        break;
    case 'D':
        tcg_debug_remove_all();
        gdb.detached = true;
        put_text("OK");
        vm_start(NULL);
        break;
    case 'k':
        system_shutdown_request(SHUTDOWN_CAUSE_HOST_SIGNAL);
        break;
    default:
        put_text("");
    }
}

static void interrupt(void)
{
    gdb.stop_cpu = MAX(gdb.cpu_g, 0);
    vm_stop(RUN_STATE_PAUSED);
}

static void end_of_packet(uint8_t digit)
{
    gdb.sent_sum = gdb.sent_sum << 4 | g_ascii_xdigit_value(digit);
    gdb.state = WAIT_START;
    if (!gdb.no_ack) {
        chr_fe_write_all(&gdb.fe, gdb.sent_sum == gdb.sum ? "+" : "-", 1);
        if (gdb.sent_sum != gdb.sum) {
            return;
        }
    }
    handle_packet(gdb.in->str);
}

static void receive_byte(uint8_t b)
{
    switch (gdb.state) {
    case WAIT_START:
        if (b == '$') {
            g_string_truncate(gdb.in, 0);
            gdb.sum = 0;
            gdb.state = IN_DATA;
        } else if (b == 3) {
            interrupt();
        } else if (b == '-' && gdb.last->len) {
            chr_fe_write_all(&gdb.fe, gdb.last->str, gdb.last->len);
        }
        break;
    case IN_DATA:
        if (b == '#') {
            gdb.state = IN_SUM1;
            break;
        }
        gdb.sum += b;
        if (b == '}') {
            gdb.state = IN_ESCAPE;
        } else if (gdb.in->len < PACKET_MAX) {
            g_string_append_c(gdb.in, b);
        }
        break;
    case IN_ESCAPE:
        gdb.sum += b;
        g_string_append_c(gdb.in, b ^ 0x20);
        gdb.state = IN_DATA;
        break;
    case IN_SUM1:
        gdb.sent_sum = g_ascii_isxdigit(b) ? g_ascii_xdigit_value(b) : 0;
        gdb.state = IN_SUM2;
        break;
    default:
        end_of_packet(b);
    }
}

static void receive(UNUSED void *opaque, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        receive_byte(buf[i]);
    }
}

/* The connection broke: the debugger's stops go, with the CPUs standing. */
static void forget_all(void)
{
    bool running = runstate_is_running();

    if (gdb.detached) {
        return;
    }
    if (running) {
        vm_stop(RUN_STATE_PAUSED);
    }
    tcg_debug_remove_all();
    if (running) {
        vm_start(NULL);
    }
}

static void event(UNUSED void *opaque, ChrEvent e)
{
    if (e == CHR_EVENT_OPENED) {
        /* The machine stops while a debugger attaches. */
        gdb.open = true;
        gdb.detached = false;
        gdb.no_ack = gdb.waits = gdb.watch = false;
        gdb.state = WAIT_START;
        gdb.cpu_g = gdb.cpu_c = -1;
        vm_stop(RUN_STATE_PAUSED);
    } else if (e == CHR_EVENT_CLOSED && gdb.open) {
        gdb.open = gdb.waits = false;
        forget_all();
    }
}

static const ChrHandlers handlers = { .receive = receive, .event = event };

bool gdbstub_open(const char *spec, Error **errp)
{
    static RunstateListener listener = { .changed = runstate_changed, .priority = 101 };
    bool net = g_str_has_prefix(spec, "tcp:") || g_str_has_prefix(spec, "unix:");
    char *text;
    Chardev *chr;
    Error *err = NULL;

    if (gdb.attached) {
        gdbstub_close();
    }
    if (!strcmp(spec, "none")) {
        return true;
    }
    text = net && !strstr(spec, ",server") ? g_strdup_printf("%s,server=on,wait=off", spec)
                                           : g_strdup(spec);
    chr = chardev_new_from_spec("gdb", text, &err);
    g_free(text);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    if (!gdb.in) {
        gdb.in = g_string_new("");
        gdb.last = g_string_new("");
        runstate_add_listener(&listener);
        tcg_debug_set_callback(vcpu_stopped);
    }
    if (!chr_fe_init(&gdb.fe, chr, errp)) {
        return false;
    }
    gdb.attached = true;
    chr_fe_set_handlers(&gdb.fe, &handlers, NULL);
    return true;
}

void gdbstub_close(void)
{
    gdb.exiting = true;
    if (gdb.attached) {
        if (gdb.open && gdb.waits) {
            put_text("W00");
        }
        chr_fe_set_handlers(&gdb.fe, NULL, NULL);
        chr_fe_deinit(&gdb.fe);
        chardev_remove("gdb", NULL);
        gdb.attached = gdb.open = false;
    }
    gdb.exiting = false;
}
