#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's virt-install makes a domain of the machine pc with the emulator in <emulator>, in which Debian's netboot installer puts a
# system on a virtio disk, unattended; that boots to its login. It takes as long as an installation does, half an hour where the
# machine does other things too.
#
# Environment: QEMU_BIN, SRC_DIR. Needs: libvirt-daemon-driver-qemu libvirt-clients virtinst debian-installer-12-netboot-amd64.
domain=t2
. "$(dirname "$0")/libvirt.bash"
need virt-install virtinst
echo "# timeout: 5400"
src=$SRC_DIR
. "$src/scripts/installer-lib.sh"
[ -f "$netboot/initrd.gz" ] || { echo "1..0 # SKIP no netboot installer; Debian package: debian-installer-12-netboot-amd64"; exit; }
installer_mirror "$work" || { echo "Bail out! there is no mirror for the installer"; exit 1; }
pids+=("$mirror_pid")
installer_initrd "$work/img/initrd.gz" "$work"
cp "$netboot/linux" "$work/img/linux"
: > "$work/console.log"

start_daemon
begin=$SECONDS
as_user timeout 120 virt-install --connect qemu:///session --name t2 --memory 1024 --vcpus 2 --virt-type qemu \
    --machine pc --osinfo detect=off,require=off --disk "$work/img/new.qcow2,size=3,bus=virtio,driver.cache=unsafe" \
    --network user,model=virtio --graphics none --serial pty --serial "file,path=$work/cache/syslog" \
    --boot "emulator=$emulator" --noautoconsole --wait 0 --noreboot \
    --install "kernel=$work/img/linux,initrd=$work/img/initrd.gz,kernel_args=$installer_words" > "$work/vi.log" 2>&1
rc=$?
ok $rc "virt-install starts the netboot installer"
[ $rc = 0 ] || { sed 's/^/# /' "$work/vi.log"; finish; exit; }
open_console
installed() { grep -q -a 'installer: all is installed' "$work/cache/syslog" || installer_asks "$work/console.log"; }
until_ 3600 installed
grep -q -a 'installer: all is installed' "$work/cache/syslog"
rc=$?
ok $rc "Debian is installed, after $((SECONDS - begin)) s"
[ $rc = 0 ] || {
    tail -n 20 "$work/cache/syslog" "$work/console.log" | tr -dc '\n -~' | sed 's/^/# /'
    finish
    exit
}
until_ 120 state_is 'shut off'
ok $? "the installer has switched the machine off"

: > "$work/console.log"
step "start of what was installed" start t2
open_console
until_ 240 shown 'debian login:'
ok $? "console: its login"
type_ root
until_ 60 shown 'Password:'
type_ debian
until_ 60 shown 'root@debian'
type_ 'echo "root $(findmnt -n -o SOURCE /)"; dpkg --audit && echo "audit: $?"'
until_ 60 shown 'root /dev/vda' && until_ 60 shown 'audit: 0'
ok $? "a shell: all packages are installed, on the virtio disk"
step "shutdown" shutdown t2
until_ 120 state_is 'shut off'
ok $? "it has switched itself off"
step "undefine" undefine t2
finish
