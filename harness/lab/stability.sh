#!/usr/bin/env bash
# The lab suite several times: the same verdicts each time.
# usage: stability.sh [TIMES]
set -euo pipefail
cd "$(dirname "$0")/../.."
for turn in $(seq "${1:-10}"); do
  echo "stability: turn $turn" >&2
  harness/lab/suite.sh --keep-running --out target/stability
  cp target/stability/sogo.txt "target/stability/sogo-$turn.txt"
  cmp "target/stability/sogo-1.txt" "target/stability/sogo-$turn.txt"
done
harness/lab/sogo.sh stop > /dev/null
echo "stability: the same verdicts ${1:-10} times"
