#!/usr/bin/env bash
# The suite against a lab: every journey with every persona, conformance with two (a plain and a base64 query), held
# against the approved baseline; then the second witness looks into the mailboxes by IMAP.
#
# usage: suite.sh [--server sogo|horde] [--approve] [--keep-running] [--out DIR]
#   --server         SOGo (the default) or Horde
#   --approve        write the verdicts as the new baseline (read the difference before you commit it)
#   --keep-running   leave the lab up, to look at it
set -euo pipefail
cd "$(dirname "$0")/../.."
server=sogo approve= keep= out=${LAB_OUT:-}
while [ $# -gt 0 ]; do
  case $1 in
    --server) server=$2; shift ;;
    --approve) approve=1 ;;
    --keep-running) keep=1 ;;
    --out) out=$2; shift ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
case $server in
  sogo) : "${out:=target/lab}" ;;
  horde) : "${out:=target/lab-horde}" ;;
  *) echo "lab: there is no server $server; sogo and horde are known" >&2; exit 2 ;;
esac
lab=harness/lab/$server.sh
easrig=${CARGO_TARGET_DIR:-target}/release/easrig
cargo build --release --quiet --bin easrig
"$lab" start > /dev/null
"$lab" reset > /dev/null
[ -n "$keep" ] || trap '"$lab" stop > /dev/null' EXIT
accounts=$(harness/lab/sogo.sh accounts)
# shellcheck disable=SC1090
eval "$("$lab" env | grep -E '^EAS_(URL|CA)=')"
common=(--target "$EAS_URL" ${EAS_CA:+--ca "$EAS_CA"} --accounts "$accounts" --allow writes --jobs 4 --format json)

ended() { # NAME EXIT: findings are what the baseline is for; anything else is not
  case $2 in 0|1|3) ;; *) echo "lab: the run $1 ended with exit code $2" >&2; exit 1 ;; esac
}
run() { # NAME ARGUMENTS…
  local name=$1 code=0; shift
  rm -rf "$out/$name"
  echo "lab: $name" >&2
  "$easrig" run "$@" "${common[@]}" --out "$out/$name" > "$out/$name.json" || code=$?
  ended "$name" "$code"
}
mkdir -p "$out"
conformance=$("$easrig" list scenarios --format json | python3 -c '
import json, sys
print(*sorted({s["id"].split("/")[0] + "/" for s in json.load(sys.stdin) if not s["id"].startswith("journeys/")}))')
run journeys journeys/ --persona all
# shellcheck disable=SC2086
run conformance $conformance --persona ios-11,wp7.5
"$lab" reset > /dev/null
run witnessed journeys/send journeys/move journeys/delete journeys/read-mail journeys/reply --persona ios-11,android-4 --leave

python3 harness/lab/verdicts.py "$out/journeys.json" "$out/conformance.json" > "$out/$server.txt"
baseline=reports/baselines/$server.txt
if [ -n "$approve" ]; then
  mkdir -p "$(dirname "$baseline")"; cp "$out/$server.txt" "$baseline"; echo "lab: approved $(wc -l < "$baseline") cells" >&2
elif ! diff -u "$baseline" "$out/$server.txt"; then
  echo "lab: the verdicts about $server are not the approved ones (above); look at the runs in $out, and if they are right: just lab --server $server --approve" >&2
  exit 1
fi
python3 harness/lab/witnessed.py "$out/witnessed.json" "$accounts"
echo "lab: $(wc -l < "$out/$server.txt") cells as approved"
