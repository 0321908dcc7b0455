#!/usr/bin/env bash
# Comparisons of runs against the SOGo lab. The server is restarted between two runs (its data and the phones' states stay):
# no difference. Something is changed with the restart: that is named, and nothing else.
#
#   Ping limit    what SOGo names when a phone asks for more: in what the target says of itself
#   who may       ActiveSync is for one room only: every phone of the others is cut off, by one cause
#   workers       with one worker, a waiting Ping keeps everything else waiting: the scenarios in which mail has to come in
#                 while a phone waits no longer pass. That is all that can be seen of it from outside.
#
# Not to be seen on the wire, and so not shown: the longest waiting Sync (SOGo shortens it without a word) and how often
# SOGo looks for news, except as time.
#
# usage: compared.sh [--short] [--times N] [--keep-running] [--out DIR]
#   --short          fewer scenarios, and not the workers
#   --times N        so many restarts without a difference (1)
set -euo pipefail
cd "$(dirname "$0")/../.."
short= keep= times=1 out=${LAB_OUT:-target/lab}/compared
while [ $# -gt 0 ]; do
  case $1 in
    --short) short=1 ;;
    --times) times=$2; shift ;;
    --keep-running) keep=1 ;;
    --out) out=$2; shift ;;
    *) sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
lab=harness/lab/sogo.sh
easrig=${CARGO_TARGET_DIR:-target}/release/easrig
cargo build --release --quiet --bin easrig
rm -rf "$out"; mkdir -p "$out"

# SETTING=VALUE…: the server ends and starts again, with these settings and the short Ping limit unless they say another.
restart() {
  "$lab" stop > /dev/null 2>> "$out/lab.log"
  env SOGO_PING_MAX=16 "$@" "$lab" start > /dev/null 2>> "$out/lab.log"
}
finish() {
  "$lab" stop > /dev/null 2>&1
  [ -z "$keep" ] || "$lab" reset > /dev/null 2>&1
}
trap finish EXIT
env SOGO_PING_MAX=16 "$lab" reset > /dev/null 2>> "$out/lab.log"
accounts=$("$lab" accounts)
# shellcheck disable=SC1090
eval "$("$lab" env | grep -E '^EAS_(URL|CA)=')"

selection=(folder-sync/ sync/bad-key sync/wait-limits journeys/read-mail ping/interval-too-long)
[ -n "$short" ] || selection+=(journeys/send journeys/move journeys/delete journeys/reply journeys/calendar-and-contacts
  sync/more-available sync/read-mark-travels-alone move-items/ settings/ ping/new-mail-wakes)
phones=ios-11,wp7.5,android-4
run() { # NAME
  local name=$1 code=0 began=$SECONDS
  "$easrig" run "${selection[@]}" --heartbeats --persona "$phones" --target "$EAS_URL" --ca "$EAS_CA" \
    --accounts "$accounts" --allow writes --jobs 3 --out "$out/$name" > "$out/$name.txt" 2> "$out/$name.log" || code=$?
  case $code in 0|1|3) ;; *) cat "$out/$name.log" >&2; echo "compared: the run $name ended with exit code $code" >&2; exit 1 ;; esac
  echo "compared: $name ran in $((SECONDS - began)) s: $(tail -n 1 "$out/$name.txt")" >&2
}
expect() { # WHAT EXIT BEFORE AFTER
  local what=$1 wanted=$2 before=$3 after=$4 code=0
  "$easrig" compare "$out/$before" "$out/$after" > "$out/$what.$after.txt" || code=$?
  "$easrig" compare "$out/$before" "$out/$after" --format json > "$out/$what.$after.json" || true
  if [ "$code" != "$wanted" ] || ! python3 harness/lab/compared.py "$what" "$out/$what.$after.json"; then
    cat "$out/$what.$after.txt" >&2
    echo "compared: $before against $after: exit code $code where $wanted is right, and not what $what has to show (above)" >&2
    exit 1
  fi
}

run first
for turn in $(seq "$times"); do
  restart
  run "again-$turn"
  expect same 0 first "again-$turn"
done

restart SOGO_PING_MAX=11
run ping-limit
expect ping-limit 0 first ping-limit

restart SOGO_EAS_ROOM="Room 99"
run room
expect room 1 first room

shown="a Ping limit and who may use ActiveSync"
if [ -z "$short" ]; then
  # Phones that wait would keep the other phones waiting too, and then time is all that differs: one phone.
  phones=ios-11 selection=(folder-sync/ sync/bad-key journeys/send ping/new-mail-wakes)
  restart SOGO_WORKERS=24
  run many-workers
  restart SOGO_WORKERS=1
  run workers
  expect workers 1 many-workers workers
  shown="a Ping limit, who may use ActiveSync and the number of workers"
fi
echo "compared: no difference after $times restarts of SOGo; $shown: named, and nothing else"
