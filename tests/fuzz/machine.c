/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/fuzz/machine.h"

#include <glib.h>
#include "hw/core/device.h"
#include "net/net.h"
#include "qobject/error.h"
#include "qobject/qobject.h"
#include "system/config.h"
#include "tests/lib/ivshmem-peer.h"
#include "util/main-loop.h"

/* Of types that share all of their code one is there. */
const char fuzz_every_device[] =
    "-device VGA,id=vga -audiodev none,id=snd "
    /* ISA and IDE */
    "-blockdev null-co,node-name=d0,size=1M -device ide-hd,id=hd,bus=ide.0,drive=d0 "
    "-blockdev null-co,node-name=d1,size=1M,read-only=on -device ide-cd,id=cd,bus=ide.1,drive=d1 "
    "-blockdev null-co,node-name=d2,size=1474560 -device floppy,id=floppy,drive=d2 "
    "-chardev null,id=c0 -device isa-serial,id=com2,chardev=c0,iobase=0x2f8,irq=3 "
    "-chardev null,id=c1 -device isa-parallel,id=lpt,chardev=c1 "
    "-chardev null,id=c2 -device isa-debugcon,id=debugcon,chardev=c2 "
    "-device pc-testdev,id=pctest -device pvpanic,id=pvp -device isa-applesmc,id=smc -device ib700,id=ib700 "
    "-watchdog-action none -action panic=none "
    /* PCI */
    "-device pci-testdev,id=pcitest -device pvpanic-pci,id=pvpp -device i6300esb,id=esb -device vmgenid,id=gen "
    "-device AC97,id=ac97,audiodev=snd -device ES1370,id=es,audiodev=snd "
    "-netdev fuzz,id=n0 -device e1000,id=e1000,netdev=n0 "
    "-netdev fuzz,id=n1 -device rtl8139,id=rtl,netdev=n1 "
    /* USB */
    "-device piix3-usb-uhci,id=uhci -device usb-kbd,id=ukbd,bus=uhci.0 -device usb-hub,id=uhub,bus=uhci.0 "
    "-device usb-ehci,id=ehci -device usb-bot,id=bot,bus=ehci.0 "
    "-blockdev null-co,node-name=d3,size=1M,read-only=on -device scsi-cd,id=ucd,bus=bot.0,drive=d3 "
    "-blockdev null-co,node-name=d4,size=1M -device usb-storage,id=ustick,bus=ehci.0,drive=d4 "
    "-device qemu-xhci,id=xhci -device usb-tablet,id=utablet,bus=xhci.0 -device usb-mouse,id=umouse,bus=xhci.0 "
    "-blockdev null-co,node-name=d5,size=1M -device usb-storage,id=udisk,bus=xhci.0,drive=d5 "
    "-chardev null,id=serial -device usb-serial,id=userial,bus=xhci.0,chardev=serial "
    /* virtio */
    "-blockdev null-co,node-name=d6,size=1M -device virtio-blk-pci,id=vblk,drive=d6 "
    "-netdev fuzz,id=n2 -device virtio-net-pci,id=vnet,netdev=n2 "
    "-device virtio-scsi-pci,id=vscsi "
    "-blockdev null-co,node-name=d7,size=1M -device scsi-hd,id=shd,bus=vscsi.0,drive=d7 "
    "-blockdev null-co,node-name=d8,size=1M,read-only=on -device scsi-cd,id=scd,bus=vscsi.0,drive=d8 "
    "-device virtio-serial-pci,id=vser -chardev null,id=c3 -device virtconsole,id=vcon,chardev=c3 "
    "-chardev null,id=c4 -device virtserialport,id=vport,chardev=c4,name=port "
    "-fsdev synth,id=fs0 -device virtio-9p-pci,id=v9p,fsdev=fs0,mount_tag=fs "
    "-device virtio-rng-pci,id=vrng -device virtio-balloon-pci,id=vballoon "
    "-device virtio-keyboard-pci,id=vkbd -device virtio-mouse-pci,id=vmouse -device virtio-tablet-pci,id=vtablet "
    /* what other guests see too; a doorbell device comes with its server below */
    "-object memory-backend-ram,id=m0,size=64K,share=on -device ivshmem-plain,id=ivp,memdev=m0 "
    "-device pci-bridge,id=bridge,chassis_nr=1 -device pci-testdev,id=behind,bus=bridge "
    "-netdev fuzz,id=n3 -device e1000e,id=e1000e,netdev=n3,bus=bridge -device bochs-display,id=bochs,bus=bridge "
    "-device intel-hda,id=hda,bus=bridge -device hda-duplex,id=codec,bus=hda.0,audiodev=snd "
    /* SATA: a disk, a CD drive, and disks behind a multiplier */
    "-device ich9-ahci,id=ahci "
    "-blockdev null-co,node-name=d9,size=1M -device ide-hd,id=sata0,bus=ahci.0,drive=d9 "
    "-blockdev null-co,node-name=d10,size=1M,read-only=on -device ide-cd,id=sata1,bus=ahci.1,drive=d10 "
    "-device sata-pm,id=pm,bus=ahci.2,ports=2 "
    "-blockdev null-co,node-name=d11,size=1M -device ide-hd,id=sata2,bus=pm.1,drive=d11";

/* A network that swallows what the guest sends. */
static void swallow(UNUSED NetBackend *n, UNUSED const uint8_t *frame, UNUSED size_t len)
{
}

static bool open_nothing(UNUSED NetBackend *n, UNUSED const QDict *opts, UNUSED Error **errp)
{
    return true;
}

static const char *const no_options[] = { NULL };
static NetBackendType fuzz_net = {
    .name = "fuzz", .options = no_options, .open = open_nothing, .send = swallow,
};

void fuzz_frame(unsigned n, const void *frame, size_t len)
{
    NetBackend *b = net_first();
    unsigned count = 0;

    for (NetBackend *i = b; i; i = i->next) {
        count++;
    }
    for (n = count ? n % count : 0; n; n--) {
        b = b->next;
    }
    if (b) {
        net_deliver(b, frame, len);
    }
}

/* Types that are not there: they share all code with one that is, end the program, or sit on a bus that no PC
 * has. */
static const char *const left_out[] = {
    "*-transitional", "nec-usb-xhci", "ich9-usb-*", "piix4-usb-uhci", "isa-debug-exit", "adb-*",
    "secondary-vga", "ich9-intel-hda", "hda-output", "hda-micro",
    "ich7*", "pcie-*", "ioh3420", "x3130-upstream", "xio3130-downstream",  /* of fuzz-q35 */
    NULL
};

static int is_of_type(Device *dev, void *type)
{
    return dev->obj.type == type;
}

static void expect_type(const Type *type, void *missing)
{
    const DeviceType *dt = device_type_of(type);

    if (dt->not_user_creatable || !device_type_bus(type) || device_foreach(is_of_type, (void *)type)) {
        return;
    }
    for (int i = 0; left_out[i]; i++) {
        if (g_pattern_match_simple(left_out[i], type_name(type))) {
            return;
        }
    }
    fprintf(stderr, "no %s in the machine: fuzz_every_device in tests/fuzz/machine.c wants a line\n",
            type_name(type));
    *(bool *)missing = true;
}

/* The configuration points into its words. */
static Config config;

void fuzz_machine(const char *words, const char *more)
{
    const char *env = getenv("FUZZ_MACHINE");
    g_autofree char *bell = env || !more ? NULL : g_strdup_printf(
        " -chardev socket,id=c5,server=off,fd=%d -device ivshmem-doorbell,id=ivd,chardev=c5,vectors=2"
        " -chardev socket,id=c6,server=off,fd=%d -device ivshmem-v2,id=iv2,chardev=c6,vectors=2,output-size=4K",
        ivshmem_whole(), ivshmem_whole());
    g_autofree char *text = g_strconcat("qemu-system-x86_64 ", env ? env : words, " ",
                                        bell ? more : "", bell, NULL);
    static char **argv;
    bool missing = false;
    int n = 0;

    argv = g_strsplit(text, " ", -1);
    for (char **w = argv; *w; w++) {            /* several blanks make empty words */
        if (**w) {
            argv[n++] = *w;
        } else {
            g_free(*w);
        }
    }
    argv[n] = NULL;
    net_backend_type_register(&fuzz_net);
    config_parse(&config, n, argv);
    main_loop_init();
    if (config_report(&config) || !config_build(&config)) {
        config_report(&config);
        exit(1);
    }
    if (more && !env) {
        type_foreach(TYPE_DEVICE, false, expect_type, &missing);
    }
    if (missing) {
        exit(1);
    }
}

bool fuzz_machine_mend(void)
{
    bool any = false;

    for (size_t i = 0; i < qlist_size(config.devices); i++) {
        const QDict *opts = qobject_to_dict(qlist_get(config.devices, i));
        const char *id = qdict_str_or(opts, "id", NULL);

        if (id && !device_find(id)) {
            any |= device_add(opts, true, NULL) != NULL;
        }
    }
    return any;
}
