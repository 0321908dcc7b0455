#!/usr/bin/env python3
"""The verdicts of runs as lines to compare: everything that changes from run to run is left out.

usage: verdicts.py SUMMARY_JSON…

A line a cell: scenario, persona, version, verdict, the device's error code, what the finding is about. Values seen (keys,
ids, dates, times) stay out; what was expected stays in.
"""
import json
import re
import sys

CHANGING = [
    (re.compile(r"easrig-[0-9a-f]{8}"), "TAG"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}T[0-9:.]+Z\b|\b\d{8}T(\d{6}Z)?(?![0-9A-Za-z])"), "TIME"),
    (re.compile(r"\b\d+ of \d+ exchanges\b"), "N exchanges"),
    (re.compile(r"\bexchange \d+\b"), "exchange N"),
    (re.compile(r"\[(ServerId|ClientId|To)=[^\]]*\]"), r"[\1=ID]"),
]


def plain(text):
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def lines(path):
    with open(path, encoding="utf-8") as file:
        summary = json.load(file)
    for cell in summary["cells"]:
        error = cell.get("device_error") or {}
        findings = sorted({f"{f['requirement']} ({f['level']}): {plain(f['expected'])}" for f in cell["findings"]})
        reason = plain(cell["reason"]) if cell["verdict"] in ("skipped", "inconclusive") else ""
        yield " | ".join(
            part
            for part in (
                f"{cell['scenario']:<56} {cell['persona']:<15} {cell['version'] or '-':<5} {cell['verdict']}",
                error.get("code") or error.get("message", ""),
                reason,
                "; ".join(findings),
            )
            if part
        )


for line in sorted(line for path in sys.argv[1:] for line in lines(path)):
    print(line)
