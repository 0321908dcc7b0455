//! A query in words, for people who have only the line of a server's log.

use std::fmt::Write as _;

use super::{CommandName, DeviceIdForm, Extra, QueryForm, QueryLine};

pub(super) fn describe(line: &QueryLine) -> String {
    let mut out = Lines(String::new());
    out.line(
        "form",
        match line.form {
            QueryForm::Plain => "plain",
            QueryForm::Base64 => "base64",
        },
    );
    if let Some(version) = line.version {
        out.line("protocol version", &version.to_string());
    }
    out.line("command", &command(&line.command));
    out.some("user", line.user.as_deref());
    out.line("device id", &device_id(&line.device_id));
    out.line("device type", if line.device_type.is_empty() { "(empty)" } else { &line.device_type });
    if let Some(locale) = line.locale {
        out.line("locale", &format!("0x{locale:04x}"));
    }
    match (line.policy_key, line.form) {
        (Some(key), _) => out.line("policy key", &key.to_string()),
        (None, QueryForm::Base64) => out.line("policy key", "none"),
        (None, QueryForm::Plain) => {}
    }
    out.some("attachment name", line.attachment_name.as_deref());
    out.some("collection id", line.collection_id.as_deref());
    out.some("item id", line.item_id.as_deref());
    out.some("long id", line.long_id.as_deref());
    out.some("occurrence", line.occurrence.as_deref());
    out.some("save in sent items", line.save_in_sent.map(yes_or_no));
    out.some("accept multipart", line.accept_multipart.map(yes_or_no));
    for extra in &line.extra {
        match extra {
            Extra::Named { name, value } => out.line("also", &format!("{}={}", visible(name), visible(value))),
            Extra::Tagged { tag, value } => out.line("also", &format!("parameter {tag} = {}", hex(value))),
        }
    }
    out.0
}

fn command(command: &CommandName) -> String {
    match command {
        CommandName::Known(command) => format!("{command} (code {})", command.code()),
        CommandName::Unknown(name) => format!("{} (not an ActiveSync command)", visible(name)),
        CommandName::UnknownCode(code) => format!("code {code} (not assigned)"),
        CommandName::Absent => "(none)".to_owned(),
    }
}

fn device_id(id: &DeviceIdForm) -> String {
    match id {
        DeviceIdForm::Text(text) if text.is_empty() => "(empty)".to_owned(),
        DeviceIdForm::Text(text) => text.clone(),
        DeviceIdForm::Guid(_) => format!("{id} (16 bytes)"),
        DeviceIdForm::Bytes(bytes) => format!("{id} ({} bytes that are no text)", bytes.len()),
    }
}

fn yes_or_no(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hostile value must not steer the terminal.
fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "{name:<18} {}", visible(value));
    }

    fn some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(name, value);
        }
    }
}
