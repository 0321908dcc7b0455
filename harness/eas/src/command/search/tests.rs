use easrig_wbxml::{Document, tags::gal};

use super::*;
use crate::{Version, command::ShapeErrorKind};

fn document(xml: &str) -> Document {
    Document::from_xml(xml).unwrap()
}

#[test]
fn the_address_list_is_asked_by_text() {
    let xml = "<Search xmlns=\"Search\"><Store><Name>GAL</Name><Query>ann</Query><Options><Range>0-99</Range>\
        <Picture><MaxSize>1024</MaxSize><MaxPictures>5</MaxPictures></Picture></Options></Store></Search>";
    let request = Request::from_document(&document(xml), Version::V14_1).unwrap();
    assert_eq!((&request.store, &request.query), (&Store::Gal, &Query::Text("ann".into())));
    assert_eq!(request.to_document(Version::V14_1).to_xml(), xml);
    assert!(!request.to_document(Version::V14_0).to_xml().contains("Picture"));
}

#[test]
fn the_mailbox_is_asked_by_criteria() {
    let xml = "<Search xmlns=\"Search\"><Store><Name>Mailbox</Name><Query><And><Class xmlns=\"AirSync\">Email</Class>\
        <CollectionId xmlns=\"AirSync\">5</CollectionId><FreeText>tag</FreeText>\
        <ConversationId><?opaque ff00?></ConversationId><GreaterThan><DateReceived xmlns=\"Email\"/>\
        <Value>2024-01-01T00:00:00.000Z</Value></GreaterThan></And></Query><Options>\
        <BodyPreference xmlns=\"AirSyncBase\"><Type>1</Type></BodyPreference><Range>0-0</Range><DeepTraversal/>\
        <RebuildResults/></Options></Store></Search>";
    let request = Request::from_document(&document(xml), Version::V14_1).unwrap();
    let Query::Criteria(criteria) = &request.query else { panic!("{request:?}") };
    assert_eq!(criteria.free_text.as_deref(), Some("tag"));
    assert_eq!(criteria.conversation_id.as_deref(), Some([0xFF, 0].as_slice()));
    assert_eq!(criteria.received_after.as_deref(), Some("2024-01-01T00:00:00.000Z"));
    assert_eq!(request.to_document(Version::V14_1).to_xml(), xml);
}

#[test]
fn criteria_without_operator_or_joined_by_or_are_kept_so() {
    for (open, close, operator) in [("", "", Operator::Bare), ("<Or>", "</Or>", Operator::Or)] {
        let xml = format!(
            "<Search xmlns=\"Search\"><Store><Name>Mailbox</Name><Query>{open}<FreeText>x</FreeText>{close}</Query>\
             </Store></Search>"
        );
        let request = Request::from_document(&document(&xml), Version::V12_1).unwrap();
        assert!(matches!(&request.query, Query::Criteria(criteria) if criteria.operator == operator), "{request:?}");
        assert_eq!(request.to_document(Version::V12_1).to_xml(), xml);
    }
}

#[test]
fn a_document_library_is_asked_by_link() {
    let xml = "<Search xmlns=\"Search\"><Store><Name>DocumentLibrary</Name><Query><EqualTo>\
        <LinkId xmlns=\"DocumentLibrary\"/><Value>\\\\host\\docs</Value></EqualTo></Query></Store></Search>";
    let request = Request::from_document(&document(xml), Version::V12_1).unwrap();
    assert_eq!(request.query, Query::LinkId("\\\\host\\docs".into()));
    assert_eq!(request.to_document(Version::V12_1).to_xml(), xml);
}

#[test]
fn an_answer_without_results_has_an_empty_one() {
    let xml = "<Search xmlns=\"Search\"><Status>1</Status><Response><Store><Status>1</Status><Result/></Store></Response>\
        </Search>";
    let response = Response::from_document(&document(xml), Version::V14_1).unwrap();
    assert_eq!(response.store.as_ref().unwrap().results, [SearchResult::default()]);
    assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
}

#[test]
fn an_answer_is_read_and_written() {
    let xml = "<Search xmlns=\"Search\"><Status>1</Status><Response><Store><Status>1</Status><Result><Properties>\
        <DisplayName xmlns=\"GAL\">Ann</DisplayName></Properties></Result><Range>0-0</Range><Total>1</Total></Store>\
        </Response></Search>";
    let response = Response::from_document(&document(xml), Version::V14_1).unwrap();
    let store = response.store.as_ref().unwrap();
    assert_eq!(store.total, Some(1));
    assert_eq!(store.results[0].properties.as_ref().unwrap().text(gal::DISPLAY_NAME).as_deref(), Some("Ann"));
    assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
}

#[test]
fn a_request_without_query_is_refused() {
    let xml = "<Search xmlns=\"Search\"><Store><Name>GAL</Name></Store></Search>";
    let error = Request::from_document(&document(xml), Version::V14_1).unwrap_err();
    assert_eq!((error.path.as_str(), error.kind), ("Search/Store/Query", ShapeErrorKind::Missing));
}
