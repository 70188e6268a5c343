#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a whole set of single instructions as a real chip executed them, from a folder with the files
# *.MOO.gz of the public sets SingleStepTests/8086 (its folder v1_binary) or SingleStepTests/80286 (v1_real_mode).
#
#   scripts/x86-vectors.sh 8086|286 FOLDER [FORM]
#   SAMPLE=N scripts/x86-vectors.sh 8086|286 FOLDER     prints every N-th in the form of
#                                                       tests/target/i386/vectors-*.txt
#
# FORM: only files whose names begin so ("F6.7"). In a built tree; prints what differs and exits with 1 if anything does.
set -eu
[ $# -ge 2 ] || { sed -n '3,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
src=$(cd "$(dirname "$0")/.." && pwd)
test=${BUILD_DIR:-$src/build}/tests/target/i386/test-vectors
[ -x "$test" ] || { echo "$test: missing; 'make check T=test-vectors' builds it" >&2; exit 2; }
export X86_VECTORS_CPU="$1" X86_VECTORS="$2" SRC_DIR="$src"
[ $# -lt 3 ] || export X86_VECTORS_ONLY="$3"
if [ -n "${SAMPLE:-}" ]; then
    X86_VECTORS_SAMPLE=$SAMPLE "$test" | grep '^[0-9A-F][0-9A-F][.0-9]* '
else
    exec "$test"
fi
