#!/usr/bin/env bash
# A recording of the reference server, replayed against the SOGo lab: a phone that reads, sends, moves and deletes goes
# through, and what SOGo does otherwise is named. What was named when it was approved stands in replayed.txt, by kind and
# place; samples of each kind were looked up on the wire of both sides. Anything else is a false difference, or SOGo has
# changed. Then the same journeys are recorded on SOGo, written down as scenarios, and have to pass there.
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

target=(--persona ios-11 --target "$EAS_URL" --ca "$EAS_CA" --accounts "$accounts" --allow writes)
for journey in read-mail send move delete reply calendar-and-contacts ping-wakes-on-new-mail; do
  # Invariants that SOGo breaks make the exit code 1; what counts is the journey.
  "$easrig" run "journeys/$journey" "${target[@]}" --out "$out/on-sogo/$journey" > /dev/null 2>> "$out/authored.log" || true
  "$easrig" to-scenario "$out/on-sogo/$journey" -o "$out/mine/recorded/$journey.toml" 2>> "$out/authored.log"
done
"$easrig" run recorded --scenarios "$out/mine" "${target[@]}" --out "$out/authored" --format json \
  > "$out/authored.json" 2>> "$out/authored.log" || true
python3 - "$out/authored.json" << 'PY'
import json, sys
cells = [cell for cell in json.load(open(sys.argv[1]))["cells"] if cell["scenario"].startswith("recorded/")]
bad = [f"{cell['scenario']}: {cell['verdict']} {cell['reason']}" for cell in cells if cell["verdict"] != "pass"]
if len(cells) != 7 or bad:
    sys.exit(f"replayed: of 7 scenarios written from recordings {len(cells)} ran, and these did not pass: {bad}")
PY
