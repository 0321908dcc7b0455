"""Prove that every lab account works: an IMAP login and an authenticated OPTIONS over TLS.

usage: check.py ACCOUNTS_TOML IMAP_PORT EAS_URL CA_FILE

Prints one line per account; exits 1 with the cause if one of them is refused after 15 s.
"""

import base64
import imaplib
import ssl
import sys
import time
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor

PATIENCE_SECONDS = 15


def main() -> None:
    path, imap_port, url, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    with open(path, "rb") as file:
        accounts = tomllib.load(file)["account"]
    trust = ssl.create_default_context(cafile=ca)
    deadline = time.monotonic() + PATIENCE_SECONDS

    def check(account: dict) -> str:
        while True:
            try:
                folders = imap_folders(imap_port, account)
                versions = eas_versions(url, trust, account)
                return f"{account['user']}: IMAP ok, {folders} folders; OPTIONS 200, versions {versions}"
            except (OSError, imaplib.IMAP4.error) as cause:  # URLError is an OSError
                if time.monotonic() > deadline:
                    raise SystemExit(f"{account['user']}: {cause!r}") from cause
                time.sleep(0.2)

    with ThreadPoolExecutor(max_workers=len(accounts)) as pool:
        for line in pool.map(check, accounts):
            print(line)


def imap_folders(port: int, account: dict) -> int:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=30)
    client.login(account["user"], account["secret"])
    folders = client.list()[1]
    client.logout()
    return len(folders)


def eas_versions(url: str, trust: ssl.SSLContext, account: dict) -> str:
    token = base64.b64encode(f"{account['user']}:{account['secret']}".encode()).decode()
    request = urllib.request.Request(url, method="OPTIONS", headers={"Authorization": "Basic " + token})
    with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
        versions = answer.headers.get("MS-ASProtocolVersions")
    if not versions:
        raise OSError("OPTIONS answered without MS-ASProtocolVersions")
    return versions


if __name__ == "__main__":
    main()
