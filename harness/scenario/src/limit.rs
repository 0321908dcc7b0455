//! Limits that a server names when a device asks for more, or less, than it serves.

use std::fmt;

use easrig_eas::{
    Command, Version,
    command::{ping, sync},
};
use easrig_wbxml::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Decoded;

/// One limit, as an answer named it (Ping Status 5 and 6, Sync Status 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Limit {
    /// What it bounds.
    pub of: Bound,
    /// Seconds, or a number of folders.
    pub value: u32,
}

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The shortest Ping, in seconds.
    ShortestPing,
    /// The longest Ping, in seconds.
    LongestPing,
    /// The most folders of a Ping.
    PingFolders,
    /// The shortest Sync that waits, in seconds.
    ShortestSync,
    /// The longest Sync that waits, in seconds.
    LongestSync,
}

impl Limit {
    /// The limit that the answer names. `None` when it names none, or when the request was inside of it: then it is not
    /// what the answer is about.
    pub fn of(decoded: &Decoded) -> Option<Self> {
        let (asked, said) = (decoded.request.document()?, decoded.answer.document()?);
        match decoded.command()? {
            Command::Ping => Self::of_ping(asked, said),
            Command::Sync => Self::of_sync(asked, said),
            _ => None,
        }
    }

    fn of_ping(asked: &Document, said: &Document) -> Option<Self> {
        // These documents are the same in every version.
        let asked = ping::Request::from_document(asked, Version::V14_1).ok()?;
        let said = ping::Response::from_document(said, Version::V14_1).ok()?;
        match said.status.0 {
            5 => {
                let bounds = [Bound::ShortestPing, Bound::LongestPing];
                Self::beyond(asked.heartbeat_interval?, said.heartbeat_interval?, bounds)
            }
            6 => Some(Self { of: Bound::PingFolders, value: said.max_folders? }),
            _ => None,
        }
    }

    fn of_sync(asked: &Document, said: &Document) -> Option<Self> {
        let asked = sync::Request::from_document(asked, Version::V14_1).ok()?;
        let said = sync::Response::from_document(said, Version::V14_1).ok()?;
        let limit = said.limit.filter(|_| said.status.is_some_and(|status| status.0 == 14))?;
        let bounds = [Bound::ShortestSync, Bound::LongestSync];
        match (asked.heartbeat_interval, asked.wait) {
            (Some(seconds), _) => Self::beyond(seconds, limit, bounds),
            // `Wait` and its limit are minutes.
            (None, Some(minutes)) => Self::beyond(minutes.saturating_mul(60), limit.saturating_mul(60), bounds),
            (None, None) => None,
        }
    }

    fn beyond(asked: u32, value: u32, [shortest, longest]: [Bound; 2]) -> Option<Self> {
        match asked.cmp(&value) {
            std::cmp::Ordering::Less => Some(Self { of: shortest, value }),
            std::cmp::Ordering::Greater => Some(Self { of: longest, value }),
            std::cmp::Ordering::Equal => None,
        }
    }
}

impl Bound {
    /// What the numbers are: `s`, or nothing for a count.
    pub fn unit(self) -> &'static str {
        match self {
            Self::PingFolders => "",
            _ => " s",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ShortestPing => "shortest Ping served",
            Self::LongestPing => "longest Ping served",
            Self::PingFolders => "most folders of a Ping",
            Self::ShortestSync => "shortest waiting Sync served",
            Self::LongestSync => "longest waiting Sync served",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(xml: &str) -> Document {
        Document::from_xml(xml).unwrap()
    }

    fn ping(asked: u32, said: &str) -> Option<Limit> {
        let asked = format!("<Ping xmlns=\"Ping\"><HeartbeatInterval>{asked}</HeartbeatInterval></Ping>");
        Limit::of_ping(&document(&asked), &document(&format!("<Ping xmlns=\"Ping\">{said}</Ping>")))
    }

    #[test]
    fn a_refused_ping_names_the_bound_that_it_was_beyond() {
        let said = "<Status>5</Status><HeartbeatInterval>60</HeartbeatInterval>";
        assert_eq!(ping(3540, said), Some(Limit { of: Bound::LongestPing, value: 60 }));
        assert_eq!(ping(10, said), Some(Limit { of: Bound::ShortestPing, value: 60 }));
        assert_eq!(ping(60, said), None);
        assert_eq!(ping(10, "<Status>1</Status><HeartbeatInterval>60</HeartbeatInterval>"), None);
        let most = ping(60, "<Status>6</Status><MaxFolders>200</MaxFolders>");
        assert_eq!(most, Some(Limit { of: Bound::PingFolders, value: 200 }));
    }

    #[test]
    fn a_waiting_sync_is_limited_in_the_unit_that_it_asked_in() {
        let said = document("<Sync xmlns=\"AirSync\"><Status>14</Status><Limit>20</Limit></Sync>");
        for (asked, seconds) in [("<Wait>30</Wait>", 1200), ("<HeartbeatInterval>1800</HeartbeatInterval>", 20)] {
            let asked = document(&format!("<Sync xmlns=\"AirSync\">{asked}</Sync>"));
            assert_eq!(Limit::of_sync(&asked, &said), Some(Limit { of: Bound::LongestSync, value: seconds }));
        }
    }
}
