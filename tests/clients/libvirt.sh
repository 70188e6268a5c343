#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's libvirt with the emulator in <emulator>: a domain with an installed Debian is defined,
# started, used in all the ways that virsh has for a running machine, saved, restored, and goes.
# The daemon runs as an ordinary user (nobody, if we are root) with folders of its own.
#
# Environment: QEMU_BIN, SRC_DIR. Needs: libvirt-daemon-driver-qemu libvirt-clients virtinst.
domain=t1
. "$(dirname "$0")/libvirt.bash"
echo "# timeout: 2700"
need virt-install virtinst
image=$("$SRC_DIR/scripts/disk-image.sh") || { echo "Bail out! no image of Debian"; exit 1; }

cp --sparse=always "$image" "$work/img/base.img"
qemu-img create -q -f qcow2 -b "$work/img/base.img" -F raw "$work/img/disk.qcow2"
qemu-img create -q -f qcow2 "$work/img/second.qcow2" 64M

disk_gone() { v domblklist t1; ! out_has ' vdb '; }
if_gone() { v domiflist t1; ! out_has '52:54:00:11:22:33'; }

start_daemon
step "domain capabilities" domcapabilities --emulatorbin "$emulator" --virttype qemu --machine pc
out_has "<path>$emulator</path>" && out_has "<model usable='yes'.*qemu64</model>\|qemu64"
ok $? "they name the emulator and its CPU models"

cat > "$work/t1.xml" <<X
<domain type='qemu'>
  <name>t1</name>
  <memory unit='MiB'>512</memory>
  <currentMemory unit='MiB'>512</currentMemory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><apic/></features>
  <devices>
    <emulator>$emulator</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='$work/img/disk.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='pty'><target port='0'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' autoport='yes' listen='127.0.0.1'/>
    <video><model type='vga'/></video>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
X
chown nobody "$work"/*.xml

step "define" define "$work/t1.xml"
step "start" start t1 || { finish; exit; }
open_console
until_ 240 shown 'debian login:'
ok $? "console: Debian's login"
type_ root
until_ 60 shown 'Password:'
type_ debian
until_ 60 shown 'root@debian'
alive one
ok $? "console: a shell"

# ---------------------------------------------------------------------- looking
step "dominfo" dominfo t1
step "domstats" domstats t1
out_has 'block.0.rd.reqs=[1-9]' && out_has 'vcpu.current=1' && out_has 'balloon.current=524288'
ok $? "domstats: block, CPU and balloon"
step "screenshot" screenshot t1 "$work/cache/shot.png"
[ "$(head -c 4 "$work/cache/shot.png" | tail -c 3)" = PNG ]
ok $? "screenshot: a PNG"
step "vncdisplay" vncdisplay t1
port=$((5900 + ${out##*:}))
banner=$(timeout 5 bash -c "exec 4<>/dev/tcp/127.0.0.1/$port; head -c 12 <&4")
[ "$banner" = "RFB 003.008" ]
ok $? "VNC: the server's greeting"
step "send-key" send-key t1 KEY_LEFTCTRL KEY_L
step "domblkinfo" domblkinfo t1 vda
step "domblkstat" domblkstat t1 vda
step "qemu-monitor-command --hmp" qemu-monitor-command t1 --hmp info status
out_has running
ok $? "human monitor"
step "suspend" suspend t1
state_is paused
ok $? "domstate: paused"
step "resume" resume t1
alive two
ok $? "it goes on"

# --------------------------------------------------------------------- changing
step "attach-disk" attach-disk t1 "$work/img/second.qcow2" vdb --driver qemu --subdriver qcow2 --live
type_ 'until [ -b /dev/vdb ]; do sleep 0.2; done; echo size-$(cat /sys/block/vdb/size)'
until_ 60 shown 'size-131072'
ok $? "the guest sees the disk"
step "detach-disk" detach-disk t1 vdb --live
until_ 60 disk_gone
ok $? "the guest lets it go"
cat > "$work/if.xml" <<X
<interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>
X
step "attach-device: a network card" attach-device t1 "$work/if.xml" --live
type_ 'until grep -q 52:54:00:11:22:33 /sys/class/net/*/address; do sleep 0.2; done; echo card-$((1+1))'
until_ 60 shown 'card-2'
ok $? "the guest sees the card"
step "detach-device" detach-device t1 "$work/if.xml" --live
until_ 60 if_gone
ok $? "the guest lets it go, too"
step "blockresize" blockresize t1 vda 4G
type_ 'until [ $(cat /sys/block/vda/size) = 8388608 ]; do sleep 0.2; done; echo grown-$((1+1))'
until_ 30 shown 'grown-2'
ok $? "the guest sees the new size"
step "blkdeviotune" blkdeviotune t1 vda --total-iops-sec 5000
v blkdeviotune t1 vda
out_has 'total_iops_sec *: 5000'
ok $? "blkdeviotune: read back"
step "dommemstat --period" dommemstat t1 --period 1 --live
stats_there() { v dommemstat t1; out_has '^available [1-9]'; }
until_ 20 stats_there
ok $? "dommemstat: what the guest says"
step "setmem" setmem t1 400M --live
balloon_is() { v domstats t1 --balloon; out_has "balloon.current=$1"; }
until_ 40 balloon_is 409600
ok $? "setmem: the balloon is inflated"
step "setmem back" setmem t1 512M --live
step "inject-nmi" inject-nmi t1

# -------------------------------------------------------------- disks, snapshots
step "snapshot --disk-only" snapshot-create-as t1 s1 --disk-only --atomic --no-metadata
v domblklist t1
out_has 'disk.s1'
ok $? "it writes to the new image"
step "blockcommit --active --pivot" blockcommit t1 vda --active --pivot --wait
step "blockcopy" blockcopy t1 vda "$work/img/copy.qcow2" --transient-job --wait --finish
alive three
ok $? "the guest goes on"
step "dump --memory-only" dump t1 "$work/cache/core" --memory-only
readelf -h "$work/cache/core" 2> /dev/null | grep -q 'Type: *CORE'
ok $? "dump: an ELF core file"

# -------------------------------------------------------------- saving, stopping
step "managedsave" managedsave t1
state_is 'shut off'
ok $? "managedsave: it is off"
step "start of a saved one" start t1
open_console
alive four
ok $? "it goes on where it was"
step "save" save t1 "$work/cache/t1.save"
step "restore" restore "$work/cache/t1.save"
open_console
alive five
ok $? "it goes on again"
step "reboot" reboot t1
: > "$work/console.log"
until_ 240 shown 'debian login:'
ok $? "Debian's login after a reboot"
step "set-lifecycle-action" set-lifecycle-action t1 poweroff destroy
step "shutdown" shutdown t1
until_ 90 state_is 'shut off'
ok $? "the guest has switched itself off"
step "start again" start t1
step "reset" reset t1
step "destroy" destroy t1
step "undefine" undefine t1

# ------------------------------------------------------------------ virt-install
di=/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64
if [ -f $di/linux ]; then
    cp $di/linux $di/initrd.gz "$work/img/"
    chown nobody "$work/img/linux" "$work/img/initrd.gz"
    # With 512 MiB the installer asks nothing but says that memory is low, in English.
    as_user timeout 100 virt-install --connect qemu:///session --name t2 --memory 1024 --virt-type qemu \
        --machine pc --osinfo detect=off,require=off --disk "$work/img/new.qcow2,size=2,bus=virtio" \
        --network user,model=virtio --graphics none --serial "file,path=$work/cache/serial" \
        --boot "emulator=$emulator" --noautoconsole --wait 0 --install \
        "kernel=$work/img/linux,initrd=$work/img/initrd.gz,kernel_args=console=ttyS0 auto=false DEBIAN_FRONTEND=text" \
        > "$work/vi.log" 2>&1
    rc=$?
    ok $rc "virt-install from the netboot installer"
    [ $rc = 0 ] || sed 's/^/# /' "$work/vi.log"
    installer() { grep -q -a 'Select a language' "$work/cache/serial"; }
    until_ 180 installer
    ok $? "the installer asks for a language"
    step "destroy the new one" destroy t2
    step "undefine the new one" undefine t2
fi
finish
