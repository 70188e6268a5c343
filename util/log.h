/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log that -d and -D switch on: what the guest does wrong, what we don't
 * model, and what the CPUs do. Messages go to stderr or a file, each written
 * whole: any thread may log at any time. Switching items and files needs no
 * lock either.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include "util/osdep.h"

/* X(symbol, bit, name for -d, help) */
#define LOG_ITEMS(X) \
    X(LOG_OUT_ASM,      0,  "out_asm",      "host code of each region") \
    X(LOG_IN_ASM,       1,  "in_asm",       "guest code of each region") \
    X(LOG_OP,           2,  "op",           "IR of each region") \
    X(LOG_OP_OPT,       3,  "op_opt",       "IR after optimisation") \
    X(LOG_OP_IND,       4,  "op_ind",       "IR before indirect lowering") \
    X(LOG_INT,          5,  "int",          "interrupts and exceptions") \
    X(LOG_EXEC,         6,  "exec",         "each region that is entered") \
    X(LOG_CPU,          7,  "cpu",          "CPU registers before each region") \
    X(LOG_FPU,          8,  "fpu",          "FPU registers with cpu") \
    X(LOG_MMU,          9,  "mmu",          "address translation") \
    X(LOG_PCALL,        10, "pcall",        "protected mode far calls, returns, exceptions") \
    X(LOG_CPU_RESET,    11, "cpu_reset",    "CPU state before a reset") \
    X(LOG_UNIMP,        12, "unimp",        "functions of devices and CPUs not modelled") \
    X(LOG_GUEST_ERROR,  13, "guest_errors", "what the guest does wrong") \
    X(LOG_PAGE,         14, "page",         "memory layout when it changes") \
    X(LOG_NOCHAIN,      15, "nochain",      "regions are not linked to each other") \
    X(LOG_TRACE,        16, "trace",        "register accesses of devices")

enum {
#define LOG_ENUM(sym, bit, name, help) sym = 1 << (bit),
    LOG_ITEMS(LOG_ENUM)
#undef LOG_ENUM
};

extern _Atomic uint32_t log_mask;       /* of LOG_ items; read with log_is_on() */

/* True if one of the items of @mask is on: ask before building a costly text. */
static inline bool log_is_on(uint32_t mask)
{
    return unlikely(atomic_load_explicit(&log_mask, memory_order_relaxed) & mask);
}

/* "<device or path>: <text>" on a line of its own, if the item is on. */
#define log_guest_error(who, ...) \
    do { \
        if (log_is_on(LOG_GUEST_ERROR)) { \
            log_line(who, __VA_ARGS__); \
        } \
    } while (0)
#define log_unimp(who, ...) \
    do { \
        if (log_is_on(LOG_UNIMP)) { \
            log_line(who, __VA_ARGS__); \
        } \
    } while (0)
/* As printf if one of the items of @mask is on; the text has its own "\n". */
#define log_printf(mask, ...) \
    do { \
        if (log_is_on(mask)) { \
            log_write(__VA_ARGS__); \
        } \
    } while (0)

void log_line(const char *who, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_write(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * A text of many lines that no other message may cut: the stream, locked, or
 * NULL if none of the items of @mask is on. log_end() only after non-NULL.
 */
FILE *log_begin(uint32_t mask);
void log_end(FILE *f);

typedef struct LogItem {
    uint32_t mask;
    const char *name, *help;
} LogItem;

/* All items for help texts; ends with a row of NULLs. */
extern const LogItem log_items[];

/*
 * Switch on exactly the items of a list like "in_asm,int"; "all" and "none"
 * are accepted. False if an item is unknown: *bad then is a copy of its name,
 * which the caller frees, and nothing has changed.
 */
bool log_set_items(const char *list, char **bad);
void log_set_mask(uint32_t mask);
/* Write to this file from now on, NULL: to stderr. Returns 0 or -errno. */
int log_set_file(const char *path);

#endif
