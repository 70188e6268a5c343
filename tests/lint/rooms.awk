# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may include whom (docs/architecture.md, "Arrows"). Arguments: source files,
# by their path from the root. A room may use itself, the rooms in its row, and
# what those may use. Rooms are folders; the longest name that fits counts.

function row(name, uses) { may[name] = uses; rooms[++n_rooms] = name }

BEGIN {
    row("util", "")
    row("qobject", "")                  # and util/osdep.h, see below
    row("qapi", "qobject util")
    row("qom", "qapi")
    row("vmstate", "qom")
    row("memory", "vmstate")
    row("hw/core", "memory")
    row("tcg", "util")
    row("accel", "hw/core tcg")
    row("target", "accel")
    row("crypto", "qom")
    row("block", "qom crypto")
    row("chardev", "qom crypto")
    row("net", "qom crypto chardev")
    row("audio", "qom")
    row("fsdev", "qom")
    row("ui/core", "qom crypto")
    row("libivshmem", "")               # and util/osdep.h, see below
    row("hw", "hw/core accel block chardev net audio fsdev ui/core libivshmem")
    # Machines: what a board is made of. No device includes them.
    row("hw/i386", "hw")
    row("hw/m68k", "hw")
    row("hw/ppc", "hw")
    row("hw/arm", "hw")
    row("migration", "hw hw/i386 hw/m68k hw/ppc hw/arm")
    row("dump", "hw/core")
    row("ui", "migration")
    row("monitor", "ui dump")
    row("system", "monitor")
    row("libqmp", "qapi")
    row("tools", "qapi block libqmp libivshmem")
    row("tools/qemu-state", "migration")
    row("qapi/gen", "qobject util")
    row("guest", "")
    row("tests", "system libqmp libivshmem target tools qapi/gen")
    row("tests/lib", "system libqmp target")
    for (i = 1; i <= n_rooms; i++) {
        is_room[rooms[i]] = 1
        close_over(rooms[i], rooms[i])
    }
    # Of util/ these see only what needs nothing but the C library.
    # libqmp/qmp-glib.h is for users of GLib, and nothing else of it includes that.
    libc_only["qobject"] = libc_only["libqmp"] = libc_only["libivshmem"] = 1
    bad = 0
}

function close_over(from, room,    words, k, m) {
    if ((from, room) in allowed)
        return
    allowed[from, room] = 1
    m = split(may[room], words, " ")
    for (k = 1; k <= m; k++)
        close_over(from, words[k])
}

function room_of(path,    p) {
    p = path
    while (sub(/\/[^\/]*$/, "", p))
        if (p in is_room)
            return p
    return ""
}

function complain(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}

FNR == 1 {
    room = room_of(FILENAME)
    if (room == "")
        complain("the file is in no room (the table is in tests/lint/rooms.awk)")
    spdx = 0
}
FNR <= 3 && /SPDX-License-Identifier: GPL-2\.0-or-later/ { spdx = 1 }
FNR == 3 && !spdx { complain("no SPDX line (GPL-2.0-or-later) on top") }

# Words that must be finished before they are landed.
/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)([^A-Za-z0-9_]|$)/ { complain("unfinished: " $0) }

/^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ && room != "target" && room !~ /^tests/ &&
        /(^|[^A-Za-z0-9_])(TARGET_|CONFIG_TARGET_)[A-Z0-9]/ {
    complain("#if of a guest's architecture outside of target/")
}

/^[ \t]*#[ \t]*include[ \t]*</ && room in libc_only && /<(glib|gio|gmodule|pixman|zlib)/ &&
        FILENAME !~ /libqmp\/qmp-glib\.h$/ {
    complain("only the C library may be used here")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    inc = $0
    sub(/^[^"]*"/, "", inc)
    sub(/".*/, "", inc)
    if (inc == "config.h")
        next
    if (inc !~ /\//) {
        complain("include \"" inc "\": write its path from the root")
        next
    }
    if (inc ~ /(^|\/)\.\.?\//) {
        complain("include \"" inc "\": no . or .. in paths")
        next
    }
    to = room_of(inc)
    if (to == "")
        complain("include \"" inc "\": in no room")
    else if (room == "")
        next
    else if (inc == "util/osdep.h")
        next
    else if (room in libc_only && to == "util")
        complain("include \"" inc "\": of util/ only osdep.h may be used here")
    else if (to == "tests/lib" && room ~ /^tests/)
        next
    else if (!((room, to) in allowed))
        complain("include \"" inc "\": " room "/ may not use " to "/")
}

END { exit bad }
