use easrig_wbxml::{
    Document,
    tags::{email, item_operations as tag},
};

use super::*;
use crate::Version;

fn document(xml: &str) -> Document {
    Document::from_xml(xml).unwrap()
}

const REQUEST: &str = "<ItemOperations xmlns=\"ItemOperations\"><Fetch><Store>Mailbox</Store>\
    <CollectionId xmlns=\"AirSync\">5</CollectionId><ServerId xmlns=\"AirSync\">5:1</ServerId><Options><Schema>\
    <Subject xmlns=\"Email\"/></Schema><Range>0-99</Range><MIMESupport xmlns=\"AirSync\">2</MIMESupport>\
    <BodyPreference xmlns=\"AirSyncBase\"><Type>4</Type></BodyPreference></Options></Fetch>\
    <Fetch><Store>Mailbox</Store><FileReference xmlns=\"AirSyncBase\">5:1:0</FileReference></Fetch>\
    <EmptyFolderContents><CollectionId xmlns=\"AirSync\">4</CollectionId><Options><DeleteSubFolders/></Options>\
    </EmptyFolderContents><Move><ConversationId><?opaque 0102?></ConversationId><DstFldId>6</DstFldId><Options>\
    <MoveAlways>1</MoveAlways></Options></Move></ItemOperations>";

#[test]
fn a_whole_request_is_read_and_written() {
    let request = Request::from_document(&document(REQUEST), Version::V14_1).unwrap();
    let Operation::Fetch(fetch) = &request.operations[0] else { panic!("{request:?}") };
    let options = fetch.options.as_ref().unwrap();
    assert_eq!(options.range, Some(Range { first: 0, last: 99 }));
    assert_eq!(options.schema.as_deref(), Some([email::SUBJECT].as_slice()));
    let Operation::Move { conversation_id, .. } = &request.operations[3] else { panic!("{request:?}") };
    assert_eq!(conversation_id, &[1, 2]);
    assert_eq!(request.to_document(Version::V14_1).to_xml(), REQUEST);
}

#[test]
fn a_whole_answer_is_read_and_written() {
    let xml = "<ItemOperations xmlns=\"ItemOperations\"><Status>1</Status><Response><Fetch><Status>1</Status>\
        <CollectionId xmlns=\"AirSync\">5</CollectionId><ServerId xmlns=\"AirSync\">5:1</ServerId>\
        <Class xmlns=\"AirSync\">Email</Class><Properties><Subject xmlns=\"Email\">x</Subject></Properties></Fetch>\
        <Fetch><Status>1</Status><FileReference xmlns=\"AirSyncBase\">5:1:0</FileReference><Properties>\
        <Part>1</Part></Properties></Fetch><EmptyFolderContents><Status>1</Status>\
        <CollectionId xmlns=\"AirSync\">4</CollectionId></EmptyFolderContents><Move><Status>156</Status>\
        <ConversationId><?opaque 0102?></ConversationId></Move></Response></ItemOperations>";
    let response = Response::from_document(&document(xml), Version::V14_1).unwrap();
    let OperationResponse::Fetch(fetch) = &response.responses[1] else { panic!("{response:?}") };
    assert_eq!(fetch.properties.as_ref().unwrap().text(tag::PART).as_deref(), Some("1"));
    assert!(matches!(response.responses[3], OperationResponse::Move { status: Some(Status(156)), .. }));
    assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
}

#[test]
fn a_range_that_is_none_is_named() {
    let error = Request::from_document(&document(&REQUEST.replace("0-99", "99-0")), Version::V14_1).unwrap_err();
    assert!(
        error.to_string().starts_with("`ItemOperations/Fetch/Options/Range` is `99-0`, expected a range"),
        "{error}"
    );
}

#[test]
fn a_password_is_not_shown() {
    let options = Options { password: Some("hidden".into()), ..Options::default() };
    assert!(!format!("{options:?}").contains("hidden"));
}
