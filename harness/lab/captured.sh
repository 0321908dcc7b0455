#!/usr/bin/env bash
# Captures of real traffic to the SOGo lab must give the exchanges that the run itself wrote down, byte by byte: journeys
# are recorded by tcpdump in clear text, under TLS 1.3 and TLS 1.2 (key log), and under TLS 1.2 with RSA key exchange
# (the server's key; an OpenSSL client carries the run's requests, since easrig's own does not speak that).
#
# usage: captured.sh [--keep-running] [--out DIR]
set -euo pipefail
cd "$(dirname "$0")/../.."
keep= out=${LAB_OUT:-target/lab}/captured
while [ $# -gt 0 ]; do
  case $1 in
    --keep-running) keep=1 ;;
    --out) out=$2; shift ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
if ! command -v tcpdump > /dev/null; then
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends tcpdump > /dev/null
fi
lab=harness/lab/sogo.sh
easrig=${CARGO_TARGET_DIR:-target}/release/easrig
cargo build --release --quiet --bin easrig
"$lab" start > /dev/null
accounts=$("$lab" accounts)
# shellcheck disable=SC1090
eval "$("$lab" env | grep -E '^EAS_(URL|URL_PLAIN|URL_TLS12|CA|SERVER_KEY)=')"
rm -rf "$out"; mkdir -p "$out"
recorder= relay=
finish() {
  [ -z "$recorder" ] || kill -INT "$recorder" 2> /dev/null || true
  [ -z "$relay" ] || kill "$relay" 2> /dev/null || true
  [ -n "$keep" ] || "$lab" stop > /dev/null
}
trap finish EXIT
port_of() { sed -E 's,^[a-z]+://[^:/]+:([0-9]+).*,\1,' <<< "$1"; }

# NAME TARGET PORT KEYS…: the run under a recorder, what was recorded imported with KEYS, and both compared.
record() {
  local name=$1 target=$2 port=$3 code=0 began=$SECONDS; shift 3
  tcpdump -i lo -s 0 -B 65536 --immediate-mode -U -w "$out/$name.pcap" "tcp port $port" 2> "$out/$name.tcpdump" < /dev/null &
  recorder=$!
  for _ in $(seq 100); do grep -qs 'listening on' "$out/$name.tcpdump" && break; sleep 0.1; done
  "$easrig" run journeys/read-mail journeys/ping-wakes-on-new-mail --persona ios-11,wp7.5 \
    --target "$target" --ca "$EAS_CA" --accounts "$accounts" --allow writes --jobs 1 --keep-content --keylog "$out/$name.keys" \
    --out "$out/$name" --format json > "$out/$name.json" 2> "$out/$name.log" || code=$?
  case $code in 0|1|3) ;; *) cat "$out/$name.log" >&2; echo "captured: the run $name ended with exit code $code" >&2; exit 1 ;; esac
  sleep 0.5
  kill -INT "$recorder"; wait "$recorder" || true; recorder=
  grep -q '^0 packets dropped by kernel' "$out/$name.tcpdump" || { cat "$out/$name.tcpdump" >&2; exit 1; }
  "$easrig" import "$out/$name.pcap" "$@" --keep-content -o "$out/$name.eascap" 2> "$out/$name.import"
  "$easrig" export "$out/$name" -o "$out/$name.run.har" 2> /dev/null
  "$easrig" export "$out/$name.eascap" -o "$out/$name.capture.har" 2> /dev/null
  python3 harness/lab/captured.py "$name" "$out/$name.run.har" "$out/$name.capture.har" || { cat "$out/$name.import" >&2; exit 1; }
  echo "captured: $name took $((SECONDS - began)) s" >&2
}

record plain "$EAS_URL_PLAIN" "$(port_of "$EAS_URL_PLAIN")"
record tls13 "$EAS_URL" "$(port_of "$EAS_URL")" --keylog "$out/tls13.keys"
record tls12 "$EAS_URL_TLS12" "$(port_of "$EAS_URL_TLS12")" --keylog "$out/tls12.keys"
python3 harness/lab/rsa_relay.py "$(port_of "$EAS_URL_TLS12")" > "$out/relay.port" &
relay=$!
for _ in $(seq 100); do [ -s "$out/relay.port" ] && break; sleep 0.1; done
record tls12-rsa "http://127.0.0.1:$(cat "$out/relay.port")" "$(port_of "$EAS_URL_TLS12")" --server-key "$EAS_SERVER_KEY"
grep -q 'TLS_RSA_WITH_AES_256_GCM_SHA384' "$out/tls12-rsa.capture.har" || { echo "captured: that was not RSA key exchange" >&2; exit 1; }
grep -q '"TLSv1.2"' "$out/tls12.capture.har" && grep -q '"TLSv1.3"' "$out/tls13.capture.har"
