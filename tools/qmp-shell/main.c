/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp-shell [-v] [-1] [-t SECONDS] [-s FILE | -c COMMAND]... ADDRESS
 *
 * Status: 0; 1 if a command of a script has failed; 2 if there is no connection or an option is wrong.
 */
#include "util/osdep.h"
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>
#include "qobject/json.h"
#include "tools/qmp-shell/shell.h"
#include "util/readline.h"

typedef struct Shell {
    QmpClient *c;
    JsonStyle style;
    bool verbose;               /* shows what is sent */
    bool failed;                /* a command has */
    bool quit;
    Readline *rl;               /* NULL: no terminal */
} Shell;

static void show(const Shell *s, const char *lead, const QObject *o)
{
    char *text = json_write(o, s->style);

    printf("%s%s\n", lead, text);
    free(text);
}

static void show_error(Error *err)
{
    printf("error: %s (%s, %s)\n", error_message(err), error_class_name(error_class(err)),
           error_code_name(error_code(err)));
    if (error_hint_text(err)) {
        printf("hint: %s\n", error_hint_text(err));
    }
    error_free(err);
}

static void on_event(UNUSED QmpClient *c, const QDict *event, void *opaque)
{
    Shell *s = opaque;

    if (s->rl) {
        printf("\r\033[K");
    }
    show(s, "event ", QOBJECT(event));
    if (s->rl) {
        fflush(stdout);
        readline_redraw(s->rl);
    }
}

static void help(void)
{
    puts("NAME [key=value]...      a command; a.b=1 sets member b of a; values may be JSON");
    puts("{\"execute\": ...}         the same as JSON");
    puts("hmp LINE                 a line of the human monitor");
    puts("wait EVENT [SECONDS]     until that event comes");
    puts("help, exit               this, the end; Tab completes");
}

/* "wait STOP 5" */
static void wait_event(Shell *s, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    int ms = words[0] && words[1] ? (int)(g_ascii_strtod(words[1], NULL) * 1000) : -1;
    Error *err = NULL;
    QDict *e;

    /* Kept ones count, from the beginning on. */
    e = qmp_wait_event(s->c, words[0], ms, &err);
    if (e) {
        show(s, "event ", QOBJECT(e));
        qobject_unref(e);
    } else {
        s->failed = true;
        show_error(err);
    }
}

static void run_command(Shell *s, const char *line)
{
    Error *err = NULL;
    QDict *cmd = shell_parse_line(line, &err);
    const QDict *args = cmd ? qobject_to_dict(qdict_get(cmd, "arguments")) : NULL;
    QObject *result = NULL;

    if (cmd && !qdict_has(cmd, "execute")) {
        error_setf(&err, ERR_MISSING_ARGUMENT, "there is no 'execute'");
    } else if (cmd) {
        if (s->verbose) {
            show(s, "-> ", QOBJECT(cmd));
        }
        result = qmp_cmd(s->c, qdict_str_or(cmd, "execute", ""),
                         args && qdict_size(args) ? qobject_ref((QDict *)args) : NULL, &err);
    }
    if (result) {
        show(s, "", result);
    } else {
        s->failed = true;
        show_error(err);
    }
    qobject_unref(result);
    qobject_unref(cmd);
}

static void run_hmp(Shell *s, const char *line)
{
    Error *err = NULL;
    char *text = qmp_hmp(s->c, line, &err);

    if (text) {
        fputs(text, stdout);
        free(text);
    } else {
        s->failed = true;
        show_error(err);
    }
}

static void run_line(Shell *s, const char *text)
{
    g_autofree char *line = g_strstrip(g_strdup(text));

    if (!*line || *line == '#') {
        return;
    }
    if (!strcmp(line, "exit")) {
        s->quit = true;
    } else if (!strcmp(line, "help")) {
        help();
    } else if (g_str_has_prefix(line, "hmp ")) {
        run_hmp(s, line + 4);
    } else if (g_str_has_prefix(line, "wait ")) {
        wait_event(s, g_strchug(line + 5));
    } else {
        run_command(s, line);
    }
    fflush(stdout);
    s->quit |= !qmp_client_is_connected(s->c);
}

/* -------------------------------------------------------------- scripts */

static bool run_script(Shell *s, FILE *f)
{
    char *line = NULL;
    size_t room = 0;

    while (!s->quit && !s->failed && getline(&line, &room, f) >= 0) {
        run_line(s, line);
    }
    free(line);
    return !s->failed;
}

static bool run_file(Shell *s, const char *path)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
    bool ok;

    if (!f) {
        fprintf(stderr, "qmp-shell: can't open '%s': %s\n", path, strerror(errno));
        return false;
    }
    ok = run_script(s, f);
    if (f != stdin) {
        fclose(f);
    }
    return ok;
}

/* ------------------------------------------------------------- terminal */

static void rl_write(UNUSED void *opaque, const char *text, size_t len)
{
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

static void rl_line(void *opaque, const char *line)
{
    run_line(opaque, line);
}

static GPtrArray *rl_complete(UNUSED void *opaque, const char *text)
{
    return shell_complete(text);
}

/* What is written stays as it was: only typing is taken key by key. */
static void set_raw(const struct termios *cooked)
{
    struct termios raw = *cooked;

    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void talk(Shell *s)
{
    static const ReadlineOps ops = { rl_write, rl_line, rl_complete };
    struct termios cooked;
    Error *err = NULL;

    tcgetattr(STDIN_FILENO, &cooked);
    set_raw(&cooked);
    s->rl = readline_new("(QMP) ", &ops, s);
    qmp_client_on_event(s->c, NULL, on_event, s, NULL);
    readline_redraw(s->rl);
    while (!s->quit) {
        struct pollfd p[2] = { { STDIN_FILENO, POLLIN, 0 },
                               { qmp_client_fd(s->c), qmp_client_poll_events(s->c), 0 } };
        uint8_t key;

        if (poll(p, 2, qmp_client_poll_timeout(s->c)) < 0 && errno != EINTR) {
            break;
        }
        if (!qmp_client_dispatch(s->c, &err)) {
            printf("\n");
            show_error(err);
            break;
        }
        if (p[0].revents) {
            if (read(STDIN_FILENO, &key, 1) != 1 || key == 4) {
                break;
            }
            readline_input(s->rl, key);
        }
    }
    printf("\n");
    tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
    readline_free(s->rl);
    s->rl = NULL;
}

static void greet(const Shell *s)
{
    const QDict *g = qmp_client_greeting(s->c);

    printf("Connected to QEMU %d.%d.%d %s\n", (int)qdict_int_or(g, "version.qemu.major", 0),
           (int)qdict_int_or(g, "version.qemu.minor", 0),
           (int)qdict_int_or(g, "version.qemu.micro", 0), qdict_str_or(g, "version.package", ""));
    puts("help shows what can be typed.");
}

static NORETURN void usage(void)
{
    fputs("usage: qmp-shell [-v] [-1] [-t SECONDS] [-s FILE | -c COMMAND]... ADDRESS\n"
          "  ADDRESS     unix:PATH, tcp:HOST:PORT, or the path of a socket\n"
          "  -c COMMAND  run it and end; several are run one after the other, until one fails\n"
          "  -s FILE     run its lines (-: standard input), until one fails\n"
          "  -v          show what is sent\n"
          "  -1          results in one line\n"
          "  -t SECONDS  how long to wait for a connection and for answers; default 10\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    Shell s = { .style = JSON_PRETTY };
    g_autoptr(GPtrArray) todo = g_ptr_array_new();
    g_autofree char *address = NULL;
    double timeout = 10;
    Error *err = NULL;
    QObject *schema;
    int opt;

    signal(SIGPIPE, SIG_IGN);
    while ((opt = getopt(argc, argv, "v1t:s:c:")) != -1) {
        switch (opt) {
        case 'v': s.verbose = true; break;
        case '1': s.style = JSON_COMPACT; break;
        case 't': timeout = g_ascii_strtod(optarg, NULL); break;
        case 's': case 'c':
            g_ptr_array_add(todo, GINT_TO_POINTER(opt));
            g_ptr_array_add(todo, optarg);
            break;
        default: usage();
        }
    }
    if (optind != argc - 1) {
        usage();
    }
    address = strchr(argv[optind], '/') == argv[optind] || !strchr(argv[optind], ':')
              ? g_strdup_printf("unix:%s", argv[optind]) : g_strdup(argv[optind]);
    s.c = qmp_client_new(address, timeout < 0 ? -1 : (int)(timeout * 1000), &err);
    if (!s.c) {
        fprintf(stderr, "qmp-shell: %s\n", error_message(err));
        error_free(err);
        return 2;
    }
    for (guint i = 0; i < todo->len && !s.failed && !s.quit; i += 2) {
        if (GPOINTER_TO_INT(todo->pdata[i]) == 'c') {
            run_line(&s, todo->pdata[i + 1]);
        } else if (!run_file(&s, todo->pdata[i + 1])) {
            s.failed = true;
        }
    }
    if (!todo->len && isatty(STDIN_FILENO)) {
        schema = qmp_cmd(s.c, "query-qmp-schema", NULL, NULL);
        shell_set_schema(qobject_to_list(schema));
        greet(&s);
        talk(&s);
        s.failed = false;
        qobject_unref(schema);
    } else if (!todo->len) {
        run_script(&s, stdin);
    }
    qmp_client_free(s.c);
    return s.failed ? 1 : 0;
}
