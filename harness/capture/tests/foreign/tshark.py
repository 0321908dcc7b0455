#!/usr/bin/env python3
"""Compares what tshark finds in a capture with what `easrig show --format json` says.

usage: tshark.py written NAME CAPTURE SHOWN.json                    the same requests, answers and documents
       tshark.py read NAME CAPTURE SHOWN.json [KEYLOG] [TRUTH]      as many requests and documents; TRUTH: how many there are
"""
import collections, json, subprocess, sys
from urllib.parse import urlsplit

mode, name, capture, shown = sys.argv[1:5]
keylog, truth = (sys.argv[5:] + ["", ""])[:2]

def target(text):
    """path and query: a target names its host where no header does"""
    url = urlsplit(text)
    return url.path + ("?" + url.query if url.query else "")


fields = ["http.request.method", "http.request.uri", "http.response.code", "wbxml.version"]
command = ["tshark", "-n", "-r", capture, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "http || http2", "-T", "fields",
           "-E", "occurrence=a", "-E", "aggregator=|"]
if keylog: command += ["-o", f"tls.keylog_file:{keylog}"]
for field in fields: command += ["-e", field]
# A torn file makes tshark complain behind its last packet, with exit code 2.
rows = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode().splitlines()
theirs = {"requests": collections.Counter(), "answers": collections.Counter(), "documents": 0}
for row in rows:
    methods, targets, codes, documents = (part.split("|") if part else [] for part in (row.split("\t") + [""] * 4)[:4])
    theirs["requests"].update(zip(methods, map(target, targets)))
    theirs["answers"].update(codes)
    theirs["documents"] += len(documents)

ours = {"requests": collections.Counter(), "answers": collections.Counter(), "documents": 0}
for exchange in json.load(open(shown))["exchanges"]:
    request, answer = exchange["request"], exchange["response"]
    ours["requests"][request["method"], target(request["url"])] += 1
    if answer: ours["answers"][str(answer["status"])] += 1
    ours["documents"] += sum(message["body"]["kind"] == "wbxml" for message in (request, answer) if message)

wrong = []
for what in ("requests", "answers"):
    mine, his = ours[what], theirs[what]
    if mode == "written" and mine != his:
        wrong.append(f"{what}: only easrig has {dict(mine - his)}, only tshark has {dict(his - mine)}")
    elif what == "requests" and mine.total() != his.total() and ours["documents"] == theirs["documents"]:
        wrong.append(f"{what}: easrig {mine.total()}, tshark {his.total()}")
mine, his = ours["documents"], theirs["documents"]
if truth and mine != int(truth): wrong.append(f"documents: easrig {mine} of {truth}")
if mine != his:
    if truth and mine == int(truth): print(f"tshark: {name}: it finds {his} of {truth} documents, easrig finds all")
    else: wrong.append(f"documents: easrig {mine}, tshark {his}")
for line in wrong: print(f"tshark: {name}: {line}", file=sys.stderr)
if wrong or not ours["requests"]: sys.exit(1)
print(f"tshark: {name}: {ours['requests'].total()} requests, {ours['answers'].total()} answers, {mine} documents"
      + (", as many as were put in" if truth else ""))
