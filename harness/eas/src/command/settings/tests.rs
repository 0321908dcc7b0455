use easrig_wbxml::Document;

use super::*;
use crate::Version;

fn document(xml: &str) -> Document {
    Document::from_xml(xml).unwrap()
}

#[test]
fn the_probe_of_the_cloud_is_eleven_bytes() {
    let request = Request { user_information: true, ..Request::default() };
    assert_eq!(request.to_document(Version::V14_1).encode(), b"\x03\x01\x6a\x00\x00\x12\x45\x5d\x07\x01\x01");
}

#[test]
fn a_whole_request_is_read_and_written() {
    let xml = "<Settings xmlns=\"Settings\"><RightsManagementInformation><Get/></RightsManagementInformation>\
        <Oof><Set><OofState>2</OofState><StartTime>2024-01-01T00:00:00.000Z</StartTime>\
        <EndTime>2024-01-02T00:00:00.000Z</EndTime><OofMessage><AppliesToInternal/><Enabled>1</Enabled>\
        <ReplyMessage>away</ReplyMessage><BodyType>Text</BodyType></OofMessage></Set></Oof>\
        <DevicePassword><Set><Password>1234</Password></Set></DevicePassword>\
        <DeviceInformation><Set><Model>m</Model><IMEI>1</IMEI><FriendlyName>f</FriendlyName><OS>o</OS>\
        <OSLanguage>en</OSLanguage><PhoneNumber>5</PhoneNumber><UserAgent>u</UserAgent>\
        <EnableOutboundSMS>0</EnableOutboundSMS><MobileOperator>x</MobileOperator></Set></DeviceInformation>\
        <UserInformation><Get/></UserInformation></Settings>";
    let request = Request::from_document(&document(xml), Version::V14_1).unwrap();
    let Some(OofRequest::Set(oof)) = &request.oof else { panic!("{request:?}") };
    assert_eq!(oof.state, Some(OofState::TIME_BASED));
    assert_eq!(oof.messages[0].audience, Some(Audience::Internal));
    assert_eq!(request.to_document(Version::V14_1).to_xml(), xml);
    assert!(!format!("{request:?}").contains("1234"));
}

#[test]
fn an_empty_password_removes_it() {
    let xml = "<Settings xmlns=\"Settings\"><DevicePassword><Set><Password/></Set></DevicePassword></Settings>";
    let request = Request::from_document(&document(xml), Version::V12_1).unwrap();
    assert_eq!(request.device_password, Some(DevicePassword::Clear));
    assert_eq!(request.to_document(Version::V12_1).to_xml(), xml);
}

#[test]
fn out_of_office_is_neither_set_nor_asked_for_in_an_empty_element() {
    let error = Request::from_document(&document("<Settings xmlns=\"Settings\"><Oof/></Settings>"), Version::V14_1);
    assert_eq!(error.unwrap_err().path, "Settings/Oof/Get");
}

#[test]
fn addresses_stand_alone_up_to_14_0_and_in_accounts_later() {
    let account = Account {
        user_display_name: Some("Ann".into()),
        smtp_addresses: vec!["a@x.test".into(), "b@x.test".into()],
        ..Account::default()
    };
    let user_information = Some(UserInformation { status: Some(Status(1)), accounts: vec![account] });
    let response = Response { status: Some(Status(1)), user_information, ..Response::default() };
    let old = response.to_document(Version::V14_0);
    assert_eq!(
        old.to_xml(),
        "<Settings xmlns=\"Settings\"><Status>1</Status><UserInformation><Status>1</Status><Get><EmailAddresses>\
         <SMTPAddress>a@x.test</SMTPAddress><SMTPAddress>b@x.test</SMTPAddress></EmailAddresses></Get>\
         </UserInformation></Settings>"
    );
    let new = response.to_document(Version::V14_1);
    assert_eq!(Response::from_document(&new, Version::V14_1).unwrap(), response);
    let read = Response::from_document(&old, Version::V14_0).unwrap().user_information.unwrap();
    assert_eq!(read.accounts[0].smtp_addresses, ["a@x.test", "b@x.test"]);
    assert_eq!(read.accounts[0].user_display_name, None);
}

#[test]
fn a_whole_answer_is_read_and_written() {
    let xml = "<Settings xmlns=\"Settings\"><Status>1</Status><Oof><Status>1</Status><Get><OofState>0</OofState>\
        <OofMessage><AppliesToExternalUnknown/><Enabled>0</Enabled></OofMessage></Get></Oof>\
        <DeviceInformation><Status>1</Status></DeviceInformation><DevicePassword><Status>7</Status></DevicePassword>\
        <RightsManagementInformation><Status>1</Status><Get><RightsManagementTemplates xmlns=\"RightsManagement\">\
        <RightsManagementTemplate><TemplateID>t</TemplateID><TemplateName>n</TemplateName>\
        <TemplateDescription>d</TemplateDescription></RightsManagementTemplate></RightsManagementTemplates></Get>\
        </RightsManagementInformation></Settings>";
    let response = Response::from_document(&document(xml), Version::V14_1).unwrap();
    assert_eq!(response.device_password, Some(Status(7)));
    assert_eq!(response.rights_management_information.as_ref().unwrap().templates[0].template_id, "t");
    assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
}
