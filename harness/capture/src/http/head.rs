use easrig_exchange::Headers;

/// The most header lines of one message that are kept.
const MAX_LINES: usize = 500;

/// The head of a message; a request has method and target, an answer status and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Headers,
}

impl Head {
    /// Reads the head of a request. Lenient as servers are: what a device sent is to be seen, not judged here.
    pub(crate) fn request(text: &[u8]) -> Option<Self> {
        let (first, rest) = first_line(text);
        let mut words = first.splitn(2, ' ');
        let method = words.next().filter(|method| is_token(method))?;
        let rest_of_line = words.next()?.trim();
        let target = match rest_of_line.rsplit_once(' ') {
            Some((target, version)) if version.starts_with("HTTP/") => target.trim(),
            _ => rest_of_line,
        };
        let headers = headers(rest);
        Some(Self { method: method.to_owned(), target: target.to_owned(), headers, ..Self::default() })
    }

    /// Reads the head of an answer.
    pub(crate) fn answer(text: &[u8]) -> Option<Self> {
        let (first, rest) = first_line(text);
        let mut words = first.splitn(3, ' ');
        words.next().filter(|version| version.starts_with("HTTP/"))?;
        let status = words.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
        let reason = words.next().unwrap_or_default().to_owned();
        Some(Self { status, reason, headers: headers(rest), ..Self::default() })
    }

    /// Adds the lines behind the last chunk as trailers.
    pub(crate) fn trailers(&mut self, text: &[u8]) {
        headers(text).iter().for_each(|(name, value)| self.headers.push_trailer(name, value));
    }

    /// Whether a comma-separated header holds a word.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        self.headers.all(name).flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    }
}

fn first_line(text: &[u8]) -> (String, &[u8]) {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = text.get(..end).unwrap_or_default();
    (latin(line), text.get(end.saturating_add(1)..).unwrap_or_default())
}

fn headers(text: &[u8]) -> Headers {
    let mut lines: Vec<(String, String)> = Vec::new();
    for line in text.split(|byte| *byte == b'\n').take(MAX_LINES) {
        if matches!(line, [b' ' | b'\t', ..])
            && let Some((_, value)) = lines.last_mut()
        {
            let more = latin(line);
            value.push(' ');
            value.push_str(more.trim());
            continue;
        }
        let line = latin(line);
        if let Some((name, value)) = line.split_once(':') {
            lines.push((name.trim_end().to_owned(), value.trim().to_owned()));
        }
    }
    lines.into_iter().collect()
}

/// Text as UTF-8, or else one character per byte; without the carriage return at its end.
fn latin(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) => text.to_owned(),
        Err(_) => line.iter().copied().map(char::from).collect(),
    }
}

fn is_token(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_head_keeps_order_and_spelling() {
        let head = Head::request(b"POST /a?b c HTTP/1.1\r\nhost: x\r\nX-A:1\r\n folded\r\nX-A: 2\r\n").unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/a?b c"));
        let lines: Vec<_> = head.headers.iter().collect();
        assert_eq!(lines, [("host", "x"), ("X-A", "1 folded"), ("X-A", "2")]);
    }

    #[test]
    fn an_answer_head_may_lack_a_reason_and_hold_any_bytes() {
        let head = Head::answer(b"HTTP/1.0 449\nServer: caf\xe9\n").unwrap();
        assert_eq!((head.status, head.reason.as_str(), head.headers.get("server")), (449, "", Some("café")));
        assert_eq!(Head::answer(b"HTTP/1.1 OK\r\n"), None);
        assert_eq!(Head::answer(b"ICY 200 OK\r\n"), None);
    }
}
