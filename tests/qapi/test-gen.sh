#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The generator refuses wrong schemas, and says where and why.
gen=${BUILD_DIR:-.}/qapi/gen/qapi-gen
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo 0 > "$dir/n"

doc()           # doc NAME [LINE...]: a documentation comment
{
    printf '##\n# @%s: text\n' "$1"
    shift
    for line; do printf '# %s\n' "$line"; done
    printf '##\n'
}

refuses()       # refuses LINE WORDS: the schema on stdin
{
    n=$(($(cat "$dir/n") + 1))       # each runs at the end of a pipe
    echo $n > "$dir/n"
    cat > "$dir/s.json"
    if "$gen" -o "$dir" "$dir/s.json" > "$dir/log" 2>&1; then
        echo "not ok $n accepted, but: $2"
    elif grep -q "^$dir/s.json:$1: .*$2" "$dir/log"; then
        echo "ok $n $2"
    else
        sed 's/^/# /' "$dir/log"
        echo "not ok $n $2"
    fi
}

echo "1..17"
echo "{ 'command': 'x' }" | refuses 1 "command 'x' isn't documented"
{ doc x; echo "{ 'command': 'x', 'data': { 'a': 'int' } }"; } |
    refuses 4 "'a' of command 'x' isn't documented"
{ doc x "@b: what"; echo "{ 'command': 'x' }"; } | refuses 1 "'x' has no 'b'"
{ doc y; echo "{ 'command': 'x' }"; } | refuses 1 "documentation of 'y' stands before 'x'"
{ doc x; echo "{ 'command': 'x', 'returns': 'Nix' }"; } | refuses 4 "no type 'Nix'"
{ doc x; echo "{ 'command': 'x', 'retuns': 'int' }"; } | refuses 4 "unknown key 'retuns'"
{ doc x; echo "{ 'command': 'x' "; } | refuses 5 "expected ',' or '}'"
{ doc x; echo "{ 'command': \"x\" }"; } | refuses 4 "expected a string"
{ doc A; echo "{ 'struct': 'A', 'base': 'A', 'data': {} }"; } | refuses 4 "contains itself"
{ doc A; echo "{ 'enum': 'A', 'data': [ 'a' ] }"; doc A; echo "{ 'enum': 'A', 'data': [] }"; } |
    refuses 8 "'A' is defined at"
{ doc A; echo "{ 'struct': 'A', 'data': { 'a': 'int', 'a': 'str' } }"; } |
    refuses 4 "duplicate key 'a'"
{ doc A; echo "{ 'alternate': 'A', 'data': { 'a': 'int', 'b': 'number' } }"; } |
    refuses 4 "look the same"
{ doc A; echo "{ 'union': 'A', 'base': { 'k': 'str' }, 'discriminator': 'k', 'data': {} }"; } |
    refuses 4 "isn't a required enum member"
{ doc E; echo "{ 'enum': 'E', 'data': [ 'e' ] }"; doc S; echo "{ 'struct': 'S', 'data': {} }"
  doc A; echo "{ 'union': 'A', 'base': { 'k': 'E' }, 'discriminator': 'k', 'data': { 'f': 'S' } }"
} | refuses 12 "'f' is no value of 'E'"
printf '##\n# @x: text\n' | refuses 1 "without its closing"
doc x | refuses 1 "documentation of 'x' without a definition"

# The manual as a page for browsers: text is escaped, no link leads nowhere, no place is there twice.
{
    printf '##\n# = A chapter\n##\n\n'
    doc S "with <b> & \`code\`" "" "@a: first" "@b: second" "    goes on"
    echo "{ 'struct': 'S', 'data': { 'a': 'int', 'b': [ 'str' ] } }"
    doc stop "" "Example:" "" "-> { \"execute\": \"stop\" }"
    echo "{ 'command': 'stop', 'returns': 'S' }"
    doc STOP
    echo "{ 'event': 'STOP' }"
} > "$dir/s.json"
n=$(($(cat "$dir/n") + 1))
page=$dir/qmp-reference.html
"$gen" -o "$dir" -d "$dir" "$dir/s.json" > "$dir/log" 2>&1 &&
    grep -q '<h2 id="chapter-0">A chapter</h2>' "$page" && grep -q '&lt;b&gt; &amp; <code>code</code>' "$page" &&
    grep -q '<p>Result: <a href="#s">S</a></p>' "$page" && grep -q '^<li><code>b</code> (array of str): second$' "$page" &&
    [ -z "$(grep -o ' id="[^"]*"' "$page" | sort | uniq -d)" ] &&
    [ "$(grep -c '<ul>' "$page")" = "$(grep -c '</ul>' "$page")" ] && tail -n 1 "$page" | grep -q '^</html>$'
if [ $? = 0 ]; then
    echo "ok $n the manual as HTML"
else
    sed 's/^/# /' "$dir/log" "$page"
    echo "not ok $n the manual as HTML"
fi
