#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# oracle-long.sh MILLIONS: rounds of test-native and test-native-vec, each with a seed of its own, until
# so many instructions have been compared with the host CPU. Stops at the first round that fails.
# In the build folder, by "make check-oracle-long [ORACLE=MILLIONS]". SEED is the first seed.
set -eu
millions=${1:-50}
seed=${SEED:-1000}
sequences=5000
done=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
while [ "$done" -lt $((millions * 1000000)) ]; do
    for t in test-native test-native-vec; do
        if ! X86_NATIVE_SEED=$seed X86_NATIVE_COUNT=$sequences tests/target/i386/$t > "$log" 2>&1; then
            cat "$log"
            echo "oracle: $t fails with X86_NATIVE_SEED=$seed X86_NATIVE_COUNT=$sequences"
            exit 1
        fi
        n=$(awk '/^# .*instructions$/ { for (i = 1; i < NF; i++) if ($(i + 1) == "instructions") n += $i }
                 END { print n + 0 }' "$log")
        done=$((done + n))
    done
    echo "seed $seed: $done instructions"
    seed=$((seed + 1))
done
