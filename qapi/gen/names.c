/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the schema's names to names of C. */
#include "util/osdep.h"
#include <ctype.h>
#include "qapi/gen/gen.h"

char *c_name(const char *name)
{
    /* Words that C, or a library's header, has taken. */
    static const char *const taken[] = {
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
        "enum", "extern", "float", "for", "goto", "if", "int", "long", "register", "return",
        "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
        "unsigned", "void", "volatile", "while", "inline", "restrict", "asm", "typeof", "bool",
        "linux", "unix", "errno", "errp", "i386",
    };
    char *s = xstrdup(name);

    for (char *p = s; *p; p++) {
        if (!isalnum((unsigned char)*p)) {
            *p = '_';
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
        if (!strcmp(s, taken[i])) {
            return str_fmt("q_%s", s);
        }
    }
    return isdigit((unsigned char)*s) ? str_fmt("q_%s", s) : s;
}

char *to_upper(const char *name)
{
    char *s = xstrdup(name);

    for (char *p = s; *p; p++) {
        *p = isalnum((unsigned char)*p) ? toupper((unsigned char)*p) : '_';
    }
    return s;
}

char *to_lower(const char *name)
{
    char *s = xstrdup(name);

    for (char *p = s; *p; p++) {
        *p = isalnum((unsigned char)*p) ? tolower((unsigned char)*p) : '_';
    }
    return s;
}

/* A word starts at a capital after a small letter, or before one: VncServerInfo, PCIBus. */
char *camel_to_upper(const char *name)
{
    char *s = xrealloc(NULL, 2 * strlen(name) + 1);
    char *d = s;

    for (const char *p = name; *p; p++) {
        bool after_small = p > name && (islower((unsigned char)p[-1]) ||
                                        isdigit((unsigned char)p[-1]));
        bool before_small = p > name && islower((unsigned char)p[1]) &&
                            isupper((unsigned char)p[-1]);

        if (isupper((unsigned char)*p) && (after_small || before_small)) {
            *d++ = '_';
        }
        *d++ = isalnum((unsigned char)*p) ? toupper((unsigned char)*p) : '_';
    }
    *d = '\0';
    return s;
}
