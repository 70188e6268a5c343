/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/log.h"
#include "util/thread.h"

_Atomic uint32_t log_mask;

const LogItem log_items[] = {
#define LOG_ROW(sym, bit, name, help) { sym, name, help },
    LOG_ITEMS(LOG_ROW)
#undef LOG_ROW
    { 0, NULL, NULL }
};

static Mutex log_lock = MUTEX_INITIALIZER;
static FILE *log_file;          /* under log_lock; NULL: stderr */

static FILE *begin(void)
{
    mutex_lock(&log_lock);
    return log_file ? log_file : stderr;
}

void log_end(FILE *f)
{
    fflush(f);
    mutex_unlock(&log_lock);
}

FILE *log_begin(uint32_t mask)
{
    return log_is_on(mask) ? begin() : NULL;
}

void log_line(const char *who, const char *fmt, ...)
{
    FILE *f = begin();
    va_list ap;

    fprintf(f, "%s: ", who);
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fputc('\n', f);
    log_end(f);
}

void log_write(const char *fmt, ...)
{
    FILE *f = begin();
    va_list ap;

    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    log_end(f);
}

bool log_set_items(const char *list, char **bad)
{
    uint32_t mask = 0;

    while (*list) {
        size_t len = strcspn(list, ",");
        const LogItem *i;

        if (len == 3 && !memcmp(list, "all", 3)) {
            mask = UINT32_MAX & ~LOG_NOCHAIN;
        } else if (len == 4 && !memcmp(list, "none", 4)) {
            mask = 0;
        } else if (len) {
            for (i = log_items; i->name; i++) {
                if (strlen(i->name) == len && !memcmp(i->name, list, len)) {
                    break;
                }
            }
            if (!i->name) {
                *bad = strndup(list, len);
                return false;
            }
            mask |= i->mask;
        }
        list += len;
        list += *list == ',';
    }
    log_set_mask(mask);
    return true;
}

void log_set_mask(uint32_t mask)
{
    atomic_store(&log_mask, mask);
}

int log_set_file(const char *path)
{
    FILE *f = NULL;

    if (path) {
        f = fopen(path, "we");
        if (!f) {
            return -errno;
        }
    }
    mutex_lock(&log_lock);
    if (log_file) {
        fclose(log_file);
    }
    log_file = f;
    mutex_unlock(&log_lock);
    return 0;
}
