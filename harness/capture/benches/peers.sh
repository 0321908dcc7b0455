#!/usr/bin/env bash
# The importer against tshark and tcpflow (Debian) on generated captures with 2 % of the segments out of order and 1 % sent
# twice: CPU seconds (median of RUNS, interleaved, each tool on one core), peak memory, and whether every WBXML body that
# was put in is found, which easrig must. The goals are ratios within the same job:
#
#   plain: 40 × tshark with out-of-order reassembly, 1.2 × tcpflow -e http;  TLS 1.3 and 1.2: 25 × tshark
#   memory: 64 MiB at most, for 76 MB as for 218 MB and 2 GB
#
# usage: peers.sh [RUNS (5)] [MEGABYTES (76)]      Needs python3, openssl; installs tshark, tcpflow and time.
set -euo pipefail
cd "$(dirname "$0")/../../.."
runs=${1:-5} megabytes=${2:-76}
missing=()
command -v tshark > /dev/null || missing+=(tshark)
command -v tcpflow > /dev/null || missing+=(tcpflow)
[ -x /usr/bin/time ] || missing+=(time)
if [ ${#missing[@]} -gt 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
generate() {
  python3 harness/capture/tests/tools/gen_pcap.py harness/wbxml/tests/corpus "$@" --megabytes "$megabytes" --swap .02 --twice .01 |
    sed -n 's/^truth //p'
}
cargo build --quiet --release -p easrig-capture --example import
import=${CARGO_TARGET_DIR:-target}/release/examples/import

echo "generating three captures of $megabytes MB"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/k.pem" -out "$work/c.pem" -days 30 -subj /CN=mail.contoso.example 2> /dev/null
tls=(--cert "$work/c.pem" --key "$work/k.pem")
generate "$work/plain.pcapng" > "$work/plain.truth" &
generate "$work/tls13.pcapng" "${tls[@]}" --tls 1.3 --keylog "$work/tls13.keys" > "$work/tls13.truth" &
generate "$work/tls12.pcapng" "${tls[@]}" --tls 1.2 --keylog "$work/tls12.keys" > "$work/tls12.truth" &
wait

# One core for each, so that the second thread of a tool is not a gift.
pinned=(); if command -v taskset > /dev/null; then pinned=(taskset -c 0); fi
ours() { "$import" "$@" | sed -n 's/ WBXML documents$//p'; }
reference() { # tshark with out-of-order reassembly
  tshark -r "$1" -o tcp.reassemble_out_of_order:TRUE ${2:+-o "tls.keylog_file:$2"} -Y wbxml -T fields -e frame.number 2> /dev/null | wc -l
}
flows() { rm -rf "$work/flow"; mkdir "$work/flow"; tcpflow -q -e http -r "$1" -o "$work/flow" > /dev/null 2>&1; echo -; }
export -f ours reference flows; export import work

# NAME COMMAND…: one line "CPU-seconds peak-KiB" in NAME.times; prints what was found.
timed() {
  local name=$1; shift
  "${pinned[@]}" /usr/bin/time -a -o "$work/$name.times" -f '%U %S %M' bash -c "$*"
}
check() { # NAME FOUND TRUTH
  [ "$2" = "$3" ] || { echo "$1: $2 of $3 bodies" >&2; case $1 in easrig-*) exit 1 ;; esac; }
}
for run in $(seq "$runs"); do
  echo "run $run of $runs"
  for kind in plain tls13 tls12; do
    truth=$(cat "$work/$kind.truth") keys=
    [ $kind = plain ] || keys=$work/$kind.keys
    check "easrig-$kind" "$(timed "easrig-$kind" ours "$work/$kind.pcapng" "$keys")" "$truth"
    check "tshark-$kind" "$(timed "tshark-$kind" reference "$work/$kind.pcapng" "$keys")" "$truth"
  done
  timed tcpflow-http flows "$work/plain.pcapng" > /dev/null
done

seconds() { awk '{print $1 + $2}' "$work/$1.times" | sort -n | awk '{t[NR] = $1} END {print t[int((NR + 1) / 2)]}'; }
memory() { awk '$3 > m {m = $3} END {printf "%.1f", m / 1024}' "$work/$1.times"; }
echo; printf '%-14s %10s %10s %12s\n' tool "CPU s" "MB/s" "peak MiB"
for name in easrig-plain easrig-tls13 easrig-tls12 tshark-plain tshark-tls13 tshark-tls12 tcpflow-http; do
  kind=${name#*-}; [ "$kind" = http ] && kind=plain
  size=$(stat -c %s "$work/$kind.pcapng")
  printf '%-14s %10.2f %10.1f %12s\n' "$name" "$(seconds $name)" \
    "$(awk -v b="$size" -v s="$(seconds $name)" 'BEGIN {print b / 1e6 / s}')" "$(memory $name)"
done

missed=0
goal() { # WORDS VALUE WANTED (at least, or at most with a minus)
  local verdict=reached
  awk -v v="$2" -v w="$3" 'BEGIN {exit !(w < 0 ? v <= -w : v >= w)}' || { verdict=MISSED; missed=1; }
  printf '%-44s %8.1f   goal %6s   %s\n' "$1" "$2" "${3#-}" "$verdict"
}
ratio() { awk -v a="$(seconds "$1")" -v b="$(seconds "$2")" 'BEGIN {print a / b}'; }
echo
goal "plain, times tshark" "$(ratio tshark-plain easrig-plain)" 40
goal "TLS 1.3, times tshark" "$(ratio tshark-tls13 easrig-tls13)" 25
goal "TLS 1.2, times tshark" "$(ratio tshark-tls12 easrig-tls12)" 25
goal "plain, times tcpflow -e http" "$(ratio tcpflow-http easrig-plain)" 1.2

# Longer files: the same sections again and again, as a capture that is appended to. tls13 holds its keys beside it.
for size in 218 2000; do
  times=$(((size + megabytes - 1) / megabytes))
  for kind in plain tls13; do
    keys=; [ $kind = plain ] || keys=$work/$kind.keys
    for _ in $(seq $times); do cat "$work/$kind.pcapng"; done > "$work/long.pcapng"
    rm -f "$work/long.times"
    check "easrig-$kind × $times" "$(timed long ours "$work/long.pcapng" "$keys")" "$(($(cat "$work/$kind.truth") * times))"
    goal "peak MiB, $kind, $((times * megabytes)) MB" "$(memory long)" -64
  done
done
for kind in plain tls13 tls12; do goal "peak MiB, $kind, $megabytes MB" "$(memory easrig-$kind)" -64; done
exit $missed
