//! MeetingResponse: accept or decline an invitation (MS-ASCMD 2.2.1.11).

use crate::{CollectionId, ServerId, status::Status};

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
