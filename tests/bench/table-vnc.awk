# SPDX-License-Identifier: GPL-2.0-or-later
#
# The table of docs/vnc.md from what bench-vnc has printed; the plots are drawn from the table (plot-vnc.awk):
#
#   make bench-vnc > FILE; awk -F '\t' -f tests/bench/table-vnc.awk FILE
BEGIN {
    print "| encoding | screens | bytes | of QEMU's | CPU ms | of QEMU's | latency ms | QEMU |"
    print "|---|---|---|---|---|---|---|---|"
}
$3 == "ours" { bytes[$1, $2] = $4; cpu[$1, $2] = $5; latency[$1, $2] = $7 }
$3 == "peer" && ($1, $2) in bytes {
    printf "| %s | %s | %d | %.2f | %d | %.2f | %s | %s |\n", $1, $2, bytes[$1, $2], bytes[$1, $2] / $4,
           cpu[$1, $2], $5 ? cpu[$1, $2] / $5 : 0, latency[$1, $2], $7
}
