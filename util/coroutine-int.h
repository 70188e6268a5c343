/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks and the switch between them: coroutine-stack.c for coroutine.c.
 */
#ifndef UTIL_COROUTINE_INT_H
#define UTIL_COROUTINE_INT_H

#include "util/osdep.h"
#include "config.h"
#ifndef CONFIG_COROUTINE_ASM
#include <ucontext.h>
#endif

/* A flow of control: a coroutine's, or a thread's own. */
typedef struct CoContext {
#ifdef CONFIG_COROUTINE_ASM
    void *sp;                   /* while it isn't running */
#else
    ucontext_t uc;
#endif
    /* For the sanitizers: which stack this is. */
    void *fake_stack;
    const void *bottom;
    size_t size;
    void *fiber;
} CoContext;

typedef struct CoStack {
    void *base;                 /* the guard page is below */
    size_t size;
} CoStack;

CoStack co_stack_get(void);
void co_stack_put(CoStack stack);

/* @c will begin with first(opaque) on @stack; @first never returns. */
void co_context_init(CoContext *c, CoStack stack, void (*first)(void *opaque), void *opaque);
void co_context_cleanup(CoContext *c);
/* The calling thread's own context, before the first switch away from it. */
void co_context_init_thread(CoContext *c);
/* Leave @from for @to; returns when something switches to @from. @ends: nothing will. */
void co_context_switch(CoContext *from, CoContext *to, bool ends);
/* First thing on a new stack: @from is who switched to it. */
void co_context_arrived(CoContext *from);

#endif
