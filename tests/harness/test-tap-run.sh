#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The runner counts what programs report, and sees what they don't.
run=${BUILD_DIR:-.}/tests/harness/tap-run
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0

script()        # script NAME: its text from stdin
{
    cat > "$dir/$1.sh"
}

expect()        # expect STATUS SUMS WORDS TEXT SCRIPT...
{
    status=$1 sums=$2 words=$3 text=$4
    shift 4
    files=
    for s; do files="$files $dir/$s.sh"; done
    CHECK_JOBS=2 CHECK_PATIENCE=1 "$run" $files > "$dir/log" 2>&1
    got=$?
    n=$((n + 1))
    if [ $got = "$status" ] && [ "$(tail -n 1 "$dir/log")" = "$sums" ] &&
            grep -q -e "$words" "$dir/log"; then
        echo "ok $n $text"
    else
        sed 's/^/# /' "$dir/log"
        echo "not ok $n $text"
    fi
}

echo "1..8"
script good <<'END'
echo 1..3; echo ok 1 a; echo "ok 2 b"; echo "ok 3 c # SKIP nothing there"
END
script bad <<'END'
echo 1..2; echo ok 1; echo the reason; echo not ok 2; exit 1
END
script short <<'END'
echo 1..2; echo ok 1
END
script none <<'END'
echo hello
END
script status <<'END'
echo 1..1; echo ok 1; exit 3
END
script killed <<'END'
echo 1..1; echo ok 1; kill -SEGV $$
END
script hangs <<'END'
echo 1..1; echo "# timeout: 1"; sleep 100
END
expect 0 "2 passed, 0 failed, 1 skipped" "good.sh: 2 passed" "passed and skipped" good
expect 1 "3 passed, 1 failed, 1 skipped" "the reason" "output of what fails is shown" good bad
expect 1 "1 passed, 1 failed, 0 skipped" "than planned" "a case that is missing" short
expect 1 "0 passed, 1 failed, 0 skipped" "no TAP plan" "no plan" none
expect 1 "1 passed, 1 failed, 0 skipped" "exit status 3" "a bad exit status" status
expect 1 "1 passed, 1 failed, 0 skipped" "signal 11" "a crash" killed
expect 1 "0 passed, 1 failed, 0 skipped" "still running after 1 s" "a time limit" hangs
expect 2 "0 passed, 0 failed, 0 skipped" "no test's path matches" "nothing to run"
