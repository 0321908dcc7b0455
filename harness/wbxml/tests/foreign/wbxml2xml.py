#!/usr/bin/env python3
"""Compares our decoder with libwbxml's on every corpus file that `wbxml2xml -l ACTIVESYNC` can read.

usage: wbxml2xml.py [FILE...]          (default: the corpus)

Needs Debian's libwbxml2-utils, and cargo. Documents are compared as events: page and number of each element, nesting, and
text byte for byte. libwbxml prints names, some of them unlike the standard's: those are listed below with their numbers.
Exit 1: a disagreement, or nothing to compare. Exit 2: a program is missing.
"""
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.parsers.expat

CRATE = pathlib.Path(__file__).resolve().parent.parent.parent

# (page, name in libwbxml) -> token, where the name is not the standard's but for upper and lower case
ALIASES = {
    (1, "assistanttelephonenumber"): 0x07, (1, "businesscity"): 0x0D, (1, "businesscountry"): 0x0E,
    (1, "businesspostalcode"): 0x0F, (1, "businessstate"): 0x10, (1, "businessstreet"): 0x11, (1, "homecity"): 0x21,
    (1, "homecountry"): 0x22, (1, "homepostalcode"): 0x23, (1, "homestate"): 0x24, (1, "homestreet"): 0x25,
    (1, "othercity"): 0x2D, (1, "othercountry"): 0x2E, (1, "otherpostalcode"): 0x2F, (1, "otherstate"): 0x30,
    (1, "otherstreet"): 0x31, (2, "reply-to"): 0x19, (2, "recurrence_type"): 0x29, (2, "recurrence_until"): 0x2A,
    (2, "recurrence_occurrences"): 0x2B, (2, "recurrence_interval"): 0x2C, (2, "recurrence_dayofweek"): 0x2D,
    (2, "recurrence_dayofmonth"): 0x2E, (2, "recurrence_weekofmonth"): 0x2F, (2, "recurrence_monthofyear"): 0x30,
    (2, "flagstatus"): 0x3B, (4, "attendee_email"): 0x09, (4, "attendee_name"): 0x0A, (4, "compressed_rtf"): 0x10,
    (4, "exception_deleted"): 0x15, (4, "exception_starttime"): 0x16, (4, "organizer_email"): 0x19,
    (4, "organizer_name"): 0x1A, (4, "recurrence_type"): 0x1C, (4, "recurrence_until"): 0x1D,
    (4, "recurrence_occurrences"): 0x1E, (4, "recurrence_interval"): 0x1F, (4, "recurrence_dayofweek"): 0x20,
    (4, "recurrence_dayofmonth"): 0x21, (4, "recurrence_weekofmonth"): 0x22, (4, "recurrence_monthofyear"): 0x23,
    (4, "attendee_status"): 0x29, (4, "attendee_type"): 0x2A, (9, "recurrence_type"): 0x10,
    (9, "recurrence_start"): 0x11, (9, "recurrence_until"): 0x12, (9, "recurrence_occurrences"): 0x13,
    (9, "recurrence_interval"): 0x14, (9, "recurrence_dayofmonth"): 0x15, (9, "recurrence_dayofweek"): 0x16,
    (9, "recurrence_weekofmonth"): 0x17, (9, "recurrence_monthofyear"): 0x18, (9, "recurrence_regenerate"): 0x19,
    (9, "recurrence_deadoccur"): 0x1A, (14, "deviceencryptionenabled"): 0x10, (18, "ihsmanagementinformation"): 0x2B,
    (21, "forwardeename"): 0x17, (21, "forwardeeemail"): 0x18, (24, "rmowner"): 0x12,
    (24, "removerightsmanagementdistribution"): 0x18,
}


def numbers():
    """(namespace, name), both lower case -> (page, token); and namespace -> page."""
    tags, pages = {}, {}
    for line in (CRATE / "data" / "code-pages.tsv").read_text().splitlines():
        if line.startswith("#") or line.startswith("page\t"):
            continue
        page, namespace, token, name, _, _ = line.split("\t")
        pages[namespace.lower()] = int(page)
        tags[int(page), name.lower()] = int(token, 16)
    return tags, pages


TAGS, PAGES = numbers()


def join(events):
    """Events with neighbouring texts made one and empty ones left out."""
    joined = []
    for event in events:
        if event[0] == "text" and joined and joined[-1][0] == "text":
            joined[-1] = ("text", joined[-1][1] + event[1])
        elif event[0] != "text" or event[1]:
            joined.append(event)
    return [event for event in joined if event != ("text", b"")]


def theirs(path):
    """libwbxml's events, or None where it cannot read the file."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as out:
        run = subprocess.run(["wbxml2xml", "-l", "ACTIVESYNC", "-m", "0", "-k", "-o", out.name, path],
                             capture_output=True)
        # XML's newline rules would eat the bare CRs it writes.
        text = out.read().replace(b"\r", b"&#13;")
    if run.returncode != 0 or not text or b"<unknown" in text:
        return None
    events = []

    def start(name, _):
        namespace, _, local = name.rpartition(" ")
        page = PAGES.get(namespace.rstrip(":").lower())
        key = (page, local.lower())
        events.append(("start", page, ALIASES.get(key, TAGS.get(key, f"no number for {name}"))))

    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: events.append(("end",))
    parser.CharacterDataHandler = lambda data: events.append(("text", data.encode()))
    parser.Parse(text, True)
    return join(events)


def ours(program, path):
    events = []
    lines = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "start":
            events.append(("start", *map(int, rest.split())))
        elif word == "text":
            events.append(("text", bytes.fromhex(rest)))
        elif word == "opaque":  # libwbxml shows every opaque part in base64
            events.append(("text", base64.b64encode(bytes.fromhex(rest))))
        else:
            events.append(("end",))
    return join(events)


def build():
    run = subprocess.run(["cargo", "build", "--quiet", "-p", "easrig-wbxml", "--example", "dump",
                          "--message-format", "json"], check=True, capture_output=True, text=True, cwd=CRATE)

    for line in run.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "dump":
            return message["executable"]
    sys.exit("cargo built no example `dump`")


def main():
    for program in ("wbxml2xml", "cargo"):
        if not shutil.which(program):
            print(f"`{program}` is missing (wbxml2xml: apt-get install libwbxml2-utils)", file=sys.stderr)
            sys.exit(2)
    files = sys.argv[1:] or sorted(map(str, (CRATE / "tests" / "corpus").glob("*.wbxml")))
    dump = build()
    compared = disagreements = 0
    for path in files:
        foreign, own, name = theirs(path), ours(dump, path), pathlib.Path(path).name
        if foreign is None:
            print(f"skipped   {name}: libwbxml cannot read it")
            continue
        compared += 1
        if foreign == own:
            print(f"agreed    {name}: {len(own)} events")
            continue
        disagreements += 1
        at = next((i for i, pair in enumerate(zip(foreign, own)) if pair[0] != pair[1]), min(len(foreign), len(own)))
        print(f"DISAGREED {name} at event {at}: libwbxml {foreign[at:at + 1]}, ours {own[at:at + 1]}")
    print(f"{compared} of {len(files)} files compared, {disagreements} disagreements")
    sys.exit(1 if disagreements or not compared else 0)


if __name__ == "__main__":
    main()
