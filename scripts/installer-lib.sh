# SPDX-License-Identifier: GPL-2.0-or-later
# For what runs Debian's netboot installer unattended: sourced by install-debian.sh and tests/clients/. Sets $netboot, the folder with
# the installer's `linux` and `initrd.gz`, and $installer_words, what its kernel is told.
netboot=/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64
installer_words='auto=true priority=critical DEBIAN_FRONTEND=text console=ttyS0 no_timer_check ipv6.disable=1 --- console=ttyS0'

# host_mirror: what apt's sources name for Debian's main suite, in both of their formats
host_mirror() {
	{
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null |
			sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) bookworm .*/\2/p'
		cat /etc/apt/sources.list.d/*.sources 2> /dev/null | sed '/^#/d' | awk -v RS= '/(^|\n)Suites:[^\n]*[ \t]bookworm([ \t\n]|$)/ {
			for (i = 1; i < NF; i++) if ($i == "URIs:") print $(i + 1) }'
	} | head -n 1
}

# installer_mirror FOLDER [MIRROR-URL]: serves the installer's mirror until process $mirror_pid is ended; its port is $mirror_port.
# FOLDER is for its files.
installer_mirror() {
	mirror=${2:-$(host_mirror)}
	[ -n "$mirror" ] || {
		echo "installer: apt's sources name no mirror of bookworm" >&2
		return 1
	}
	mirror_folder=$("$src/scripts/installer-mirror.sh" "$mirror") || return 1
	"$src/scripts/installer-serve.pl" "$mirror_folder" "$mirror" "$1/port" > "$1/serve.log" 2>&1 < /dev/null &
	mirror_pid=$!
	until [ -f "$1/port" ]; do
		kill -0 $mirror_pid 2> /dev/null || {
			echo "installer: $(cat "$1/serve.log")" >&2
			return 1
		}
		sleep 0.1
	done
	mirror_port=$(cat "$1/port")
}

# installer_initrd FILE FOLDER: the installer's initrd with the answers to all that it would ask. The disk is the first one. What it
# logs goes to the second serial port, too. Small: systemd (D-Bus, which the power button needs), a network, a kernel, GRUB, a login;
# user root, password 'debian'. It believes Debian's keys, and that of the mirror's list of udebs.
installer_initrd() {
	mkdir -p "$2/answers/usr/share/keyrings"
	cat /usr/share/keyrings/debian-archive-keyring.gpg "$mirror_folder/key.gpg" > "$2/answers/usr/share/keyrings/archive.gpg"
	cat > "$2/answers/preseed.cfg" <<-END
	d-i debian-installer/language string C
	d-i debian-installer/country string US
	d-i debian-installer/locale string C
	d-i keyboard-configuration/xkb-keymap select us
	d-i netcfg/choose_interface select auto
	d-i netcfg/get_hostname string debian
	d-i netcfg/get_domain string
	d-i hw-detect/load_firmware boolean false
	d-i mirror/country string manual
	d-i mirror/protocol string http
	d-i mirror/http/hostname string 10.0.2.2:$mirror_port
	d-i mirror/http/directory string /debian
	d-i mirror/http/proxy string
	d-i mirror/suite string bookworm
	d-i mirror/udeb/suite string bookworm
	d-i passwd/make-user boolean false
	d-i passwd/root-password password debian
	d-i passwd/root-password-again password debian
	d-i clock-setup/utc boolean true
	d-i clock-setup/ntp boolean false
	d-i time/zone string UTC
	d-i partman-auto/method string regular
	d-i partman-auto/choose_recipe select atomic
	d-i partman-efi/non_efi_system boolean true
	d-i partman-partitioning/confirm_write_new_label boolean true
	d-i partman/choose_partition select finish
	d-i partman/confirm boolean true
	d-i partman/confirm_nooverwrite boolean true
	d-i base-installer/debootstrap_variant string minbase
	d-i base-installer/includes string debconf-i18n systemd-sysv dbus udev kmod ifupdown isc-dhcp-client iproute2 netbase procps
	d-i base-installer/install-recommends boolean false
	d-i base-installer/kernel/image string linux-image-amd64
	d-i base-installer/initramfs-tools/driver-policy select dep
	d-i apt-setup/services-select multiselect
	d-i apt-setup/cdrom/set-first boolean false
	d-i apt-setup/enable-source-repositories boolean false
	d-i apt-setup/disable-cdrom-entries boolean true
	d-i pkgsel/run_tasksel boolean false
	d-i pkgsel/upgrade select none
	d-i pkgsel/update-policy select none
	d-i grub-installer/only_debian boolean true
	d-i grub-installer/with_other_os boolean false
	d-i grub-installer/force-efi-extra-removable boolean true
	d-i finish-install/reboot_in_progress note
	d-i debian-installer/exit/poweroff boolean true
	d-i preseed/early_command string tail -f /var/log/syslog > /dev/ttyS1 2> /dev/null < /dev/null 3>&- 4>&- 5>&- 6>&- &
	d-i partman/early_command string disk=\$(list-devices disk | head -n 1); debconf-set partman-auto/disk "\$disk"; debconf-set grub-installer/bootdev "\$disk"
	d-i preseed/late_command string sed -i 's,http://10.0.2.2[^ ]*,$mirror,' /target/etc/apt/sources.list; logger -t installer 'all is installed'
	END
	(cd "$2/answers" && find . -type f | cpio -o -H newc -R 0:0 --quiet) | gzip | cat "$netboot/initrd.gz" - > "$1"
}

# installer_asks FILE: it waits for somebody who isn't there, says its console's log
installer_asks() {
	grep -q -a -e "Prompt: '?' for help" -e 'Press enter to continue' "$1"
}

# installer_stage SYSLOG: what it does
installer_stage() {
	sed -n "s/.*Menu item '\([^']*\)' selected.*/\1/p; s/.*finish-install: info: Running \(.*\)/\1/p; s/.*installer: \(all is installed\)/\1/p" \
		"$1" 2> /dev/null | tail -n 1
}
