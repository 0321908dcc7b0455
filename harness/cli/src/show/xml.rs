//! Entries as XML 1.0; documents are elements of their own namespaces in it.

use std::fmt::Write as _;

use easrig_exchange::Headers;
use easrig_report::{NamedStatus, PolicyReading, Side};

use super::entry::{Body, Entry, Kind, Saw};

/// What stands before the first exchange.
pub(crate) const BEGIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<exchanges format=\"1\">\n";

/// What stands behind the last.
pub(crate) const END: &str = "</exchanges>\n";

/// One exchange.
pub(crate) fn exchange(entry: &Entry<'_>) -> String {
    let mut out = Xml(String::new());
    let cell = entry.cell;
    out.open(
        "exchange",
        &[
            ("number", Some(&entry.number.to_string())),
            ("time", entry.time.as_deref()),
            ("command", entry.command.as_deref()),
            ("version", entry.version.as_deref()),
            ("scenario", cell.map(|cell| cell.scenario.as_str())),
            ("persona", cell.map(|cell| cell.persona.as_str())),
            ("role", Some(entry.sender.role.as_str()).filter(|role| !role.is_empty())),
            ("summary", Some(&entry.summary)),
        ],
    );
    request(entry, &mut out);
    if let Some(answer) = &entry.response {
        let status = answer.status.to_string();
        out.open("response", &[("status", Some(&status)), ("reason", Some(answer.reason)), ("cut", answer.cut)]);
        headers(answer.headers, &mut out);
        body("body", &answer.body, &mut out);
        out.close("response");
    }
    if let Some(failure) = &entry.failure {
        out.leaf("failure", &[], &failure.words);
    }
    entry.reading.statuses.iter().for_each(|named| status(named, &mut out));
    entry.reading.policies.iter().for_each(|bound| policy(bound, &mut out));
    entry.owner_saw.iter().for_each(|saw| owner_saw(saw, &mut out));
    out.close("exchange");
    out.0
}

fn request(entry: &Entry<'_>, out: &mut Xml) {
    let request = &entry.request;
    out.open("request", &[("method", Some(request.method)), ("url", Some(request.url))]);
    if let Some(query) = &request.query {
        let of = [
            ("form", Some(query.form)),
            ("user", query.user.as_deref()),
            ("device_id", Some(query.device_id.as_str())),
            ("device_type", Some(query.device_type.as_str())),
        ];
        out.leaf("query", &of, &query.words.join("; "));
    }
    headers(request.headers, out);
    body("body", &request.body, out);
    out.close("request");
}

fn headers(headers: &Headers, out: &mut Xml) {
    headers.all_fields().for_each(|(name, value)| out.leaf("header", &[("name", Some(name))], value));
}

fn body(name: &str, body: &Body, out: &mut Xml) {
    let kind = match body.kind {
        Kind::Empty => "empty",
        Kind::Wbxml => "wbxml",
        Kind::Text => "text",
        Kind::Binary => "base64",
    };
    let bytes = body.bytes.to_string();
    let of = [("bytes", Some(bytes.as_str())), ("kind", Some(kind)), ("problem", body.problem.as_deref())];
    match &body.xml {
        Some(document) => out.raw(name, &of, document),
        None => out.leaf(name, &of, body.text.as_deref().or(body.base64.as_deref()).unwrap_or_default()),
    }
    body.parts.iter().for_each(|part| self::body("part", part, out));
}

fn status(status: &NamedStatus, out: &mut Xml) {
    let side = match status.side {
        Side::Request => "request",
        Side::Answer => "answer",
    };
    let count = status.count.to_string();
    let of = [
        ("side", Some(side)),
        ("path", Some(status.path.as_str())),
        ("value", Some(status.value.as_str())),
        ("scope", Some(status.scope)),
        ("name", status.name),
        ("count", Some(count.as_str())),
    ];
    out.leaf("status", &of, status.meaning.unwrap_or_default());
}

fn owner_saw(saw: &Saw, out: &mut Xml) {
    let of = [
        ("code", saw.code.as_deref()),
        ("condition", Some(saw.condition.as_str())),
        ("persona", saw.persona.as_deref()),
        ("confidence", Some(saw.confidence)),
        ("doubt", saw.doubt.as_deref()),
    ];
    out.leaf("owner_saw", &of, saw.message.as_deref().unwrap_or_default());
}

fn policy(policy: &PolicyReading, out: &mut Xml) {
    let settings = policy.settings.to_string();
    let of = [
        ("type", Some(policy.policy_type.as_str())),
        ("settings", Some(settings.as_str())),
        ("unreadable", policy.unreadable.as_deref()),
    ];
    out.open("policy", &of);
    for bound in &policy.binding {
        let of = [("setting", Some(bound.setting.as_str())), ("value", Some(bound.value.as_str()))];
        out.leaf("binding", &of, bound.allowed);
    }
    policy.unknown.iter().for_each(|name| out.leaf("unknown", &[], name));
    out.close("policy");
}

/// An attribute; without value it is left out.
type Attribute<'a> = (&'static str, Option<&'a str>);

/// XML as it grows; only what the documents print themselves goes in as it is.
struct Xml(String);

impl Xml {
    fn open(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.start(name, attributes);
        self.0.push_str(">\n");
    }

    fn close(&mut self, name: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "</{name}>");
    }

    fn leaf(&mut self, name: &str, attributes: &[Attribute<'_>], text: &str) {
        self.start(name, attributes);
        if text.is_empty() {
            self.0.push_str("/>\n");
            return;
        }
        self.0.push('>');
        self.text(text);
        self.close(name);
    }

    fn raw(&mut self, name: &str, attributes: &[Attribute<'_>], xml: &str) {
        self.start(name, attributes);
        self.0.push('>');
        self.0.push_str(xml);
        self.close(name);
    }

    fn start(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.0, "<{name}");
        for (name, value) in attributes.iter().filter_map(|(name, value)| value.map(|value| (name, value))) {
            let _ = write!(self.0, " {name}=\"");
            self.text(value);
            self.0.push('"');
        }
    }

    /// What XML 1.0 cannot hold stands as `\u{…}`.
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' | '\r' => {
                    let _ = write!(self.0, "&#{};", u32::from(c));
                }
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                    let _ = write!(self.0, "{}", c.escape_unicode());
                }
                c => self.0.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut out = Xml(String::new());
        out.leaf("header", &[("name", Some("a\"b<c")), ("none", None)], "]]>\u{1b}&\r\u{ffff}");
        assert_eq!(out.0, "<header name=\"a&quot;b&lt;c\">]]&gt;\\u{1b}&amp;&#13;\\u{ffff}</header>\n");
    }
}
