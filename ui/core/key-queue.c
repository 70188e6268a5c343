/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "ui/core/input.h"
#include "ui/core/key-queue.h"
#include "util/timer.h"

typedef struct Step {
    unsigned number;            /* 0: a pause */
    bool down;
    int64_t ms;
} Step;

/* The one sequence of keys that is being typed. */
static struct {
    Step steps[KEY_QUEUE_MAX];
    size_t head, n;
    bool pausing, ready;
    Timer timer;
} queue;

unsigned key_queue_room(void)
{
    return KEY_QUEUE_MAX - (unsigned)queue.n;
}

static void run_steps(void)
{
    while (queue.n && !queue.pausing) {
        Step s = queue.steps[queue.head];

        queue.head = (queue.head + 1) % KEY_QUEUE_MAX;
        queue.n--;
        if (s.number) {
            input_key(s.number, s.down);
            input_sync();
        } else {
            queue.pausing = true;
            timer_mod_ns(&queue.timer, clock_get_ns(CLOCK_VIRTUAL) + s.ms * NS_PER_MS);
        }
    }
}

static void pause_over(void *opaque)
{
    (void)opaque;
    queue.pausing = false;
    run_steps();
}

static void add(Step s)
{
    if (!queue.ready) {
        queue.ready = true;
        timer_init_ns(&queue.timer, CLOCK_VIRTUAL, pause_over, NULL);
    }
    if (queue.n < KEY_QUEUE_MAX) {
        queue.steps[(queue.head + queue.n++) % KEY_QUEUE_MAX] = s;
    }
    run_steps();
}

void key_queue_key(unsigned number, bool down)
{
    add((Step){ .number = number, .down = down });
}

void key_queue_delay(int64_t ms)
{
    add((Step){ .ms = ms });
}
