//! Every key of a persona file, in its order, with the reason why a recording may not show it.

/// A table of the file and its keys.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) keys: &'static [(&'static str, Why)],
}

/// Why a value is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It was not seen: the text says in what it would have shown.
    Unseen(&'static str),
    /// No recording shows it: the text says why.
    Never(&'static str),
    /// The device has nothing of the kind, or it was not seen: nothing is said.
    Silent,
}

use Why::{Never, Silent, Unseen};

const CLASS: [(&str, Why); 11] = [
    ("window_size", Silent),
    ("filter_type", Silent),
    ("body_type", Silent),
    ("truncation_size", Silent),
    ("all_or_none", Silent),
    ("preview", Silent),
    ("mime_support", Silent),
    ("old_mime_support", Silent),
    ("mime_truncation", Silent),
    ("truncation", Silent),
    ("conflict", Silent),
];

const OWNERS: Why = Never("it is the owner's, and not taken from a recording");
const TRIED: Why = Unseen("no setting up");

/// The tables of a persona file. A class of items that was not synchronised has none.
pub(super) const TABLES: [Table; 21] = [
    Table {
        name: "identity",
        keys: &[
            ("device_type", Unseen("no request names it")),
            ("device_id", Unseen("no request names it")),
            ("user_agent", Unseen("no request has one")),
            ("user_agent_on", Unseen("no whole headers")),
        ],
    },
    Table {
        name: "identity.device_information",
        keys: &[
            ("model", Silent),
            ("imei", OWNERS),
            ("friendly_name", OWNERS),
            ("os", Silent),
            ("os_language", Silent),
            ("phone_number", OWNERS),
            ("user_agent", Silent),
            ("enable_outbound_sms", Silent),
            ("mobile_operator", Silent),
        ],
    },
    Table {
        name: "protocol",
        keys: &[
            ("versions", Unseen("no request says one")),
            ("pick", Unseen("no list of a server that it picked from")),
            ("fallback", Unseen("no server without a version in common")),
            ("query", Unseen("no command")),
            ("base64_device_id", Unseen("no base64 query")),
            ("query_order", Unseen("no plain query")),
            ("escape", Unseen("no plain query with an address in it")),
            ("locale", Unseen("no base64 query")),
            ("empty_key", Unseen("no command before there was a policy key")),
            ("policy_key_not_on", Unseen("no command with a policy key")),
            ("content_type", Unseen("no WBXML body with its type")),
            ("options_query", Unseen("no OPTIONS")),
            ("multipart", Unseen("no ItemOperations")),
        ],
    },
    Table {
        name: "headers",
        keys: &[
            ("options", Unseen("no OPTIONS with whole headers")),
            ("post", Unseen("no command with whole headers")),
            ("ping", Unseen("no Ping with headers of its own")),
            ("autodiscover", Unseen("no Autodiscover with whole headers")),
        ],
    },
    Table {
        name: "onboarding",
        keys: &[
            ("order", TRIED),
            ("settings", Unseen("no setting up with Settings in it")),
            ("challenges", Unseen("nothing sent it to Provision; what MS-ASPROV asks of every device is assumed")),
            ("challenges_later", Unseen("nothing but what MS-ASPROV has sent it to Provision")),
        ],
    },
    Table {
        name: "provisioning",
        keys: &[
            ("device_information", Unseen("no Provision")),
            ("enforces", Unseen("no policy with binding settings that it said to apply")),
            ("ignores", Never("a device says that it applies what it ignores")),
            ("refuses", Unseen("no policy that it did not say to apply")),
            ("others", Never("what a policy did not ask for says nothing")),
            ("cannot", Unseen("no policy that it did not say to apply")),
            ("key_required", Unseen("no acknowledgement that was answered without a key and yet not the end")),
            ("rounds", Unseen("no command that was sent to Provision until the device gave up")),
        ],
    },
    Table {
        name: "sync",
        keys: &[
            ("folders", TRIED),
            ("multi_collection", Unseen("never two folders to synchronise at once")),
            ("class_up_to", Unseen("no Sync")),
            ("deletes_as_moves", Unseen("no Sync with a key")),
            ("get_changes", Unseen("no Sync with a key")),
            ("first_with_options", Unseen("no first Sync of a folder")),
            ("window_size", Silent),
        ],
    },
    Table { name: "sync.email", keys: &CLASS },
    Table { name: "sync.calendar", keys: &CLASS },
    Table { name: "sync.contacts", keys: &CLASS },
    Table { name: "sync.tasks", keys: &CLASS },
    Table { name: "sync.notes", keys: &CLASS },
    Table {
        name: "mail",
        keys: &[
            ("full_body", Unseen("no message of which it had a part was opened")),
            ("full_body_type", Unseen("no ItemOperations that asks for a kind of body")),
            ("full_body_truncation", Unseen("no ItemOperations that cuts a body")),
            ("attachments", Unseen("no attachment was opened")),
            ("save_in_sent", Unseen("no message was sent")),
            ("mailer", Unseen("no message was sent")),
            ("meeting_replies", Unseen("no invitation was answered")),
            ("invitations", Unseen("no meeting was made")),
        ],
    },
    Table {
        name: "push",
        keys: &[
            ("mode", Unseen("it never waited for changes")),
            ("start", Unseen("it never waited for changes")),
            ("min", Unseen("no wait after a longer one")),
            ("max", Unseen("no two waits alike after a quiet end, behind shorter ones")),
            ("step", Unseen("no wait after one that ended quietly")),
            ("on_limit", Unseen("no server that wanted another heartbeat")),
        ],
    },
    Table {
        name: "timeouts",
        keys: &[
            ("connect", Never("a connection that does not come about has no exchange")),
            ("command", Unseen("no command was given up")),
            ("first_sync", Unseen("no first Sync was given up")),
            ("push_extra", Unseen("no wait was given up")),
            ("busy_retries", Unseen("no busy server")),
            ("busy_wait", Unseen("no busy server that left the time to the device")),
        ],
    },
    Table { name: "autodiscover", keys: &[("candidates", Unseen("no Autodiscover"))] },
    Table {
        name: "auth",
        keys: &[("schemes", Unseen("no credentials")), ("charset", Never("passwords are not in a recording"))],
    },
    Table {
        name: "redirects",
        keys: &[("http", Unseen("no answer of 301, 302, 307 or 308")), ("moved", Unseen("no answer of 451"))],
    },
    Table {
        name: "tls",
        keys: &[
            ("versions", Unseen("no ClientHello")),
            ("roots", Never("which roots a device trusts is in no packet")),
        ],
    },
    Table {
        name: "search",
        keys: &[
            ("by", Unseen("no search of the mailbox")),
            ("collection", Unseen("no search of the mailbox")),
            ("last", Unseen("no search of the mailbox")),
            ("truncation_size", Unseen("no search that cuts bodies")),
        ],
    },
    Table {
        name: "abilities",
        keys: &[
            ("discover", Silent),
            ("options", Silent),
            ("provision", Silent),
            ("folder_sync", Silent),
            ("first_sync", Silent),
            ("sync", Silent),
            ("connect", Silent),
            ("receive", Silent),
            ("read_mail", Silent),
            ("send_mail", Silent),
            ("reply", Silent),
            ("forward", Silent),
            ("move", Silent),
            ("delete", Silent),
            ("mark_read", Silent),
            ("flag", Silent),
            ("ping", Silent),
            ("search", Silent),
            ("meeting", Silent),
            ("invite", Silent),
            ("create_event", Silent),
            ("create_contact", Silent),
            ("set_oof", Silent),
            ("tidy", Never("not the device's: easrig cleans up after itself")),
        ],
    },
];
