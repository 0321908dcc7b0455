//! What is advertised is really served.

use easrig_eas::Command;

use crate::Level;

use super::{Context, Invariant, Slip};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "advertised-is-served",
    requirement: None,
    level: Level::Must,
    title: "Every command and version that the server offers works",
    why: "Phones choose by what is offered; what is offered and refused looks like an outage to the owner.",
    fix: "Take the command or version out of the server's answer to OPTIONS, or switch it on.",
    concerns: |context| context.decoded.verb.is_some(),
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let (Some(command), Some(version)) = (context.command(), context.version()) else { return Vec::new() };
    let history = context.history;
    let status = context.decoded.status.map(|(_, status)| status.0);
    let http = context.decoded.http;
    // A command that this version does not have may be refused, whatever is offered for others.
    if !command.exists_in(version) {
        return Vec::new();
    }
    let mut slips = Vec::new();
    if history.offered_commands.contains(command.name()) && (status == Some(137) || http == Some(501)) {
        let expected = format!("{command} served, since MS-ASProtocolCommands offers it");
        slips.push(Slip::new(expected, context.decoded.words()));
    }
    if history.offered_versions.contains(&version) && is_common(command) && (status == Some(138) || http == Some(505)) {
        let expected = format!("version {version} served, since MS-ASProtocolVersions offers it");
        slips.push(Slip::new(expected, context.decoded.words()));
    }
    slips
}

/// Commands that every version has: a refusal of the version there cannot be about the command.
fn is_common(command: Command) -> bool {
    matches!(command, Command::Sync | Command::FolderSync | Command::Provision | Command::Ping)
}

#[cfg(test)]
mod tests {
    use crate::Decoded;

    use super::super::{
        History,
        tests::{answer, broken_after, exchange},
    };
    use super::*;

    fn offered() -> History {
        let mut options = exchange("Sync", "14.1", "", "");
        options.request.method = "OPTIONS".to_owned();
        answer(&mut options).headers.push("MS-ASProtocolVersions", "12.1,14.1");
        answer(&mut options).headers.push("MS-ASProtocolCommands", "Sync, FolderSync,Search,Find");
        let mut history = History::default();
        history.learn(&options, &Decoded::of(&options));
        history
    }

    fn count(command: &str, version: &str, http: u16) -> usize {
        let mut refused = exchange(command, version, "", "");
        answer(&mut refused).status = http;
        broken_after(&offered(), &INVARIANT, &refused).len()
    }

    #[test]
    fn what_is_offered_and_refused_is_told() {
        assert_eq!(count("Search", "14.1", 501), 1);
        assert_eq!(count("Search", "14.1", 500), 0);
        assert_eq!(count("Settings", "14.1", 501), 0);
        assert_eq!(count("Find", "14.1", 501), 0);
        assert_eq!(count("Sync", "14.1", 505), 1);
        assert_eq!(count("Sync", "16.1", 505), 0);
    }
}
