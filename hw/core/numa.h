/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NUMA nodes of a machine: which CPUs and how much memory each has, and how far
 * they are from each other (-numa). Set up before machine_init(); constant afterwards.
 */
#ifndef HW_CORE_NUMA_H
#define HW_CORE_NUMA_H

#include "hw/core/machine.h"
#include "qapi/types-machine.h"

#define NUMA_MAX_NODES      128
#define NUMA_LOCAL          10          /* distance of a node to itself (ACPI 6.4, 5.2.17) */
#define NUMA_REMOTE         20          /* where nobody says */

typedef struct NumaNode {
    uint64_t mem;               /* bytes */
    char *memdev;               /* id of a memory back end, or NULL */
} NumaNode;

typedef struct NumaConfig {
    unsigned n_nodes;
    NumaNode node[NUMA_MAX_NODES];
    uint8_t distance[NUMA_MAX_NODES][NUMA_MAX_NODES];   /* 0: not given */
    int16_t *cpu_node;          /* by CPU number; -1: not given */
    unsigned n_cpus;
} NumaConfig;

/* One -numa, as text: "type" is node, dist or cpu; MiB where "mem" has no unit. After m->smp is set. */
bool numa_option(Machine *m, const struct QDict *d, Error **errp);
/* The same for set-numa-node. */
bool numa_set(Machine *m, const NumaOptions *o, Error **errp);
/* Before the RAM is made: fills in what wasn't said, checks the sum. True without nodes. */
bool numa_complete(Machine *m, Error **errp);
/* RAM of the nodes' back ends one behind the other; NULL with *errp set. Only where they have some. */
MemRegion *numa_ram(Machine *m, Error **errp);
bool numa_has_backends(const Machine *m);
unsigned numa_node_of(const Machine *m, unsigned cpu);
void numa_free(NumaConfig *n);

#endif
