#!/bin/sh
# Runs every fuzz target of the module, each for a number of inputs or a time: sh test/fuzz.sh 10000x
set -eu
each=${1:-10000x}
found=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for dir in $(git ls-files '*_test.go' ':!bench' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do
  for target in $(cat "$dir"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do
    found=$((found + 1))
    echo "fuzz $dir $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$each" "./$dir" >"$log" 2>&1 || { cat "$log"; exit 1; }
  done
done
[ "$found" -gt 0 ] || { echo "no fuzz target found" >&2; exit 1; }
echo "$found fuzz targets, $each each: no failure"
