/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that are loaded when the first of their functions is called.
 *
 * Most runs need neither a window nor TLS, but the libraries for them, with what these need, take
 * longer to load than all else at start-up. So the program is linked with a trampoline for each
 * function that it uses (util/lazy-lib.awk makes them from the lists of symbols); callers see
 * nothing of it. Where the linking isn't lazy (tests, sanitizers, other hosts) all are there.
 *
 * A library that can't be loaded any more ends the program, as it would have at the start. Who
 * can say so more kindly asks first. Any thread.
 */
#ifndef UTIL_LAZY_LIB_H
#define UTIL_LAZY_LIB_H

/* Loads the libraries whose file names begin so ("libSDL2-"; "": all). NULL if they are there,
 * else why not. */
const char *lazy_lib_load(const char *name);

/* --- for the trampolines --- */

typedef struct LazyLib {
    const char *file;
    const char *names;          /* its functions, each ended by a zero byte */
    void **slots;               /* where their trampolines jump to */
    unsigned long count;
} LazyLib;

/* For the slot at this place: loads its library and gives the function. */
void *lazy_lib_resolve(void **slot);

#endif
