use easrig_wbxml::{
    Document,
    tags::{air_sync, contacts, email},
};

use super::*;
use crate::{
    Version,
    command::{ShapeError, ShapeErrorKind},
};

fn document(xml: &str) -> Document {
    Document::from_xml(xml).unwrap()
}

#[test]
fn a_first_sync_of_each_generation_differs_in_its_class() {
    let collection = Collection {
        class: Some(Class::Email),
        sync_key: SyncKey::initial(),
        collection_id: "5".into(),
        ..Collection::default()
    };
    let request = Request { collections: vec![collection], ..Request::default() };
    assert_eq!(
        request.to_document(Version::V12_1).to_xml(),
        "<Sync xmlns=\"AirSync\"><Collections><Collection><Class>Email</Class><SyncKey>0</SyncKey>\
         <CollectionId>5</CollectionId></Collection></Collections></Sync>"
    );
    assert_eq!(
        request.to_document(Version::V14_0).to_xml(),
        "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>0</SyncKey>\
         <CollectionId>5</CollectionId></Collection></Collections></Sync>"
    );
}

#[test]
fn a_whole_request_is_read_and_written() {
    let xml = "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>17</SyncKey><CollectionId>5</CollectionId>\
        <Supported><Picture xmlns=\"Contacts\"/></Supported><DeletesAsMoves/><GetChanges>0</GetChanges>\
        <WindowSize>50</WindowSize><ConversationMode>1</ConversationMode>\
        <Options><FilterType>5</FilterType><Class>Email</Class><Conflict>1</Conflict><MIMESupport>2</MIMESupport>\
        <BodyPreference xmlns=\"AirSyncBase\"><Type>2</Type><TruncationSize>20480</TruncationSize>\
        <AllOrNone>1</AllOrNone><Preview>100</Preview></BodyPreference>\
        <RightsManagementSupport xmlns=\"RightsManagement\">1</RightsManagementSupport></Options>\
        <Options><Class>SMS</Class></Options>\
        <Commands><Add><ClientId>c1</ClientId><ApplicationData><Subject xmlns=\"Email\">x</Subject></ApplicationData></Add>\
        <Change><ServerId>5:1</ServerId><ApplicationData><Read xmlns=\"Email\">1</Read></ApplicationData></Change>\
        <Delete><ServerId>5:2</ServerId><InstanceId xmlns=\"AirSyncBase\">20240101T000000Z</InstanceId></Delete>\
        <Fetch><ServerId>5:3</ServerId></Fetch></Commands></Collection></Collections>\
        <HeartbeatInterval>540</HeartbeatInterval><WindowSize>100</WindowSize><Partial/></Sync>";
    let document = document(xml);
    let request = Request::from_document(&document, Version::V16_1).unwrap();
    let collection = &request.collections[0];
    assert_eq!(collection.supported.as_deref(), Some([contacts::PICTURE].as_slice()));
    assert_eq!(collection.deletes_as_moves, Some(Flag::Empty));
    assert_eq!(collection.get_changes, Some(Flag::Value(false)));
    assert_eq!(collection.options[0].body_preferences[0].truncation_size, Some(20480));
    assert_eq!(collection.options[1].class, Some(Class::Sms));
    assert_eq!(collection.commands.len(), 4);
    assert!(request.partial && request.heartbeat_interval == Some(540));
    assert_eq!(request.to_document(Version::V16_1).to_xml(), xml);
}

#[test]
fn an_old_phone_cuts_bodies_by_class_of_size() {
    let options = Options {
        filter_type: Some(3),
        truncation: Some(7),
        body_preferences: vec![BodyPreference { body_type: 2, ..BodyPreference::default() }],
        max_items: Some(100),
        ..Options::default()
    };
    let collection = Collection { options: vec![options], ..Collection::default() };
    let request = Request { collections: vec![collection], wait: Some(5), ..Request::default() };
    let xml = request.to_document(Version::V2_5).to_xml();
    assert!(xml.contains("<Options><FilterType>3</FilterType><Truncation>7</Truncation></Options>"), "{xml}");
    assert!(!xml.contains("Wait"), "{xml}");
}

#[test]
fn a_whole_answer_is_read_and_written() {
    let xml = "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>2</SyncKey><CollectionId>5</CollectionId>\
        <Status>1</Status><MoreAvailable/><Commands><Add><ServerId>5:1</ServerId><ApplicationData>\
        <Subject xmlns=\"Email\">hello</Subject></ApplicationData></Add>\
        <Change><Class>SMS</Class><ServerId>5:2</ServerId><ApplicationData/></Change>\
        <Delete><ServerId>5:3</ServerId></Delete><SoftDelete><ServerId>5:4</ServerId></SoftDelete></Commands>\
        <Responses><Add><ClientId>c1</ClientId><ServerId>5:9</ServerId><Status>1</Status></Add>\
        <Change><ServerId>5:1</ServerId><Status>8</Status></Change><Delete><ServerId>5:2</ServerId><Status>8</Status></Delete>\
        <Fetch><ServerId>5:3</ServerId><Status>999</Status></Fetch></Responses></Collection></Collections></Sync>";
    let document = document(xml);
    let response = Response::from_document(&document, Version::V14_1).unwrap();
    let collection = &response.collections[0];
    assert!(collection.more_available);
    let ServerCommand::Add { application_data, .. } = &collection.commands[0] else { panic!("{collection:?}") };
    assert_eq!(application_data.text(email::SUBJECT).as_deref(), Some("hello"));
    assert_eq!(application_data.root().tag(), air_sync::APPLICATION_DATA);
    assert!(matches!(collection.responses[3], CommandResponse::Fetch { status: Some(Status(999)), .. }));
    assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
}

#[test]
fn an_error_of_the_whole_command_is_read() {
    let document = document("<Sync xmlns=\"AirSync\"><Status>14</Status><Limit>59</Limit></Sync>");
    let response = Response::from_document(&document, Version::V12_1).unwrap();
    assert_eq!(response, Response { status: Some(Status(14)), limit: Some(59), collections: Vec::new() });
    assert_eq!(response.to_document(Version::V12_1), document);
}

#[test]
fn elements_nobody_knows_are_passed_over() {
    let xml = "<Sync xmlns=\"AirSync\"><token-3F/><Collections><Collection><SyncKey>2</SyncKey><token-3E/><Commands>\
        <token-3D/></Commands></Collection></Collections></Sync>";
    let response = Response::from_document(&document(xml), Version::V14_1).unwrap();
    assert_eq!(response.collections[0].sync_key, Some("2".into()));
    assert!(response.collections[0].commands.is_empty());
}

#[test]
fn a_change_without_item_is_named_with_its_path() {
    let xml = "<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>2</SyncKey><CollectionId>1</CollectionId>\
        <Commands><Fetch/></Commands></Collection></Collections></Sync>";
    let error = Request::from_document(&document(xml), Version::V14_1).unwrap_err();
    let path = "Sync/Collections/Collection/Commands/Fetch/ServerId".to_owned();
    assert_eq!(error, ShapeError { path, kind: ShapeErrorKind::Missing, offset: error.offset });
}

#[test]
fn an_answer_has_its_class_up_to_12_0_only() {
    let collection = CollectionResponse { class: Some(Class::Email), ..CollectionResponse::default() };
    let response = Response { collections: vec![collection], ..Response::default() };
    assert!(response.to_document(Version::V12_0).to_xml().contains("<Class>Email</Class>"));
    assert!(!response.to_document(Version::V12_1).to_xml().contains("Class"));
}
