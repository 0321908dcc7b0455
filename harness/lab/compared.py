#!/usr/bin/env python3
"""Whether a comparison says what it has to, and nothing else.

usage: compared.py same|ping-limit|room|workers COMPARISON_JSON
"""
import json
import pathlib
import sys

# What needs mail to come in while a phone waits.
WAITING = {"ping/new-mail-wakes"}


def target(comparison):
    """What the target says of itself otherwise."""
    return {name: value for name, value in comparison["target"].items() if value}


def cells(comparison):
    """How many cells came to something else."""
    return sum(comparison["totals"][name] for name in ("regression", "unclear", "improvement", "news"))


def same(comparison):
    yield "a cell is otherwise", cells(comparison) == 0
    yield "the target says something else of itself", not target(comparison)


def ping_limit(comparison):
    yield "a cell is otherwise", cells(comparison) == 0
    limits = [{"of": "longest_ping", "before": [16], "after": [11]}]
    yield "not the Ping limit, or not it alone", target(comparison) == {"limits": limits}


def room(comparison):
    fates = {family["fate"] for family in comparison["families"]}
    yield f"not every kind of phone is cut off: {fates}", fates == {"cut_off"}
    for cause in comparison["causes"]:
        if cause["class"] == "regression":
            # What each family shows of HTTP 403, and what helps.
            yield f"another cause: {cause['title']}", (cause["remedy"] or "").startswith("Enable ActiveSync for the mailbox")


def workers(comparison):
    changed = {change["scenario"] for cause in comparison["causes"] for change in cause["changes"]}
    yield "nothing is otherwise", bool(changed)
    yield f"other scenarios are otherwise: {changed - WAITING}", changed <= WAITING
    yield "the target says something else of itself", not target(comparison)


def main():
    what, path = sys.argv[1:]
    comparison = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    shows = {"same": same, "ping-limit": ping_limit, "room": room, "workers": workers}
    wrong = [text for text, right in shows[what](comparison) if not right]
    for text in wrong:
        print(f"compared: {text}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
