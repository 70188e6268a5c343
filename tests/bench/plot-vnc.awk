# SPDX-License-Identifier: GPL-2.0-or-later
# The table of docs/vnc.md as a picture: of each encoding and screen, bytes (column=4) or processor time
# (column=6) as a share of QEMU's.
#   awk -v column=4 -v title='bytes' -f tests/bench/plot-vnc.awk docs/vnc.md > docs/vnc-bytes.svg
BEGIN {
	FS = " *[|] *"
	width = 760
	left = 130
	scale = 420
	split("#3465a4 #73d216 #f57900 #75507b #cc0000", color, " ")
}
NF >= 9 && $3 ~ /^(console|typing|window|photo|film)$/ {
	if (!($2 in row)) {
		name[++n] = $2
		row[$2] = n
	}
	if (!($3 in screen)) {
		screens[++m] = $3
		screen[$3] = m
	}
	value[row[$2], screen[$3]] = $(column + 1)
}
END {
	high = 12 * m + 10
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n",
		width, n * high + 50
	printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	printf "<text x=\"%d\" y=\"16\">%s, as a share of QEMU's</text>\n", left, title
	for (k = 1; k <= m; k++)
		printf "<rect x=\"%d\" y=\"24\" width=\"10\" height=\"10\" fill=\"%s\"/><text x=\"%d\" y=\"33\">%s</text>\n",
			left + 90 * (k - 1), color[k], left + 90 * (k - 1) + 14, screens[k]
	for (i = 1; i <= n; i++) {
		top = 44 + (i - 1) * high
		printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left - 8, top + high / 2, name[i]
		for (k = 1; k <= m; k++) {
			v = value[i, k]
			long = (v > 1.4 ? 1.4 : v) * scale
			printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"10\" fill=\"%s\"/>", left, top + 12 * (k - 1), long, color[k]
			printf "<text x=\"%.1f\" y=\"%d\" font-size=\"9\">%.2f</text>\n", left + long + 3, top + 12 * (k - 1) + 9, v
		}
	}
	printf "<line x1=\"%d\" y1=\"40\" x2=\"%d\" y2=\"%d\" stroke=\"black\"/>\n", left + scale, left + scale, n * high + 44
	print "</svg>"
}
