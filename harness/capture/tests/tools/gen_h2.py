#!/usr/bin/env python3
"""Writes a small capture of ActiveSync over HTTP/2, with everything in it that an importer may stumble over.

usage: gen_h2.py CORPUS OUT [--tls CERT KEY | --upgrade]     (needs the package h2 of PyPI; CORPUS: folder of .wbxml files)

One connection of one device. Both ends are h2's own; with --tls they speak through TLS 1.3 in memory (ALPN h2), and the
key log is written into the file; with --upgrade a FolderSync in HTTP/1.1 asks for h2c and is answered on stream 1. On it: six requests at once whose answers come in pieces, in turn; a
padded request; a header so long that it needs CONTINUATION; an answer behind `100`, one with trailers, one that the
server pushes (to be passed over); a request that the device gives up, one that the server resets; GOAWAY at the end.
The last line of the output is `truth N M`: exchanges and WBXML bodies.
"""
import os, random, ssl, struct, sys, tempfile
import h2.config, h2.connection, h2.events

CORPUS, OUT = sys.argv[1:3]
TLS = sys.argv[4:6] if "--tls" in sys.argv else None
UPGRADE = "--upgrade" in sys.argv
DOC = {f[:-6]: open(os.path.join(CORPUS, f), "rb").read() for f in os.listdir(CORPUS) if f.endswith(".wbxml")}
R = random.Random(11)
WBXML = ("content-type", "application/vnd.ms-sync.wbxml")
KEYS = tempfile.mktemp()
truth = [0, 0]
now = 1_790_000_000_000_000
packets = []

def checksum(b):
    b += b"\0" * (len(b) % 2); t = sum(struct.unpack(f"!{len(b)//2}H", b))
    t = (t & 0xffff) + (t >> 16); return ~((t & 0xffff) + (t >> 16)) & 0xffff

class Connection:
    """Two ends, the TCP between them, and TLS if wanted."""
    def __init__(self, port):
        self.port, self.seq = [port, 443 if TLS else 80], [R.getrandbits(32), R.getrandbits(32)]
        self.ends = [h2.connection.H2Connection(h2.config.H2Configuration(client_side=side, header_encoding="utf-8")) for side in (True, False)]
        self.client, self.server = self.ends
        self.packet(0, 2); self.packet(1, 18); self.packet(0, 16)
        if TLS:
            server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); server.load_cert_chain(*TLS); server.set_alpn_protocols(["h2"])
            client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); client.check_hostname = False; client.verify_mode = ssl.CERT_NONE
            client.set_alpn_protocols(["h2"]); client.keylog_filename = KEYS
            self.bio = [ssl.MemoryBIO() for _ in range(4)]  # client in, out; server in, out
            self.tls = [client.wrap_bio(self.bio[0], self.bio[1], server_hostname="mail.contoso.example"),
                        server.wrap_bio(self.bio[2], self.bio[3], server_side=True)]
            done = [False, False]
            while not all(done):
                for i in (0, 1):
                    try: self.tls[i].do_handshake(); done[i] = True
                    except ssl.SSLWantReadError: pass
                    self.wire(i)
        if UPGRADE: return self.upgrade()
        self.client.initiate_connection(); self.server.initiate_connection(); self.flush(1)  # a server may speak first
        self.flush(0); self.flush(1); self.flush(0)
    def upgrade(self):
        body, settings = doc("req_foldersync"), self.client.initiate_upgrade_connection()
        self.server.initiate_upgrade_connection(settings)
        self.send(0, (f"POST /Microsoft-Server-ActiveSync?Cmd=FolderSync&User=user1&DeviceId=H2DEVICE&DeviceType=iPhone HTTP/1.1\r\n"
            f"Host: mail.contoso.example\r\nMS-ASProtocolVersion: 14.1\r\nUser-Agent: Apple-iPhone9C1/1402.100\r\n{WBXML[0].title()}: {WBXML[1]}\r\n"
            f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: {settings.decode()}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
        self.send(1, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        self.flush(1); self.flush(0)
        self.head(1); self.body(1, doc("rsp_foldersync_200")); truth[0] += 1
    def packet(self, d, flags, data=b""):
        global now
        now += R.randrange(20, 400)
        tcp = struct.pack("!HHIIBBHHH", self.port[d], self.port[1 - d], self.seq[d], self.seq[1 - d] if flags & 16 else 0, 0x50, flags, 65535, 0, 0) + data
        ip = [b"\x0a\x02\0\x07", b"\x0a\0\0\x05"]
        h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, ip[d], ip[1 - d])
        packets.append((now, b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + h[:10] + struct.pack("!H", checksum(h)) + h[12:] + tcp))
        self.seq[d] = self.seq[d] + len(data) + (flags & 3 != 0) & 0xffffffff
    def send(self, d, data):
        for o in range(0, len(data), 1448): self.packet(d, 24, data[o:o + 1448])
    def wire(self, i):
        data = self.bio[2 * i + 1].read()
        if data: self.send(i, data); self.bio[2 * (1 - i)].write(data)
    def flush(self, i):
        """what an end has to say goes over the wire to the other"""
        data = self.ends[i].data_to_send()
        if not data: return []
        if TLS:
            self.tls[i].write(data); self.wire(i); data = b""
            while True:
                try: data += self.tls[1 - i].read(1 << 16)
                except ssl.SSLWantReadError: break
        else: self.send(i, data)
        return self.ends[1 - i].receive_data(data)
    def ask(self, cmd, body, extra=(), end=True, **padding):
        stream = self.client.get_next_available_stream_id()
        self.client.send_headers(stream, [(":method", "POST"), (":scheme", "https" if TLS else "http"), (":authority", "mail.contoso.example"),
            (":path", f"/Microsoft-Server-ActiveSync?Cmd={cmd}&User=user1&DeviceId=H2DEVICE&DeviceType=iPhone"),
            ("ms-asprotocolversion", "14.1"), ("user-agent", "Apple-iPhone9C1/1402.100"), WBXML, ("content-length", str(len(body))), *extra])
        self.client.send_data(stream, body, end_stream=end, **padding); self.flush(0); self.flush(1)
        if cmd != "none": truth[0] += 1
        return stream
    def head(self, stream, status="200", **more):
        self.server.send_headers(stream, [(":status", status), ("server", "Microsoft-IIS/10.0"), WBXML, ("ms-server-activesync", "15.2")], **more)
    def body(self, stream, data, end=True, **padding):
        self.server.send_data(stream, data, end_stream=end, **padding); self.flush(1); self.flush(0)

def doc(name):
    truth[1] += 1
    return DOC[name]

def converse(port):
    c = Connection(port)
    first = [(c.ask(cmd, doc(a)), doc(b)) for cmd, a, b in [("Provision", "req_provision", "rsp_provision"),
        ("FolderSync", "req_foldersync", "rsp_foldersync_200"), ("Ping", "req_ping", "rsp_ping")] * 2]
    for stream, _ in first: c.head(stream)
    while first:  # answers in pieces of up to 700 bytes, in turn
        k = R.randrange(len(first)); stream, rest = first[k]
        part, rest = rest[:700], rest[700:]
        c.body(stream, part, end=not rest, pad_length=R.choice([None, 0, 7, 200]))
        if rest: first[k] = (stream, rest)
        else: first.pop(k)
    padded = c.ask("Ping", doc("req_ping"), pad_length=33)
    c.server.send_headers(padded, [(":status", "100")]); c.head(padded); c.body(padded, doc("rsp_ping"), end=False)
    c.server.send_headers(padded, [("x-trailer", "over")], end_stream=True); c.flush(1)
    long = c.ask("Ping", doc("req_ping"), extra=[("x-long", "".join(R.choice("abcdefghijk\u00fc") for _ in range(20000)))])
    c.server.push_stream(long, 2, [(":method", "GET"), (":scheme", "https"), (":authority", "mail.contoso.example"), (":path", "/pushed")])
    c.server.send_headers(2, [(":status", "200"), ("x-pushed", "1")]); c.server.send_data(2, b"pushed", end_stream=True)
    c.head(long); c.body(long, doc("rsp_ping"))
    given_up = c.ask("Ping", doc("req_ping"))
    c.client.reset_stream(given_up, 8); c.flush(0)
    refused = c.ask("Ping", doc("req_ping"))
    c.server.reset_stream(refused, 7); c.flush(1)
    last = c.ask("Ping", doc("req_ping")); c.head(last); c.body(last, doc("rsp_ping"))
    c.server.close_connection(); c.flush(1)
    c.packet(1, 17); c.packet(0, 17); c.packet(1, 16)

converse(51000)
def pad(b): return b + b"\0" * (-len(b) % 4)
def block(kind, body): n = struct.pack("<I", 12 + len(pad(body))); return struct.pack("<I", kind) + n + pad(body) + n
out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 262144))
if TLS: keys = open(KEYS, "rb").read(); out += block(10, struct.pack("<II", 0x544C534B, len(keys)) + keys); os.unlink(KEYS)
out += b"".join(block(6, struct.pack("<IIIII", 0, t >> 32, t & 0xffffffff, len(p), len(p)) + p) for t, p in packets)
open(OUT, "wb").write(out)
print(f"{len(packets)} packets {len(out)} bytes\ntruth {truth[0]} {truth[1]}")
