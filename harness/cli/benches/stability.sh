#!/usr/bin/env bash
# Runs of an unchanged server against the baseline of the first: the whole suite, every persona, nothing may differ.
# usage: stability.sh [TIMES]
set -euo pipefail
cd "$(dirname "$0")/../../.."
cargo build --release --quiet --bin easrig
easrig=${CARGO_TARGET_DIR:-target}/release/easrig
dir=target/stability-embedded
rm -rf "$dir" && mkdir -p "$dir"
run() { "$easrig" run --target embedded:exchange-2019 --out "$dir/$1" > /dev/null 2>&1; }
run first
"$easrig" baseline approve "$dir/first" --name first --dir "$dir"
for turn in $(seq "${1:-20}"); do
  run "$turn"
  "$easrig" baseline check "$dir/$turn" --name first --dir "$dir"
  rm -rf "${dir:?}/$turn"
done
echo "stability: nothing differed ${1:-20} times"
