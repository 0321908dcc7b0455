use easrig_wbxml::Document;

use super::*;
use crate::Version;

fn document(xml: &str) -> Document {
    Document::from_xml(xml).unwrap()
}

#[test]
fn a_whole_request_is_read_and_written() {
    let xml = "<ResolveRecipients xmlns=\"ResolveRecipients\"><To>ann</To><To>bob@x.test</To><Options>\
        <CertificateRetrieval>2</CertificateRetrieval><MaxCertificates>9</MaxCertificates>\
        <MaxAmbiguousRecipients>5</MaxAmbiguousRecipients><Availability><StartTime>2024-01-01T00:00:00.000Z</StartTime>\
        <EndTime>2024-01-02T00:00:00.000Z</EndTime></Availability><Picture/></Options></ResolveRecipients>";
    let request = Request::from_document(&document(xml), Version::V14_1).unwrap();
    assert_eq!(request.to, ["ann", "bob@x.test"]);
    assert_eq!(request.options.as_ref().unwrap().max_ambiguous_recipients, Some(5));
    assert_eq!(request.to_document(Version::V14_1).to_xml(), xml);
    let older = request.to_document(Version::V12_1).to_xml();
    assert!(!older.contains("Availability") && !older.contains("Picture"), "{older}");
}

#[test]
fn a_whole_answer_is_read_and_written() {
    let xml = "<ResolveRecipients xmlns=\"ResolveRecipients\"><Status>1</Status><Response><To>ann</To><Status>1</Status>\
        <RecipientCount>1</RecipientCount><Recipient><Type>1</Type><DisplayName>Ann</DisplayName>\
        <EmailAddress>ann@x.test</EmailAddress><Availability><Status>1</Status><MergedFreeBusy>0022</MergedFreeBusy>\
        </Availability><Certificates><Status>1</Status><CertificateCount>1</CertificateCount>\
        <Certificate>YQ==</Certificate></Certificates><Picture><Status>173</Status></Picture></Recipient></Response>\
        </ResolveRecipients>";
    let response = Response::from_document(&document(xml), Version::V14_1).unwrap();
    let recipient = &response.responses[0].recipients[0];
    assert_eq!(recipient.availability.as_ref().unwrap().merged_free_busy.as_deref(), Some("0022"));
    assert_eq!(recipient.pictures[0].status, Some(Status(173)));
    assert_eq!(response.to_document(Version::V14_1).to_xml(), xml);
}

#[test]
fn free_busy_without_beginning_is_refused() {
    let xml = "<ResolveRecipients xmlns=\"ResolveRecipients\"><Options><Availability/></Options></ResolveRecipients>";
    let error = Request::from_document(&document(xml), Version::V14_1).unwrap_err();
    assert_eq!(error.path, "ResolveRecipients/Options/Availability/StartTime");
}
