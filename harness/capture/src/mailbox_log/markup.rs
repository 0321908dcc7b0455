/// The XML of a log as the XML of a document: namespaces without their colon, and elements whose contents were left out
/// (`bytes="19"`) with filler of that length. `None` when the filler would be longer than `limit`.
pub(super) fn restored(text: &str, limit: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut filled = 0_usize;
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        if behind.starts_with(['?', '!', '/']) {
            out.push('<');
            rest = behind;
            continue;
        }
        let (tag, after) = behind.split_once('>')?;
        rest = after;
        let (inner, is_empty) = match tag.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (tag, false),
        };
        let mut words = inner.split_ascii_whitespace();
        let name = words.next()?;
        let mut left_out = None;
        out.push('<');
        out.push_str(name);
        for word in words {
            match word.split_once('=') {
                Some(("bytes", count)) => left_out = count.trim_matches(['"', '\'']).parse::<usize>().ok(),
                Some((attribute, value)) if attribute.starts_with("xmlns") => {
                    out.push(' ');
                    out.push_str(attribute);
                    out.push('=');
                    out.push_str(&value.replacen(":\"", "\"", 1).replacen(":'", "'", 1));
                }
                _ => {
                    out.push(' ');
                    out.push_str(word);
                }
            }
        }
        match left_out {
            Some(count) if is_empty => {
                filled = filled.checked_add(count).filter(|filled| *filled <= limit)?;
                out.push('>');
                out.extend(std::iter::repeat_n('x', count));
                out.push_str(&format!("</{name}>"));
            }
            _ => out.push_str(if is_empty { "/>" } else { ">" }),
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out_contents_become_filler_of_their_length() {
        let text =
            r#"<?xml version="1.0"?><Sync xmlns="AirSync:"><Subject xmlns="Email:" bytes="3"/><Deleted/></Sync>"#;
        let expected =
            r#"<?xml version="1.0"?><Sync xmlns="AirSync"><Subject xmlns="Email">xxx</Subject><Deleted/></Sync>"#;
        assert_eq!(restored(text, 100).unwrap(), expected);
    }

    #[test]
    fn a_promise_of_more_than_the_limit_is_refused() {
        assert_eq!(restored(r#"<A bytes="60"/><A bytes="60"/>"#, 100), None);
        assert_eq!(restored(r#"<A bytes="99999999999999"/>"#, 100), None);
        assert_eq!(restored("<A", 100), None);
    }
}
