# Short names for habits; CI calls the same recipes.

# show the recipes
default:
    @just --list --unsorted

# the main job on the embedded reference server
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# every test that needs no system package
test:
    cargo test --workspace

# the self test: every dishonest switch under the whole suite (minutes)
self:
    cargo test --release -p easrig --test dishonest -- --include-ignored

# formatting
fmt:
    cargo fmt --all --check

# lints, warnings denied
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# documentation, warnings denied
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# the walls between the rooms
arch:
    harness/arch.sh

# the whole suite against a real SOGo on loopback, or `--server horde` (installs Debian packages; root)
lab *ARGS:
    harness/lab/suite.sh {{ARGS}}

# the lab suite ten times: the same verdicts each time
lab-stability TIMES="10":
    harness/lab/stability.sh {{TIMES}}

# an unchanged reference server differs in nothing from its baseline, every time
stability TIMES="20":
    harness/cli/benches/stability.sh {{TIMES}}

# an unchanged reference server is never called slower, and what is slowed is (half a minute a pair, and four)
pace PAIRS="5":
    harness/cli/benches/pace.sh {{PAIRS}}

# cargo insta reads the snapshots of baselines
insta:
    harness/cli/tests/insta.sh

# captures of real traffic to the lab hold what the run wrote down (installs tcpdump; root)
lab-captured *ARGS:
    harness/lab/captured.sh {{ARGS}}

# restarts of SOGo show no difference, changes of its settings are named (root)
lab-compared *ARGS:
    harness/lab/compared.sh {{ARGS}}

# a phone recorded on the reference server, replayed against SOGo (root)
lab-replayed *ARGS:
    harness/lab/replayed.sh {{ARGS}}

# foreign clients and decoders judge ours: pyactivesync, libwbxml, tshark (installs Debian's libwbxml2-utils, tshark)
foreign:
    harness/foreign/run.sh

# a browser reads report.html: the demo's, and those given (installs Debian's chromium, nodejs, npm)
browser *REPORTS:
    harness/browser/run.sh {{REPORTS}}

# benchmarks and the ratios against peers (installs Debian's libwbxml2-dev, tshark, tcpflow)
bench:
    cargo bench -p easrig-wbxml
    cargo bench -p easrig-report
    cargo bench -p easrig-exchange
    python3 harness/wbxml/benches/peers/compare.py
    harness/cli/benches/run.sh
    harness/cli/benches/scrub.sh
    harness/capture/benches/peers.sh

# ten seconds of every fuzz target (needs a C++ compiler, for libFuzzer)
fuzz SECONDS="10":
    harness/fuzz/smoke.sh {{SECONDS}}

# what CI does
ci:
    .ci/run
