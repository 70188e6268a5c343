/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt levels of a Quadra (Quadra 800 Developer Note; GMFH chapter 5; MkLinux's and Linux's names).
 *
 *   level    classic mode              A/UX mode
 *     7      NMI switch                the same
 *     6                                VIA1
 *     5                                sound
 *     4      SCC                       SCC
 *     3                                SONIC
 *     2      VIA2, sound (by VIA2)     VIA2
 *     1      VIA1                      (software)
 * In the classic mode SONIC uses the line of slot 9.
 */
#include "util/osdep.h"
#include "hw/m68k/q800-glue.h"

enum { IN_VIA1, IN_VIA2, IN_ESCC, IN_SONIC, IN_ASC, IN_NMI, IN_AUX, IN_NUM };
static const char *const names[IN_NUM] = {
    "via1", "via2", "escc", "sonic", "asc", "nmi", "auxmode",
};

typedef struct Glue {
    Device dev;
    bool in[IN_NUM];
    IrqLine *ipl, *slot9, *asc_via2;
} Glue;

static Glue *GLUE(const void *obj)
{
    return (Glue *)object_cast(obj, TYPE_Q800_GLUE);
}

static void update(Glue *s)
{
    bool aux = s->in[IN_AUX];
    int level;

    /* These come back as VIA2's interrupt, before the level is known. */
    irq_set(s->slot9, !aux && s->in[IN_SONIC]);
    irq_set(s->asc_via2, s->in[IN_ASC]);
    level = s->in[IN_NMI] ? 7 : aux && s->in[IN_VIA1] ? 6 : aux && s->in[IN_ASC] ? 5 :
                s->in[IN_ESCC] ? 4 : aux && s->in[IN_SONIC] ? 3 : s->in[IN_VIA2] ? 2 :
                !aux && s->in[IN_VIA1] ? 1 : 0;
    irq_set(s->ipl, level);
}

#define IN(name, n) \
static void name(void *opaque, UNUSED int k, int level) \
{ \
    if (GLUE(opaque)->in[n] != (level != 0)) {   /* outputs lead back here, through VIA2 */ \
        GLUE(opaque)->in[n] = level != 0; \
        update(opaque); \
    } \
}
IN(in_via1, IN_VIA1) IN(in_via2, IN_VIA2) IN(in_escc, IN_ESCC) IN(in_sonic, IN_SONIC)
IN(in_asc, IN_ASC) IN(in_nmi, IN_NMI) IN(in_aux, IN_AUX)

static void glue_init(Device *dev)
{
    static const IrqHandler handlers[IN_NUM] = {
        in_via1, in_via2, in_escc, in_sonic, in_asc, in_nmi, in_aux,
    };
    Glue *s = GLUE(dev);

    for (unsigned i = 0; i < IN_NUM; i++) {
        device_init_irq_in(dev, names[i], handlers[i], 1);
    }
    device_init_irq_out(dev, "ipl", &s->ipl, 1);
    device_init_irq_out(dev, "nubus-slot9", &s->slot9, 1);
    device_init_irq_out(dev, "asc-via2", &s->asc_via2, 1);
}

static void glue_reset_hold(Device *dev)
{
    update(GLUE(dev));
}

static bool glue_post_load(void *opaque, UNUSED Error **errp)
{
    update(opaque);
    return true;
}

static const VmField glue_fields[] = { VM_BOOL_ARRAY(Glue, in), VM_END };

static const DeviceType glue_type = {
    .name = TYPE_Q800_GLUE, .size = sizeof(Glue), .desc = "Quadra interrupt encoder",
    .category = DEVICE_MISC, .not_user_creatable = true, .init = glue_init,
    .reset_hold = glue_reset_hold, .vm = { 1, glue_fields, .post_load = glue_post_load },
};
DEVICE_TYPE(glue_type)
