//! Exactly one Status wherever one belongs.

use easrig_eas::{Command, Version};
use easrig_wbxml::Element;

use crate::{Level, path::local_name};

use super::{Context, Invariant, Slip, documents};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "one-status",
    requirement: None,
    level: Level::Must,
    title: "Every part of an answer that can go wrong says whether it did, once",
    why: "Without a Status a phone cannot tell success from failure; it tries again or shows an error.",
    fix: "The finding names the element; this is a matter for whoever makes the server.",
    concerns: documents,
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let slips = find(context);
    // The public tables begin with 12.1; before it, nobody wrote down more than what clients went by.
    match context.version() {
        Some(version) if version >= Version::V12_1 => slips,
        _ => slips.into_iter().map(|slip| slip.at_level(Level::Should)).collect(),
    }
}

fn find(context: &Context<'_>) -> Vec<Slip> {
    let (Some(root), Some(command)) = (context.decoded.answer.root(), context.command()) else { return Vec::new() };
    // A document of another command is said by `answer-shape`.
    if local_name(root.tag()) != command.name() {
        return Vec::new();
    }
    let at_root = statuses(root);
    if at_root > 1 {
        return vec![slip(root, at_root, requirement(command))];
    }
    let (way, id) = match command {
        Command::Sync => (&["Collections", "Collection"][..], "MS-ASCMD_R2770"),
        Command::MoveItems => (&["Response"][..], "MS-ASCMD_R2738"),
        Command::GetItemEstimate => (&["Response"][..], "MS-ASCMD_R5580"),
        Command::MeetingResponse => (&["Result"][..], "MS-ASCMD_R2734"),
        _ if at_root == 0 => return vec![slip(root, 0, requirement(command))],
        _ => return Vec::new(),
    };
    // A Status of the whole stands for its parts.
    if at_root == 1 {
        return Vec::new();
    }
    let parts = way.iter().fold(vec![root], |found, name| {
        found
            .into_iter()
            .flat_map(|e| e.children().filter(|c| c.tag().name() == Some(*name)).collect::<Vec<_>>())
            .collect()
    });
    parts.into_iter().filter(|part| statuses(*part) != 1).map(|part| slip(part, statuses(part), Some(id))).collect()
}

fn statuses(element: Element<'_>) -> usize {
    element.children().filter(|child| child.tag().name() == Some("Status")).count()
}

fn slip(element: Element<'_>, count: usize, requirement: Option<&'static str>) -> Slip {
    let name = local_name(element.tag());
    let actual = if count == 0 { "there is none".to_owned() } else { format!("there are {count}") };
    let slip = Slip::new(format!("one Status in `{name}`"), actual);
    match requirement {
        Some(id) => slip.of(id),
        None => slip,
    }
}

fn requirement(command: Command) -> Option<&'static str> {
    Some(match command {
        Command::FolderSync => "MS-ASCMD_R2706",
        Command::FolderCreate => "MS-ASCMD_R2698",
        Command::FolderDelete => "MS-ASCMD_R2702",
        Command::FolderUpdate => "MS-ASCMD_R2710",
        Command::ItemOperations => "MS-ASCMD_R2718",
        Command::Ping => "MS-ASCMD_R2742",
        Command::ResolveRecipients => "MS-ASCMD_R2746",
        Command::Search => "MS-ASCMD_R2750",
        Command::Settings => "MS-ASCMD_R4382",
        Command::ValidateCert => "MS-ASCMD_R4469",
        Command::Find => "MS-ASCMD_R72171807",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PING_DONE, broken, exchange, sync_answer};
    use super::*;

    #[test]
    fn one_status_passes_none_and_two_do_not() {
        assert!(broken(&INVARIANT, &exchange("Ping", "14.1", "", PING_DONE)).is_empty());
        let none = broken(
            &INVARIANT,
            &exchange("Ping", "14.1", "", r#"<Ping xmlns="Ping"><MaxFolders>9</MaxFolders></Ping>"#),
        );
        assert_eq!((none[0].requirement.as_str(), none[0].actual.as_str()), ("MS-ASCMD_R2742", "there is none"));
        let two = r#"<Ping xmlns="Ping"><Status>1</Status><Status>2</Status></Ping>"#;
        assert_eq!(broken(&INVARIANT, &exchange("Ping", "14.1", "", two))[0].actual, "there are 2");
    }

    #[test]
    fn every_collection_has_its_own_unless_the_whole_has_one() {
        let sync = |answer: &str| broken(&INVARIANT, &exchange("Sync", "14.1", "", answer)).len();
        assert_eq!(sync(&sync_answer("<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status>")), 0);
        assert_eq!(sync(&sync_answer("<SyncKey>2</SyncKey><CollectionId>5</CollectionId>")), 1);
        assert_eq!(sync(r#"<Sync xmlns="AirSync"><Status>12</Status></Sync>"#), 0);
    }

    #[test]
    fn every_moved_item_has_its_own() {
        let moved = |inner: &str| {
            let answer =
                format!(r#"<MoveItems xmlns="Move"><Response><SrcMsgId>1</SrcMsgId>{inner}</Response></MoveItems>"#);
            broken(&INVARIANT, &exchange("MoveItems", "14.1", "", &answer)).len()
        };
        assert_eq!(moved("<Status>3</Status>"), 0);
        assert_eq!(moved(""), 1);
    }
}
