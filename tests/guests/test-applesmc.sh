#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Linux's applesmc driver, on a machine that says that it is a Mac: it binds, and reads and writes keys.
. "$(dirname "$0")/lib.sh"
echo "# timeout: 300"
guest_items kernel-amd64 initramfs-x86_64 modules-amd64
osk=0123456789abcdef0123456789ABCDEF-the-second-half-64-characters-x
linux_modules smc 200 'run=applesmc' -M q35 -net none -device isa-applesmc,osk=$osk \
	-smbios 'type=1,manufacturer=Apple Inc.,product=Macmini1,,1' -smbios 'type=2,manufacturer=Apple Inc.'
[ $? = 0 ] && has smc 'GUEST-DONE rc=0'
ok $? 'smc: the driver binds'
has smc 'applesmc: key=19 fan=1 temp=3 index=3' && has smc '^smc keys 19$'
ok $? 'smc: it finds all keys'
has smc '^smc temp2 TC0D 45000' && has smc '^smc fan1 Main 1500'
ok $? 'smc: temperatures and a fan'
has smc '^smc fan target 3000'
ok $? 'smc: a key is written'
has smc "^smc key OSK1 ch8\\* 32 -the-second-half-64-characters-x"
ok $? 'smc: what the user gave'
done_testing
