#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/qmp-coverage.md is what the build makes of the schema.
echo 1..1
if diff "${SRC_DIR:-.}/docs/qmp-coverage.md" "${BUILD_DIR:-build}/generated/qapi/qmp-coverage.md" > /dev/null; then
    echo "ok 1 docs/qmp-coverage.md is up to date"
else
    diff "${SRC_DIR:-.}/docs/qmp-coverage.md" "${BUILD_DIR:-build}/generated/qapi/qmp-coverage.md" | sed 's/^/# /'
    echo "not ok 1 docs/qmp-coverage.md is old: make qmp-coverage"
fi
