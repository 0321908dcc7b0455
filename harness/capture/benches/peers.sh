#!/usr/bin/env bash
# The importer against tshark and tcpflow (Debian) on generated captures with 2 % of the segments out of order and 1 % sent
# twice: CPU seconds (median, interleaved, each tool on one core), peak memory, and how many of the WBXML bodies that were
# put in are found, which of easrig must be all. The goals are ratios within the same job:
#
#   plain: 40 × tshark with out-of-order reassembly, 1.2 × tcpflow -e http;  TLS 1.3 and 1.2: 25 × tshark
#   memory: 64 MiB at most for every size, and for the largest file no more than a fifth above that for the smallest
#
# Files beyond 500 MB are the same sections again and again, as in a capture that is appended to. Prints one table; exit code
# 0 when every goal is met, 1 when one is missed, 2 when it was called wrongly. Every measurement is kept in DIR as it is
# made: called again the same way, it goes on where it stopped. With the defaults some ten minutes and 3 GB of disk. The
# generator ends the conversations it has begun, so that a file is a little longer than was asked for.
#
# usage: peers.sh [--runs N (5)] [--peer-runs N (2)] [--megabytes N (76)] [--long "N …" (218 2000)] [--dir DIR] [--fresh]
# Needs python3, openssl; installs tshark, tcpflow and time.
set -euo pipefail
cd "$(dirname "$0")/../../.."
target=${CARGO_TARGET_DIR:-target}
runs=5 peer_runs=2 megabytes=76 long="218 2000" dir=$target/peers fresh=
while [ $# -gt 0 ]; do
  case $1 in
    --runs) runs=$2; shift ;;
    --peer-runs) peer_runs=$2; shift ;;
    --megabytes) megabytes=$2; shift ;;
    --long) long=$2; shift ;;
    --dir) dir=$2; shift ;;
    --fresh) fresh=1 ;;
    *) sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
missing=()
command -v tshark > /dev/null || missing+=(tshark)
command -v tcpflow > /dev/null || missing+=(tcpflow)
command -v openssl > /dev/null || missing+=(openssl)
[ -x /usr/bin/time ] || missing+=(time)
if [ ${#missing[@]} -gt 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
cargo build --quiet --release -p easrig-capture --example import
import=$(realpath "$target")/release/examples/import

# What is measured: NAME (tool-kind-megabytes), how often.
rows=()
for kind in plain tls13 tls12; do rows+=("easrig-$kind-$megabytes $runs" "tshark-$kind-$megabytes $peer_runs"); done
rows+=("tcpflow-plain-$megabytes $runs")
for size in $long; do
  for kind in plain tls13; do rows+=("easrig-$kind-$size $runs"); done
done
# How tshark takes a longer file, where one is generated: what is only repeated it takes for sent twice.
for size in $long; do
  if [ "$size" -le 500 ]; then for kind in plain tls13; do rows+=("tshark-$kind-$size 1"); done; fi
done

[ -z "$fresh" ] || rm -rf "$dir"
mkdir -p "$dir"; dir=$(realpath "$dir")
settings="megabytes $megabytes, generator $(sha256sum < harness/capture/tests/tools/gen_pcap.py | cut -c-16)"
if [ -s "$dir/settings" ] && [ "$(cat "$dir/settings")" != "$settings" ]; then
  echo "peers: $dir holds measurements of $(cat "$dir/settings"); this is $settings: take --fresh or another --dir" >&2; exit 2
fi
echo "$settings" > "$dir/settings"
# Measurements of another build of easrig are no longer its own.
build=$(sha256sum < "$import")
[ "$(cat "$dir/build" 2> /dev/null)" = "$build" ] || rm -f "$dir"/easrig-*.runs
echo "$build" > "$dir/build"

say() { printf 'peers: %s (%s s)\n' "$*" "$SECONDS" >&2; }
[ -s "$dir/k.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/k.pem" -out "$dir/c.pem" -days 300 -subj /CN=mail.contoso.example 2> /dev/null
generate() { # KIND MEGABYTES: the capture, and last how many bodies are in it
  local kind=$1 file=$dir/$1-$2 options=()
  [ ! -s "$file.pcapng" ] || [ ! -s "$file.truth" ] || return 0
  say "generating $2 MB, $kind"
  case $kind in tls*) options=(--cert "$dir/c.pem" --key "$dir/k.pem" --tls "1.${kind#tls1}" --keylog "$file.keys") ;; esac
  rm -f "$file.keys" "$file.truth"
  python3 harness/capture/tests/tools/gen_pcap.py harness/wbxml/tests/corpus "$file.pcapng" "${options[@]}" \
    --megabytes "$2" --swap .02 --twice .01 > "$file.log"
  sed -n 's/^truth //p' "$file.log" > "$file.truth.part"
  mv "$file.truth.part" "$file.truth"
}
make() { # KIND MEGABYTES: as generated, or the shortest one again and again
  local base=$dir/$1-$megabytes file=$dir/$1-$2 times
  if [ "$2" -le 500 ] || [ "$2" = "$megabytes" ]; then generate "$1" "$2"; return; fi
  generate "$1" "$megabytes"
  [ ! -s "$file.pcapng" ] || return 0
  times=$((($2 * 1000000 + $(stat -c %s "$base.pcapng") - 1) / $(stat -c %s "$base.pcapng")))
  [ "$1" = plain ] || cp "$base.keys" "$file.keys"
  echo $(($(cat "$base.truth") * times)) > "$file.truth"
  for _ in $(seq "$times"); do cat "$base.pcapng"; done > "$file.part"
  mv "$file.part" "$file.pcapng"
}

# One core for each, so that the second thread of a tool is not a gift.
pinned=(); if command -v taskset > /dev/null; then pinned=(taskset -c 0); fi
easrig() { "$import" "$@" | sed -n 's/ WBXML documents$//p'; }
tshark_() { # with out-of-order reassembly; a frame may hold several documents
  tshark -n -r "$1" -o tcp.reassemble_out_of_order:TRUE ${2:+-o "tls.keylog_file:$2"} -Y wbxml -T fields -e wbxml.version \
    -E occurrence=a 2> /dev/null | awk -F, '{n += NF} END {print n + 0}'
}
tcpflow_() { tcpflow -q -e http -r "$1" -o "$flow" > /dev/null 2>&1; echo -; }
flow=$dir/flow
export -f easrig tshark_ tcpflow_; export import flow

done_runs() { if [ -f "$dir/$1.runs" ]; then wc -l < "$dir/$1.runs"; else echo 0; fi; }
measure() { # NAME: adds a line "user system peak-KiB found" to NAME.runs
  local name=$1 tool kind size found
  IFS=- read -r tool kind size <<< "$name"
  make "$kind" "$size"
  stat -c %s "$dir/$kind-$size.pcapng" > "$dir/$kind-$size.bytes"
  local of=("$dir/$kind-$size.pcapng")
  [ "$kind" = plain ] || of+=("$dir/$kind-$size.keys")
  [ "$tool" = easrig ] || tool=${tool}_
  rm -rf "$flow"; mkdir "$flow"
  # shellcheck disable=SC2016
  found=$("${pinned[@]}" /usr/bin/time -o "$dir/time" -f '%U %S %M' bash -c '"$@"' _ "$tool" "${of[@]}")
  echo "$(tail -n 1 "$dir/time") $found" >> "$dir/$name.runs"
}
sizes() { printf '%s\n' "$megabytes" $long; }
for size in $(sizes); do
  # Interleaved, so that a slow minute of the machine is slow for all.
  for run in $(seq "$((runs > peer_runs ? runs : peer_runs))"); do
    for row in "${rows[@]}"; do
      read -r name wanted <<< "$row"
      [ "${name##*-}" = "$size" ] && [ "$run" -le "$wanted" ] && [ "$(done_runs "$name")" -lt "$run" ] || continue
      say "$name, run $run of $wanted"
      measure "$name"
    done
  done
  [ "$size" = "$megabytes" ] || rm -f "$dir"/*"-$size.pcapng"
done

seconds() { awk '{print $1 + $2}' "$dir/$1.runs" | sort -n | awk '{t[NR] = $1} END {m = t[int((NR + 1) / 2)]; print (m > 0.005) ? m : 0.005}'; }
peak() { awk '$3 > m {m = $3} END {printf "%.1f", m / 1024}' "$dir/$1.runs"; }
missed=0 goals=
goal() { # VALUE SIGN WANTED WORDS
  local verdict=met
  awk -v v="$1" -v w="$3" -v s="$2" 'BEGIN {exit !(s == "<=" ? v <= w : v >= w)}' || { verdict=MISSED; missed=1; }
  goals+="${goals:+; }$4 $1 (goal $2 $3: $verdict)"
}
ratio() { awk -v a="$(seconds "$1")" -v b="$(seconds "$2")" 'BEGIN {printf "%.1f", a / b}'; }
printf '%-8s %-6s %6s %3s %8s %8s %9s %16s  %s\n' tool kind MB n "CPU s" "MB/s" "peak MiB" "found" "goals"
for row in "${rows[@]}"; do
  read -r name _ <<< "$row"; IFS=- read -r tool kind size <<< "$name"
  truth=$(cat "$dir/$kind-$size.truth") bytes=$(cat "$dir/$kind-$size.bytes")
  found=$(awk '{print $4}' "$dir/$name.runs" | sort -n | head -n 1)
  goals=
  if [ "$tool" = easrig ]; then
    [ "$found" = "$truth" ] || { goals="not all found: MISSED"; missed=1; }
    if [ "$size" = "$megabytes" ]; then
      goal "$(ratio "tshark-$kind-$size" "$name")" ">=" "$([ "$kind" = plain ] && echo 40 || echo 25)" "times tshark"
      [ "$kind" != plain ] || goal "$(ratio "tcpflow-plain-$size" "$name")" ">=" 1.2 "times tcpflow"
    fi
    goal "$(peak "$name")" "<=" 64 "peak MiB"
    if [ "$size" != "$megabytes" ]; then
      goal "$(awk -v a="$(peak "$name")" -v b="$(peak "easrig-$kind-$megabytes")" 'BEGIN {printf "%.2f", a / b}')" "<=" 1.2 "times the smallest file's"
    fi
  elif [ "$found" != - ] && [ "$found" != "$truth" ]; then
    goals="finds fewer than there are"
  fi
  printf '%-8s %-6s %6d %3d %8.2f %8.1f %9s %16s  %s\n' "$tool" "$kind" "$((bytes / 1000000))" "$(done_runs "$name")" "$(seconds "$name")" \
    "$(awk -v b="$bytes" -v s="$(seconds "$name")" 'BEGIN {print b / 1e6 / s}')" "$(peak "$name")" \
    "$([ "$found" = - ] && echo - || echo "$found/$truth")" "$goals"
done
[ $missed = 0 ] && echo "every goal is met" || echo "not every goal is met"
exit $missed
