//! One exchange as text: request line, decoded body, answer.

use easrig_eas::query::{QueryForm, QueryLine};
use easrig_exchange::{Exchange, Headers, Outcome, Response, Timestamp};
use easrig_scenario::{Content, Decoded};

use super::{
    View, layout,
    reading::{NamedStatus, PolicyReading, Reading},
};
use crate::safe;

/// The most bytes of one body that are shown beside a failure.
const BRIEF_MOST: usize = 4096;

/// The most bytes of one body that are shown when the exchange is what was asked for.
const FULL_MOST: usize = 1 << 20;

/// An exchange for people, as it stands below a failure: the request with its body decoded, then the answer; what is too
/// long is cut, and says so.
pub fn exchange(exchange: &Exchange, view: View<'_>) -> String {
    let decoded = Decoded::of(exchange);
    let dim = view.palette.dim;
    let show = match show_command(view, exchange.number.0) {
        command if command.is_empty() => command,
        command => format!(": {command}"),
    };
    let mut out = format!("  {dim}exchange {} ({}){show}{dim:#}\n", exchange.number.0, safe(&exchange.sender.role));
    out.push_str(&request_line(exchange));
    if let Some(query) = decoded.query.as_ref().filter(|query| query.form == QueryForm::Base64) {
        out.push_str(&format!("    > {dim}{}{dim:#}\n", safe(&squeezed(query))));
    }
    out.push_str(&body(&decoded.request, &exchange.request.body, "    > ", BRIEF_MOST));
    match &exchange.outcome {
        Outcome::Failed(failure) => out.push_str(&format!("    < no answer: {}\n", safe(&failure.to_string()))),
        Outcome::Answered(response) => {
            out.push_str(&answer_line(exchange, &decoded, response, view));
            out.push_str(&body(&decoded.answer, &decoded.body, "    < ", BRIEF_MOST));
        }
    }
    out
}

/// An exchange for people who asked for it: also when it was, every header, the query in words, every Status by name and
/// the policy that it brings. `title` stands behind its number.
pub fn exchange_in_full(exchange: &Exchange, title: &str, view: View<'_>) -> String {
    let decoded = Decoded::of(exchange);
    let reading = Reading::of(&decoded);
    let strong = view.palette.strong;
    let mut out = format!("{strong}exchange {}{strong:#}  {}", exchange.number.0, moment(exchange.started));
    if !title.is_empty() {
        out.push_str(&format!("  {}", safe(title)));
    }
    out.push('\n');
    out.push_str(&request_line(exchange));
    if let Some(query) = &decoded.query {
        out.push_str(&layout::wrap(&safe(&squeezed(query)), 6, view.width));
    }
    out.push_str(&headers(&exchange.request.headers, "    > ", view));
    out.push_str(&body(&decoded.request, &exchange.request.body, "    > ", FULL_MOST));
    match &exchange.outcome {
        Outcome::Failed(failure) => out.push_str(&format!("    < no answer: {}\n", safe(&failure.to_string()))),
        Outcome::Answered(response) => {
            out.push_str(&answer_line(exchange, &decoded, response, view));
            out.push_str(&headers(&response.headers, "    < ", view));
            out.push_str(&body(&decoded.answer, &decoded.body, "    < ", FULL_MOST));
            let parts = decoded.parts.iter().enumerate().skip(1);
            out.extend(parts.map(|(number, part)| format!("    < part {number}: {} bytes\n", part.len())));
        }
    }
    out.push_str(&reading.statuses.iter().map(|status| named(status, view)).collect::<String>());
    out.push_str(&reading.policies.iter().map(|policy| bound(policy, view)).collect::<String>());
    out
}

/// The command line that shows an exchange of the run folder; empty when there is no folder.
pub(crate) fn show_command(view: View<'_>, number: u64) -> String {
    if view.folder.is_empty() {
        return String::new();
    }
    format!("easrig show {} --exchange {number}", word(view.folder))
}

/// As one word of a shell.
pub(crate) fn word(text: &str) -> String {
    let text = safe(text);
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:=@".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn request_line(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let line = format!("{} {}{query}", request.method, request.url.path());
    format!("    > {}\n", safe(&line))
}

fn answer_line(exchange: &Exchange, decoded: &Decoded, response: &Response, view: View<'_>) -> String {
    let dim = view.palette.dim;
    let after = milliseconds(exchange.times.done);
    let mut out = format!("    < {} {dim}after {after}{dim:#}\n", safe(&decoded.words()));
    if let Some(cut) = &response.cut {
        out.push_str(&format!("    < {dim}the body is not whole: {}{dim:#}\n", safe(cut)));
    }
    out
}

/// When it was, in UTC.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| "at no known time".to_owned(), |at| format!("{at:.3}"))
}

fn headers(headers: &Headers, margin: &str, view: View<'_>) -> String {
    let dim = view.palette.dim;
    let line = |(name, value): (&str, &str)| format!("{margin}{dim}{}: {}{dim:#}\n", flat(name), flat(value));
    headers.all_fields().map(line).collect()
}

/// In one line, whatever is in it.
fn flat(text: &str) -> String {
    safe(&text.replace(['\n', '\t'], " ")).into_owned()
}

fn named(status: &NamedStatus, view: View<'_>) -> String {
    let times = if status.count > 1 { format!(" ({} times)", status.count) } else { String::new() };
    let says = match (status.name, status.meaning) {
        (Some(name), Some(meaning)) => format!("{name}: {meaning}"),
        _ => format!("no meaning of {} is known", status.scope),
    };
    let line = format!("{} {}{times}  {says}", flat(&status.path), flat(&status.value));
    layout::hang("status  ", &line, 4, view.width)
}

fn bound(policy: &PolicyReading, view: View<'_>) -> String {
    let setting = |name: &str, value: &str, allowed: &str| format!("{} = {}  (of {allowed})", flat(name), flat(value));
    let mut lines: Vec<String> =
        policy.binding.iter().map(|bound| setting(&bound.setting, &bound.value, bound.allowed)).collect();
    let head = match (&policy.unreadable, lines.len()) {
        (Some(why), _) => format!("{}: it cannot be read: {}", flat(&policy.policy_type), flat(why)),
        (None, 0) => format!("{}: none of {} settings binds a device", flat(&policy.policy_type), policy.settings),
        (None, bound) => {
            format!("{}: {bound} of {} settings bind a device", flat(&policy.policy_type), policy.settings)
        }
    };
    lines.insert(0, head);
    lines.extend(policy.unknown.iter().map(|name| format!("{} is no setting", flat(name))));
    layout::hang("policy  ", &lines.join("\n"), 4, view.width)
}

/// What a request line says, in a line.
fn squeezed(query: &QueryLine) -> String {
    let squeeze = |line: &str| line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    query.describe().lines().map(squeeze).collect::<Vec<_>>().join("; ")
}

fn body(content: &Content, bytes: &[u8], margin: &str, most: usize) -> String {
    match content {
        Content::Missing | Content::Empty => String::new(),
        Content::Document(document) => cut(&document.to_xml_pretty(), margin, most),
        Content::Undecodable(_) | Content::Broken(_) => cut(&hex(bytes), margin, BRIEF_MOST),
        Content::Other => match std::str::from_utf8(bytes) {
            Ok(text) => cut(text, margin, most),
            Err(_) => cut(&hex(bytes), margin, BRIEF_MOST),
        },
    }
}

fn cut(text: &str, margin: &str, most: usize) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last().unwrap_or(0);
    let (shown, hidden) = text.split_at_checked(end).unwrap_or((text, ""));
    let mut out: String = shown.lines().map(|line| format!("{margin}{}\n", safe(line))).collect();
    if !hidden.is_empty() {
        out.push_str(&format!("{margin}… {} more bytes\n", hidden.len()));
    }
    out
}

/// The bytes sixteen a line; more than fit are left to the count behind the cut.
fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

fn milliseconds(microseconds: u64) -> String {
    format!("{} ms", microseconds / 1000)
}
