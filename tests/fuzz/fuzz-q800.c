/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Quadra's devices against a hostile guest: as fuzz-devices.c. */
#define FUZZ_WORDS \
    "-M q800 -S -display none -monitor none -serial null -serial null -accel qtest -m 16 -no-shutdown " \
    "-blockdev null-co,node-name=hd,size=1M -device scsi-hd,drive=hd,scsi-id=2 " \
    "-blockdev null-co,node-name=cd,size=1M,read-only=on -device scsi-cd,drive=cd,scsi-id=3 " \
    "-drive if=floppy,driver=null-co,size=1440k,read-zeroes=on -drive if=floppy,index=1,driver=null-co,size=800k,read-zeroes=on " \
    "-netdev fuzz,id=n1 -net nic,netdev=n1"
#define FUZZ_MORE NULL
#include "tests/fuzz/fuzz-devices.c"
