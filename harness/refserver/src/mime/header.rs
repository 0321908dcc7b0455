/// A message as header fields, each with its continuation lines and line ends, and the body after the empty line.
pub(super) struct Raw<'m> {
    pub(super) fields: Vec<&'m [u8]>,
    pub(super) body: &'m [u8],
}

impl<'m> Raw<'m> {
    pub(super) fn split(mime: &'m [u8]) -> Self {
        let mut fields = Vec::new();
        let mut rest = mime;
        while let Some((line, after)) = next_line(rest) {
            if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                return Self { fields, body: after };
            }
            let mut length = line.len();
            let mut tail = after;
            while tail.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                let Some((line, after)) = next_line(tail) else { break };
                length += line.len();
                tail = after;
            }
            fields.push(rest.get(..length).unwrap_or(rest));
            rest = tail;
        }
        Self { fields, body: &[] }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| is_named(field, name))
    }

    /// The fields but those named.
    pub(super) fn without<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'m [u8]> {
        self.fields.iter().filter(|field| !names.iter().any(|name| is_named(field, name))).copied()
    }
}

fn is_named(field: &[u8], name: &str) -> bool {
    let colon = field.iter().position(|byte| *byte == b':');
    colon.and_then(|at| field.get(..at)).is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

/// The first line with its end, and what follows.
fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    (!bytes.is_empty()).then(|| bytes.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_lines_belong_to_their_field() {
        let raw = Raw::split(b"To: a\r\nBcc: b,\r\n c\r\nSubject: x\r\n\r\nbody\r\n\r\nmore");
        assert_eq!(raw.body, b"body\r\n\r\nmore");
        let kept: Vec<&[u8]> = raw.without(&["bcc"]).collect();
        assert_eq!(kept, [&b"To: a\r\n"[..], b"Subject: x\r\n"]);
        assert!(raw.has("BCC") && !raw.has("Cc"));
    }

    #[test]
    fn a_message_without_body_is_all_header() {
        let raw = Raw::split(b"To: a");
        assert_eq!((raw.fields.len(), raw.body.len()), (1, 0));
    }
}
