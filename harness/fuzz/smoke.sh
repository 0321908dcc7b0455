#!/usr/bin/env bash
# Runs every fuzz target for SECONDS (default 10) on the committed seeds and on the project's own files:
#   smoke.sh [SECONDS [TARGET…]]
# What it finds stands in artifacts/; `smoke.sh 0 TARGET` runs a target once over its seeds.
#
# It needs stable Rust and a C++ compiler, no nightly and no cargo-fuzz: every crate of ours forbids unsafe code, so the
# address sanitizer (all that nightly would add) would only watch the dependencies, and slow the run down; coverage
# comes from LLVM options that stable rustc passes on.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-10}
shift || true
if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(basename -s .rs fuzz_targets/*.rs); fi
command -v c++ > /dev/null || { echo "fuzz: libFuzzer is built with a C++ compiler; install g++" >&2; exit 2; }

# The versions that everything else was tested with; what only fuzzing needs is added to them.
cp ../../Cargo.lock Cargo.lock
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
host=$(rustc -vV | sed -n 's/^host: //p')
# With --target the options reach what is fuzzed and not the build scripts and macros.
RUSTFLAGS=$coverage cargo build --quiet --release --target "$host" "${targets[@]/#/--bin=}"

run() {
  local target=$1 seeds=() most=4096
  case $target in
    wbxml_*) seeds=(../wbxml/tests/corpus) ;;
    scenario_file) seeds=(../../scenarios) ;;
    persona_file) seeds=(../../scenarios/personas) most=32768 ;;
    exchange_*) most=2048 ;;
    capture_http2 | scenario_recording) most=32768 ;;
  esac
  mkdir -p "corpus/$target" artifacts
  local -a limits=(-max_total_time="$seconds")
  [ "$seconds" != 0 ] || limits=(-runs=0)
  if "$CARGO_TARGET_DIR/$host/release/$target" "corpus/$target" "seeds/$target" "${seeds[@]}" "${limits[@]}" \
    -max_len="$most" -rss_limit_mb=1024 -timeout=10 -artifact_prefix="artifacts/$target-" -print_final_stats=1 \
    > "artifacts/$target.log" 2>&1; then
    echo "fuzz: $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "artifacts/$target.log") inputs, nothing found"
  else
    grep -v -e '^#' -e '^INFO' "artifacts/$target.log" | head -c 4000
    echo "fuzz: $target: FAILED; the input is in harness/fuzz/artifacts/, run it with the program $target"
    return 1
  fi
}

jobs=$(nproc)
failed=0
for target in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || failed=1; done
  run "$target" &
done
while [ -n "$(jobs -p)" ]; do wait -n || failed=1; done
exit "$failed"
