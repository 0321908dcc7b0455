//! `Cmd=…&User=…&DeviceId=…&DeviceType=…` and the parameters of the command.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{CommandName, DeviceIdForm, Extra, MAX_PARAMETERS, QueryError, QueryForm, QueryLine};

/// The four fields every plain query has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlainField {
    /// The command.
    Cmd,
    /// The user.
    User,
    /// The device id.
    DeviceId,
    /// The device type.
    DeviceType,
}

impl PlainField {
    /// The order of the standard's grammar.
    pub const STANDARD: [Self; 4] = [Self::Cmd, Self::User, Self::DeviceId, Self::DeviceType];
}

/// How much of a value a device percent-encodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Escape {
    /// All but letters, digits and `_-!.~'()*`, as Android's `Uri.encode` does.
    #[default]
    All,
    /// Only what would break the request line: controls, space, `"`, `#`, `%`, `&`, `<`, `>` and non-ASCII.
    Lenient,
}

const ALL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'-')
    .remove(b'!')
    .remove(b'.')
    .remove(b'~')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');
const LENIENT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'<').add(b'>');

pub(super) fn names_a_command(query: &str) -> bool {
    query.split('&').any(|pair| pair.split_once('=').is_some_and(|(name, _)| name.eq_ignore_ascii_case("Cmd")))
}

/// Names are compared without regard to case; a `+` stays a `+`, since no device writes a space so.
pub(super) fn read(query: &str) -> Result<QueryLine, QueryError> {
    let mut line = QueryLine::new(CommandName::Absent, "", "");
    let mut seen: Vec<String> = Vec::new();
    for (index, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if index >= MAX_PARAMETERS {
            return Err(QueryError::TooManyParameters);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        let key = name.to_ascii_lowercase();
        if seen.contains(&key) || !set(&mut line, &key, &value) {
            line.extra.push(Extra::Named { name, value });
        }
        seen.push(key);
    }
    Ok(line)
}

pub(super) fn write(line: &QueryLine, order: &[PlainField], escape: Escape) -> String {
    let mut out = Pairs { text: String::new(), escape };
    for field in order {
        match field {
            PlainField::Cmd => match &line.command {
                CommandName::Absent => {}
                CommandName::UnknownCode(code) => out.add("Cmd", &code.to_string()),
                named => out.add("Cmd", &named.to_string()),
            },
            PlainField::User => out.add_some("User", line.user.as_deref()),
            PlainField::DeviceId => out.add("DeviceId", &line.device_id.to_string()),
            PlainField::DeviceType => out.add("DeviceType", &line.device_type),
        }
    }
    out.add_some("AttachmentName", line.attachment_name.as_deref());
    out.add_some("CollectionId", line.collection_id.as_deref());
    out.add_some("ItemId", line.item_id.as_deref());
    out.add_some("LongId", line.long_id.as_deref());
    out.add_some("Occurrence", line.occurrence.as_deref());
    out.add_some("SaveInSent", line.save_in_sent.map(|save| if save { "T" } else { "F" }));
    for extra in &line.extra {
        if let Extra::Named { name, value } = extra {
            out.add(name, value);
        }
    }
    out.text
}

fn set(line: &mut QueryLine, key: &str, value: &str) -> bool {
    let value = value.to_owned();
    match key {
        "cmd" => line.command = CommandName::from_name(&value),
        "user" => line.user = Some(value),
        "deviceid" => line.device_id = DeviceIdForm::Text(value),
        "devicetype" => line.device_type = value,
        "attachmentname" => line.attachment_name = Some(value),
        "collectionid" => line.collection_id = Some(value),
        "itemid" => line.item_id = Some(value),
        "longid" => line.long_id = Some(value),
        "occurrence" => line.occurrence = Some(value),
        "saveinsent" => match value.as_str() {
            "T" | "t" => line.save_in_sent = Some(true),
            "F" | "f" => line.save_in_sent = Some(false),
            _ => return false,
        },
        _ => return false,
    }
    line.form = QueryForm::Plain;
    true
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

struct Pairs {
    text: String,
    escape: Escape,
}

impl Pairs {
    fn add(&mut self, name: &str, value: &str) {
        let set = match self.escape {
            Escape::All => ALL,
            Escape::Lenient => LENIENT,
        };
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.extend(utf8_percent_encode(name, ALL));
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, set));
    }

    fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}
