//! The HTTP status of an answer is one that ActiveSync clients know.

use crate::Level;

use super::{Context, Invariant, Slip, every_answer};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "http-status",
    requirement: Some("MS-ASHTTP_R172"),
    level: Level::Robust,
    title: "HTTP status codes are ones that phones know",
    why: "A phone that meets a code it does not know shows a general error, or tries again without end.",
    fix: "Look for a proxy or firewall that answers in the server's place.",
    concerns: every_answer,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let Some(http) = context.decoded.http else { return Vec::new() };
    if context.decoded.verb.is_none() || KNOWN.contains(&http) {
        return Vec::new();
    }
    vec![Slip::new("an HTTP status that phones know", format!("HTTP {http}"))]
}

/// Those of MS-ASHTTP 2.2.2.1.1 and of its error section, and what HTTP itself says of redirects, sizes and haste.
const KNOWN: [u16; 27] = [
    200, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 408, 411, 413, 415, 429, 449, 451, 456, 457, 500, 501, 502,
    503, 504, 505, 507,
];

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, with_http};
    use super::*;

    #[test]
    fn known_codes_pass_and_others_do_not() {
        for http in [200, 401, 449, 451, 503, 507] {
            assert!(broken(&INVARIANT, &with_http(http)).is_empty(), "{http}");
        }
        for http in [204, 440, 520] {
            assert_eq!(broken(&INVARIANT, &with_http(http)).len(), 1, "{http}");
        }
    }
}
