/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference manual as a page for browsers, made of its Markdown: of that language what out-manual.c writes, which is headings,
 * anchors, lists with - of one level, fenced examples, `code` and [links](#anchor).
 */
#include "util/osdep.h"
#include "qapi/gen/gen.h"

static void out_char(Out *out, char c)
{
    const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;

    if (entity) {
        out_printf(out, "%s", entity);
    } else {
        out_printf(out, "%c", c);
    }
}

static void out_escaped(Out *out, const char *s, const char *end)
{
    while (s < end) {
        out_char(out, *s++);
    }
}

static const char *find(const char *s, const char *end, const char *what)
{
    return memmem(s, (size_t)(end - s), what, strlen(what));
}

/* "[text](#anchor)" at @s; NULL if it is none, else behind it. */
static const char *out_link(Out *out, const char *s, const char *end)
{
    const char *middle = find(s, end, "](#"), *close = middle ? find(middle, end, ")") : NULL;

    if (!close) {
        return NULL;
    }
    out_printf(out, "<a href=\"#");
    out_escaped(out, middle + 3, close);
    out_printf(out, "\">");
    out_escaped(out, s + 1, middle);
    out_printf(out, "</a>");
    return close + 1;
}

static void out_inline(Out *out, const char *s, const char *end)
{
    while (s < end) {
        const char *next = NULL;

        if (*s == '`' && (next = find(s + 1, end, "`"))) {
            out_printf(out, "<code>");
            out_escaped(out, s + 1, next);
            out_printf(out, "</code>");
            s = next + 1;
        } else if (*s == '[' && (next = out_link(out, s, end))) {
            s = next;
        } else {
            out_char(out, *s++);
        }
    }
}

static bool starts(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

/* What is open; the next blank line closes it. */
typedef enum Block { NOTHING, PARAGRAPH, LIST, EXAMPLE } Block;

static void open_block(Out *out, Block *now, Block wanted)
{
    static const char *const tags[] = { [PARAGRAPH] = "p", [LIST] = "ul", [EXAMPLE] = "pre" };

    if (*now == wanted) {
        return;
    }
    if (*now != NOTHING) {
        out_printf(out, "%s</%s>\n", *now == LIST ? "</li>\n" : "", tags[*now]);
    }
    if (wanted != NOTHING) {
        out_printf(out, "<%s>%s", tags[wanted], wanted == LIST ? "\n" : "");
    }
    *now = wanted;
}

static void out_heading(Out *out, const char *line, const char *end, unsigned *chapter)
{
    size_t level = strspn(line, "#");

    out_printf(out, "<h%zu", level);
    if (level == 2) {
        out_printf(out, " id=\"chapter-%u\"", (*chapter)++);
    }
    out_printf(out, ">");
    out_inline(out, line + level + 1, end);
    out_printf(out, "</h%zu>\n", level);
}

static void out_line(Out *out, const char *line, const char *end, Block *block, unsigned *chapter)
{
    if (starts(line, "```")) {
        open_block(out, block, *block == EXAMPLE ? NOTHING : EXAMPLE);
    } else if (*block == EXAMPLE) {
        out_escaped(out, line, end);
        out_printf(out, "\n");
    } else if (line == end) {
        open_block(out, block, NOTHING);
    } else if (starts(line, "<a id=\"")) {
        out_printf(out, "%.*s\n", (int)(end - line), line);
    } else if (*line == '#') {
        open_block(out, block, NOTHING);
        out_heading(out, line, end, chapter);
    } else if (starts(line, "- ")) {
        bool first = *block != LIST;

        open_block(out, block, LIST);
        out_printf(out, first ? "<li>" : "</li>\n<li>");
        out_inline(out, line + 2, end);
    } else {
        if (*block == NOTHING) {
            open_block(out, block, PARAGRAPH);
        } else {
            out_printf(out, "\n");
        }
        out_inline(out, line, end);
    }
}

static void out_contents(Out *out, const char *text)
{
    unsigned chapter = 0;

    out_printf(out, "<nav><ul>\n");
    while ((text = strstr(text, "\n## "))) {
        text += 4;
        out_printf(out, "<li><a href=\"#chapter-%u\">", chapter++);
        out_inline(out, text, text + strcspn(text, "\n"));
        out_printf(out, "</a></li>\n");
    }
    out_printf(out, "</ul></nav>\n");
}

void out_html(const char *text)
{
    Out *out = out_new(gen_options.doc_dir, "qmp-reference.html");
    Block block = NOTHING;
    unsigned chapter = 0;

    out_printf(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>QMP reference</title>\n"
               "<style>body { max-width: 50em; margin: 1em auto; font-family: sans-serif }\n"
               "pre, code { background: #eee }\nh3 { border-top: 1px solid #ccc; padding-top: 1em }</style>\n"
               "</head>\n<body>\n");
    out_contents(out, text);
    while (*text) {
        size_t len = strcspn(text, "\n");

        out_line(out, text, text + len, &block, &chapter);
        text += len + (text[len] == '\n');
    }
    open_block(out, &block, NOTHING);
    out_printf(out, "</body>\n</html>\n");
    out_close(out);
}
