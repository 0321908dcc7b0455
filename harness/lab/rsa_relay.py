#!/usr/bin/env python3
"""Takes HTTP on a port of loopback and carries it under TLS 1.2 with RSA key exchange to another, as old phones did.

usage: rsa_relay.py PORT      (prints its own port, then runs until it is killed)
"""
import asyncio, ssl, sys

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE  # a laboratory on this machine
CONTEXT.minimum_version = CONTEXT.maximum_version = ssl.TLSVersion.TLSv1_2
CONTEXT.set_ciphers("AES256-GCM-SHA384")


async def carry(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    there = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]), ssl=CONTEXT)
    await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
