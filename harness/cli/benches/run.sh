#!/usr/bin/env bash
# Times of the whole process: how fast it starts (goal: below 20 ms), and the suite against the embedded server
# (goal: below 30 s on two cores).
set -euo pipefail
cd "$(dirname "$0")/../../.."

cargo build --quiet --release -p easrig
easrig="$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/easrig"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

milliseconds() { # command: the median of 21 runs
  for _ in $(seq 21); do
    local begin end
    begin=$(date +%s%N)
    "$@" >/dev/null
    end=$(date +%s%N)
    echo $(((end - begin) / 1000))
  done | sort -n | sed -n 11p | awk '{ printf "%.1f\n", $1 / 1000 }'
}

echo "start (--help, list personas, decode of a small document)"
echo 03016a00000756520330000101 >"$work/small"
if command -v hyperfine >/dev/null; then
  hyperfine --shell=none --warmup 3 "$easrig --help" "$easrig list personas" "$easrig decode --hex $work/small"
fi
help=$(milliseconds "$easrig" --help)
echo "  --help         ${help} ms"
echo "  list personas  $(milliseconds "$easrig" list personas) ms"
echo "  decode         $(milliseconds "$easrig" decode --hex "$work/small") ms"

echo "suite, every phone, embedded exchange-2019, two cores"
begin=$(date +%s%N)
if command -v taskset >/dev/null; then two=(taskset -c 0,1); else two=(); fi
"${two[@]}" "$easrig" run --target embedded:exchange-2019 --out "$work/run" 2>/dev/null | tail -n 1 || true
suite=$((($(date +%s%N) - begin) / 1000000))
echo "  suite          ${suite} ms"

awk -v help="$help" -v suite="$suite" 'BEGIN { exit !(help < 20 && suite < 30000) }' || { echo "slower than the goal" >&2; exit 1; }
