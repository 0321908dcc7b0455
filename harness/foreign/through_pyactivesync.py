#!/usr/bin/env python3
"""A client that is not ours (pyactivesync, protocol 16.1) works through all of its methods against the reference server.

usage: through_pyactivesync.py HOST:PORT ALICE PASSWORD BOB PASSWORD   (users are mail addresses; REQUESTS_CA_BUNDLE
names the server's CA). Every step checks what the method brought, not only that it came back.
"""
import sys
import threading
import time
from email.message import EmailMessage

from pyactivesync import Client
from pyactivesync.exceptions import StatusError
from pyactivesync.models import BodyType, Contact, ContactChange, EmailChange, FolderType, OofState

done = []


def check(name, truth, seen=""):
    if not truth:
        sys.exit(f"pyactivesync: {name}: not as it should be: {seen!r}")
    done.append(name)
    print(f"ok {len(done)} {name}")


def letter(sender, to, subject, text, attachment=None):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content(text)
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="blob.bin")
    return message


def drain(client, folder, key="0"):
    """Syncs to the end; every item by its id, and the last key."""
    items = {}
    if key == "0":
        key = client.sync_folder(folder).sync_key
    for _ in range(50):
        page = client.sync_folder(folder, key)
        key = page.sync_key
        items.update({item.server_id: item for item in page.added + page.changed})
        for gone in page.deleted:
            items.pop(gone, None)
        if not page.more_available:
            return items, key
    sys.exit("pyactivesync: Sync: MoreAvailable never ends")


def arrives(client, folder, key, subject, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        items, key = drain(client, folder, key)
        for item in items.values():
            if item.fields.get("Email.Subject") == subject:
                return item, key
        time.sleep(0.1)
    sys.exit(f"pyactivesync: mail {subject!r} never arrived")


def main():
    server, alice, alice_secret, bob, bob_secret = sys.argv[1:]
    a = Client(server, alice, alice_secret, device_id="PYACTIVESYNC0001", timeout=30)
    b = Client(server, bob, bob_secret, device_id="PYACTIVESYNC0002", timeout=30)

    check("provision", a.provision().isdigit())
    folders = {f.type: f for f in a.list_folders()}
    check("list_folders", {2, 3, 4, 5, 8, 9} <= {int(t) for t in folders}, folders)
    inbox, sent, deleted = folders[FolderType.INBOX].id, folders[FolderType.SENT_ITEMS].id, folders[FolderType.DELETED_ITEMS].id
    drafts, contacts = folders[FolderType.DRAFTS].id, folders[FolderType.CONTACTS].id

    made = a.create_folder("py folder")
    check("create_folder", any(f.id == made.id and f.name == "py folder" for f in a.list_folders()))
    a.update_folder(made.id, "py renamed")
    check("update_folder", any(f.id == made.id and f.name == "py renamed" for f in a.list_folders()))

    before, key = drain(a, inbox)
    check("sync_folder", key != "0")
    subject = "py hello äöü"
    b.send_mail(letter(bob, alice, subject, "first line\nsecond line\n", bytes(range(256)) * 4), client_id="py-send-1")
    check("get_item_estimate", a.get_item_estimate(inbox, key) == 1, a.get_item_estimate(inbox, key))
    item, key = arrives(a, inbox, key, subject)
    check("send_mail", item.server_id not in before and bob in item.fields.get("Email.From", ""), item)
    check("get_item_estimate after Sync", a.get_item_estimate(inbox, key) == 0)
    b_sent, _ = drain(b, {f.type: f for f in b.list_folders()}[FolderType.SENT_ITEMS].id)
    check("send_mail keeps a copy", any(i.fields.get("Email.Subject") == subject for i in b_sent.values()))
    try:
        b.send_mail(letter(bob, alice, subject, "again"), client_id="py-send-1")
        check("send_mail twice is refused", False)
    except StatusError as error:
        check("send_mail twice is refused", error.code == "118", error)

    plain = a.fetch_item(inbox, item.server_id, body_type=BodyType.PLAIN_TEXT)
    check("fetch_item plain", "second line" in plain.body.data and int(plain.body.type) == 1, plain)
    mime = a.fetch_item(inbox, item.server_id, body_type=BodyType.MIME)
    check("fetch_item MIME", isinstance(mime.body.data, bytes) and b"Content-Type" in mime.body.data, mime)
    check("fetch_item attachment", [x.display_name for x in plain.attachments] == ["blob.bin"], plain.attachments)
    check("fetch_attachment", a.fetch_attachment(plain.attachments[0].file_reference) == bytes(range(256)) * 4)

    result = a.apply_email_changes(inbox, key, [EmailChange(item.server_id, read=True, flagged=True)])
    key = result.sync_key
    check("apply_email_changes", result.statuses[item.server_id] == "1", result)
    again, key = drain(a, inbox)  # starting over ends the old key
    fields = again[item.server_id].fields
    check("read and flag are kept", fields.get("Email.Read") == "1" and fields.get("Email.Status") == "2", fields)

    moved = a.move_item(item.server_id, inbox, made.id)
    there, _ = drain(a, made.id)
    check("move_item", moved in there, there.keys())
    page, key = drain(a, inbox, key)
    check("move_item leaves the inbox", item.server_id not in page)

    found = a.search_gal(alice.split("@")[0])
    check("search_gal", any(e.email_address == alice for e in found), found)
    after = a.search_mailbox(made.id, date_received_after="2020-01-01T00:00:00.000Z")
    check("search_mailbox by date", len(after) == 1, after)
    free = a.search_mailbox(made.id, free_text="hello")
    check("search_mailbox by words", [r.get("AirSync.ServerId") for r in free] == [moved], free)
    check("find_mailbox", a.find_mailbox("hello").total == 1, a.find_mailbox("hello"))
    check("find_mailbox finds nothing", a.find_mailbox("nowhere-to-be-found").total == 0)
    gal = a.find_gal(bob.split("@")[0] if len(bob.split("@")[0]) >= 4 else bob)
    check("find_gal", any(bob in item.fields.values() for item in gal.items), gal)
    people = a.resolve_recipients(bob)
    check("resolve_recipients", [p.email_address for p in people] == [bob], people)

    a.set_oof(OofState.ENABLED, reply_message="back on Monday")
    oof = a.get_oof()
    check("set_oof and get_oof", oof.state == OofState.ENABLED and any(m.reply_message == "back on Monday" for m in oof.messages), oof)
    a.set_oof(OofState.DISABLED)
    check("set_oof off", a.get_oof().state == OofState.DISABLED)

    _, contact_key = drain(a, contacts)
    card = a.create_contact(contacts, contact_key, Contact(first_name="Zoe", last_name="Py", file_as="Py, Zoe", categories=("one", "two")))
    check("create_contact", card.status == "1" and card.server_id, card)
    change = a.apply_contact_changes(contacts, card.sync_key, [ContactChange(card.server_id, Contact(first_name="Zoe", last_name="Changed", file_as="Py, Zoe"))])
    cards, contact_key = drain(a, contacts)
    check("apply_contact_changes", cards[card.server_id].fields.get("Contacts.LastName") == "Changed", cards[card.server_id])
    a.apply_contact_changes(contacts, contact_key, [ContactChange(card.server_id, delete=True)], deletes_as_moves=False)
    check("apply_contact_changes delete", card.server_id not in drain(a, contacts)[0])

    _, draft_key = drain(a, drafts)
    draft = a.create_email_draft(drafts, draft_key, letter(alice, bob, "py draft", "unfinished"))
    check("create_email_draft", draft.status == "1" and draft.server_id in drain(a, drafts)[0], draft)

    waked = []
    waiter = threading.Thread(target=lambda: waked.append(a.ping([inbox, contacts], heartbeat=60, timeout=80)))
    waiter.start()
    time.sleep(0.5)
    b.send_mail(letter(bob, alice, "py wake", "ring"))
    waiter.join(30)
    check("ping", waked and waked[0].status == "2" and waked[0].changed_folder_ids == [inbox], waked)
    item, key = arrives(a, inbox, key, "py wake")

    gone = a.apply_email_changes(inbox, key, [EmailChange(item.server_id, delete=True)])
    check("delete as move", gone.statuses[item.server_id] == "1" and any(i.fields.get("Email.Subject") == "py wake" for i in drain(a, deleted)[0].values()))
    a.delete_folder(made.id)
    check("delete_folder", all(f.id != made.id for f in a.list_folders()))
    print(f"{len(done)} passed, 0 failed")


main()
