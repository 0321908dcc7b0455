#!/usr/bin/env bash
# easrig against tshark and tcpflow on generated captures: CPU seconds (median of N runs, interleaved), peak memory, and
# whether every WBXML body that was put in is found (easrig must). Needs python3, openssl, GNU time; tshark and tcpflow where they are.
set -euo pipefail
cd "$(dirname "$0")/../../.."
runs=${1:-5} megabytes=${2:-60}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
generate() { python3 harness/capture/tests/tools/gen_pcap.py harness/wbxml/tests/corpus "$@" | sed -n 's/^truth //p'; }
cargo build --quiet --release -p easrig-capture --example import
import=${CARGO_TARGET_DIR:-target}/release/examples/import

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/k.pem" -out "$work/c.pem" -days 30 -subj /CN=mail.contoso.example 2>/dev/null
plain=$(generate "$work/plain.pcapng" --megabytes "$megabytes")
tls=$(generate "$work/tls.pcapng" --megabytes "$megabytes" --tls 1.3 --cert "$work/c.pem" --key "$work/k.pem" --keylog "$work/keys.log")

ours() { "$import" "$@" | sed -n 's/ WBXML documents$//p'; }
reference() { tshark -r "$1" -o tcp.reassemble_out_of_order:TRUE ${2:+-o "tls.keylog_file:$2"} -Y wbxml -T fields -e frame.number 2>/dev/null | wc -l; }
bodies() { mkdir -p "$work/flow" && tcpflow -q -e http -r "$1" -o "$work/flow" && ls "$work/flow" | wc -l; }
export -f ours reference bodies; export import work
# name, truth or -, command ...
cases=("easrig-plain $plain ours $work/plain.pcapng" "easrig-tls $tls ours $work/tls.pcapng $work/keys.log")
if command -v tshark >/dev/null; then
  cases+=("tshark-plain $plain reference $work/plain.pcapng" "tshark-tls $tls reference $work/tls.pcapng $work/keys.log")
fi
if command -v tcpflow >/dev/null; then cases+=("tcpflow-http - bodies $work/plain.pcapng"); fi

for run in $(seq "$runs"); do
  for one in "${cases[@]}"; do
    read -r name truth command <<<"$one"
    found=$(/usr/bin/time -a -o "$work/$name.time" -f '%U %S %M' bash -c "$command")
    if [ "$truth" != - ] && [ "$found" != "$truth" ]; then
      echo "$name: $found of $truth bodies" >&2
      case $name in easrig-*) exit 1 ;; esac
    fi
  done
done
for one in "${cases[@]}"; do
  name=${one%% *}
  awk '{print $1 + $2, $3}' "$work/$name.time" | sort -n | awk -v n="$name" '{t[NR]=$1; if ($2 > m) m=$2} END {printf "%-14s %8.2f s CPU  %6.0f MB peak\n", n, t[int((NR+1)/2)], m/1000}'
done
