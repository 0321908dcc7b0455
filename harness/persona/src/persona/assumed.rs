//! What a device is taken to do where its file does not say: what the standards ask of every one.

use easrig_eas::Version;

use super::word::{ByVersion, Candidate, HeaderLine, Onboarding, Placement, Situation};
use crate::device_error::When;

/// What sends every device to Provision (MS-ASPROV 3.1.5.1, MS-ASCMD 2.2.2).
pub(crate) const CHALLENGES: [&str; 5] = ["http:449", "status:140", "status:142", "status:143", "status:144"];

/// The shortest way to mail (MS-ASCMD 4).
pub(super) const ORDER: [Onboarding; 3] = [Onboarding::Options, Onboarding::FolderSync, Onboarding::FirstSync];

/// The places of MS-OXDISCO 3.1.5, in their order.
pub(super) const CANDIDATES: [Candidate; 4] =
    [Candidate::Domain, Candidate::Subdomain, Candidate::HttpRedirect, Candidate::Srv];

/// Every kind of request.
pub(super) const EVERYWHERE: [Situation; 4] =
    [Situation::Options, Situation::PlainPost, Situation::Base64Post, Situation::Autodiscover];

pub(super) fn challenges() -> Vec<When> {
    CHALLENGES.iter().filter_map(|word| When::parse(word)).collect()
}

/// From 14.1 on a device describes itself in its first Provision (MS-ASPROV 3.1.5.1).
pub(super) fn device_information() -> ByVersion<Placement> {
    ByVersion::new(vec![(Version::V2_5, Placement::Nowhere), (Version::V14_1, Placement::Provision)])
}

/// What an HTTP client sends of itself, and what MS-ASHTTP 2.2.1.1.2 asks of an OPTIONS.
pub(super) fn options() -> Vec<HeaderLine> {
    lines(&[HOST, AGENT, AUTHORIZATION])
}

/// The same with the headers of a command (MS-ASHTTP 2.2.1.1.2).
pub(super) fn post() -> Vec<HeaderLine> {
    lines(&[
        HOST,
        AGENT,
        AUTHORIZATION,
        ("MS-ASProtocolVersion", "{version}"),
        ("X-MS-PolicyKey", "{policy_key}"),
        ("MS-ASAcceptMultiPart", "{multipart}"),
        CONTENT_TYPE,
        CONTENT_LENGTH,
    ])
}

pub(super) fn autodiscover() -> Vec<HeaderLine> {
    lines(&[HOST, AGENT, AUTHORIZATION, CONTENT_TYPE, CONTENT_LENGTH])
}

const HOST: (&str, &str) = ("Host", "{host}");
const AGENT: (&str, &str) = ("User-Agent", "{user_agent}");
const AUTHORIZATION: (&str, &str) = ("Authorization", "{authorization}");
const CONTENT_TYPE: (&str, &str) = ("Content-Type", "{content_type}");
const CONTENT_LENGTH: (&str, &str) = ("Content-Length", "{content_length}");

fn lines(of: &[(&str, &str)]) -> Vec<HeaderLine> {
    of.iter().map(|(name, value)| HeaderLine { name: (*name).to_owned(), value: (*value).to_owned() }).collect()
}
