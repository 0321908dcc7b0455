"""Fill the lab's empty mailboxes: the same small set for the owner of each account pair.

usage: seed.py ACCOUNTS_TOML IMAP_PORT HTTP_PORT

Odd entries of the accounts file are owners, even ones their partners. An owner gets five
mails "from" the partner, a folder Archive, an event tomorrow and a contact; everybody gets
the usual folders. Times are relative to now, so that no date filter ever hides the seed.
"""

import base64
import datetime
import imaplib
import sys
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

FOLDERS = ("INBOX", "Drafts", "Sent", "Trash", "Junk")

# subject, text, HTML alternative, attachment, flags
MAILS = (
    ("Plain text", "Hello,\nline two.\n", None, None, None),
    ("HTML and text", "Text part\n", "<html><body><p>HTML <b>part</b></p></body></html>", None, r"(\Seen)"),
    ("With attachment", "See the file.\n", None, bytes(range(256)) * 8, None),
    ("Umlaut \u00e4\u00f6\u00fc \u20ac \U0001f600", "Gr\u00fc\u00dfe \u2014 \u4f60\u597d\n", None, None, None),
    ("Long body", "0123456789abcdef " * 4000 + "\n", None, None, None),
)


def main() -> None:
    path, imap_port, http_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path, "rb") as file:
        accounts = tomllib.load(file)["account"]
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

    def fill(index: int) -> None:
        account = accounts[index]
        if index % 2 == 0:
            seed_mail(imap_port, account, accounts[index + 1], now)
        wake_folders(imap_port, account)
        if index % 2 == 0:
            seed_dav(http_port, account, now)

    with ThreadPoolExecutor(max_workers=len(accounts)) as pool:
        list(pool.map(fill, range(len(accounts))))  # list(): the first failure is raised here


def login(port: int, account: dict) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=30)
    client.login(account["user"], account["secret"])
    return client


def seed_mail(port: int, owner: dict, partner: dict, now: datetime.datetime) -> None:
    client = login(port, owner)
    for number, (subject, text, html, attachment, flags) in enumerate(MAILS, 1):
        sent = now - datetime.timedelta(hours=10 - number)
        message = EmailMessage()
        message["From"] = f"{full_name(partner)} <{partner['address']}>"
        message["To"] = f"{full_name(owner)} <{owner['address']}>"
        message["Subject"] = subject
        message["Date"] = sent
        message["Message-ID"] = f"<seed-{number}.{owner['address']}>"
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        if attachment:
            message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="blob.bin")
        raw = message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        must(client.append("INBOX", flags, imaplib.Time2Internaldate(sent), raw))
    must(client.create("Archive"))
    must(client.subscribe("Archive"))
    client.logout()


def wake_folders(port: int, account: dict) -> None:
    """Log in twice: the first login makes the folders, the second switches their modseq on."""
    for turn in (1, 2):
        client = login(port, account)
        for folder in FOLDERS:
            must(client.select(folder, readonly=turn == 2))
        client.logout()


def seed_dav(port: int, owner: dict, now: datetime.datetime) -> None:
    domain = owner["address"].partition("@")[2]
    day = (now + datetime.timedelta(days=1)).strftime("%Y%m%d")
    put(port, owner, "Calendar/personal/seed-event-1.ics", "text/calendar; charset=utf-8", [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//easrig//lab//EN", "BEGIN:VEVENT",
        f"UID:seed-event-1.{owner['address']}",
        "DTSTAMP:" + now.strftime("%Y%m%dT%H%M%SZ"), f"DTSTART:{day}T090000Z", f"DTEND:{day}T100000Z",
        "SUMMARY:Seed meeting", "LOCATION:Room 1", "DESCRIPTION:made by the lab", "END:VEVENT", "END:VCALENDAR",
    ])
    put(port, owner, "Contacts/personal/seed-contact-1.vcf", "text/vcard; charset=utf-8", [
        "BEGIN:VCARD", "VERSION:3.0", "UID:seed-contact-1", "N:Seed;Zoe;;;", "FN:Zoe Seed",
        f"EMAIL;TYPE=work:zoe@{domain}", "TEL;TYPE=cell:+1 555 0900", "ORG:Lab", "END:VCARD",
    ])


def put(port: int, owner: dict, path: str, content_type: str, lines: list[str]) -> None:
    token = base64.b64encode(f"{owner['user']}:{owner['secret']}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/SOGo/dav/{owner['user']}/{path}",
        data="\r\n".join([*lines, ""]).encode(),
        method="PUT",
        headers={"Content-Type": content_type, "Authorization": "Basic " + token},
    )
    urllib.request.urlopen(request, timeout=60).close()


def must(answer: tuple) -> None:
    if answer[0] != "OK":
        raise SystemExit(f"seed: the IMAP server said {answer!r}")


def full_name(account: dict) -> str:
    return account["user"].capitalize() + " Example"


if __name__ == "__main__":
    main()
