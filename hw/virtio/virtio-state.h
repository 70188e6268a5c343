/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of virtio-state.c, for virtio.c. */
#ifndef HW_VIRTIO_VIRTIO_STATE_H
#define HW_VIRTIO_VIRTIO_STATE_H

#include "hw/core/state-view.h"

extern const VmMeaning virtio_device_meanings[], virtio_queue_meanings[];
extern const StatePrinter virtio_printers[];

/* virtio-qmp.c: the name of a feature of devices with that id, as far as the first colon; NULL: it has none. */
const char *virtio_feature_name(uint16_t id, unsigned bit);

#endif
