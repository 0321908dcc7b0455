//! ResolveRecipients: names, certificates, free/busy and pictures of recipients (MS-ASCMD 2.2.1.15).

mod request;
mod response;
#[cfg(test)]
mod tests;

use super::PictureOptions;
use crate::status::Status;

/// Who a device asks about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The names or addresses, up to 100.
    pub to: Vec<String>,
    /// What is wanted of each.
    pub options: Option<Options>,
}

/// What is wanted of each recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// 1 no certificates, 2 full ones, 3 mini ones.
    pub certificate_retrieval: Option<u32>,
    /// The most certificates of one recipient, 0 to 9999.
    pub max_certificates: Option<u32>,
    /// The most suggestions for an ambiguous name, 0 to 9999.
    pub max_ambiguous_recipients: Option<u32>,
    /// The time whose free/busy is wanted (14.0+).
    pub availability: Option<AvailabilityOptions>,
    /// Contact photos (14.1+).
    pub picture: Option<PictureOptions>,
}

/// The time whose free/busy is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AvailabilityOptions {
    /// From.
    pub start_time: String,
    /// To; without, seven days.
    pub end_time: Option<String>,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status of the command.
    pub status: Option<Status>,
    /// One for every `to`.
    pub responses: Vec<RecipientsResponse>,
}

/// The answer for one `to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipientsResponse {
    /// The name, as the request has it.
    pub to: Option<String>,
    /// 1 found, 2 and 3 ambiguous, 4 not found.
    pub status: Option<Status>,
    /// How many there are.
    pub recipient_count: Option<u32>,
    /// Those that are sent.
    pub recipients: Vec<Recipient>,
}

/// One recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// 1 from the address list, 2 from the owner's contacts.
    pub recipient_type: Option<u32>,
    /// The name.
    pub display_name: Option<String>,
    /// The address.
    pub email_address: Option<String>,
    /// Free/busy.
    pub availability: Option<Availability>,
    /// Certificates.
    pub certificates: Option<Certificates>,
    /// Photos.
    pub pictures: Vec<Picture>,
}

/// Free/busy of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Availability {
    /// The outcome.
    pub status: Option<Status>,
    /// One digit per half hour: 0 free, 1 tentative, 2 busy, 3 out of office, 4 no data.
    pub merged_free_busy: Option<String>,
}

/// Certificates of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    /// The outcome.
    pub status: Option<Status>,
    /// How many there are.
    pub certificate_count: Option<u32>,
    /// How many members a distribution list has.
    pub recipient_count: Option<u32>,
    /// The full certificates, base64.
    pub certificates: Vec<String>,
    /// The mini certificates, base64.
    pub mini_certificates: Vec<String>,
}

/// The photo of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// The outcome.
    pub status: Option<Status>,
    /// The image, base64.
    pub data: Option<String>,
}
