#!/usr/bin/env bash
# Pairs of runs of an unchanged reference server, also on a machine that is busy with other things: nothing became slower or
# faster. Then one command is answered later: that is named on every phone, and nothing else.
# usage: pace.sh [PAIRS]    EASRIG=binary
set -euo pipefail
cd "$(dirname "$0")/../../.."
pairs=${1:-5}
easrig=${EASRIG:-${CARGO_TARGET_DIR:-target}/release/easrig}
[ -n "${EASRIG:-}" ] || cargo build --release --quiet --bin easrig
dir=${CARGO_TARGET_DIR:-target}/pace
rm -rf "$dir" && mkdir -p "$dir"
run() { # NAME OPTION…
  local name=$1; shift
  "$easrig" run journeys folder-sync settings move-items --target embedded:exchange-2019 --persona ios-17,wp7.5,android-4 \
    --repeat 5 --out "$dir/$name" "$@" > "$dir/$name.txt" 2>&1 || { tail -n 20 "$dir/$name.txt" >&2; exit 1; }
}
# Every command that is told, a line each: `Sync ios-17 slower`.
told() { # BEFORE AFTER
  "$easrig" compare "$dir/$1" "$dir/$2" --format json | python3 -c '
import json, sys
for time in json.load(sys.stdin)["times"]:
    print(time["command"], time["persona"], "slower" if time["after_us"] > time["before_us"] else "faster")' | sort
}
run 0
for turn in $(seq "$pairs"); do
  run "$turn"
  alarm=$(told "$((turn - 1))" "$turn")
  [ -z "$alarm" ] || { printf 'pace: pair %s of an unchanged server: %s\n' "$turn" "$alarm" >&2; exit 1; }
done
run slow --latency Sync=60
named=$(told "$pairs" slow)
wanted=$(printf 'Sync %s slower\n' android-4 ios-17 wp7.5)
[ "$named" = "$wanted" ] || { printf 'pace: Sync was 60 ms later, and told was:\n%s\n' "$named" >&2; exit 1; }
echo "pace: no false alarm in $pairs pairs, and a Sync that is 60 ms later is named on every phone, alone"
