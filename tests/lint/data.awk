# SPDX-License-Identifier: GPL-2.0-or-later
#
# File-scope data that can change, against the lists in registries/. Arguments:
# those lists, then "-": the output of nm -A -f sysv on the objects.
# A list's line: object's path, symbol (both may have a * at the end), why.

function matches(pattern, s) {
    if (pattern ~ /\*$/)
        return index(s, substr(pattern, 1, length(pattern) - 1)) == 1
    return pattern == s
}

FILENAME != "-" {
    if ($0 ~ /^[ \t]*(#|$)/)
        next
    if (NF < 3) {
        printf "%s:%d: expected: object, symbol, why\n", FILENAME, FNR
        bad = 1
        next
    }
    where[++n] = $1
    symbol[n] = $2
    next
}

{
    split($0, f, "|")
    for (i in f)
        gsub(/[ \t]/, "", f[i])
    if (f[4] != "OBJECT" || f[7] !~ /^(\.data|\.bss|COM|\*COM\*)/ || f[7] ~ /^\.data\.rel\.ro/)
        next
    k = split(f[1], name, ":")
    object = name[1]
    sub(/^\.\//, "", object)
    sym = name[k]
    sub(/\.[0-9]+$/, "", sym)           # a static variable inside a function: gcc,
    sub(/^.*\./, "", sym)               # clang
    for (i = 1; i <= n; i++)
        if (matches(where[i], object) && matches(symbol[i], sym))
            next
    printf "%s: '%s' is data that can change outside of an instance; make it const, " \
           "or list it with a reason in tests/lint/registries/\n", object, sym
    bad = 1
}

END { exit bad }
