use serde::{Deserialize, Serialize};

/// HTTP headers in the order and spelling of the wire; names compare without case.
///
/// Trailers, the fields behind a body, are kept beside them and are no headers: nothing that asks for a header finds them.
/// Where both are written they follow the headers, named `trailer:NAME`, which no header can be called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header at the end, keeping earlier ones of the same name.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds a field that stood behind the body.
    pub fn push_trailer(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((format!("{TRAILER}{name}"), value.into()));
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Name and value of every header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all_fields().filter(|(name, _)| !name.starts_with(TRAILER))
    }

    /// Name and value of every trailer, in order.
    pub fn trailers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all_fields().filter_map(|(name, value)| Some((name.strip_prefix(TRAILER)?, value)))
    }

    /// Headers and trailers as they are written: a trailer has the name `trailer:NAME`.
    pub fn all_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Replaces every value in place, that of a trailer by the trailer's own name: the tap's hook for redaction.
    pub fn rewrite(&mut self, mut f: impl FnMut(&str, &str) -> Option<String>) {
        for (name, value) in &mut self.0 {
            if let Some(new) = f(name.strip_prefix(TRAILER).unwrap_or(name), value) {
                *value = new;
            }
        }
    }
}

/// What the name of a trailer is written with. The colon is in no header's name.
const TRAILER: &str = "trailer:";

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(iter: I) -> Self {
        Self(iter.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_no_header_and_is_written_and_redacted_like_one() {
        let mut headers = Headers::from_iter([("Server", "x")]);
        headers.push_trailer("Set-Cookie", "secret");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("Server", "x")]);
        assert_eq!(headers.get("set-cookie"), None);
        assert_eq!(headers.trailers().collect::<Vec<_>>(), [("Set-Cookie", "secret")]);
        headers.rewrite(|name, _| (name == "Set-Cookie").then(|| "gone".to_owned()));
        assert_eq!(headers.all_fields().collect::<Vec<_>>(), [("Server", "x"), ("trailer:Set-Cookie", "gone")]);
    }
}
