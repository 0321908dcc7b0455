use easrig_eas::{Command, Version, status::Status};
use easrig_exchange::Headers;
use easrig_wbxml::{Builder, Document, Tag, tags};

/// The content type of WBXML bodies (MS-ASHTTP 2.2.1.1.2.2).
pub(crate) const WBXML: &str = "application/vnd.ms-sync.wbxml";

/// What goes back over HTTP; the front adds the headers every answer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Headers that belong to this answer.
    pub headers: Headers,
    /// The body, not compressed.
    pub body: Vec<u8>,
}

impl Answer {
    /// 200 without a body: nothing changed, or the mail was taken.
    pub fn empty() -> Self {
        Self::http(200)
    }

    /// A bare HTTP status.
    pub fn http(status: u16) -> Self {
        Self { status, headers: Headers::new(), body: Vec::new() }
    }

    /// 200 with a document.
    pub fn wbxml(document: &Document) -> Self {
        Self::body(WBXML, document.encode())
    }

    /// 200 with a body of another type.
    pub fn body(content_type: &str, body: Vec<u8>) -> Self {
        Self { status: 200, headers: [("Content-Type", content_type)].into_iter().collect(), body }
    }

    /// The same answer with one more header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Refuses the whole request: in-band from 14.0 on, by an HTTP status before (MS-ASCMD 2.2.2 common status codes).
    pub fn refusal(command: Command, version: Version, status: Status) -> Self {
        // A document of a command that the version does not have would break the version's rules itself.
        let in_band = version >= Version::V14_0 && command.exists_in(version);
        match status_document(command, status).filter(|_| in_band) {
            Some(document) => Self::wbxml(&document),
            None => Self::http(http_equivalent(status)),
        }
    }
}

/// The document that says nothing but a status; `None` for commands that have none.
pub(crate) fn status_document(command: Command, status: Status) -> Option<Document> {
    let (root, leaf) = status_tags(command)?;
    let mut builder = Builder::new(root);
    builder.leaf(leaf, &status.0.to_string());
    Some(builder.finish())
}

fn status_tags(command: Command) -> Option<(Tag, Tag)> {
    use tags::{
        air_sync, compose_mail, find, folder_hierarchy as folder, get_item_estimate as estimate, item_operations,
        meeting_response, move_items, ping, provision, resolve_recipients, search, settings, validate_cert,
    };
    Some(match command {
        Command::Sync => (air_sync::SYNC, air_sync::STATUS),
        Command::SendMail => (compose_mail::SEND_MAIL, compose_mail::STATUS),
        Command::SmartForward => (compose_mail::SMART_FORWARD, compose_mail::STATUS),
        Command::SmartReply => (compose_mail::SMART_REPLY, compose_mail::STATUS),
        Command::FolderSync => (folder::FOLDER_SYNC, folder::STATUS),
        Command::FolderCreate => (folder::FOLDER_CREATE, folder::STATUS),
        Command::FolderDelete => (folder::FOLDER_DELETE, folder::STATUS),
        Command::FolderUpdate => (folder::FOLDER_UPDATE, folder::STATUS),
        Command::MoveItems => (move_items::MOVE_ITEMS, move_items::STATUS),
        Command::GetItemEstimate => (estimate::GET_ITEM_ESTIMATE, estimate::STATUS),
        Command::MeetingResponse => (meeting_response::MEETING_RESPONSE, meeting_response::STATUS),
        Command::Search => (search::SEARCH, search::STATUS),
        Command::Settings => (settings::SETTINGS, settings::STATUS),
        Command::Ping => (ping::PING, ping::STATUS),
        Command::ItemOperations => (item_operations::ITEM_OPERATIONS, item_operations::STATUS),
        Command::Provision => (provision::PROVISION, provision::STATUS),
        Command::ResolveRecipients => (resolve_recipients::RESOLVE_RECIPIENTS, resolve_recipients::STATUS),
        Command::ValidateCert => (validate_cert::VALIDATE_CERT, validate_cert::STATUS),
        Command::Find => (find::FIND, find::STATUS),
        _ => return None,
    })
}

/// What versions before 14.0 answer instead of a common status; 400 where the table is silent.
fn http_equivalent(status: Status) -> u16 {
    match status.0 {
        110 => 500,
        111 => 503,
        112 | 125 | 126 | 129 | 130 | 131 | 132 | 177 => 403,
        113 => 507,
        137 => 501,
        140..=144 => 449,
        150 => 500,
        _ => 400,
    }
}
