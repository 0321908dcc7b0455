#!/usr/bin/env bash
# The walls between the rooms: who may use whom, and which package lives where.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
wrong() { printf 'arch: %s\n' "$*" >&2; bad=1; }

# room: the rooms it may name directly
declare -A may=(
  [wbxml]=""
  [eas]="wbxml"
  [exchange]="eas wbxml"
  [persona]="exchange eas wbxml"
  [scenario]="exchange eas wbxml"
  [capture]="exchange eas wbxml"
  [transport]="exchange eas wbxml"
  [refserver]="transport exchange eas wbxml"
  [runner]="scenario persona transport exchange eas wbxml"
  [report]="scenario exchange eas wbxml"
)
for room in "${!may[@]}"; do
  for dep in $(cargo tree -q -p "easrig-$room" -e normal --depth 1 --prefix none | sed -n 's/^easrig-\([a-z]*\) v.*/\1/p'); do
    [ "$dep" = "$room" ] && continue
    case " ${may[$room]} " in *" $dep "*) ;; *) wrong "easrig-$room uses easrig-$dep" ;; esac
  done
done

# sockets, TLS and the runtime: only in the rooms with I/O
for room in wbxml eas exchange capture scenario persona report; do
  tree=$(cargo tree -q -p "easrig-$room" -e normal --prefix none)
  if grep -E '^(tokio|rustls|hyper) v' <<<"$tree"; then wrong "easrig-$room reaches for the network"; fi
done

# package: the rooms that may name it directly
declare -A home=(
  [rustls]="transport"
  [tokio]="transport refserver runner cli"
  [quick-xml]="wbxml eas report"
  [askama]="report"
  [icu_plurals]="report"
  [etherparse]="capture"
  [pcap]="capture"
  [loona-hpack]="capture"
  [clap]="cli"
  [indicatif]="cli"
)
for package in "${!home[@]}"; do
  for manifest in harness/*/Cargo.toml; do
    room=$(basename "$(dirname "$manifest")")
    [ "$room" = fuzz ] && continue
    sed '/^\[dev-dependencies\]/,/^\[/d' "$manifest" | grep -qE "^$package( |\.|=)" || continue
    case " ${home[$package]} " in *" $room "*) ;; *) wrong "$manifest names $package, whose home is: ${home[$package]}" ;; esac
  done
done

# no I/O in the rooms that promise none
for room in wbxml eas exchange scenario persona report; do
  if grep -rnE 'std::(fs|net|process)|Instant::now|SystemTime::now' "harness/$room/src" --include='*.rs' --exclude=tests.rs --exclude-dir=tests; then
    wrong "easrig-$room opens files, sockets or clocks"
  fi
done

# no room for odds and ends
if git ls-files 'harness/*' | grep -E '/(util|utils|common|helper|helpers|misc)(\.rs|/)'; then wrong "a thing lives with the type it is about"; fi

[ $bad = 0 ] && echo "arch: the walls stand"
exit $bad
