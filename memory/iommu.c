/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who wants to hear of an IOMMU's mappings. Big lock. */
#include "util/osdep.h"
#include "memory/memory.h"

void iommu_notifier_add(MemRegion *mr, IommuNotifier *n)
{
    bool first = !mr->notifiers;

    n->next = mr->notifiers;
    mr->notifiers = n;
    if (first && mr->iommu && mr->iommu->notify_changed) {
        mr->iommu->notify_changed(mr, true);
    }
}

void iommu_notifier_del(MemRegion *mr, IommuNotifier *n)
{
    for (IommuNotifier **p = &mr->notifiers; *p; p = &(*p)->next) {
        if (*p == n) {
            *p = n->next;
            n->next = NULL;
            if (!mr->notifiers && mr->iommu && mr->iommu->notify_changed) {
                mr->iommu->notify_changed(mr, false);
            }
            return;
        }
    }
}

void iommu_notify(MemRegion *mr, const IommuEntry *entry)
{
    hwaddr first = entry->iova & ~entry->mask, last = first | entry->mask;
    IommuNotifier *next;

    for (IommuNotifier *n = mr->notifiers; n; n = next) {
        next = n->next;
        if ((entry->perm == IOMMU_NONE ? n->unmap : n->map) &&
            first <= n->last && last >= n->start) {
            n->notify(n, entry);
        }
    }
}
