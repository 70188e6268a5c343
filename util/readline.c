/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line editor. Escape sequences: ECMA-48 8.3 (CUU, CUD, CUF, CUB), xterm's Home and End. */
#include "util/osdep.h"
#include "util/readline.h"

#define LINE_MAX_BYTES  4096
#define HISTORY_MAX     64

enum { ESC_NONE, ESC_SEEN, ESC_CSI, ESC_SS3 };

struct Readline {
    char *prompt;
    const ReadlineOps *ops;
    void *opaque;
    GString *line;
    size_t pos;                 /* cursor, in bytes */
    GQueue *history;            /* of char *, the newest last */
    int history_pos;            /* counted from the newest, -1: the new line */
    char *kept;                 /* the new line while the history is shown */
    char *yank;
    int esc, esc_param;
};

static void put(Readline *rl, const char *s)
{
    rl->ops->write(rl->opaque, s, strlen(s));
}

/* Carriage return, everything, clear the rest (EL), and the cursor to its place. */
void readline_redraw(Readline *rl)
{
    size_t back = rl->line->len - rl->pos;
    g_autofree char *text = g_strdup_printf("\r%s%s\033[K", rl->prompt, rl->line->str);

    put(rl, text);
    if (back) {
        g_autofree char *move = g_strdup_printf("\033[%zuD", back);

        put(rl, move);
    }
}

void readline_reset(Readline *rl)
{
    g_string_truncate(rl->line, 0);
    rl->pos = 0;
    rl->history_pos = -1;
    rl->esc = ESC_NONE;
}

Readline *readline_new(const char *prompt, const ReadlineOps *ops, void *opaque)
{
    Readline *rl = g_new0(Readline, 1);

    rl->prompt = g_strdup(prompt);
    rl->ops = ops;
    rl->opaque = opaque;
    rl->line = g_string_new(NULL);
    rl->history = g_queue_new();
    rl->history_pos = -1;
    return rl;
}

void readline_free(Readline *rl)
{
    g_free(rl->prompt);
    g_string_free(rl->line, true);
    g_queue_free_full(rl->history, g_free);
    g_free(rl->kept);
    g_free(rl->yank);
    g_free(rl);
}

static void set_line(Readline *rl, const char *text)
{
    g_string_assign(rl->line, text);
    rl->pos = rl->line->len;
    readline_redraw(rl);
}

static void insert(Readline *rl, const char *text)
{
    size_t len = strlen(text);

    if (rl->line->len + len > LINE_MAX_BYTES) {
        return;
    }
    g_string_insert(rl->line, rl->pos, text);
    rl->pos += len;
    if (rl->pos == rl->line->len) {
        put(rl, text);
    } else {
        readline_redraw(rl);
    }
}

static void erase(Readline *rl, size_t from, size_t to)
{
    if (from < to) {
        g_string_erase(rl->line, from, to - from);
        rl->pos = from;
        readline_redraw(rl);
    }
}

static void kill_text(Readline *rl, size_t from, size_t to)
{
    if (from < to) {
        g_free(rl->yank);
        rl->yank = g_strndup(rl->line->str + from, to - from);
        erase(rl, from, to);
    }
}

static size_t word_start(const Readline *rl)
{
    size_t p = rl->pos;

    while (p && rl->line->str[p - 1] == ' ') {
        p--;
    }
    while (p && rl->line->str[p - 1] != ' ') {
        p--;
    }
    return p;
}

static size_t word_end(const Readline *rl)
{
    size_t p = rl->pos;

    while (p < rl->line->len && rl->line->str[p] == ' ') {
        p++;
    }
    while (p < rl->line->len && rl->line->str[p] != ' ') {
        p++;
    }
    return p;
}

static void move_to(Readline *rl, size_t pos)
{
    if (pos != rl->pos) {
        rl->pos = pos;
        readline_redraw(rl);
    }
}

/* --------------------------------------------------------------- history */

static void history_add(Readline *rl, const char *line)
{
    const char *last = g_queue_peek_tail(rl->history);

    if (!*line || (last && !strcmp(last, line))) {
        return;
    }
    g_queue_push_tail(rl->history, g_strdup(line));
    if (g_queue_get_length(rl->history) > HISTORY_MAX) {
        g_free(g_queue_pop_head(rl->history));
    }
}

void readline_history(const Readline *rl, void (*fn)(const char *line, void *opaque), void *opaque)
{
    for (GList *l = rl->history->head; l; l = l->next) {
        fn(l->data, opaque);
    }
}

static void history_move(Readline *rl, int step)
{
    int n = g_queue_get_length(rl->history), pos = rl->history_pos + step;

    if (pos < -1 || pos >= n) {
        return;
    }
    if (rl->history_pos == -1) {
        g_free(rl->kept);
        rl->kept = g_strdup(rl->line->str);
    }
    rl->history_pos = pos;
    set_line(rl, pos == -1 ? rl->kept : g_queue_peek_nth(rl->history, n - 1 - pos));
}

/* ------------------------------------------------------------ completion */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t common_prefix(const GPtrArray *list)
{
    const char *first = g_ptr_array_index(list, 0);
    size_t len = strlen(first);

    for (unsigned i = 1; i < list->len; i++) {
        const char *s = g_ptr_array_index(list, i);
        size_t n = 0;

        while (n < len && s[n] == first[n]) {
            n++;
        }
        len = n;
    }
    return len;
}

/* "reboot=", "backend.": a value or a member is to follow, no other word. */
static bool is_whole_word(const char *candidate)
{
    size_t len = strlen(candidate);

    return len && candidate[len - 1] != '=' && candidate[len - 1] != '.';
}

static void complete(Readline *rl)
{
    g_autofree char *before = g_strndup(rl->line->str, rl->pos);
    const char *word = strrchr(before, ' ');
    size_t have = strlen(word ? word + 1 : before), len;
    GPtrArray *list = rl->ops->complete(rl->opaque, before);

    if (!list->len) {
        g_ptr_array_unref(list);
        return;
    }
    qsort(list->pdata, list->len, sizeof(void *), by_name);
    len = common_prefix(list);
    if (len > have) {
        g_autofree char *more = g_strndup((char *)g_ptr_array_index(list, 0) + have, len - have);

        insert(rl, more);
    }
    if (list->len == 1) {
        if (is_whole_word(g_ptr_array_index(list, 0))) {
            insert(rl, " ");
        }
    } else if (len <= have) {
        GString *s = g_string_new("\n");

        for (unsigned i = 0; i < list->len; i++) {
            g_string_append_printf(s, "%-20s%s", (char *)g_ptr_array_index(list, i),
                                   i % 4 == 3 || i + 1 == list->len ? "\n" : " ");
        }
        put(rl, s->str);
        g_string_free(s, true);
        readline_redraw(rl);
    }
    g_ptr_array_unref(list);
}

/* ------------------------------------------------------------------ keys */

static void enter(Readline *rl)
{
    g_autofree char *line = g_strdup(rl->line->str);

    put(rl, "\n");
    history_add(rl, line);
    readline_reset(rl);
    rl->ops->line(rl->opaque, line);
}

static void control_key(Readline *rl, uint8_t c)
{
    switch (c) {
    case 'a' & 0x1f:
        move_to(rl, 0);
        break;
    case 'b' & 0x1f:
        move_to(rl, rl->pos - (rl->pos > 0));
        break;
    case 'c' & 0x1f:
        put(rl, "^C\n");
        readline_reset(rl);
        readline_redraw(rl);
        break;
    case 'd' & 0x1f:
        if (rl->pos < rl->line->len) {
            erase(rl, rl->pos, rl->pos + 1);
        }
        break;
    case 'e' & 0x1f:
        move_to(rl, rl->line->len);
        break;
    case 'f' & 0x1f:
        move_to(rl, MIN(rl->pos + 1, rl->line->len));
        break;
    case '\t':
        complete(rl);
        break;
    case '\n':
    case '\r':
        enter(rl);
        break;
    case 'k' & 0x1f:
        kill_text(rl, rl->pos, rl->line->len);
        break;
    case 'l' & 0x1f:
        put(rl, "\033[2J\033[H");
        readline_redraw(rl);
        break;
    case 'n' & 0x1f:
        history_move(rl, -1);
        break;
    case 'p' & 0x1f:
        history_move(rl, 1);
        break;
    case 'u' & 0x1f:
        kill_text(rl, 0, rl->pos);
        break;
    case 'w' & 0x1f:
        kill_text(rl, word_start(rl), rl->pos);
        break;
    case 'y' & 0x1f:
        if (rl->yank) {
            insert(rl, rl->yank);
        }
        break;
    case 8:
    case 127:
        if (rl->pos) {
            erase(rl, rl->pos - 1, rl->pos);
        }
        break;
    case 27:
        rl->esc = ESC_SEEN;
        break;
    default:
        break;
    }
}

static void csi_key(Readline *rl, uint8_t c)
{
    if (c >= '0' && c <= '9') {
        rl->esc_param = (rl->esc_param * 10 + (c - '0')) % 1000;
        return;
    }
    rl->esc = ESC_NONE;
    switch (c) {
    case 'A':
        history_move(rl, 1);
        break;
    case 'B':
        history_move(rl, -1);
        break;
    case 'C':
        move_to(rl, MIN(rl->pos + 1, rl->line->len));
        break;
    case 'D':
        move_to(rl, rl->pos - (rl->pos > 0));
        break;
    case 'H':
        move_to(rl, 0);
        break;
    case 'F':
        move_to(rl, rl->line->len);
        break;
    case '~':
        if (rl->esc_param == 1 || rl->esc_param == 7) {
            move_to(rl, 0);
        } else if (rl->esc_param == 4 || rl->esc_param == 8) {
            move_to(rl, rl->line->len);
        } else if (rl->esc_param == 3 && rl->pos < rl->line->len) {
            erase(rl, rl->pos, rl->pos + 1);
        }
        break;
    case ';':
        rl->esc = ESC_CSI;      /* modifiers follow; the key is the last byte */
        rl->esc_param = 0;
        break;
    default:
        break;
    }
}

void readline_input(Readline *rl, uint8_t c)
{
    switch (rl->esc) {
    case ESC_SEEN:
        rl->esc = c == '[' ? ESC_CSI : c == 'O' ? ESC_SS3 : ESC_NONE;
        rl->esc_param = 0;
        if (c == 'b') {
            move_to(rl, word_start(rl));
        } else if (c == 'f') {
            move_to(rl, word_end(rl));
        } else if (c == 'd') {
            kill_text(rl, rl->pos, word_end(rl));
        } else if (c == 127 || c == 8) {
            kill_text(rl, word_start(rl), rl->pos);
        }
        return;
    case ESC_CSI:
    case ESC_SS3:
        csi_key(rl, c);
        return;
    default:
        break;
    }
    if (c < ' ' || c == 127) {
        control_key(rl, c);
    } else {
        char text[2] = { (char)c, '\0' };

        insert(rl, text);
    }
}
