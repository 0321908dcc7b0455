//! MeetingResponse: accept or decline an invitation (MS-ASCMD 2.2.1.11).

use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync_base as base, meeting_response as tag, search},
};

use super::{
    ShapeError,
    shape::{Reader, Write},
};
use crate::{CollectionId, ServerId, Version, status::Status};

/// What the owner answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The invitations.
    pub requests: Vec<Invitation>,
}

/// One invitation and the owner's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invitation {
    /// 1 accepted, 2 tentative, 3 declined.
    pub user_response: u32,
    /// The folder of the invitation.
    pub collection_id: Option<CollectionId>,
    /// The invitation or calendar item.
    pub request_id: Option<ServerId>,
    /// Instead of both: the invitation as Search named it.
    pub long_id: Option<String>,
    /// The occurrence of a series (14.1+).
    pub instance_id: Option<String>,
    /// Whether and how the server tells the organiser (16.0+).
    pub send_response: Option<SendResponse>,
}

/// How the server tells the organiser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendResponse {
    /// A comment.
    pub body: Option<ResponseBody>,
    /// Another beginning, proposed (16.1).
    pub proposed_start_time: Option<String>,
    /// Another end, proposed (16.1).
    pub proposed_end_time: Option<String>,
}

/// A comment to the organiser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseBody {
    /// 1 plain text, 2 HTML.
    pub body_type: u32,
    /// The text.
    pub data: String,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// An error of the whole command, where a server gives one.
    pub status: Option<Status>,
    /// The outcome per invitation.
    pub results: Vec<MeetingResult>,
}

/// The outcome of one invitation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeetingResult {
    /// The invitation.
    pub request_id: Option<ServerId>,
    /// The outcome.
    pub status: Option<Status>,
    /// The calendar item; missing when declined.
    pub calendar_id: Option<ServerId>,
}

impl Request {
    /// The document; occurrences are left out before 14.1, the organiser's mail before 16.0, proposals before 16.1.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::MEETING_RESPONSE);
        for invitation in &self.requests {
            invitation.write(&mut out, version);
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, the owner's answer is missing or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::MEETING_RESPONSE, "MeetingResponse:MeetingResponse")?;
        Ok(Self { requests: root.all(tag::REQUEST).map(|at| Invitation::read(&at)).collect::<Result<_, _>>()? })
    }
}

impl Invitation {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            user_response: at.need_number(tag::USER_RESPONSE)?,
            collection_id: at.text(tag::COLLECTION_ID),
            request_id: at.text(tag::REQUEST_ID),
            long_id: at.text(search::LONG_ID),
            instance_id: at.text(tag::INSTANCE_ID),
            send_response: at.child(tag::SEND_RESPONSE).map(|at| SendResponse::read(&at)).transpose()?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::REQUEST)
            .value(tag::USER_RESPONSE, self.user_response)
            .maybe(tag::COLLECTION_ID, self.collection_id.as_ref())
            .maybe(tag::REQUEST_ID, self.request_id.as_ref())
            .maybe(search::LONG_ID, self.long_id.as_ref())
            .maybe(tag::INSTANCE_ID, self.instance_id.as_ref().filter(|_| version >= Version::V14_1));
        if let Some(response) = self.send_response.as_ref().filter(|_| version >= Version::V16_0) {
            response.write(out, version);
        }
        out.close();
    }
}

impl SendResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let body = at.child(base::BODY).map(|at| ResponseBody::read(&at)).transpose()?;
        Ok(Self {
            body,
            proposed_start_time: at.text(tag::PROPOSED_START_TIME),
            proposed_end_time: at.text(tag::PROPOSED_END_TIME),
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        if *self == Self::default() {
            out.empty(tag::SEND_RESPONSE);
            return;
        }
        out.open(tag::SEND_RESPONSE);
        if let Some(body) = &self.body {
            out.open(base::BODY).value(base::TYPE, body.body_type).leaf(base::DATA, &body.data).close();
        }
        if version >= Version::V16_1 {
            out.maybe(tag::PROPOSED_START_TIME, self.proposed_start_time.as_ref())
                .maybe(tag::PROPOSED_END_TIME, self.proposed_end_time.as_ref());
        }
        out.close();
    }
}

impl ResponseBody {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self { body_type: at.number(base::TYPE)?.unwrap_or(1), data: at.text(base::DATA).unwrap_or_default() })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::MEETING_RESPONSE);
        out.maybe(tag::STATUS, self.status);
        for result in &self.results {
            out.open(tag::RESULT)
                .maybe(tag::REQUEST_ID, result.request_id.as_ref())
                .maybe(tag::STATUS, result.status)
                .maybe(tag::CALENDAR_ID, result.calendar_id.as_ref())
                .close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a status is no number.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::MEETING_RESPONSE, "MeetingResponse:MeetingResponse")?;
        Ok(Self {
            status: root.status(tag::STATUS)?,
            results: root.all(tag::RESULT).map(|at| MeetingResult::read(&at)).collect::<Result<_, _>>()?,
        })
    }
}

impl MeetingResult {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            request_id: at.text(tag::REQUEST_ID),
            status: at.status(tag::STATUS)?,
            calendar_id: at.text(tag::CALENDAR_ID),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROPOSAL: &str = "<MeetingResponse xmlns=\"MeetingResponse\"><Request><UserResponse>2</UserResponse>\
        <CollectionId>5</CollectionId><RequestId>5:1</RequestId><InstanceId>20240101T000000Z</InstanceId><SendResponse>\
        <Body xmlns=\"AirSyncBase\"><Type>1</Type><Data>later?</Data></Body>\
        <ProposedStartTime>20240102T000000Z</ProposedStartTime><ProposedEndTime>20240102T010000Z</ProposedEndTime>\
        </SendResponse></Request></MeetingResponse>";

    #[test]
    fn a_proposal_is_read_and_written_at_16_1() {
        let document = Document::from_xml(PROPOSAL).unwrap();
        let request = Request::from_document(&document, Version::V16_1).unwrap();
        assert_eq!(request.requests[0].user_response, 2);
        assert_eq!(request.to_document(Version::V16_1), document);
    }

    #[test]
    fn older_versions_lose_what_they_do_not_have() {
        let request = Request::from_document(&Document::from_xml(PROPOSAL).unwrap(), Version::V16_1).unwrap();
        assert!(!request.to_document(Version::V16_0).to_xml().contains("Proposed"));
        let xml = request.to_document(Version::V14_0).to_xml();
        assert!(!xml.contains("SendResponse") && !xml.contains("InstanceId"), "{xml}");
    }

    #[test]
    fn an_answer_gives_the_calendar_item() {
        let xml = "<MeetingResponse xmlns=\"MeetingResponse\"><Result><RequestId>5:1</RequestId><Status>1</Status>\
            <CalendarId>1:7</CalendarId></Result></MeetingResponse>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(response.results[0].calendar_id, Some("1:7".into()));
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn a_request_without_answer_is_refused() {
        let document =
            Document::from_xml("<MeetingResponse xmlns=\"MeetingResponse\"><Request/></MeetingResponse>").unwrap();
        let error = Request::from_document(&document, Version::V14_1).unwrap_err();
        assert_eq!(error.path, "MeetingResponse/Request/UserResponse");
    }
}
