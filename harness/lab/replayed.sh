#!/usr/bin/env bash
# A recording of the reference server, replayed against the SOGo lab: a phone that reads, sends, moves and deletes goes
# through, and what SOGo does otherwise is named. What was named when it was approved stands in replayed.txt, by kind and
# place; samples of each kind were looked up on the wire of both sides. Anything else is a false difference, or SOGo has
# changed.
#
# usage: replayed.sh [--approve] [--keep-running] [--out DIR]
#   --approve   write what is named as the new replayed.txt (look every line up before you commit it)
set -euo pipefail
cd "$(dirname "$0")/../.."
approve= keep= out=${LAB_OUT:-target/lab}/replayed
while [ $# -gt 0 ]; do
  case $1 in
    --approve) approve=1 ;;
    --keep-running) keep=1 ;;
    --out) out=$2; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
lab=harness/lab/sogo.sh
easrig=${CARGO_TARGET_DIR:-target}/release/easrig
cargo build --release --quiet --bin easrig
rm -rf "$out"; mkdir -p "$out"
"$lab" reset > /dev/null 2> "$out/lab.log"
[ -n "$keep" ] || trap '"$lab" stop > /dev/null 2>&1' EXIT
accounts=$("$lab" accounts)
# shellcheck disable=SC1090
eval "$("$lab" env | grep -E '^EAS_(URL|CA)=')"

"$easrig" run journeys/read-mail journeys/send journeys/move journeys/delete --persona ios-11 --target embedded:generic \
  --keep-content --out "$out/recorded" > "$out/recorded.txt" 2> "$out/recorded.log"
code=0
"$easrig" replay "$out/recorded" --target "$EAS_URL" --ca "$EAS_CA" --accounts "$accounts" --allow writes --keep-content \
  --format json --out "$out/replayed" > "$out/replayed.json" 2> "$out/replayed.log" || code=$?
# Two servers that are not the same cannot give the same answers.
[ "$code" = 1 ] || { cat "$out/replayed.log" >&2; echo "replayed: exit code $code where 1 is right" >&2; exit 1; }
python3 harness/lab/replayed.py "$out/replayed.json" > "$out/replayed.txt"
named=harness/lab/replayed.txt
if [ -n "$approve" ]; then
  cp "$out/replayed.txt" "$named"; echo "replayed: approved $(wc -l < "$named") differences" >&2
elif ! diff -u "$named" "$out/replayed.txt"; then
  echo "replayed: other differences than those approved (above); see easrig show $out/recorded and $out/replayed" >&2
  exit 1
fi
