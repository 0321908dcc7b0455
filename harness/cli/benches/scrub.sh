#!/usr/bin/env bash
# Scrubbing of large captures, made by repeating a run with its contents: time, MB per second of the processor, and peak memory for each size.
# The goal: peak memory below 128 MiB, and the same for every size.   scrub.sh [MB …]   EASRIG=PATH takes that program
set -euo pipefail
cd "$(dirname "$0")/../../.."

if [ -z "${EASRIG:-}" ]; then
  cargo build --quiet --release -p easrig
  EASRIG="$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')/release/easrig"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$EASRIG" run journeys sync --persona ios-17,android-4,wp7.5 --target embedded:exchange-2010-sp1 --allow writes \
  --keep-content --out "$work/run" >"$work/log" 2>&1 || [ $? -lt 2 ] || { cat "$work/log" >&2; exit 1; }
one="$work/run/exchanges.eascap"

peak() { # command: milliseconds, those of the processor, and peak memory in KiB
  local begin pid high=0 used=0 seen
  begin=$(date +%s%N)
  "$@" 2>"$work/log" &
  pid=$!
  # A program that has ended and was not waited for has no memory any more.
  while ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null && kill -0 "$pid" 2>/dev/null; do
    seen=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null || true)
    [ "${seen:-0}" -le "$high" ] || high=$seen
    used=$(awk '{ print ($14 + $15) * 10 }' "/proc/$pid/stat" 2>/dev/null || echo "$used")
    sleep 0.05
  done
  wait "$pid" || { cat "$work/log" >&2; return 1; }
  echo "$((($(date +%s%N) - begin) / 1000000)) $used $high"
}

bad=0
echo "size MB   seconds  processor   MB/s of it   peak MiB"
for megabytes in "${@:-200 2000}"; do
  for size in $megabytes; do
    head -c 12 "$one" >"$work/large.eascap"
    # A record is an exchange, and a file is its head and its records.
    while [ "$(stat -c %s "$work/large.eascap")" -lt $((size * 1000000)) ]; do
      tail -c +13 "$one"
    done >>"$work/large.eascap"
    read -r time used memory < <(peak "$EASRIG" scrub "$work/large.eascap" -o "$work/small.eascap")
    awk -v bytes="$(stat -c %s "$work/large.eascap")" -v time="$time" -v used="$used" -v memory="$memory" 'BEGIN {
      printf "%7.0f %9.1f %10.1f %12.1f %10.1f\n", bytes / 1e6, time / 1000, used / 1000, bytes / 1000 / used, memory / 1024
      exit !(memory < 128 * 1024) }' || bad=1
    rm -f "$work/large.eascap" "$work/small.eascap"
  done
done
exit "$bad"
