#!/bin/sh
# Measures what a user pays for edged, and fails above the limits: sh test/size.sh bin/edged
#   binary: the stripped file; memory: VmRSS of `edged run` on an empty configuration, two seconds after it is ready;
#   ready: from the start of the process until its address stands on its standard output, as the shell sees it.
set -eu
edged=$1
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; [ -z "$pid" ] || wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
kb=$(( $(stat -c %s "$edged") / 1024 ))
printf 'broker: {listeners: [{url: "mqtt://127.0.0.1:0"}]}\ndata_dir: %s/data\n' "$dir" >"$dir/edged.yaml"
: >"$dir/out"
start=$(date +%s%N)
"$edged" run -c "$dir/edged.yaml" >"$dir/out" 2>"$dir/log" &
pid=$!
until grep -q 'mqtt://' "$dir/out"; do
  kill -0 "$pid" 2>/dev/null || { cat "$dir/out" "$dir/log"; exit 1; }
  sleep 0.01
done
ready=$(( ($(date +%s%N) - start) / 1000000 ))
sleep 2
rss=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
printf 'binary  %6d KB  (limit 16384)  stat -c %%s %s\n' "$kb" "$edged"
printf 'idle    %6d KB  (limit 25600)  grep VmRSS /proc/PID/status, of edged run -c with a listener only\n' "$rss"
printf 'ready   %6d ms  (limit 1000)   from start to the printed address\n' "$ready"
[ "$kb" -lt 16384 ] && [ "$rss" -lt 25600 ] && [ "$ready" -lt 1000 ]
