"""SMTP on loopback; each message goes on to Dovecot by LMTP, and to nowhere else.

usage: smtp_sink.py SMTP_PORT LMTP_PORT DOMAIN
"""

import smtplib
import sys
import time

from aiosmtpd.controller import Controller

MESSAGE_LIMIT_BYTES = 64 << 20


class Sink:
    def __init__(self, lmtp_port: int, domain: str) -> None:
        self.lmtp_port = lmtp_port
        self.domain = domain

    async def handle_RCPT(self, server, session, envelope, address, options):
        if not address.lower().endswith("@" + self.domain):
            return f"550 5.1.1 only @{self.domain} here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        try:
            with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
                refused = lmtp.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content)
        except smtplib.SMTPRecipientsRefused as cause:
            print(time.time(), "refused", cause, flush=True)
            return "550 5.1.1 refused by LMTP"
        except Exception as cause:  # whatever went wrong, the sender may try again
            print(time.time(), "error", repr(cause), flush=True)
            return f"451 4.3.0 LMTP: {type(cause).__name__}"
        print(time.time(), envelope.mail_from, envelope.rcpt_tos, len(envelope.original_content), refused, flush=True)
        return "250 2.0.0 delivered"


def main() -> None:
    port, lmtp_port, domain = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].lower()
    controller = Controller(
        Sink(lmtp_port, domain), hostname="127.0.0.1", port=port, data_size_limit=MESSAGE_LIMIT_BYTES, ident="lab-sink"
    )
    controller.start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
