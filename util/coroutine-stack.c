/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/coroutine-int.h"
#include "util/thread.h"
#include <sys/mman.h>
#include <unistd.h>
#ifdef CONFIG_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CONFIG_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#define STACK_SIZE  (256 * 1024)        /* without the guard page */
#define POOL_MAX    64

static CoStack pool[POOL_MAX];          /* free stacks, under pool_lock */
static size_t pool_n;
static Mutex pool_lock = MUTEX_INITIALIZER;

CoStack co_stack_get(void)
{
    size_t guard = sysconf(_SC_PAGESIZE);
    void *p;

    mutex_lock(&pool_lock);
    if (pool_n) {
        CoStack stack = pool[--pool_n];

        mutex_unlock(&pool_lock);
#ifdef CONFIG_ASAN
        __asan_unpoison_memory_region(stack.base, stack.size);  /* its last frames never returned */
#endif
        return stack;
    }
    mutex_unlock(&pool_lock);
    p = mmap(NULL, STACK_SIZE + guard, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED || mprotect(p, guard, PROT_NONE) < 0) {
        fprintf(stderr, "qemu-system: no memory for a coroutine's stack: %s\n",
                strerror(errno));
        abort();
    }
    return (CoStack){ (char *)p + guard, STACK_SIZE };
}

void co_stack_put(CoStack stack)
{
    size_t guard = sysconf(_SC_PAGESIZE);

    mutex_lock(&pool_lock);
    if (pool_n < POOL_MAX) {
        pool[pool_n++] = stack;
        mutex_unlock(&pool_lock);
        return;
    }
    mutex_unlock(&pool_lock);
    munmap((char *)stack.base - guard, stack.size + guard);
}

/* ---------------------------------------------------------- sanitizers */

static void switch_begin(UNUSED CoContext *from, UNUSED CoContext *to, UNUSED bool ends)
{
#ifdef CONFIG_ASAN
    __sanitizer_start_switch_fiber(ends ? NULL : &from->fake_stack, to->bottom, to->size);
#endif
#ifdef CONFIG_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

static void switch_end(UNUSED CoContext *self)
{
#ifdef CONFIG_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, NULL, NULL);
#endif
}

void co_context_arrived(UNUSED CoContext *from)
{
#ifdef CONFIG_ASAN
    __sanitizer_finish_switch_fiber(NULL, &from->bottom, &from->size);
#endif
}

void co_context_init_thread(UNUSED CoContext *c)
{
#ifdef CONFIG_ASAN
    /* The first coroutine that runs here may have begun in another thread. */
    pthread_attr_t attr;
    void *base;

    if (!pthread_getattr_np(pthread_self(), &attr)) {
        pthread_attr_getstack(&attr, &base, &c->size);
        c->bottom = base;
        pthread_attr_destroy(&attr);
    }
#endif
#ifdef CONFIG_TSAN
    c->fiber = __tsan_get_current_fiber();
#endif
}

void co_context_cleanup(UNUSED CoContext *c)
{
#ifdef CONFIG_TSAN
    __tsan_destroy_fiber(c->fiber);
#endif
}

/* -------------------------------------------------------------- switch */

#ifdef CONFIG_COROUTINE_ASM

void co_switch(void **save_sp, void *load_sp);
void co_first(void);

static void make(CoContext *c, CoStack stack, void (*first)(void *opaque), void *opaque)
{
    uintptr_t *sp = (uintptr_t *)((char *)stack.base + stack.size);
    uint32_t mxcsr = __builtin_ia32_stmxcsr();
    uint16_t fcw;

    __asm__("fnstcw %0" : "=m"(fcw));
    /* What co_switch() pops; co_first() finds the stack aligned to 16. */
    *--sp = 0;
    *--sp = 0;
    *--sp = (uintptr_t)co_first;
    *--sp = 0;                          /* rbp */
    *--sp = 0;                          /* rbx */
    *--sp = (uintptr_t)opaque;          /* r12 */
    *--sp = (uintptr_t)first;           /* r13 */
    *--sp = 0;                          /* r14 */
    *--sp = 0;                          /* r15 */
    *--sp = mxcsr | (uint64_t)fcw << 32;
    c->sp = sp;
}

static void do_switch(CoContext *from, CoContext *to)
{
    co_switch(&from->sp, to->sp);
}

#else

/* makecontext() passes ints only. */
static void first_of_context(unsigned f_lo, unsigned f_hi, unsigned o_lo, unsigned o_hi)
{
    void (*first)(void *) = (void (*)(void *))(uintptr_t)(f_lo | (uint64_t)f_hi << 32);

    first((void *)(uintptr_t)(o_lo | (uint64_t)o_hi << 32));
}

static void make(CoContext *c, CoStack stack, void (*first)(void *opaque), void *opaque)
{
    uint64_t f = (uintptr_t)first, o = (uintptr_t)opaque;

    getcontext(&c->uc);
    c->uc.uc_stack.ss_sp = stack.base;
    c->uc.uc_stack.ss_size = stack.size;
    c->uc.uc_link = NULL;
    makecontext(&c->uc, (void (*)(void))first_of_context, 4, (unsigned)f,
                (unsigned)(f >> 32), (unsigned)o, (unsigned)(o >> 32));
}

static void do_switch(CoContext *from, CoContext *to)
{
    swapcontext(&from->uc, &to->uc);
}

#endif

void co_context_init(CoContext *c, CoStack stack, void (*first)(void *opaque), void *opaque)
{
    c->bottom = stack.base;
    c->size = stack.size;
#ifdef CONFIG_TSAN
    c->fiber = __tsan_create_fiber(0);
#endif
    make(c, stack, first, opaque);
}

void co_context_switch(CoContext *from, CoContext *to, bool ends)
{
    switch_begin(from, to, ends);
    do_switch(from, to);
    switch_end(from);
}
