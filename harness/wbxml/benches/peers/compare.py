#!/usr/bin/env python3
"""Measures the codec against libwbxml and against its own floors, and says whether the goals are met.

usage: compare.py [RUNS [SECONDS]]     (default 5 runs of 0.4 s CPU each per mode)

Needs cargo, a C compiler and, installed here when missing, Debian's libwbxml2-dev and pkg-config. All programs run pinned
to one core and take turns, so that a neighbour's load hits them alike; medians of CPU time decide. Exit 1: a goal missed.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CRATE = HERE.parent.parent
FILES = sorted((CRATE / "tests" / "corpus").glob("*.wbxml"))
MAIL = [file for file in FILES if "sync_mail_" in file.name and file.stem[-1].isdigit()]
SETS = {"mail": MAIL, "dense": [file for file in FILES if file not in MAIL]}

# (what is measured, set, least ratio, against)
GOALS = [
    ("events", "dense", 20, "decode"),
    ("events", "dense", 0.5, "walk"),
    ("tree", "dense", 8, "decode"),
    ("tree", "dense", 0.6, "naive-tree"),
    ("events", "mail", 40, "decode"),
    ("events", "mail", 0.25, "scan"),
    ("xml", "dense", 5, "decode"),
    ("xml", "mail", 10, "decode"),
    ("encode", "dense", 15, "encode"),
    ("encode", "mail", 50, "encode"),
]
PEER_MODES = ("decode", "encode")
NAMES = {"decode": "libwbxml, WBXML to XML", "encode": "libwbxml, XML to WBXML", "walk": "the trivial walk",
         "naive-tree": "the naive tree", "scan": "memchr and UTF-8 check"}


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def install_peer():
    found = shutil.which("pkg-config") and subprocess.run(["pkg-config", "--exists", "libwbxml2"]).returncode == 0
    if not found:
        root = [] if os.geteuid() == 0 else ["sudo"]
        run(*root, "apt-get", "install", "-y", "--no-install-recommends", "libwbxml2-dev", "pkg-config",
            stdout=subprocess.DEVNULL)


def build_peer(folder):
    flags = run("pkg-config", "--cflags", "--libs", "libwbxml2", capture_output=True, text=True).stdout.split()
    program = str(pathlib.Path(folder) / "bench_libwbxml")
    run("cc", "-O2", str(HERE / "bench_libwbxml.c"), "-o", program, *flags)
    return program


def build_ours():
    run("cargo", "build", "--quiet", "--release", "-p", "easrig-wbxml", "--example", "throughput", cwd=CRATE)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", CRATE.parent.parent / "target"))
    return str(target / "release" / "examples" / "throughput")


def rate(program, mode, seconds, files):
    core = str(max(os.sched_getaffinity(0)))
    answer = run("taskset", "-c", core, program, mode, str(seconds), *map(str, files), capture_output=True, text=True)
    return float(answer.stdout)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 0.4
    install_peer()
    with tempfile.TemporaryDirectory() as folder:
        programs = {"peer": build_peer(folder), "ours": build_ours()}
        wanted = {("ours", mode, name) for mode, name, _, _ in GOALS}
        wanted |= {("peer" if against in PEER_MODES else "ours", against, name) for _, name, _, against in GOALS}
        rates = {key: [] for key in sorted(wanted)}
        for _ in range(runs):
            for who, mode, name in rates:
                rates[who, mode, name].append(rate(programs[who], mode, seconds, SETS[name]))
    median = {key: statistics.median(values) for key, values in rates.items()}

    missed = 0
    print(f"{'measured':8} {'set':6} {'MB/s':>8}   {'against':24} {'MB/s':>8}   {'ratio':>7} {'goal':>6}")
    for mode, name, goal, against in GOALS:
        ours = median["ours", mode, name]
        other = median["peer" if against in PEER_MODES else "ours", against, name]
        verdict = "ok" if ours / other >= goal else "MISSED"
        missed += verdict != "ok"
        print(f"{mode:8} {name:6} {ours:8.1f}   {NAMES[against]:24} {other:8.1f}   {ours / other:7.2f} {goal:6} {verdict}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
