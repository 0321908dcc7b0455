//! One exchange as text: request line, decoded body, answer.

use easrig_eas::query::{QueryForm, QueryLine};
use easrig_exchange::{Exchange, Outcome};
use easrig_scenario::{Content, Decoded};

use super::View;
use crate::safe;

/// The most bytes of one body that are shown.
const BODY_MOST: usize = 4096;

/// An exchange for people: the request with its body decoded, then the answer; what is too long is cut, and says so.
pub fn exchange(exchange: &Exchange, view: View<'_>) -> String {
    let decoded = Decoded::of(exchange);
    let dim = view.palette.dim;
    let request = &exchange.request;
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let line = format!("{} {}{query}", request.method, request.url.path());
    let mut out = format!("  {dim}exchange {} ({}){dim:#}\n", exchange.number.0, safe(&exchange.sender.role));
    out.push_str(&format!("    > {}\n", safe(&line)));
    if let Some(query) = decoded.query.as_ref().filter(|query| query.form == QueryForm::Base64) {
        out.push_str(&format!("    > {dim}{}{dim:#}\n", safe(&packed(query))));
    }
    out.push_str(&body(&decoded.request, &request.body, "    > "));
    match &exchange.outcome {
        Outcome::Failed(failure) => out.push_str(&format!("    < no answer: {}\n", safe(&failure.to_string()))),
        Outcome::Answered(response) => {
            let words = decoded.words();
            let after = milliseconds(exchange.times.done);
            out.push_str(&format!("    < {} {dim}after {after}{dim:#}\n", safe(&words)));
            if let Some(cut) = &response.cut {
                out.push_str(&format!("    < {dim}the body is not whole: {}{dim:#}\n", safe(cut)));
            }
            out.push_str(&body(&decoded.answer, &decoded.body, "    < "));
        }
    }
    out
}

/// What a packed request line says, in a line.
fn packed(query: &QueryLine) -> String {
    let squeeze = |line: &str| line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    query.describe().lines().map(squeeze).collect::<Vec<_>>().join("; ")
}

fn body(content: &Content, bytes: &[u8], margin: &str) -> String {
    match content {
        Content::Missing | Content::Empty => String::new(),
        Content::Document(document) => cut(&document.to_xml_pretty(), margin),
        Content::Undecodable(_) | Content::Broken(_) => cut(&hex(bytes), margin),
        Content::Other => match std::str::from_utf8(bytes) {
            Ok(text) => cut(text, margin),
            Err(_) => cut(&hex(bytes), margin),
        },
    }
}

fn cut(text: &str, margin: &str) -> String {
    let end =
        text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= BODY_MOST).last().unwrap_or(0);
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
