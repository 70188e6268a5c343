/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor: a command is a row of a table with its arguments, help and
 * function. The function calls the same handlers as QMP and only formats what
 * they return, into hmp->out. Big lock, main thread.
 */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

#include "util/osdep.h"
#include <glib.h>
#include "qobject/error.h"
#include "qobject/qobject.h"

/* One command line being executed. */
typedef struct Hmp {
    GString *out;               /* what people see, lines end with "\n" */
    int cpu_index;              /* the CPU that commands are about */
    const struct Readline *rl;  /* whose history "info history" shows; or NULL */
} Hmp;

typedef struct HmpCommand HmpCommand;
struct HmpCommand {
    const char *name;           /* aliases after '|': "quit|q" */
    /*
     * Arguments, separated by blanks; each is NAME:TYPE, optional with a '?' at
     * the end. Types: s a word or "quoted text"; S the rest of the line; i and l
     * an expression (32 and 64 bits); M a size; b on|off; f a /FORMAT;
     * -x a flag; -- a flag --NAME that may stand anywhere; -xs and --s are flags
     * that a word follows.
     */
    const char *args;
    const char *params;         /* for help */
    const char *help;
    void (*run)(Hmp *hmp, const QDict *args);
    const HmpCommand *sub;      /* commands behind this one (info); ends with NULL name */
    const char *qmp;            /* the QMP command whose result --json shows; NULL: its text */
    bool early;                 /* may be used before the machine is made (-preconfig) */
    /* The query's arguments from those that were typed, and maybe another query. NULL: with any there is no query,
     * but text. */
    QDict *(*qmp_args)(const QDict *args, const char **command);
    const char *group;          /* topic of help; NULL: as the one before */
    /* Completion of the last word; adds candidates with hmp_candidate(). */
    void (*complete)(GPtrArray *candidates, const char *prefix);
};

extern const HmpCommand hmp_commands[];
extern const HmpCommand hmp_info_commands[];

void hmp_printf(Hmp *hmp, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "Error: ..." with the hint; takes @err. True if there was an error. */
bool hmp_error(Hmp *hmp, Error *err);
void hmp_execute(Hmp *hmp, const char *line);

/*
 * The CPU that the user means; NULL and an error shown if there is none.
 */
struct CPUState;
struct CPUState *hmp_cpu(Hmp *hmp);

/* For the line editor: what @line's last word may become; strings owned. */
GPtrArray *hmp_complete(const char *line);
void hmp_candidate(GPtrArray *candidates, const char *prefix, const char *name);

/* hmp-args.c: @text after the command's name; NULL with *errp set. */
QDict *hmp_parse_args(Hmp *hmp, const HmpCommand *cmd, const char *text, Error **errp);
/* An expression: numbers, $registers, 'c', + - * / % & | ^ ~ ( ). Moves *text on. */
bool hmp_expression(Hmp *hmp, const char **text, int64_t *value, Error **errp);

/* A /FORMAT: count, letter of x d u o c i, size 1, 2, 4 or 8. */
typedef struct HmpFormat {
    int count;
    char letter;
    int size;
} HmpFormat;
HmpFormat hmp_format(const QDict *args, char letter, int size);
/* One value as the letter says. */
void hmp_print_value(Hmp *hmp, uint64_t value, char letter, int size);

/* help [COMMAND] */
void hmp_help(Hmp *hmp, const QDict *args);

#endif
