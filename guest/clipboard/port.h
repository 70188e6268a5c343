/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The channel to the host's clipboard: the virtio port com.redhat.spice.0 with the agent's protocol of
 * SPICE (spice-protocol, spice/vd_agent.h). The C library only.
 */
#ifndef GUEST_CLIPBOARD_PORT_H
#define GUEST_CLIPBOARD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_PATH       "/dev/virtio-ports/com.redhat.spice.0"
#define PORT_DATA_MAX   (128u * 1024 * 1024)     /* bytes of one format */

/* What both sides know to name. */
typedef enum Format { FORMAT_TEXT, FORMAT_HTML, FORMAT_RTF, FORMAT_PNG, FORMAT_BMP, FORMAT_NUM } Format;

typedef struct Port Port;

/* From the host. Any may be NULL. */
typedef struct PortOps {
    void (*grab)(void *opaque, unsigned formats);           /* it has these: bits by Format; 0: nothing any more */
    void (*request)(void *opaque, Format f);                /* it wants what we have: port_data() now or later */
    void (*data)(void *opaque, Format f, const void *data, size_t len);     /* @data NULL: it hasn't got it */
} PortOps;

/* @path: a device, or a Unix socket. NULL with errno set. */
Port *port_open(const char *path, const PortOps *ops, void *opaque);
void port_close(Port *p);
int port_fd(const Port *p);
/* For poll(): whether something waits to be written. */
bool port_wants_out(const Port *p);
/* The host knows the protocol and shares its clipboard. */
bool port_ready(const Port *p);
/* Read and write what can be; false: the host has gone, or speaks something else. */
bool port_work(Port *p);

/* How many answers to port_ask() and to the question of port_open() have come: what the host has said before is older
 * than the question. */
unsigned port_answers(const Port *p);
void port_ask(Port *p);

void port_grab(Port *p, unsigned formats);                  /* 0: release */
void port_request(Port *p, Format f);
void port_data(Port *p, Format f, const void *data, size_t len);    /* NULL: it can't be had */

#endif
