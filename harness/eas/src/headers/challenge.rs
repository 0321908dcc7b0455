use super::MAX_LIST;

/// One scheme of a `WWW-Authenticate` header with its parameters (RFC 9110 11.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme as written: `Basic`, `Bearer`, `Negotiate`.
    pub scheme: String,
    /// The parameters in their order, quotes removed.
    pub parameters: Vec<(String, String)>,
    /// The single token some schemes carry instead of parameters.
    pub token: Option<String>,
}

impl Challenge {
    /// Whether the scheme is `name`, in any letter case.
    pub fn is(&self, name: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(name)
    }

    /// The first parameter of that name, in any letter case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The challenges of one header value; several header lines may be joined with commas first.
///
/// Never fails: a parameter before the first scheme is dropped, an open quote ends with the value.
pub fn challenges(value: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for item in split_outside_quotes(value).into_iter().take(MAX_LIST) {
        let (head, rest) = item.split_once([' ', '\t']).map_or((item, ""), |(head, rest)| (head, rest.trim()));
        let is_parameter = head.contains('=') || rest.starts_with('=');
        if !is_parameter {
            found.push(Challenge { scheme: head.to_owned(), parameters: Vec::new(), token: None });
        }
        let Some(challenge) = found.last_mut() else { continue };
        match if is_parameter { parameter(item) } else { parameter(rest) } {
            Some(pair) => challenge.parameters.push(pair),
            None if !is_parameter && !rest.is_empty() => challenge.token = Some(rest.to_owned()),
            None => {}
        }
    }
    found
}

/// `name = value`; a base64 token with padding is not one.
fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || name.contains(char::is_whitespace) || value.is_empty() || value.bytes().all(|b| b == b'=') {
        return None;
    }
    Some((name.to_owned(), unquote(value)))
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '"' => break,
            other => out.push(other),
        }
    }
    out
}

fn split_outside_quotes(value: &str) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.push(value.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(value.get(start..).unwrap_or_default());
    items.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_challenge_of_exchange_online_is_read() {
        let found = challenges(
            "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
             trusted_issuers=\"00000001-0000-0000-c000-000000000000@*,other@*\", token_types=\"app_asserted_user_v1\", \
             authorization_uri=\"https://login.example.com/common/oauth2/authorize\", error=\"invalid_token\",\
             Basic Realm=\"\"",
        );
        assert_eq!(found.len(), 2);
        assert!(found[0].is("bearer"));
        assert_eq!(found[0].parameter("client_id"), Some("00000002-0000-0ff1-ce00-000000000000"));
        assert_eq!(found[0].parameter("trusted_issuers"), Some("00000001-0000-0000-c000-000000000000@*,other@*"));
        assert_eq!(found[0].parameter("error"), Some("invalid_token"));
        assert!(found[1].is("Basic"));
        assert_eq!(found[1].parameter("realm"), Some(""));
    }

    #[test]
    fn schemes_without_parameters_and_with_tokens_are_read() {
        let found = challenges("Negotiate, NTLM TlRMTVNTUAAC==, Basic realm = \"a \\\"b\\\", c\"");
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].token, None);
        assert_eq!(found[1].token.as_deref(), Some("TlRMTVNTUAAC=="));
        assert_eq!(found[2].parameter("realm"), Some("a \"b\", c"));
    }

    #[test]
    fn nonsense_gives_little_and_never_panics() {
        assert_eq!(challenges(""), []);
        assert_eq!(challenges("a=b"), []);
        assert_eq!(challenges("Basic realm=\"open")[0].parameter("realm"), Some("open"));
        assert!(challenges(&"x,".repeat(100_000)).len() <= MAX_LIST);
    }
}
