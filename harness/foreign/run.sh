#!/usr/bin/env bash
# Clients, servers and decoders that are not ours judge the reference server, the codec, the question for TLS versions, and
# the captures that we read and write.
set -euo pipefail
cd "$(dirname "$0")/../.."
easrig=${EASRIG:-${CARGO_TARGET_DIR:-target}/release/easrig}
[ -x "$easrig" ] || cargo build --release --quiet --bin easrig

work=$(mktemp -d); server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyactivesync==0.17.0

"$easrig" serve --profile exchange-2019 --listen 127.0.0.1:0 \
  --account 'alice=alice@easrig.test:Alice-1' --account 'robert=robert@easrig.test:Robert-1' > "$work/ready" 2> "$work/log" &
server=$!
for _ in $(seq 100); do grep -q '^ready ' "$work/ready" && break; kill -0 "$server" || { cat "$work/log"; exit 1; }; sleep 0.1; done
read -r _ url ca < <(grep '^ready ' "$work/ready")
hostport=${url#https://}; hostport=${hostport%%/*}
REQUESTS_CA_BUNDLE=${ca#CA=} "$work/venv/bin/python" harness/foreign/through_pyactivesync.py "$hostport" \
  alice@easrig.test Alice-1 robert@easrig.test Robert-1

command -v wbxml2xml > /dev/null || { apt-get update -qq; apt-get install -y -qq libwbxml2-utils > /dev/null; }
cargo build --release --quiet -p easrig-wbxml --example dump
python3 harness/wbxml/tests/foreign/wbxml2xml.py
command -v openssl > /dev/null || { apt-get update -qq; apt-get install -y -qq openssl > /dev/null; }
cargo test --quiet -p easrig-transport --test hello -- --ignored
EASRIG=$easrig harness/capture/tests/foreign/tshark.sh
