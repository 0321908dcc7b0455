#!/usr/bin/env python3
"""Compares what a run wrote down with what a capture of it gave, both as HAR: method, URL, headers, status and bodies.

usage: captured.py NAME RUN.har CAPTURE.har

Device ids and policy keys are pseudonyms of another salt on either side: each is replaced by its number of first
appearance. The scheme is left out (the RSA relay takes plain HTTP). Requests of two phones, or of a phone that pings and
syncs, may begin in the same millisecond: each exchange has to have its equal, whatever their order. Times, certificates and reasons of failure are not
compared: an onlooker sees a request that was given up as a connection that was closed.
"""
import base64, collections, json, re, sys

name, run, capture = sys.argv[1:]


def body(content):
    text = (content or {}).get("text", "")
    return base64.b64decode(text) if (content or {}).get("encoding") == "base64" else text.encode()


def packed(query):
    """device id and policy key of a packed query, as bytes"""
    try:
        raw = base64.b64decode(query, validate=True)
        size = raw[4]
        device = raw[5:5 + size]
        key = raw[6 + size:6 + size + raw[5 + size]]
        return raw, device, key
    except Exception:
        return None


def canonical(path):
    entries = json.load(open(path))["log"]["entries"]
    entries.sort(key=lambda entry: entry["startedDateTime"])
    devices, keys, out = {}, {}, []

    def number(table, word):
        return b"%0*d" % (max(len(word), 1), table.setdefault(word, len(table) + 1)) if word else word

    for entry in entries:
        request, response, own = entry["request"], entry["response"], entry["_easrig"]
        url = re.sub("^https?://", "", request["url"]).encode()
        where, _, query = url.partition(b"?")
        bits = packed(query)
        if bits:
            raw, device, key = bits
            device = number(devices, device)
            key = number(keys, str(int.from_bytes(key, "little")).encode()) if len(key) == 4 and any(key) else key
            query = raw[:5] + device + b" " + key + raw[6 + len(bits[1]) + len(bits[2]):]
        else:
            query = re.sub(rb"(?<=DeviceId=)[^&]*", lambda m: number(devices, m[0].upper()), query)
        for xml in (own.get("request_xml"), own.get("response_xml")):
            for key in re.findall(r"PolicyKey>(\d+)<", xml or ""):
                if key != "0": number(keys, key.encode())

        def plain(data):
            for key in keys:
                data = re.sub(rb"(?<!\d)" + key + rb"(?!\d)", lambda m: number(keys, m[0]), data)
            return data

        def headers(message):
            lines = []
            for header in message["headers"]:
                value = header["value"].encode()
                if header["name"].lower() == "x-ms-policykey" and value != b"0": value = number(keys, value)
                lines.append((header["name"], value))
            return lines

        out.append({"method": request["method"], "path": where, "query": query, "request headers": headers(request),
                    "request body": plain(body(request.get("postData"))), "status": response["status"],
                    "reason": response["statusText"], "headers": headers(response), "body": plain(body(response["content"])),
                    "cut": bool(own.get("cut"))})
    return out


mine, theirs = canonical(run), canonical(capture)
def unmatched(some, others):
    left = collections.Counter(map(repr, others))
    lone = []
    for one in some:
        if left[repr(one)]: left[repr(one)] -= 1
        else: lone.append(one)
    return lone


wrong = 0
if len(mine) != len(theirs):
    print(f"captured: {name}: {len(mine)} exchanges in the run, {len(theirs)} in the capture", file=sys.stderr)
    wrong = 1
lone, strays = unmatched(mine, theirs), unmatched(theirs, mine)
for one in lone[:5]:
    nearest = max(strays, key=lambda other: sum(one[part] == other[part] for part in one), default={})
    parts = [part for part in one if one[part] != nearest.get(part)]
    print(f"captured: {name}: {one['method']} {one['query'][:60]!r} is not in the capture; the nearest differs in {', '.join(parts)}",
          *(f"\n  {part}\n    run     {one[part]!r:.400}\n    capture {nearest.get(part)!r:.400}" for part in parts), file=sys.stderr)
for other in strays[:5]:
    print(f"captured: {name}: {other['method']} {other['query'][:60]!r} is in the capture only", file=sys.stderr)
wrong += len(lone) + len(strays)
if wrong or not mine: sys.exit(1)
size = sum(len(a["request body"]) + len(a["body"]) for a in mine)
print(f"captured: {name}: {len(mine)} exchanges with {size} bytes of bodies are the same in the run and in the capture")
