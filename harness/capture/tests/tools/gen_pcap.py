#!/usr/bin/env python3
"""Writes captures of interleaved ActiveSync conversations, with a known number of WBXML bodies in them.

usage: gen_pcap.py CORPUS OUT [options]      (standard library only; CORPUS: folder of .wbxml files)
  --megabytes N      stop opening conversations after so many (default 1)
  --conversations N  ... or after so many of them
  --light            only small documents
  --classic          classic pcap instead of pcapng
  --link NAME        ethernet, vlan, sll, sll2, raw, null
  --ipv6             addresses of version 6
  --swap P           part of the data segments that change places with the next one (default 0.005)
  --twice P          part of the data segments that are sent twice (default 0.005)
  --fragment P       part of the data segments that travel in two IP fragments (IPv4)
  --tail N           cut so many bytes off the end of the file
  --seed N           (default 7)
  --tls VERSION      1.0 to 1.3: real TLS, run in memory; needs --cert and --key
  --ciphers NAMES    OpenSSL names of the suites, up to TLS 1.2
  --cert PEM --key PEM --keylog FILE
  --inside           write the key log into the pcapng, in a Decryption Secrets Block
  --old              without extended master secret and encrypt-then-MAC
  --retry            the server wants another group: HelloRetryRequest (TLS 1.3)
  --resume           conversations after the first resume its session

Each conversation: OPTIONS, Provision, FolderSync, Sync, Ping over one keep-alive connection; answers are chunked every
third time. The last line of the output is `truth N`, the number of WBXML bodies that were put in.
"""
import argparse, os, random, ssl, struct

P = argparse.ArgumentParser()
P.add_argument("corpus"); P.add_argument("out")
for name, kind, default in [("megabytes", float, 1), ("conversations", int, 10**9), ("swap", float, .005), ("twice", float, .005),
                            ("fragment", float, 0), ("tail", int, 0), ("seed", int, 7), ("link", str, "ethernet"), ("tls", str, None),
                            ("ciphers", str, None), ("cert", str, None), ("key", str, None), ("keylog", str, None)]:
    P.add_argument("--" + name, type=kind, default=default)
for name in ["light", "classic", "ipv6", "inside", "resume", "old", "retry"]: P.add_argument("--" + name, action="store_true")
A = P.parse_args()
R = random.Random(A.seed)
DOC = {f[:-6]: open(os.path.join(A.corpus, f), "rb").read() for f in sorted(os.listdir(A.corpus)) if f.endswith(".wbxml")}
UA = ["MSFT-WP/7.10.8773", "Apple-iPhone5C2/1001.405", "Android/4.1.2-EAS-1.3", "RIM-Q10-SQN100-3/10.1.0.2006"]
WBXML = "Content-Type: application/vnd.ms-sync.wbxml\r\n"
TRUTH = 0

def request(cmd, body, agent, device):
    return (f"POST /Microsoft-Server-ActiveSync?Cmd={cmd}&User=user1&DeviceId={device}&DeviceType=WP HTTP/1.1\r\n"
            f"Host: mail.contoso.example\r\nMS-ASProtocolVersion: 14.1\r\nX-MS-PolicyKey: 1307199584\r\nUser-Agent: {agent}\r\n"
            f"{WBXML}Content-Length: {len(body)}\r\n\r\n").encode() + body
def answer(body, extra=WBXML):
    head = f"HTTP/1.1 200 OK\r\nCache-Control: private\r\nServer: Microsoft-IIS/8.5\r\nMS-Server-ActiveSync: 15.0\r\n{extra}"
    if R.randrange(3): return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    out = (head + "Transfer-Encoding: chunked\r\n\r\n").encode()
    while body:
        n = R.randrange(1, 5000); part, body = body[:n], body[n:]
        out += b"%X\r\n" % len(part) + part + b"\r\n"
    return out + b"0\r\n\r\n"
def script(heavy):
    global TRUTH
    agent, device = R.choice(UA), "%032X" % R.getrandbits(128)
    yield (f"OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: mail.contoso.example\r\nUser-Agent: {agent}\r\n\r\n".encode(),
           answer(b"", "MS-ASProtocolVersions: 2.5,12.0,12.1,14.0,14.1\r\nMS-ASProtocolCommands: Sync,SendMail,FolderSync,Ping,Provision\r\n"))
    steps = [("Provision", "req_provision", "rsp_provision"), ("FolderSync", "req_foldersync", "rsp_foldersync_200")]
    if not A.light: steps.append(("Sync", "req_sync", "rsp_sync_mail_headers"))
    if heavy:
        steps += [("Sync", "req_sync", f"rsp_sync_mail_{k}") for k in R.sample(range(4), 2)]
        steps += [("Sync", "req_sync", "rsp_sync_contacts"), ("Sync", "req_sync", "rsp_sync_calendar")]
    steps += [("Ping", "req_ping", "rsp_ping")] * 3
    for cmd, a, b in steps:
        TRUTH += 2
        yield request(cmd, DOC[a], agent, device), answer(DOC[b])

SESSION = None
if A.tls:
    version = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[A.tls]
    SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); SERVER.load_cert_chain(A.cert, A.key)
    CLIENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); CLIENT.check_hostname = False; CLIENT.verify_mode = ssl.CERT_NONE
    if A.old: CLIENT.options |= 1 << 19 | 1  # SSL_OP_NO_ENCRYPT_THEN_MAC, SSL_OP_NO_EXTENDED_MASTER_SECRET
    if A.retry: SERVER.set_ecdh_curve("secp384r1")
    SERVER.minimum_version = SERVER.maximum_version = CLIENT.minimum_version = version
    if A.keylog: CLIENT.keylog_filename = A.keylog
    if A.ciphers:
        for c in (SERVER, CLIENT): c.set_ciphers(A.ciphers + ":@SECLEVEL=0")

def flow(heavy):
    """(direction, bytes) as they go on the wire"""
    global SESSION
    if not A.tls:
        for a, b in script(heavy): yield 0, a; yield 1, b
        return
    cin, cout, sin, sout = (ssl.MemoryBIO() for _ in range(4))
    c = CLIENT.wrap_bio(cin, cout, server_hostname="mail.contoso.example", session=SESSION if A.resume else None)
    s = SERVER.wrap_bio(sin, sout, server_side=True)
    def pump():
        out = []
        for d, a, b in ((0, cout, sin), (1, sout, cin)):
            x = a.read()
            if x: b.write(x); out.append((d, x))
        return out
    done = [False, False]
    while not all(done):
        for i, e in ((0, c), (1, s)):
            try: e.do_handshake(); done[i] = True
            except ssl.SSLWantReadError: pass
            yield from pump()
    yield from pump()
    for a, b in script(heavy):
        for e, other, data in ((c, s, a), (s, c, b)):
            e.write(data); yield from pump()
            got = 0
            while got < len(data): got += len(other.read(1 << 16))
    if A.resume and SESSION is None: SESSION = c.session

def checksum(b):
    t = sum(struct.unpack(f"!{len(b)//2}H", b)); t = (t & 0xffff) + (t >> 16); t = (t & 0xffff) + (t >> 16); return ~t & 0xffff
LINKS = {"ethernet": 1, "vlan": 1, "sll": 113, "sll2": 276, "raw": 101, "null": 0}
def link(d, ip):
    kind = b"\x86\xdd" if A.ipv6 else b"\x08\0"
    if A.link == "sll": return struct.pack("!HHH8s", 0, 1, 6, b"\x02\0\0\0\0\1\0\0") + kind + ip
    if A.link == "sll2": return kind + struct.pack("!HIHBB8s", 0, 1, 1, 0, 6, b"\x02\0\0\0\0\1\0\0") + ip
    if A.link == "raw": return ip
    if A.link == "null": return struct.pack("<I", 30 if A.ipv6 else 2) + ip
    mac = [b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"]
    return mac[1 - d] + mac[d] + (b"\x81\0\0\x05" if A.link == "vlan" else b"") + kind + ip
NUMBER = 0
def packets(d, n, tcp, split):
    """frames of one segment"""
    global NUMBER
    if A.ipv6:
        ip = [bytes.fromhex("fd00000000000000000000000000") + struct.pack("!H", n & 0xffff), bytes.fromhex("fd000000000000000000000000010005")]
        return [link(d, struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + ip[d] + ip[1 - d] + tcp)]
    ip = [struct.pack("!BBBB", 10, 1, n >> 8 & 255, n & 255), b"\x0a\x00\x00\x05"]
    NUMBER = NUMBER + 1 & 0xffff
    def v4(part, flags):
        h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), NUMBER, flags, 64, 6, 0, ip[d], ip[1 - d])
        return link(d, h[:10] + struct.pack("!H", checksum(h)) + h[12:] + part)
    if split and len(tcp) > 64: return [v4(tcp[:48], 0x2000), v4(tcp[48:], 6)]
    return [v4(tcp, 0x4000)]
def conversation(n, heavy):
    port = [20000 + n % 40000, 443 if A.tls else 80]; seq = [R.getrandbits(32), R.getrandbits(32)]
    def segment(d, flags, data=b""):
        tcp = struct.pack("!HHIIBBHHH", port[d], port[1 - d], seq[d], seq[1 - d] if flags & 16 else 0, 0x50, flags, 65535, 0, 0) + data
        return packets(d, n, tcp, R.random() < A.fragment)
    def step(d, by): seq[d] = seq[d] + by & 0xffffffff
    yield from segment(0, 2); step(0, 1)
    yield from segment(1, 18); step(1, 1)
    yield from segment(0, 16)
    for d, data in flow(heavy):
        hold = None
        for k, o in enumerate(range(0, len(data), 1448)):
            part = data[o:o + 1448]; last = o + 1448 >= len(data); p = segment(d, 24 if last else 16, part); step(d, len(part)); r = R.random()
            if hold: yield from p; yield from hold; hold = None
            elif r < A.swap and not last: hold = p
            elif r < A.swap + A.twice: yield from p; yield from p
            else: yield from p
            if k & 1: yield from segment(1 - d, 16)
        if hold: yield from hold
    yield from segment(0, 17); step(0, 1)
    yield from segment(1, 17); step(1, 1)
    yield from segment(0, 16)

def pad(b): return b + b"\0" * (-len(b) % 4)
def block(kind, body): n = struct.pack("<I", 12 + len(pad(body))); return struct.pack("<I", kind) + n + pad(body) + n
out = bytearray(); total = count = made = 0; now = 1_790_000_000_000_000; live = []
while total < A.megabytes * 1e6 and made < A.conversations or live:
    while len(live) < 32 and total < A.megabytes * 1e6 and made < A.conversations:
        live.append(conversation(made, made % 9 == 0 and not A.light)); made += 1
    g = R.choice(live)
    try:
        for _ in range(R.randrange(1, 12)):
            p = next(g); now += R.randrange(2, 60); count += 1
            if A.classic: b = struct.pack("<IIII", now // 10**6, now % 10**6, len(p), len(p)) + p
            else: b = block(6, struct.pack("<IIIII", 0, now >> 32, now & 0xffffffff, len(p), len(p)) + p)
            out += b; total += len(b)
    except StopIteration: live.remove(g)
if A.classic: head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, LINKS[A.link])
else:
    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", LINKS[A.link], 0, 262144))
    if A.inside: keys = open(A.keylog, "rb").read(); head += block(10, struct.pack("<II", 0x544C534B, len(keys)) + keys)
data = head + bytes(out)
open(A.out, "wb").write(data[:len(data) - A.tail] if A.tail else data)
print(f"{made} conversations {count} packets {total} bytes\ntruth {TRUTH}")
