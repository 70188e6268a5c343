/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPU types: one a model, with the names that people know. */
#include "util/osdep.h"
#include <glib.h>
#include "target/m68k/cpu.h"

#define FULL    (M68K_MMU | M68K_FPU)

const M68kModel m68k_models[] = {
    { "m68000", "Motorola 68000", 1, M68K_000 },
    { "m68010", "Motorola 68010", 2, M68K_010 },
    { "m68020", "Motorola 68020 with a 68881", 3, M68K_020 | M68K_FPU },
    { "m68030", "Motorola 68030 with a 68882", 4, M68K_030 | FULL },
    { "m68040", "Motorola 68040", 5, M68K_040 | FULL },
    { "m68lc040", "Motorola 68LC040: without FPU", 6, M68K_040 | M68K_MMU },
    { "m68060", "Motorola 68060", 7, M68K_060 | FULL },
};
const unsigned m68k_num_models = ARRAY_SIZE(m68k_models);

const Property m68k_cpu_props[] = {
    PROP_STR("fpsp", M68kCpu, fpsp, NULL,
                "who does the FPU instructions that the 68040 lacks: guest (they trap), host"),
    PROP_END
};

typedef struct CpuType {
    DeviceType type;            /* first */
    const M68kModel *model;
} CpuType;

const M68kModel *m68k_model_of(const M68kCpu *cpu)
{
    return container_of(device_type(&cpu->parent.dev), CpuType, type)->model;
}

CONSTRUCTOR static void register_types(void)
{
    for (unsigned i = 0; i < m68k_num_models; i++) {
        CpuType *t = g_new0(CpuType, 1);

        t->model = &m68k_models[i];
        t->type = (DeviceType){
            .name = g_strdup_printf("%s-m68k-cpu", m68k_models[i].name),
            .parent = TYPE_M68K_CPU, .desc = m68k_models[i].desc, .data = &m68k_cpu_ops,
        };
        device_type_register(&t->type);
    }
}
