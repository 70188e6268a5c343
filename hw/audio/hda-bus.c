/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HDA link: who is on it. */
#include "util/osdep.h"
#include "hw/audio/hda.h"

#include <glib.h>

static char *hda_path(const Device *dev)
{
    g_autofree char *up = dev->bus->parent ? device_bus_path(dev->bus->parent) : NULL;

    return g_strdup_printf("%s/codec@%x", up ? up : dev->bus->name, HDA_CODEC(dev)->cad);
}

static const BusType hda_bus_type = {
    .name = TYPE_HDA_BUS, .size = sizeof(HdaBus), .max_devices = HDA_MAX_CODECS, .device_path = hda_path,
};
BUS_TYPE(hda_bus_type)

HdaBus *hda_bus_new(Device *controller, const HdaControllerOps *ops)
{
    HdaBus *bus = HDA_BUS(bus_new(TYPE_HDA_BUS, controller, NULL));

    bus->ops = ops;
    return bus;
}

static HdaCodec *find_other(HdaBus *bus, unsigned cad, const HdaCodec *not)
{
    for (Device *d = bus->bus.devices; d; d = d->sibling) {
        HdaCodec *c = HDA_CODEC(d);

        if (c != not && c->cad == cad) {
            return c;
        }
    }
    return NULL;
}

HdaCodec *hda_codec_find(HdaBus *bus, unsigned cad)
{
    return find_other(bus, cad, NULL);
}

static bool hda_codec_realize(Device *dev, Error **errp)
{
    HdaCodec *c = HDA_CODEC(dev);
    HdaBus *bus = HDA_BUS(dev->bus);

    for (unsigned i = 0; c->cad == UINT32_MAX && i < HDA_MAX_CODECS; i++) {
        if (!find_other(bus, i, c)) {
            c->cad = i;
        }
    }
    if (c->cad >= HDA_MAX_CODECS || find_other(bus, c->cad, c)) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'cad' is %u; accepted: 0 to %u that no other codec has", c->cad,
                   HDA_MAX_CODECS - 1);
        return false;
    }
    return true;
}

static const Property hda_codec_props[] = {
    PROP_U32("cad", HdaCodec, cad, UINT32_MAX, "address on the link, 0 to 14; 4294967295: the next free one"),
    PROP_END
};

static const DeviceType hda_codec_type = {
    .name = TYPE_HDA_CODEC, .size = sizeof(HdaCodec), .bus_type = TYPE_HDA_BUS, .abstract = true,
    .category = DEVICE_SOUND, .props = hda_codec_props, .realize = hda_codec_realize,
};
DEVICE_TYPE(hda_codec_type)
