#!/usr/bin/env python3
"""The second witness: what is really in a lab mailbox, seen by IMAP and not by EAS.

usage: witness.py --user alice --password alice-Secret1 [--host H] [--port P] COMMAND
  folders          every folder with its attributes and number of messages
  list FOLDER      every message: uid, subject, flags, size in bytes, message_id
  count FOLDER     {"folder", "messages", "unseen", "deleted"}; deleted ones are marked so,
                   but not yet expunged, and are among the messages

JSON on stdout, one document. Reads only (EXAMINE, BODY.PEEK): asking marks nothing as read.
Exit codes: 0 answered, 1 the server said no (unknown folder, wrong password), 2 usage,
3 the server could not be reached.
"""

import argparse
import base64
import email
import email.header
import email.policy
import imaplib
import json
import os
import re
import sys

NO_MAILBOX = {"\\Noselect", "\\NonExistent"}
# These say who looked first, not what is in the mailbox.
SESSION_FLAGS = {"\\Recent"}
SESSION_ATTRIBUTES = {"\\Marked", "\\UnMarked"}


def main() -> int:
    args = parse_arguments()
    try:
        client = imaplib.IMAP4(args.host, args.port, timeout=args.timeout)
        client.login(args.user, args.password)
        if args.command == "folders":
            answer = folders(client)
        elif args.command == "list":
            answer = messages(client, args.folder)
        else:
            answer = count(client, args.folder)
        client.logout()
    except imaplib.IMAP4.error as cause:
        print(f"witness: {readable(cause)}", file=sys.stderr)
        return 1
    except OSError as cause:
        print(f"witness: {args.host}:{args.port}: {cause}", file=sys.stderr)
        return 3
    json.dump(answer, sys.stdout, indent=1, sort_keys=True)
    print()
    return 0


def readable(cause: imaplib.IMAP4.error) -> str:
    said = cause.args[0] if cause.args else "the connection ended"
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="witness.py", description="what is really in a lab mailbox, by IMAP")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("LAB_PORT_BASE", "20000")) + 12)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for each answer")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("folders", help="every folder")
    for name, text in (("list", "every message of a folder"), ("count", "how many messages a folder has")):
        commands.add_parser(name, help=text).add_argument("folder")
    return parser.parse_args()


def folders(client: imaplib.IMAP4) -> list[dict]:
    found = []
    for line in ok(client.list()):
        attributes, wire_name = parse_list_line(line)
        entry = {"name": decode_utf7(wire_name), "attributes": attributes}
        if not NO_MAILBOX & set(attributes):  # such a name stands only for its children
            entry |= status(client, entry["name"])
            del entry["folder"]
        found.append(entry)
    return sorted(found, key=lambda entry: entry["name"])


def status(client: imaplib.IMAP4, folder: str) -> dict:
    line = ok(client.status(quote(folder), "(MESSAGES UNSEEN)"))[0]
    numbers = dict(re.findall(rb"(MESSAGES|UNSEEN) (\d+)", line))
    return {"folder": folder, "messages": int(numbers[b"MESSAGES"]), "unseen": int(numbers[b"UNSEEN"])}


def count(client: imaplib.IMAP4, folder: str) -> dict:
    ok(client.select(quote(folder), readonly=True))
    deleted = ok(client.uid("SEARCH", "DELETED"))
    return status(client, folder) | {"deleted": sum(len(part.split()) for part in deleted)}


def messages(client: imaplib.IMAP4, folder: str) -> list[dict]:
    if int(ok(client.select(quote(folder), readonly=True))[0]) == 0:
        return []
    fetched = ok(client.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)])"))
    # A FETCH answer with a literal is the pair (text before the literal, literal) and
    # then, as its own element, the text after it; Dovecot may put items on either side.
    found, position = [], 0
    while position < len(fetched):
        part = fetched[position]
        position += 1
        if not isinstance(part, tuple):
            continue
        facts, header = part
        if position < len(fetched) and isinstance(fetched[position], bytes):
            facts += b" " + fetched[position]
            position += 1
        found.append(message(facts, header))
    return sorted(found, key=lambda entry: entry["uid"])


def message(facts: bytes, header: bytes) -> dict:
    fields = email.message_from_bytes(header, policy=email.policy.compat32)
    flags = re.search(rb"FLAGS \(([^)]*)\)", facts)
    return {
        "uid": number(rb"UID (\d+)", facts),
        "size": number(rb"RFC822\.SIZE (\d+)", facts),
        "flags": sorted(set(flags[1].decode("ascii", "replace").split()) - SESSION_FLAGS) if flags else [],
        "subject": unfold(fields["Subject"]),
        "message_id": (fields["Message-ID"] or "").strip(),
    }


def number(pattern: bytes, facts: bytes) -> int | None:
    found = re.search(pattern, facts)
    return int(found[1]) if found else None


def unfold(value: str | None) -> str:
    if value is None:
        return ""
    try:
        decoded = str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError):  # an unknown charset or broken encoding: show what is there
        decoded = value
    return re.sub(r"\r?\n\s*", " ", decoded)


def parse_list_line(line: bytes | tuple) -> tuple[list[str], str]:
    if isinstance(line, tuple):  # the name came as a literal
        head, name = line[0], line[1].decode("ascii", "replace")
        attributes = re.match(rb"\(([^)]*)\)", head)
    else:
        attributes = re.match(rb"\(([^)]*)\) (?:NIL|\"[^\"]*\") (.*)$", line)
        if attributes is None:
            raise imaplib.IMAP4.error(f"a LIST answer that cannot be read: {line!r}")
        name = attributes[2].decode("ascii", "replace")
        if name.startswith('"') and name.endswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
    words = set(attributes[1].decode("ascii", "replace").split()) if attributes else set()
    return sorted(words - SESSION_ATTRIBUTES), name


def quote(folder: str) -> str:
    return '"' + encode_utf7(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'


def encode_utf7(name: str) -> str:
    """Modified UTF-7 of RFC 3501 section 5.1.3."""

    def run(match: re.Match) -> str:
        if match[0] == "&":
            return "&-"
        packed = base64.b64encode(match[0].encode("utf-16-be"), altchars=b"+,")
        return "&" + packed.rstrip(b"=").decode() + "-"

    return re.sub(r"&|[^\x20-\x7e]+", run, name)


def decode_utf7(name: str) -> str:
    def run(match: re.Match) -> str:
        packed = match[1]
        if not packed:
            return "&"
        return base64.b64decode(packed + "=" * (-len(packed) % 4), altchars="+,").decode("utf-16-be", "replace")

    return re.sub(r"&([A-Za-z0-9+,]*)-", run, name)


def ok(answer: tuple) -> list:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(b" ".join(part for part in answer[1] if isinstance(part, bytes)).decode("utf-8", "replace"))
    return [part for part in answer[1] if part is not None]


if __name__ == "__main__":
    sys.exit(main())
