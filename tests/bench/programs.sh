#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that the code generator wasn't tuned on, from Debian's packages, inside an installed Debian under this emulator and
# under the installed QEMU's TCG, in turns: medians, in work a second, and their ratios.
#
#   programs.sh [-r ROUNDS] [-c CPU,...] [ROW...]
#
# Rows: see "work" below. The image is made by scripts/disk-image.sh (as root) when it isn't there.
# Environment: QEMU_BIN, PEER as for run.sh.
set -eu
. "$(dirname "$0")/lib.sh"
ours=${QEMU_BIN:?path of the emulator}-x86_64
rounds=3 cpus=qemu64
while getopts r:c: o; do
	case $o in
	r) rounds=$OPTARG ;;
	c) cpus=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
image=$("$src/scripts/disk-image.sh" --name debian-programs --size 4096 \
	--with openssl,sqlite3,python3,gcc,libc6-dev,xz-utils,stress-ng)
key=${image%/*}/guest-key
port=$((20000 + $$ % 20000))

# What the guest's shell runs: rows "NAME WORK-A-SECOND" for the names it is given, or all.
cat > "$tmp/work" << 'END'
set -eu
# timed NAME AMOUNT COMMAND...
timed() {
	name=$1 amount=$2
	shift 2
	begin=$(date +%s%N)
	"$@" > /dev/null 2>&1
	awk -v n="$name" -v a="$amount" -v ns=$(($(date +%s%N) - begin)) 'BEGIN { printf "row %s %.4g\n", n, a * 1e9 / ns }'
}
speed() {
	name=$1
	shift
	openssl speed -mr -seconds 1 "$@" 2> /dev/null | awk -F: -v n="$name" '
		$1 == "+F" { v = $NF } $1 == "+F2" { v = $4 } END { printf "row %s %.4g\n", n, v }'
}
stress() {
	stress-ng --"$1" 1 ${3:+--$1-method} ${3:-} -t 2 --metrics-brief 2>&1 |
		awk -v c="$1" -v n="$2" '{ for (i = 1; i < NF; i++) if ($i == c && $(i + 1) + 0 > 0) printf "row %s %.4g\n", n, $(i + 5) }'
}
wanted() { [ -z "$rows" ] || case " $rows " in *" $1 "*) ;; *) return 1 ;; esac; }
rows=$*
cd /tmp
head -c 4000000 /usr/lib/x86_64-linux-gnu/libc.a > data
{
	echo '#include <stdio.h>'
	for i in $(seq 400); do
		echo "int f$i(int *p, int n) { int s = $i; for (int k = 0; k < n; k++) { s = s * 31 + p[k] % (k + $i); if (s & 4) s ^= p[n - k - 1]; } return s; }"
	done
} > source.c
cat > test.py << 'PY'
import json, re
words = {}
for i in range(60000):
    w = "w%d" % (i * 7919 % 5003)
    words[w] = words.get(w, 0) + len(re.sub("[0-4]", "", w))
text = json.dumps(sorted(words.items()))
print(sum(v for k, v in json.loads(text)), sum(x * x for x in range(300000)))
PY
cat > test.sql << 'SQL'
CREATE TABLE t(a INTEGER PRIMARY KEY, b INTEGER, c TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
	INSERT INTO t SELECT i, i * 7919 % 60013, 'row ' || i FROM n;
CREATE INDEX tb ON t(b);
SELECT sum(x.a * y.b), count(*) FROM t x JOIN t y ON x.b = y.a WHERE x.c LIKE '%7%';
SELECT c, count(*) FROM t GROUP BY substr(c, 5, 2) ORDER BY 2 DESC;
SQL
wanted aes-128-cbc && speed aes-128-cbc -bytes 8192 -evp aes-128-cbc
wanted sha256-openssl && speed sha256-openssl -bytes 8192 -evp sha256
wanted rsa2048-sign && speed rsa2048-sign rsa2048
wanted sqlite && timed sqlite 1 sqlite3 :memory: '.read test.sql'
wanted python3 && timed python3 1 python3 test.py
wanted gcc && timed gcc 400 gcc -O2 -c -o source.o source.c
wanted xz && timed xz 4000000 xz -6 -k -c data
wanted xz-decompress && xz -k -f data && timed xz-decompress 4000000 xz -d -c data.xz
wanted gzip && timed gzip 4000000 gzip -c data
wanted stress-matrix && stress matrix stress-matrix
wanted stress-qsort && stress qsort stress-qsort
wanted stress-switch && stress switch stress-switch
wanted stress-pipe && stress pipe stress-pipe
wanted stress-fork && stress fork stress-fork
exit 0
END

in_guest() {
	ssh -q -i "$key" -p $port -o StrictHostKeyChecking=no -o BatchMode=yes -o UserKnownHostsFile=/dev/null \
		-o ConnectTimeout=10 root@127.0.0.1 "$@"
}

# run NAME EMULATOR CPU ROW...
run() {
	name=$1 emulator=$2 model=$3
	shift 3
	"$emulator" -accel tcg -cpu "$model" -m 1024 -display none -snapshot -drive "file=$image,format=raw" \
		-serial "file:$tmp/serial" -nic "user,hostfwd=tcp:127.0.0.1:$port-:22" < /dev/null > "$tmp/$name.err" 2>&1 &
	pid=$!
	tries=0
	until in_guest true; do
		tries=$((tries + 1))
		if [ $tries -ge 150 ] || ! kill -0 $pid 2> /dev/null; then
			echo "the guest isn't there: $(cat "$tmp/$name.err")" >&2
			kill $pid 2> /dev/null || true
			return 1
		fi
		sleep 2
	done
	in_guest "cat > /tmp/work && sh /tmp/work $*" < "$tmp/work" | sed -n 's/^row //p' >> "$tmp/$name.rows"
	kill $pid
	wait $pid 2> /dev/null || true
}

peer=${PEER:+$PEER/qemu-system-x86_64}
[ -n "$peer" ] || peer=$(command -v qemu-system-x86_64 || true)
for c in $(echo "$cpus" | tr , ' '); do
	: > "$tmp/ours.rows"
	: > "$tmp/peer.rows"
	i=0
	while [ $i -lt "$rounds" ]; do
		i=$((i + 1))
		echo "programs, $c: round $i of $rounds" >&2
		run ours "$ours" "$c" "$@"
		[ -z "$peer" ] || run peer "$peer" "$c" "$@"
	done
	echo "== programs in an installed Debian, -cpu $c"
	compare "$tmp/ours.rows" "$tmp/peer.rows"
done
