/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * High Definition Audio: the link between a controller and its codecs.
 *
 *   intel-hda.c   the controller: registers, command rings, stream DMA
 *   hda-codec.c   codecs: widgets, verbs, the voices behind converters
 *
 * Source: High Definition Audio Specification, revision 1.0a ("HDA"). Big lock.
 */
#ifndef HW_AUDIO_HDA_H
#define HW_AUDIO_HDA_H

#include "hw/core/device.h"

#define TYPE_HDA_BUS        "HDA"
#define TYPE_HDA_CODEC      "hda-codec"
#define HDA_MAX_CODECS      15      /* HDA 2.2.1: addresses 0 to 14 */

typedef struct HdaCodec HdaCodec;
typedef struct HdaBus HdaBus;

/* What the controller does for codecs. @tag is a stream's number on the link, 1 to 15. */
typedef struct HdaControllerOps {
    /* Move up to @len bytes of the running stream between memory and @buf; the bytes moved. */
    uint32_t (*transfer)(HdaBus *bus, unsigned tag, bool output, uint8_t *buf, uint32_t len);
    bool (*running)(HdaBus *bus, unsigned tag, bool output);
    /* A response that nobody has asked for (HDA 3.8), of the codec at @cad. */
    void (*unsolicited)(HdaBus *bus, unsigned cad, uint32_t response);
} HdaControllerOps;

struct HdaBus {
    Bus bus;
    const HdaControllerOps *ops;
};
static inline HdaBus *HDA_BUS(const void *obj)
{
    return (HdaBus *)object_cast(obj, TYPE_HDA_BUS);
}

struct HdaCodec {
    Device dev;                 /* first: the bus casts to it */
    uint32_t cad;               /* its address; UINT32_MAX: the next free */
};
static inline HdaCodec *HDA_CODEC(const void *obj)
{
    return (HdaCodec *)object_cast(obj, TYPE_HDA_CODEC);
}

/* .data of a codec's type. */
typedef struct HdaCodecOps {
    /* A command without its address (bits 27:0); the response. */
    uint32_t (*command)(HdaCodec *c, uint32_t command);
    /* A stream began or ended. */
    void (*streams_changed)(HdaCodec *c);
    /* The link was reset. */
    void (*link_reset)(HdaCodec *c);
} HdaCodecOps;

HdaBus *hda_bus_new(Device *controller, const HdaControllerOps *ops);
/* NULL: nobody has that address. */
HdaCodec *hda_codec_find(HdaBus *bus, unsigned cad);
static inline const HdaCodecOps *hda_codec_ops(const HdaCodec *c)
{
    return device_data(&c->dev);
}

#endif
