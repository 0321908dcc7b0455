#!/usr/bin/env python3
"""What a replay against the lab named, a line each, on stdout; and whether it went through.

usage: replayed.py REPLAY_JSON

Exits 1 when an answer is missing or something was left out without one of the reasons that SOGo gives for it.
"""
import collections
import json
import pathlib
import re
import sys

# Why a request may be left out: SOGo has no policy, no Notes and no Outbox.
REASONS = [
    r"acknowledges a policy, and the target has none",
    r"needs the CollectionId of exchange \d+, which the target did not give",
]
NEEDS = re.compile(r"needs the \S+(?: of the folder list)? of exchange (\d+), which ")


def excused(row, rows):
    """Whether one of the reasons is behind it, maybe by way of another request."""
    why = row["why"] or ""
    if any(re.search(reason, why) for reason in REASONS):
        return True
    needed = NEEDS.search(why)
    return bool(needed) and rows[int(needed[1])]["came"] == "skipped" and excused(rows[int(needed[1])], rows)


def main():
    replay = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    rows = {row["recorded"]: row for row in replay["exchanges"]}
    wrong = [row for row in rows.values() if row["came"] == "skipped" and not excused(row, rows)]
    wrong += [row for row in rows.values() if row["came"] == "inconclusive" and row["replayed"] is None]
    for row in wrong:
        print(f"replayed: exchange {row['recorded']} ({row['command']}) was not replayed: {row['why']}", file=sys.stderr)
    named = collections.Counter(
        (row["command"], found["kind"], found["path"]) for row in rows.values() for found in row["differences"]
    )
    for command, kind, path in sorted(named):
        print(f"{command}: {kind} at {path}")
    sent = collections.Counter(row["command"] for row in rows.values() if row["replayed"] is not None)
    for command in ("FolderSync", "Sync", "SendMail", "MoveItems"):
        if not sent[command]:
            wrong.append(command)
            print(f"replayed: no {command} was sent", file=sys.stderr)
    told = ", ".join(f"{count} {name}" for name, count in replay["totals"].items())
    print(f"replayed: {sum(sent.values())} of {len(rows)} requests of the reference server's phone went to SOGo ({told}); "
          f"{len(named)} kinds of differences", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
