#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's libvirt with a domain of the machine q35 that OVMF starts in system management mode, with all the kinds of devices that
# virt-manager and the like give to it. Debian's kernel must have a driver for each; then disks and a processor come while it
# runs, and it is saved and goes on.
#
# Environment: QEMU_BIN, SRC_DIR. Needs: libvirt-daemon-driver-qemu libvirt-clients ovmf.
domain=q1
. "$(dirname "$0")/libvirt.bash"
echo "# timeout: 2700"
code=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd vars=/usr/share/OVMF/OVMF_VARS_4M.fd
need $code ovmf
cache=$("$SRC_DIR/scripts/guests.sh" kernel-amd64 initramfs-x86_64 modules-amd64) || {
    echo "Bail out! no guest"
    exit 1
}

cp "$cache/linux-amd64" "$work/img/linux"
cat "$cache/initramfs-x86_64.cpio.gz" "$cache/modules-amd64.cpio.gz" > "$work/img/initrd"
for i in sata scsi hot; do qemu-img create -q -f qcow2 "$work/img/$i.qcow2" 64M; done
truncate -s 8M "$work/img/cd.iso"
mkdir "$work/img/share"
echo shared-by-host > "$work/img/share/file"
telnet=$((20000 + RANDOM % 10000))

cat > "$work/q1.xml" <<X
<domain type='qemu'>
  <name>q1</name>
  <memory unit='MiB'>640</memory>
  <vcpu current='1'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' secure='yes' type='pflash'>$code</loader>
    <nvram template='$vars'>$work/img/vars.fd</nvram>
    <kernel>$work/img/linux</kernel>
    <initrd>$work/img/initrd</initrd>
    <cmdline>console=ttyS0 run=shell</cmdline>
  </os>
  <features><acpi/><apic/><smm state='on'/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>$emulator</emulator>
    <controller type='pci' model='pcie-root'/>
$(for i in 1 2 3 4 5 6 7 8 9 10; do echo "    <controller type='pci' index='$i' model='pcie-root-port'/>"; done)
    <controller type='pci' model='pcie-to-pci-bridge'/>
    <controller type='usb' model='qemu-xhci'/>
    <controller type='scsi' model='virtio-scsi'/>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='$work/img/sata.qcow2'/><target dev='sda' bus='sata'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
      <source file='$work/img/cd.iso'/><target dev='sdb' bus='sata'/><readonly/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='$work/img/scsi.qcow2'/><target dev='sdc' bus='scsi'/></disk>
    <filesystem type='mount' accessmode='mapped'>
      <source dir='$work/img/share'/><target dir='share'/></filesystem>
    <interface type='user'><model type='e1000e'/></interface>
    <serial type='pty'><target port='0'/></serial>
    <serial type='tcp'><source mode='bind' host='127.0.0.1' service='$telnet'/><protocol type='telnet'/>
      <target port='1'/></serial>
    <input type='keyboard' bus='virtio'/>
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' autoport='yes' listen='127.0.0.1' websocket='-1' passwd='secret'/>
    <video><model type='bochs' vram='16384'/></video>
    <sound model='ich9'><codec type='duplex'/></sound>
    <watchdog model='i6300esb' action='poweroff'/>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <panic model='isa'/>
    <shmem name='q35-$$' role='master'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>
  </devices>
</domain>
X
start_daemon
step "domain capabilities" domcapabilities --emulatorbin "$emulator" --virttype qemu --machine q35
out_has "<value>bochs</value>" && out_has "OVMF_CODE_4M"
ok $? "they have bochs-display, and OVMF"
step "define" define "$work/q1.xml"
step "start" start q1 || { sed 's/^/# /' "$work/cache/libvirt/qemu/log/q1.log" | tail -n 20; finish; exit; }
open_console
until_ 240 shown 'GUEST-READY'
ok $? "Linux is there"
alive one
ok $? "console: a shell"

# ------------------------------------------------------------------- the drivers
type_ 'ls /sys/firmware/efi/efivars | wc -l; /run.d/q35; echo listed-$((1+1))'
until_ 60 shown 'listed-2'
for d in 'e1000e:0x8086 0x10d3 e1000e' 'AHCI:0x8086 0x2922 ahci' 'HD audio:0x8086 0x293e snd_hda_intel' \
    'xHCI:0x1b36 0x000d xhci_hcd' 'bochs-display:0x1234 0x1111 bochs-drm' 'root ports:0x1b36 0x000c pcieport' \
    'watchdog:0x8086 0x25ab i6300ESB' 'virtio behind ports:0x1af4 0x10.. virtio-pci'; do
    shown "^q35 .* ${d#*:}"
    ok $? "driver of ${d%%:*}"
done
shown '0x1af4 0x1110'
ok $? "shared memory is there"
type_ 'for i in /sys/block/sd* /sys/block/sr*; do echo block-${i##*/}-$(cat $i/size); done'
until_ 30 shown 'block-sdb-131072' && until_ 10 shown 'block-sr0-16384'
ok $? "disks at SATA and SCSI, and the CD"
type_ 'for i in 4 5 8 9; do echo virtio-$i-$(grep -c -x 0x000$i /sys/bus/virtio/devices/*/device | grep -c :1); done'
until_ 30 shown 'virtio-9-1' && shown 'virtio-4-1' && shown 'virtio-5-1' && shown 'virtio-8-1'
ok $? "virtio: entropy, balloon, SCSI, the shared folder"
type_ 'ifconfig eth0 up; udhcpc -n -q -i eth0 -s /etc/udhcpc/default.script'
until_ 60 shown '^dhcp eth0 10.0.2.15'
ok $? "an address by DHCP through e1000e"
exec 6<> "/dev/tcp/127.0.0.1/$telnet"
type_ 'echo hello-telnet > /dev/ttyS1 &'
timeout 30 grep -q -a -m 1 hello-telnet <&6
ok $? "the serial port at telnet"

# --------------------------------------------------------------------- what runs
step "domstats" domstats q1
step "screenshot" screenshot q1 "$work/cache/shot.png"
step "vncdisplay" vncdisplay q1
port=$((5900 + ${out##*:}))
banner=$(timeout 5 bash -c "exec 4<>/dev/tcp/127.0.0.1/$port; head -c 12 <&4")
[ "$banner" = "RFB 003.008" ]
ok $? "VNC: the server's greeting"
step "attach-disk" attach-disk q1 "$work/img/hot.qcow2" vdb --driver qemu --subdriver qcow2 --live
type_ 'modprobe virtio_blk; until [ -b /dev/vda ]; do sleep 0.2; done; echo size-$(cat /sys/block/vda/size)'
until_ 60 shown 'size-131072'
ok $? "the guest sees the disk behind its port"
step "detach-disk" detach-disk q1 vdb --live
type_ 'while [ -b /dev/vda ]; do sleep 0.2; done; echo gone-$((1+1))'
until_ 60 shown 'gone-2'
ok $? "the guest lets it go"
step "setvcpus 2" setvcpus q1 2 --live
type_ 'until [ -d /sys/devices/system/cpu/cpu1 ]; do sleep 0.2; done; echo 1 > /sys/devices/system/cpu/cpu1/online; echo cpus-$(nproc)'
until_ 60 shown 'cpus-2'
ok $? "the guest has another processor"
step "change-media" change-media q1 sdb --eject --live --force
step "suspend" suspend q1
step "resume" resume q1
step "save" save q1 "$work/cache/q1.save"
step "restore" restore "$work/cache/q1.save"
open_console
alive two
ok $? "it goes on where it was"
step "reset" reset q1
: > "$work/console.log"
until_ 240 shown 'GUEST-READY'
ok $? "Linux is there again"
step "destroy" destroy q1
step "undefine" undefine q1 --nvram
rm -f "/dev/shm/q35-$$"
finish
