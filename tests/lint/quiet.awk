# SPDX-License-Identifier: GPL-2.0-or-later
#
# Monitor handlers neither print nor exit. Input: objdump -dr of objects. In
# monitor/ every function is looked at, elsewhere those named qmp_*.

/:[ \t]+file format/ {
    object = $1
    sub(/:$/, "", object)
    sub(/^\.\//, "", object)
    in_monitor = object ~ /^monitor\//
    next
}

/^[0-9a-f]+ <.*>:$/ {
    fn = $2
    gsub(/[<>:]/, "", fn)
    watched = in_monitor || fn ~ /^qmp_/
    next
}

watched && /R_[A-Z0-9_]+[ \t]/ {
    sym = $NF
    sub(/[-+@].*/, "", sym)
    if (sym ~ /^(__)?v?(printf|fprintf)(_chk)?$/ ||
        sym ~ /^(puts|putchar|putc|fputs|fputc|fwrite|perror|stdout|stderr)$/ ||
        sym ~ /^(exit|_exit|_Exit|abort|quick_exit)$/ ||
        sym ~ /^(error_report|g_print|g_printerr|g_error|qobject_dump)$/) {
        printf "%s: %s() uses %s: a monitor handler gives a result or an error\n",
               object, fn, sym
        bad = 1
    }
}

END { exit bad }
