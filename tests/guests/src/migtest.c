/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something to be migrated in the middle of: threads that compute in memory that
 * they write all over, with integers, SSE and x87, and check what they wrote
 * before. The result depends on the arguments only:
 *
 *     migtest THREADS MEGABYTES [PASSES...]
 *
 * PASSES, a number for each thread, are done as fast as can be. Without them the threads rest
 * after each, and go on until a line comes on standard input; how many they did is in the results.
 *
 * Time must go on: the clock never goes back, and short sleeps end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE    4096
#define WORDS   (PAGE / 8)

typedef struct Job {
    pthread_t thread;
    unsigned n;
    uint64_t *mem;
    size_t pages;
    unsigned passes;            /* 0: until told */
    uint64_t sum;
    double d;
    long double x;
    unsigned bad, backwards;
} Job;

static atomic_bool told;

static uint64_t next(uint64_t v)
{
    return v * 6364136223846793005u + 1442695040888963407u;
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void one_pass(Job *j, unsigned pass)
{
    uint64_t seed = j->n + 1;

    for (size_t p = 0; p < j->pages; p++) {
        uint64_t *page = j->mem + p * WORDS, want = next(seed + pass - 1);

        /* The last pass left its number in the first word, and derived words further on. */
        if (pass && (page[0] != want || page[pass % (WORDS - 2) + 1] != (want ^ p))) {
            j->bad++;
        }
        want = next(seed + pass);
        page[0] = want;
        page[(pass + 1) % (WORDS - 2) + 1] = want ^ p;
        j->sum = next(j->sum ^ page[0] ^ page[WORDS - 1]);
        page[WORDS - 1] = j->sum;
        j->d = j->d * 0.999 + (double)(j->sum >> 40) / 3.0;
        j->x = j->x / 1.0001L + (long double)(j->sum >> 32) * 0.125L;
        seed += 7;
    }
}

static void *run(void *opaque)
{
    Job *j = opaque;
    double last = now();
    unsigned pass = 0;

    while (j->passes ? pass < j->passes : !told) {
        struct timespec ms = { 0, 1000000 };
        double t;

        one_pass(j, pass);
        if (!j->passes) {
            nanosleep(&ms, NULL);
        }
        t = now();
        if (t < last) {
            j->backwards++;
        }
        last = t;
        if (j->n == 0 && pass % 8 == 0) {
            printf("migtest-pass %u at %.3f\n", pass, t);
            fflush(stdout);
        }
        pass++;
    }
    j->passes = pass;
    return NULL;
}

/* The end of the input tells nothing: it may have none. */
static void *listen_to_input(void *opaque)
{
    (void)opaque;
    if (getchar() != EOF) {
        told = true;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 1 ? atoi(argv[1]) : 1, megabytes = argc > 2 ? atoi(argv[2]) : 16;
    Job *jobs = calloc(threads, sizeof(*jobs));
    pthread_t listener;

    printf("migtest-start\n");
    fflush(stdout);
    if (argc <= 3) {
        pthread_create(&listener, NULL, listen_to_input, NULL);
    }
    for (unsigned i = 0; i < threads; i++) {
        Job *j = &jobs[i];

        j->n = i;
        j->pages = (size_t)megabytes * 256;
        j->mem = aligned_alloc(PAGE, j->pages * PAGE);
        memset(j->mem, 0, j->pages * PAGE);
        j->passes = (unsigned)argc > 3 + i ? atoi(argv[3 + i]) : 0;
        pthread_create(&j->thread, NULL, run, j);
    }
    for (unsigned i = 0; i < threads; i++) {
        Job *j = &jobs[i];

        pthread_join(j->thread, NULL);
        printf("migtest-result %u passes %u %016llx %.12g %.12Lg bad %u\n", i, j->passes,
               (unsigned long long)j->sum, j->d, j->x, j->bad);
        printf("migtest-time %s\n", j->backwards ? "BACKWARDS" : "ok");
    }
    return 0;
}
