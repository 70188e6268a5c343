/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server for ivshmem devices inside of the emulator: -object ivshmem-broker. Big lock. */
#ifndef HW_MISC_IVSHMEM_BROKER_H
#define HW_MISC_IVSHMEM_BROKER_H

#include "chardev/chardev.h"
#include "qom/object.h"

#define TYPE_IVSHMEM_BROKER "ivshmem-broker"

/* A connected socket as a character device, which the caller removes; all of the greeting is in it. NULL with
 * errp set. */
Chardev *ivshmem_broker_connect(Object *broker, Error **errp);
/* At the end of the emulator: hangs up on all, removes the sockets. */
void ivshmem_broker_close_all(void);

#endif
