//! A device speaks a version that the server offers, and uses commands that the version has.

use std::collections::BTreeSet;

use easrig_eas::{Version, headers, query::QueryForm};

use super::{Conduct, Remark, Seen, Watch};
use crate::Level;

pub(super) const CONDUCT: Conduct = Conduct {
    name: "version",
    title: "A device speaks a version that the server offers, and sends only commands that it has",
    why: "The server refuses what it does not speak (Status 138 or HTTP 505), or guesses what is meant.",
    watch: || Box::new(Spoken::default()),
};

#[derive(Debug, Default)]
struct Spoken {
    offered: BTreeSet<Version>,
}

impl Watch for Spoken {
    fn look(&mut self, seen: &Seen<'_>, out: &mut Vec<Remark>) {
        if let Some(command) = seen.decoded.command() {
            out.push(Remark::Kept);
            match seen.decoded.version {
                Some(version) => {
                    if !self.offered.is_empty() && !self.offered.contains(&version) {
                        let offered = self.offered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                        out.push(Remark::broken(
                            Level::Must,
                            format!("one of the versions that the server offers ({offered})"),
                            format!("version {version}"),
                        ));
                    }
                    if !command.exists_in(version) {
                        let actual = format!("{command} in version {version}");
                        out.push(Remark::broken(Level::Should, "a command that its version has", actual));
                    }
                }
                None if seen.decoded.query.as_ref().is_some_and(|query| query.form == QueryForm::Plain) => {
                    let header = format!("a header {}", headers::PROTOCOL_VERSION);
                    out.push(Remark::broken(Level::Must, header, "it is missing or no version"));
                }
                None => {}
            }
        }
        let response = seen.exchange.response().filter(|_| seen.whole);
        if let Some(list) = response.and_then(|response| response.headers.get(headers::PROTOCOL_VERSIONS)) {
            self.offered = headers::list(list).filter_map(|version| version.parse().ok()).collect();
        }
    }
}
