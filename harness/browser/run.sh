#!/usr/bin/env bash
# A browser reads the demo's pages (or every page given as argument); pictures go to target/browser/.
set -euo pipefail
cd "$(dirname "$0")/../.."
as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
if ! { command -v chromium && command -v node && command -v npm; } > /dev/null; then
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
    --no-install-recommends chromium nodejs npm fonts-dejavu-core > /dev/null
fi
if [ $# = 0 ]; then
  rm -rf target/browser/demo
  cargo run --release --quiet -- demo --out target/browser/demo > /dev/null
  set -- target/browser/demo/strict/report.html target/browser/demo/remedy/report.html
  cargo run --release --quiet -- compare target/browser/demo/{remedy,strict} --format html -o target/browser/demo/compare.html || [ $? = 1 ]
  cargo run --release --quiet -- matrix target/browser/demo/{strict,remedy} --format html -o target/browser/demo/matrix.html
  set -- "$@" target/browser/demo/compare.html target/browser/demo/matrix.html
fi
reports=(); for report in "$@"; do reports+=("$(realpath "$report")"); done
export OUT="$PWD/target/browser"
(cd harness/browser && npm ci --silent --no-audit --no-fund && node read.js "${reports[@]}")
