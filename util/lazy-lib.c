/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <dlfcn.h>
#include "util/lazy-lib.h"

/* Ended by one without a file; absent where the linking isn't lazy. */
extern const LazyLib lazy_libs[] __attribute__((weak));

/* Finding all functions at once leaves nothing that could be missed later. What two threads do at
 * the same time both do the same way. */
static const char *load(const LazyLib *l)
{
    const char *name = l->names;
    void *lib = dlopen(l->file, RTLD_LAZY | RTLD_LOCAL);

    if (!lib) {
        return dlerror();
    }
    for (unsigned long i = 0; i < l->count; i++, name += strlen(name) + 1) {
        void *f = dlsym(lib, name);

        if (!f) {
            return dlerror();
        }
        __atomic_store_n(&l->slots[i], f, __ATOMIC_RELEASE);
    }
    return NULL;
}

const char *lazy_lib_load(const char *name)
{
    const char *why = NULL;

    for (const LazyLib *l = lazy_libs; l && l->file && !why; l++) {
        if (strncmp(l->file, name, strlen(name)) == 0) {
            why = load(l);
        }
    }
    return why;
}

void *lazy_lib_resolve(void **slot)
{
    for (const LazyLib *l = lazy_libs; l->file; l++) {
        if (slot >= l->slots && slot < l->slots + l->count) {
            const char *why = load(l);

            if (why) {
                fprintf(stderr, "qemu-system: a library is missing: %s\n", why);
                exit(1);
            }
            break;
        }
    }
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}
