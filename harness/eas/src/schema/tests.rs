use easrig_wbxml::{Document, tags};

use super::{Direction::*, *};
use crate::{Command, Version};

fn judge(xml: &str, command: Command, direction: Direction, version: Version) -> Vec<(String, ProblemKind)> {
    let document = Document::from_xml(xml).unwrap();
    check(&document, command, direction, version).into_iter().map(|problem| (problem.path, problem.kind)).collect()
}

fn item(properties: &str, version: Version) -> Vec<(String, ProblemKind)> {
    let xml = format!(
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>1</SyncKey><CollectionId>5</CollectionId>\
         <Status>1</Status><Commands><Add><ServerId>5:1</ServerId><ApplicationData>{properties}</ApplicationData></Add>\
         </Commands></Collection></Collections></Sync>"
    );
    judge(&xml, Command::Sync, Answer, version)
}

#[test]
fn a_plain_mail_has_no_problem() {
    let mail = "<To xmlns=\"Email\">a</To><DateReceived xmlns=\"Email\">2024-01-01T00:00:00.000Z</DateReceived>\
        <Read xmlns=\"Email\">0</Read><Flag xmlns=\"Email\"/><Body xmlns=\"AirSyncBase\"><Type>2</Type>\
        <EstimatedDataSize>3</EstimatedDataSize><Truncated>1</Truncated><Data>abc</Data></Body>";
    assert_eq!(item(mail, Version::V14_1), []);
}

#[test]
fn an_unknown_element_is_told() {
    let problems = item("<Subject xmlns=\"Email\">x</Subject><token-3F xmlns=\"page-30\"/>", Version::V14_1);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].1, ProblemKind::UnknownElement);
}

#[test]
fn an_element_of_another_place_is_told() {
    let problems = item("<StartTime xmlns=\"Email\">2024-01-01T00:00:00.000Z</StartTime>", Version::V14_1);
    assert_eq!(
        problems,
        [(
            "Sync/Collections/Collection/Commands/Add/ApplicationData/StartTime".to_owned(),
            ProblemKind::WrongParent { parent: tags::air_sync::APPLICATION_DATA }
        )]
    );
}

#[test]
fn another_root_than_the_commands_is_told() {
    let xml = "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status></FolderSync>";
    let problems = judge(xml, Command::Sync, Answer, Version::V14_1);
    assert_eq!(problems, [("FolderSync".to_owned(), ProblemKind::WrongParent { parent: tags::air_sync::SYNC })]);
}

#[test]
fn an_element_of_another_page_is_told() {
    let xml =
        "<FolderSync xmlns=\"FolderHierarchy\"><Status>1</Status><SyncKey xmlns=\"AirSync\">1</SyncKey></FolderSync>";
    let expected = tags::folder_hierarchy::SYNC_KEY;
    assert_eq!(
        judge(xml, Command::FolderSync, Answer, Version::V14_1),
        [("FolderSync/SyncKey".to_owned(), ProblemKind::WrongPage { expected })]
    );
}

#[test]
fn a_second_one_is_told_once() {
    let problems = item("<Flag xmlns=\"Email\"/><Flag xmlns=\"Email\"/><Flag xmlns=\"Email\"/>", Version::V14_1);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].1, ProblemKind::TooMany { found: 3 });
    assert_eq!(
        item("<Categories xmlns=\"Email\"><Category>a</Category><Category>b</Category></Categories>", Version::V14_1),
        []
    );
}

#[test]
fn a_missing_element_is_told() {
    let xml = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>1</SyncKey><Changes><Add><ServerId>1</ServerId>\
        <ParentId>0</ParentId><DisplayName>x</DisplayName></Add></Changes></FolderSync>";
    let paths: Vec<_> = judge(xml, Command::FolderSync, Answer, Version::V14_1);
    assert_eq!(
        paths,
        [
            ("FolderSync/Changes/Add/Type".to_owned(), ProblemKind::Missing),
            ("FolderSync/Status".to_owned(), ProblemKind::Missing)
        ]
    );
    let error = "<Sync xmlns=\"AirSync\"><Status>142</Status></Sync>";
    assert_eq!(judge(error, Command::Sync, Answer, Version::V14_1), []);
}

#[test]
fn what_a_request_must_have_depends_on_where_it_stands() {
    let add = "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>1</SyncKey><CollectionId>5</CollectionId>\
        <Commands><Add><ApplicationData/></Add></Commands></Collection></Collections></Sync>";
    assert_eq!(
        judge(add, Command::Sync, Request, Version::V14_1),
        [("Sync/Collections/Collection/Commands/Add/ClientId".to_owned(), ProblemKind::Missing)]
    );
}

#[test]
fn a_bad_value_is_told_with_what_was_expected() {
    let problems = item("<Read xmlns=\"Email\">yes</Read>", Version::V14_1);
    let expected = "`0` or `1`".to_owned();
    assert_eq!(problems[0].1, ProblemKind::BadValue { found: "yes".into(), expected });
    for good in ["<Read xmlns=\"Email\"/>", "<Reminder xmlns=\"Calendar\"/>"] {
        assert_eq!(item(good, Version::V14_1), [], "{good}");
    }
    for bad in ["<DateReceived xmlns=\"Email\">today</DateReceived>", "<Picture xmlns=\"Contacts\">*</Picture>"] {
        assert_eq!(item(bad, Version::V14_1).len(), 1, "{bad}");
    }
}

#[test]
fn an_element_of_another_version_is_told() {
    let old = "<Body xmlns=\"Email\">x</Body>";
    assert_eq!(item(old, Version::V2_5), []);
    let kind = ProblemKind::NotInVersion { first: Version::V2_5, last: Version::V2_5 };
    assert_eq!(item(old, Version::V12_0)[0].1, kind);
    let new = "<IsDraft xmlns=\"Email2\">1</IsDraft>";
    assert_eq!(item(new, Version::V14_1).len(), 1);
    assert_eq!(item(new, Version::from_byte(170)), []);
}

#[test]
fn what_nobody_could_confirm_is_accepted() {
    let xml = "<MoveItems xmlns=\"Move\"><Status>nonsense</Status></MoveItems>";
    assert_eq!(judge(xml, Command::MoveItems, Answer, Version::V14_1), []);
    let reserved = "<CompressedRTF xmlns=\"Calendar\">x</CompressedRTF><UID xmlns=\"Calendar\">x</UID>";
    assert_eq!(item(reserved, Version::V2_5), []);
}

#[test]
fn a_flood_of_problems_is_cut() {
    let flood = "<Read xmlns=\"Email\">x</Read>".repeat(2 * MAX_PROBLEMS);
    assert_eq!(item(&flood, Version::V14_1).len(), MAX_PROBLEMS);
}

#[test]
fn the_corpus_has_no_problem() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wbxml/tests/corpus");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".wbxml") else { continue };
        let (side, rest) = stem.split_once('_').unwrap();
        let command = match rest.split('_').next().unwrap() {
            "foldersync" => Command::FolderSync,
            "ping" => Command::Ping,
            "provision" => Command::Provision,
            "sync" => Command::Sync,
            other => panic!("no command for {other}"),
        };
        let direction = if side == "req" { Request } else { Answer };
        let document = Document::decode(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(check(&document, command, direction, Version::V14_1), [], "{name}");
        seen += 1;
    }
    assert!(seen >= 14);
}
