//! The 65 test vectors: bytes against XML or against the kind of error, both ways.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its data must fail")]

use easrig_wbxml::{Document, xml};

struct Vector {
    name: &'static str,
    bytes: Vec<u8>,
    expected: &'static str,
}

fn vectors() -> Vec<Vector> {
    let rows: Vec<Vector> = include_str!("data/vectors.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let digits = cells[1].as_bytes();
            let bytes = digits
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            Vector { name: cells[0], bytes, expected: cells[2] }
        })
        .collect();
    assert_eq!(rows.len(), 65);
    rows
}

/// The vectors whose tags or pages have no name: errors to some decoders, data to this one.
const UNKNOWN: [(&str, &str); 4] = [
    ("unknown-tag", r#"<token-3F xmlns="AirSync"></token-3F>"#),
    ("unknown-page-26", r#"<token-05 xmlns="page-26"/>"#),
    ("page-3-airnotify", r#"<Notify xmlns="AirNotify"/>"#),
    ("page-255", r#"<token-05 xmlns="page-255"/>"#),
];

fn expected_xml(vector: &Vector) -> Option<&'static str> {
    let unknown = UNKNOWN.iter().find(|(name, _)| *name == vector.name).map(|(_, xml)| *xml);
    unknown.or_else(|| (!vector.expected.starts_with("error: ")).then_some(vector.expected))
}

#[test]
fn every_valid_vector_reads_as_its_xml() {
    let mut read = 0;
    for vector in vectors() {
        let Some(expected) = expected_xml(&vector) else { continue };
        let document = Document::decode(&vector.bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(document.to_xml(), expected, "{}", vector.name);
        assert_eq!(xml::from_wbxml(&vector.bytes).unwrap(), expected, "{}", vector.name);
        read += 1;
    }
    assert_eq!(read, 34);
}

#[test]
fn every_bad_vector_gives_its_kind_of_error() {
    let mut refused = 0;
    for vector in vectors() {
        if expected_xml(&vector).is_some() {
            continue;
        }
        let error = Document::decode(&vector.bytes).expect_err(vector.name);
        assert_eq!(format!("error: {}", error.kind.name()), vector.expected, "{}", vector.name);
        assert!(error.offset <= vector.bytes.len(), "{}", vector.name);
        assert_eq!(xml::from_wbxml(&vector.bytes).unwrap_err(), error, "{}", vector.name);
        refused += 1;
    }
    assert_eq!(refused, 31);
}

#[test]
fn the_xml_of_a_vector_encodes_to_its_bytes_where_they_are_canonical() {
    /// Valid, but not what an encoder writes: superfluous switches, a long integer, split or empty strings.
    const NOT_CANONICAL: [&str; 7] = [
        "str-empty",
        "str-concatenated",
        "switch-page-redundant",
        "switch-page-last-wins",
        "switch-page-before-end",
        "switch-page-after-root",
        "publicid-two-byte-form",
    ];
    for vector in vectors() {
        let Some(expected) = expected_xml(&vector) else { continue };
        let bytes = xml::to_wbxml(expected).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(xml::from_wbxml(&bytes).unwrap(), expected, "{}", vector.name);
        let is_canonical = !NOT_CANONICAL.contains(&vector.name);
        assert_eq!(bytes == vector.bytes, is_canonical, "{}", vector.name);
    }
}
