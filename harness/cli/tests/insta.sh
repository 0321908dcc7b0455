#!/usr/bin/env bash
# `cargo insta` reads what `easrig baseline` writes: it finds the changed snapshots, and what it accepts is approved.
set -euo pipefail
cd "$(dirname "$0")/../../.."
dir=$PWD/target/insta
if ! command -v cargo-insta > /dev/null; then
  cargo install cargo-insta --version 1.49.0 --locked --quiet --root target/tools
  PATH=$PWD/target/tools/bin:$PATH
fi
cargo build --release --quiet --bin easrig
easrig=${CARGO_TARGET_DIR:-target}/release/easrig
easrig=$(realpath "$easrig")

# `cargo insta` looks below the packages of a workspace; this one has nothing but baselines, and ignores what waits.
rm -rf "$dir" && mkdir -p "$dir/src"
printf '[package]\nname = "baselines"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' > "$dir/Cargo.toml"
: > "$dir/src/lib.rs"
echo '*.snap.new' > "$dir/.gitignore"
cd "$dir"
run() { # FOLDER ARGUMENTS…
  local out=$1; shift
  "$easrig" run sync/more-available folder-sync --target embedded:exchange-2019 --persona ios-17,wp7.5 --out "$out" "$@" > /dev/null 2>&1
}
fail() { echo "insta: $*" >&2; exit 1; }

run honest
"$easrig" baseline approve honest --name mail --dir baselines > /dev/null
[ -z "$(cargo insta pending-snapshots --as-json 2> /dev/null)" ] || fail "something waits in a fresh baseline"
run dishonest --dishonest more-available-dropped && fail "the dishonest server was not noticed"
"$easrig" baseline check dishonest --name mail --dir baselines > check.txt 2>&1 && fail "the difference was not noticed"
cargo insta pending-snapshots --as-json > pending.txt 2> /dev/null
for path in verdicts sync/more-available/ios-17 sync/more-available/wp7.5; do
  grep -q "baselines/mail/$path.snap" pending.txt || fail "cargo insta does not see $path: $(cat pending.txt)"
done
[ "$(wc -l < pending.txt)" = 3 ] || fail "cargo insta sees something else: $(cat pending.txt)"
cargo insta accept > /dev/null 2>&1
"$easrig" baseline check dishonest --name mail --dir baselines > after.txt || fail "what was accepted is not approved: $(cat after.txt)"
echo "insta: cargo insta saw 3 changed snapshots, and what it accepted is approved"
