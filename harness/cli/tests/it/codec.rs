use crate::easrig::{easrig, easrig_with};

/// The vectors whose tags or pages have no name: errors to other decoders, data to this one.
const UNKNOWN: [(&str, &str); 4] = [
    ("unknown-tag", r#"<token-3F xmlns="AirSync"></token-3F>"#),
    ("unknown-page-26", r#"<token-05 xmlns="page-26"/>"#),
    ("page-3-airnotify", r#"<Notify xmlns="AirNotify"/>"#),
    ("page-255", r#"<token-05 xmlns="page-255"/>"#),
];

#[test]
fn every_wbxml_vector_goes_through_the_binary() {
    let rows: Vec<Vec<&str>> =
        include_str!("wbxml-vectors.tsv").lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 65);
    for row in rows {
        let (name, hex, expected) = (row[0], row[1], row[2]);
        let expected = UNKNOWN.iter().find(|(known, _)| *known == name).map_or(expected, |(_, xml)| *xml);
        let ended = easrig_with(&["decode", "--hex"], hex.as_bytes());
        if expected.starts_with("error: ") {
            assert_eq!((ended.code, ended.text()), (2, ""), "{name}");
            assert!(!ended.stderr.is_empty(), "{name}");
        } else {
            assert_eq!((ended.code, ended.text()), (0, expected), "{name}: {}", ended.stderr);
            let again = easrig_with(&["encode"], ended.text().as_bytes());
            assert_eq!(again.code, 0, "{name}: {}", again.stderr);
            let back = easrig_with(&["decode"], &again.stdout);
            assert_eq!(back.text(), expected, "{name}");
        }
    }
}

#[test]
fn every_packed_query_is_explained() {
    let rows = include_str!("base64-query-vectors.tsv").lines().skip(1);
    for line in rows {
        let cells: Vec<&str> = line.split('\t').collect();
        let version = cells[3].split(' ').next().unwrap();
        let command = cells[3].split(' ').nth(1).unwrap();
        for args in [&["decode", "--base64"][..], &["decode"][..]] {
            let ended = easrig_with(args, cells[1].as_bytes());
            assert_eq!(ended.code, 0, "{}: {}", cells[0], ended.stderr);
            assert!(ended.text().contains(version) && ended.text().contains(command), "{}", ended.text());
        }
    }
}

#[test]
fn text_is_understood_where_it_can_be_nothing_else() {
    let document = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>";
    for input in ["03016a00000756520330000101\n", "03 01 6A 00 00 07 56 52 03 30 00 01 01", "AwFqAAAHVlIDMAABAQ=="] {
        assert_eq!(easrig_with(&["decode"], input.as_bytes()).text(), document, "{input}");
    }
    let line =
        "10.0.0.1 - - \"POST /Microsoft-Server-ActiveSync?Cmd=Ping&User=a&DeviceId=X1&DeviceType=iPhone HTTP/1.1\"";
    let ended = easrig_with(&["decode"], line.as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.text().contains("Ping") && ended.text().contains("X1"), "{}", ended.text());
}

#[test]
fn what_is_no_document_is_named() {
    for (input, hint) in [
        (&b"<!DOCTYPE html><html>"[..], "HTML"),
        (b"", "empty"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x00\x01\x02", "version byte"),
    ] {
        let ended = easrig_with(&["decode"], input);
        assert_eq!(ended.code, 2, "{input:?}");
        assert!(ended.stderr.contains(hint), "{input:?}: {}", ended.stderr);
    }
    assert_eq!(easrig(&["decode", "/nowhere/at/all"]).code, 2);
}

#[test]
fn a_document_is_shown_as_a_tree_and_as_json() {
    let hex = b"03016a000007565203300001013f";
    let hex = hex.strip_suffix(b"3f").unwrap();
    insta::assert_snapshot!(easrig_with(&["decode", "--hex", "--format", "tree"], hex).text(), @r#"
         6  FolderHierarchy:FolderSync
         7    FolderHierarchy:SyncKey
                "0"
    "#);
    insta::assert_snapshot!(easrig_with(&["decode", "--hex", "--format", "json"], hex).text());
}

#[test]
fn a_slip_in_xml_is_drawn() {
    let ended =
        easrig_with(&["encode"], b"<FolderSync xmlns=\"FolderHierarchy\">\n  <SyncKy>0</SyncKy>\n</FolderSync>\n");
    assert_eq!((ended.code, ended.stdout.len()), (2, 0));
    insta::assert_snapshot!(ended.stderr);
    assert_eq!(easrig_with(&["encode"], b"\xff\xfe").code, 2);
}
