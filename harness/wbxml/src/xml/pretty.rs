//! Indented XML for people.

use super::escape::{Fit, escape_into, hex_instruction};
use super::write::{push_name, push_namespace};
use crate::document::Arena;
use crate::{Event, Tag};

/// The document with a line for each element without child elements, indented by two blanks a level.
pub(crate) fn pretty(arena: &Arena) -> String {
    let mut events = Vec::new();
    arena.replay(|event| events.push(event));
    let mut out = String::new();
    let mut open: Vec<Tag> = Vec::new();
    let mut rest = events.as_slice();
    while let [event, behind @ ..] = rest {
        rest = behind;
        if *event == Event::End {
            let tag = open.pop();
            indent(&mut out, open.len());
            end(&mut out, tag);
        } else {
            indent(&mut out, open.len());
        }
        match *event {
            Event::Start { tag, has_content } => {
                start(&mut out, tag, has_content, open.last().copied());
                let parts = behind.iter().take_while(|event| is_part(event)).count();
                if let (true, Some((inside, [Event::End, after @ ..]))) = (has_content, behind.split_at_checked(parts))
                {
                    inside.iter().for_each(|part| write_part(&mut out, part));
                    end(&mut out, Some(tag));
                    rest = after;
                } else if has_content {
                    open.push(tag);
                }
            }
            Event::Text(_) | Event::Opaque(_) => write_part(&mut out, event),
            Event::End => {}
        }
        out.push('\n');
    }
    out
}

fn is_part(event: &Event<'_>) -> bool {
    matches!(event, Event::Text(_) | Event::Opaque(_))
}

fn indent(out: &mut String, levels: usize) {
    out.extend(std::iter::repeat_n("  ", levels.min(MOST_LEVELS)));
}

fn start(out: &mut String, tag: Tag, has_content: bool, parent: Option<Tag>) {
    out.push('<');
    push_name(out, tag);
    if parent.is_none_or(|parent| parent.page() != tag.page()) {
        out.push_str(" xmlns=\"");
        push_namespace(out, tag);
        out.push('"');
    }
    out.push_str(if has_content { ">" } else { "/>" });
}

fn end(out: &mut String, tag: Option<Tag>) {
    if let Some(tag) = tag {
        out.push_str("</");
        push_name(out, tag);
        out.push('>');
    }
}

fn write_part(out: &mut String, part: &Event<'_>) {
    match *part {
        Event::Text(text) => {
            let start = out.len();
            if escape_into(out, text) == Fit::Impossible {
                out.truncate(start);
                hex_instruction(out, "text", text.as_bytes());
            }
        }
        Event::Opaque(bytes) => hex_instruction(out, "opaque", bytes),
        Event::Start { .. } | Event::End => {}
    }
}

/// Deeper elements are indented no further: nobody could see it, and the text would grow with the square of the depth.
const MOST_LEVELS: usize = 64;
