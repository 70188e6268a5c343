# SPDX-License-Identifier: GPL-2.0-or-later
#
# The table of docs/vnc.md from what bench-vnc has printed; the plots are drawn from the table (plot-vnc.awk):
#
#   make bench-vnc > FILE; awk -F '\t' -f tests/bench/table-vnc.awk FILE
# The last two columns are beside TigerVNC's Xvnc, where that has the encoding.
BEGIN {
    print "| encoding | screens | bytes | of QEMU's | CPU ms | of QEMU's | latency ms | QEMU | bytes of Xvnc's | CPU of Xvnc's |"
    print "|---|---|---|---|---|---|---|---|---|---|"
}
NF < 9 || $1 == "encoding" { next }
!(($1, $2) in seen) { seen[$1, $2] = 1; row[++rows] = $1 SUBSEP $2 }
{ bytes[$1, $2, $3] = $4; cpu[$1, $2, $3] = $5; latency[$1, $2, $3] = $7 }
function share(of, r, who)
{
    return of[r, who] ? sprintf("%.2f", of[r, "ours"] / of[r, who]) : ""
}
END {
    for (i = 1; i <= rows; i++) {
        r = row[i]
        split(r, name, SUBSEP)
        printf "| %s | %s | %d | %s | %d | %s | %s | %s | %s | %s |\n", name[1], name[2], bytes[r, "ours"], share(bytes, r, "peer"),
               cpu[r, "ours"], share(cpu, r, "peer"), latency[r, "ours"], latency[r, "peer"], share(bytes, r, "xvnc"),
               share(cpu, r, "xvnc")
    }
}
