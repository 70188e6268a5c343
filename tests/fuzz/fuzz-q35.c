/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The board of q35, PCI Express ports and what is behind them, against a hostile guest: as fuzz-devices.c. */
#define FUZZ_WORDS \
    "-M q35 -S -display none -monitor none -serial null -parallel none -net none -accel tcg -m 16 -vga none " \
    "-watchdog-action none -device pcie-root-port,id=rp,chassis=1 -device virtio-rng-pci,id=rng,bus=rp " \
    "-device pcie-root-port,id=rp2,chassis=2,hotplug=off -device ioh3420,id=ioh,chassis=3 " \
    "-device x3130-upstream,id=up,bus=ioh -device xio3130-downstream,id=down,bus=up,chassis=4 " \
    "-device pci-testdev,id=testdev,bus=down -device pcie-pci-bridge,id=pci.1 -device pci-testdev,id=td2,bus=pci.1"
#define FUZZ_MORE NULL
#include "tests/fuzz/fuzz-devices.c"
