use super::text;
use crate::salt::Salt;

/// How many boundaries of nested parts are kept in mind.
pub(crate) const MAX_BOUNDARIES: usize = 64;

/// Fields that say how a message is built, not what it says.
pub(crate) const STRUCTURE: [&str; 5] =
    ["mime-version", "content-transfer-encoding", "date", "importance", "x-priority"];

/// Fields of addresses and ids.
const WORDS: [&str; 9] = ["from", "to", "cc", "bcc", "reply-to", "sender", "message-id", "in-reply-to", "references"];

/// Fields that messages begin with; `Note:` at the start of a text is no field.
const FIRST: [&str; 20] = [
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "content-type",
    "content-transfer-encoding",
    "content-class",
    "reply-to",
    "sender",
    "importance",
    "thread-topic",
    "dkim-signature",
    "references",
    "in-reply-to",
];

/// Whether this begins like a message.
pub(crate) fn looks_like_message(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    name.len() < line.len() && FIRST.iter().any(|first| name.eq_ignore_ascii_case(first.as_bytes()))
}

/// Masks a message in place: field names, structure, dates and boundaries stand, everything else becomes filler.
pub(super) fn mask(bytes: &mut [u8], kept: &[String], salt: &Salt) {
    let mut boundaries: Vec<Vec<u8>> = Vec::new();
    let mut field: Option<String> = None;
    let mut in_head = true;
    for line in bytes.split_inclusive_mut(|b| *b == b'\n') {
        let end = line.trim_ascii_end().len();
        let (text, _) = line.split_at_mut(end);
        if is_boundary(text, &boundaries) {
            in_head = true;
            field = None;
        } else if !in_head {
            salt.fill(text);
        } else if text.is_empty() {
            in_head = false;
        } else {
            mask_field(text, &mut field, &mut boundaries, kept, salt);
        }
    }
}

fn mask_field(
    line: &mut [u8],
    field: &mut Option<String>,
    boundaries: &mut Vec<Vec<u8>>,
    kept: &[String],
    salt: &Salt,
) {
    let folded = line.first().is_some_and(u8::is_ascii_whitespace);
    let colon = memchr::memchr(b':', line).filter(|_| !folded);
    let named = colon.and_then(|at| line.get(..at)).filter(|name| is_field_name(name));
    let value = match named.map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()) {
        Some(name) => {
            let at = name.len().saturating_add(1).min(line.len());
            *field = Some(name);
            line.split_at_mut(at).1
        }
        // Neither a field nor the rest of one: nobody knows what it says.
        None if !folded => {
            *field = None;
            line
        }
        None => line,
    };
    let start = value.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let (_, value) = value.split_at_mut(start);
    match field.as_deref() {
        Some(name) if STRUCTURE.contains(&name) => {}
        Some("content-type" | "content-disposition") => mask_parameters(value, boundaries, kept, salt),
        Some(name) if WORDS.contains(&name) => mask_words(value, kept, salt),
        _ => salt.fill(value),
    }
}

/// `type/subtype; name=value`: the type and the parameters of the structure stand.
fn mask_parameters(value: &mut [u8], boundaries: &mut Vec<Vec<u8>>, kept: &[String], salt: &Salt) {
    for part in value.split_mut(|b| *b == b';') {
        let Some(equals) = memchr::memchr(b'=', part) else {
            if !part.iter().all(|b| b.is_ascii_alphanumeric() || b"/-+. ".contains(b)) {
                mask_words(part, kept, salt);
            }
            continue;
        };
        let (name, value) = part.split_at_mut(equals.saturating_add(1).min(part.len()));
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"boundary=" if boundaries.len() < MAX_BOUNDARIES => {
                boundaries.push(value.trim_ascii().iter().copied().filter(|b| *b != b'"').collect());
            }
            b"charset=" | b"type=" | b"format=" | b"delsp=" | b"method=" | b"micalg=" | b"protocol="
            | b"smime-type=" => {}
            _ => mask_words(value, kept, salt),
        }
    }
}

pub(crate) fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

fn mask_words(bytes: &mut [u8], kept: &[String], salt: &Salt) {
    match std::str::from_utf8(bytes).map(|words| text::words(words, kept, salt)) {
        Ok(masked) if masked.len() == bytes.len() => bytes.copy_from_slice(masked.as_bytes()),
        _ => salt.fill(bytes),
    }
}

pub(crate) fn is_boundary(line: &[u8], boundaries: &[Vec<u8>]) -> bool {
    let Some(rest) = line.strip_prefix(b"--") else { return false };
    let rest = rest.strip_suffix(b"--").unwrap_or(rest);
    boundaries.iter().any(|boundary| boundary == rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_a_colon_is_no_message_and_a_stray_line_no_field() {
        assert!(!looks_like_message(b"Note: the key is under the mat\n"));
        let mut bytes = b"Date: Mon\nthe key\nmy key: mat\n".to_vec();
        mask(&mut bytes, &[], &Salt::new([3; 32]));
        assert!(bytes.starts_with(b"Date: Mon\n"));
        assert!(memchr::memmem::find(&bytes, b"key").is_none() && memchr::memmem::find(&bytes, b"mat").is_none());
    }

    #[test]
    fn a_message_keeps_its_structure_and_loses_its_words() {
        let message = "From: Bob <bob@corp.example>\r\nTo: alice@easrig.test\r\nSubject: Quarterly\r\n numbers\r\n\
            Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nContent-Type: multipart/mixed;\r\n boundary=\"b 1\"\r\n\r\n\
            preamble\r\n--b 1\r\nContent-Type: application/pdf; name=\"salaries.pdf\"\r\n\
            Content-Disposition: attachment; filename=salaries.pdf\r\n\r\nJVBERi0x\r\n--b 1--\r\nepilogue\r\n";
        let mut bytes = message.as_bytes().to_vec();
        assert!(looks_like_message(&bytes));
        mask(&mut bytes, &["alice@easrig.test".to_owned()], &Salt::new([3; 32]));
        let masked = String::from_utf8(bytes).unwrap();
        assert_eq!(masked.len(), message.len());
        for lost in ["Bob", "bob@", "corp", "Quarterly", "numbers", "salaries", "JVBERi0x", "preamble", "epilogue"] {
            assert!(!masked.contains(lost), "{lost} in {masked}");
        }
        for stands in [
            "To: alice@easrig.test\r\n",
            "Subject: ",
            "Date: Mon, 1 Jan 2024",
            "boundary=\"b 1\"\r\n",
            "\r\n--b 1\r\nContent-Type: application/pdf; name=\"",
            "\r\n--b 1--\r\n",
        ] {
            assert!(masked.contains(stands), "{stands} not in {masked}");
        }
    }
}
