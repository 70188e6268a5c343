#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The checkers find what they are for, and leave alone what is right.
lint=${SRC_DIR:-.}/tests/lint
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0

result()        # result STATUS TEXT
{
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; fi
}

file()          # file PATH: content from stdin, an SPDX line before it
{
    mkdir -p "$dir/$(dirname "$1")"
    { echo "/* SPDX-License-Identifier: GPL-2.0-or-later */"; cat; } > "$dir/$1"
}

accepts()       # accepts PATH TEXT
{
    (cd "$dir" && awk -f "$lint/rooms.awk" "$1" > log 2>&1)
    result $? "$2"
}

refuses()       # refuses PATH WORDS TEXT
{
    if (cd "$dir" && awk -f "$lint/rooms.awk" "$1" > log 2>&1); then
        result 1 "$3"
    else
        grep -q "$2" "$dir/log"
        result $? "$3"
    fi
}

case $lint in /*) ;; *) lint=$(pwd)/$lint ;; esac
echo "1..13"
file hw/net/x.c <<END
#include "util/osdep.h"
#include "hw/core/device.h"
#include "net/net.h"
#include "qobject/error.h"
END
accepts hw/net/x.c "a device may use the core and a back end"
printf '#include "target/i386/state.h"\n\n' | file hw/net/y.c
refuses hw/net/y.c "hw/ may not use target/" "a device may not use a CPU's header"
printf '#include "hw/i386/pc.h"\n\n' | file hw/net/z.c
refuses hw/net/z.c "hw/ may not use hw/i386/" "a device may not use a machine"
printf '#include "qobject/error.h"\n\n' | file util/x.c
refuses util/x.c "util/ may not use qobject/" "arrows point one way"
printf '#include "util/thread.h"\n\n' | file qobject/x.c
refuses qobject/x.c "only osdep.h" "qobject/ is libc only"
printf '#include <glib.h>\n\n' | file libqmp/x.c
refuses libqmp/x.c "only the C library" "libqmp/ is libc only"
printf '#ifdef TARGET_I386\n#endif\n' | file memory/x.c
refuses memory/x.c "outside of target" "no #if of a guest's architecture"
printf '#ifdef TARGET_I386\n#endif\n' | file target/i386/x.c
accepts target/i386/x.c "but inside of target/"
printf '#include "x.h"\n\n' | file memory/y.c
refuses memory/y.c "path from the root" "paths from the root"
printf '\n\n\n' > "$dir/memory/z.c"
refuses memory/z.c "SPDX" "an SPDX line"

cat > "$dir/t.c" <<END
const int a = 1; static int counter = 2; extern int *const p;
int *const p = &counter;
int qmp_f(void); int qmp_f(void) { extern int puts(const char *); counter++; return puts("x"); }
END
mkdir -p "$dir/net"
${CC:-cc} -fPIC -c -o "$dir/net/t.o" "$dir/t.c"
(cd "$dir" && nm -A -f sysv --defined-only net/t.o | awk -f "$lint/data.awk" - > log)
[ "$(wc -l < "$dir/log")" = 1 ] && grep -q "net/t.o: 'counter'" "$dir/log"
result $? "data that changes is found, and only that"
echo "net/* counter counts" > "$dir/list"
(cd "$dir" && nm -A -f sysv --defined-only net/t.o | awk -f "$lint/data.awk" list - > log)
result $? "unless a list has it"
(cd "$dir" && objdump -dr net/t.o | awk -f "$lint/quiet.awk" > log)
grep -q "qmp_f() uses puts" "$dir/log"
result $? "a handler that prints is found"
