#!/usr/bin/env python3
"""What journeys that passed say they did must be in the mailboxes, as IMAP shows them.

usage: witnessed.py SUMMARY_JSON ACCOUNTS_TOML      (of a run with --leave, on a freshly reset lab)

For every persona of the run: who it was lent, and for every journey that passed, what must be where.
"""
import json
import pathlib
import subprocess
import sys
import tomllib

WITNESS = pathlib.Path(__file__).with_name("witness.py")

# journey: (whose mailbox, folder, words of the subject, must it be there, flags it must have)
TRUTH = {
    "journeys/send": [("partner", "INBOX", "report", True, ()), ("owner", "Sent", "report", True, ())],
    "journeys/move": [("owner", "Trash", "to be moved", True, ()), ("owner", "INBOX", "to be moved", False, ())],
    "journeys/delete": [("owner", "Trash", "to be deleted", True, ()), ("owner", "INBOX", "to be deleted", False, ())],
    "journeys/read-mail": [("owner", "INBOX", "please read", True, ("\\Seen",))],
    "journeys/reply": [("partner", "INBOX", "Re: ", True, ())],
}


def messages(account, folder):
    call = [sys.executable, WITNESS, "--user", account["user"], "--password", account["secret"], "list", folder]
    found = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    # A mail deleted over EAS lies there until it is expunged; to its owner it is gone.
    return [message for message in found if "\\Deleted" not in message["flags"]]


def main():
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    accounts = tomllib.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))["account"]
    personas = list(dict.fromkeys(cell["persona"] for cell in summary["cells"]))
    seen, wrong = 0, []
    for cell in summary["cells"]:
        if cell["verdict"] != "pass" or cell["scenario"] not in TRUTH:
            continue
        pair = personas.index(cell["persona"]) % (len(accounts) // 2)
        who = {"owner": accounts[2 * pair], "partner": accounts[2 * pair + 1]}
        for role, folder, words, there, flags in TRUTH[cell["scenario"]]:
            mails = [m for m in messages(who[role], folder) if "easrig-" in m["subject"] and words in m["subject"]]
            right = bool(mails) == there and all(flag in mail["flags"] for mail in mails for flag in flags)
            seen += 1
            if not right:
                wrong.append(f"{cell['scenario']} × {cell['persona']} passed, but in {who[role]['user']}'s {folder}: {mails}")
    for line in wrong:
        print(f"witness: {line}", file=sys.stderr)
    print(f"witness: {seen} statements of passed journeys checked by IMAP, {len(wrong)} untrue")
    sys.exit(1 if wrong or not seen else 0)


main()
