#!/usr/bin/env bash
# tshark, with out-of-order reassembly, judges what easrig reads and writes (Debian's tshark is installed when missing):
#
#   written: `easrig export -o x.pcapng` of a run and of captures: the same requests, answers and documents, line for line.
#            TLS is never exported, hence nothing is to be decrypted there;
#   read:    generated captures with 2 % of the segments out of order and 1 % sent twice, plain, TLS 1.2 (key log beside) and
#            TLS 1.3 (key log inside), whole and with a torn tail: the same count, which for the whole ones is the truth.
#
# easrig has to find every document. Where tshark finds fewer than were put in, that is said and fails nothing: 4.0.17 finds
# 2,491 of 2,492 in the plain capture of 24 megabytes, and 2,771 of 2,772 in another.
#
# usage: tshark.sh [MEGABYTES (5)]      EASRIG: the program to judge
set -euo pipefail
cd "$(dirname "$0")/../../../.."
megabytes=${1:-5}
easrig=${EASRIG:-${CARGO_TARGET_DIR:-target}/release/easrig}
[ -x "$easrig" ] || cargo build --release --quiet --bin easrig
missing=()
command -v tshark > /dev/null || missing+=(tshark)
command -v openssl > /dev/null || missing+=(openssl)
if [ ${#missing[@]} -gt 0 ]; then
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
judge() { python3 harness/capture/tests/foreign/tshark.py "$@"; }

"$easrig" run journeys/read-mail journeys/ping-wakes-on-new-mail --persona ios-11,wp7.5 --target embedded:exchange-2019 \
  --out "$work/run" > /dev/null 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
"$easrig" import captures/h2-tls13.pcapng captures/h2c-upgrade.pcapng captures/tls13-keys-inside.pcapng captures/plain-disordered.pcapng \
  -o "$work/captures.eascap" 2> /dev/null
for what in run captures.eascap; do
  "$easrig" export "$work/$what" -o "$work/written.pcapng" 2> "$work/log"
  "$easrig" show "$work/$what" --format json > "$work/shown.json"
  judge written "$what" "$work/written.pcapng" "$work/shown.json"
done

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/k.pem" -out "$work/c.pem" -days 30 -subj /CN=mail.contoso.example 2> /dev/null
disorder=(--megabytes "$megabytes" --swap .02 --twice .01)
tls=(--cert "$work/c.pem" --key "$work/k.pem")
generate() { python3 harness/capture/tests/tools/gen_pcap.py harness/wbxml/tests/corpus "$@" | sed -n 's/^truth //p'; }
generate "$work/plain.pcapng" "${disorder[@]}" > "$work/plain.truth"
generate "$work/tls12.pcapng" "${disorder[@]}" "${tls[@]}" --tls 1.2 --keylog "$work/tls12.keys" > "$work/tls12.truth"
generate "$work/tls13.pcapng" "${disorder[@]}" "${tls[@]}" --tls 1.3 --keylog "$work/tls13.keys" --inside > "$work/tls13.truth"
for kind in plain tls12 tls13; do
  for tail in whole torn; do
    truth=$(cat "$work/$kind.truth")
    if [ $tail = torn ]; then truncate -s -33333 "$work/$kind.pcapng"; truth=; fi
    keys=(); [ $kind != tls12 ] || keys=(--keylog "$work/tls12.keys")
    "$easrig" import "$work/$kind.pcapng" "${keys[@]}" -o "$work/read.eascap" 2> "$work/log"
    "$easrig" show "$work/read.eascap" --format json > "$work/shown.json"
    judge read "$kind, $tail" "$work/$kind.pcapng" "$work/shown.json" "${keys[1]:-}" "$truth" || { cat "$work/log" >&2; exit 1; }
  done
done
