# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program's man page from what it prints with -help: a line of an option's syntax, and below it, indented, what
# it does.

function esc(s)
{
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    sub(/^[.']/, "\\\\\\&", s)
    return s
}

BEGIN {
    print ".\\\" SPDX-License-Identifier: GPL-2.0-or-later"
    print ".TH QEMU\\-SYSTEM 1 \"\" \"qemu\\-system 0.1\" \"User commands\""
    print ".SH NAME"
    print "qemu\\-system, qemu\\-system\\-x86_64, qemu\\-system\\-i386, qemu\\-system\\-m68k \\- emulates a whole computer"
    print ".SH SYNOPSIS"
    print ".B qemu\\-system\\-x86_64"
    print "[options] [disk image]"
    print ".SH DESCRIPTION"
    print "Runs a virtual machine: processors of any kind on any host, with the devices of a PC or a Macintosh Quadra."
    print "The name it is called by chooses the architecture whose machine and processor it takes where none is given."
    print "A value of"
    print ".I help"
    print "lists what an option can name, as in"
    print ".BR \"\\-device help\" ;"
    print ".B \\-device DRIVER,help"
    print "lists the properties of a device. The manual is in"
    print ".IR share/doc/qemu\\-system ."
    print ".SH OPTIONS"
    print ".ad l"
}

/^-/ { print ".TP"; print ".B " esc($0); next }
/^ / { sub(/^ +/, ""); print esc($0) }

END {
    print ".ad b"
    print ".SH EXIT STATUS"
    print "0 when the machine was switched off or ended from a monitor; 1 if it could not be started."
    print ".SH SEE ALSO"
    print ".BR qemu\\-img (1),"
    print ".BR qemu\\-nbd (1),"
    print ".BR qemu\\-state (1),"
    print ".BR qmp\\-shell (1),"
    print ".BR ivshmem\\-server (1),"
    print ".BR qemu\\-bridge\\-helper (8)"
}
