//! The names of the persona's habits and of the server's arrangements, with the parameters each takes.
//!
//! Personas are not known here: the runner turns these names into deeds, and a test there keeps the lists equal.

/// A name with its parameters: those it cannot do without, and those it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name, as after `do =` or `arrange =`.
    pub name: &'static str,
    /// Parameters that must be given.
    pub required: &'static [&'static str],
    /// Parameters that may be given.
    pub optional: &'static [&'static str],
    /// What it does, in a line.
    pub about: &'static str,
}

const fn row(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    about: &'static str,
) -> Signature {
    Signature { name, required, optional, about }
}

/// What a persona can be told to do (`do =`).
pub const HABITS: [Signature; 24] = [
    row("discover", &[], &[], "finds its server from the owner's address"),
    row("options", &[], &[], "asks for versions and commands"),
    row("provision", &[], &[], "asks for the policy and acknowledges it, or does not, as this device would"),
    row("folder_sync", &[], &[], "brings its folder list up to date"),
    row(
        "first_sync",
        &[],
        &["folders"],
        "synchronises folders for the first time; those it syncs by itself when none are named",
    ),
    row("sync", &[], &["folder"], "brings one folder up to date; the inbox when none is named"),
    row("connect", &[], &[], "everything a new phone does, in its own order"),
    row("receive", &["subject"], &["folder", "within_s"], "synchronises until a mail with this subject is there"),
    row("read_mail", &["subject"], &[], "opens the mail: fetches what it fetches, marks it read"),
    row("send_mail", &["to", "subject"], &["text", "html", "attachment"], "sends a new mail"),
    row("reply", &["subject"], &["text"], "answers the mail with this subject"),
    row("forward", &["subject", "to"], &["text"], "forwards the mail with this subject"),
    row("move", &["subject", "to"], &[], "moves the mail to another folder"),
    row("delete", &["subject"], &[], "deletes the mail"),
    row("mark_read", &["subject"], &["read"], "marks the mail read or unread"),
    row("flag", &["subject"], &[], "flags the mail"),
    row("ping", &[], &["within_s"], "waits for a change"),
    row("search", &["text"], &[], "searches the mailbox"),
    row("meeting", &["subject", "answer"], &[], "answers an invitation"),
    row("invite", &["to", "subject"], &[], "makes a meeting and invites somebody"),
    row("create_event", &["subject"], &[], "makes an appointment"),
    row("create_contact", &["name"], &[], "makes a contact"),
    row("set_oof", &["text"], &[], "switches the out-of-office answer on"),
    row("tidy", &[], &[], "removes what the scenario made"),
];

/// What a server can be told to change (`arrange =`), undone at the end of the cell.
pub const ARRANGEMENTS: [Signature; 9] = [
    row("policy", &["set"], &[], "puts these policy settings in force"),
    row("strict", &[], &["on"], "refuses devices that cannot be provisioned (AllowNonProvisionableDevices off)"),
    row("throttle", &["status"], &["retry_after", "times"], "refuses requests as too many"),
    row("moved", &[], &[], "sends the phone to another URL of the same server (451)"),
    row("block", &[], &[], "blocks this device"),
    row("quarantine", &[], &[], "puts this device into quarantine"),
    row("password", &[], &["told"], "sets a new password"),
    row("deliver", &["subject"], &["text", "html", "size", "from", "attachment"], "brings a mail from outside"),
    row("expire_policy_key", &[], &[], "asks for a policy refresh"),
];
