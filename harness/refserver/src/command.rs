//! What each command does; one module each, named as on the wire.

pub(crate) mod find;
pub(crate) mod folder_create;
pub(crate) mod folder_delete;
pub(crate) mod folder_sync;
pub(crate) mod folder_update;
pub(crate) mod get_attachment;
pub(crate) mod get_item_estimate;
pub(crate) mod item_operations;
pub(crate) mod meeting_response;
pub(crate) mod move_items;
pub(crate) mod ping;
pub(crate) mod provision;
pub(crate) mod resolve_recipients;
pub(crate) mod search;
pub(crate) mod send_mail;
pub(crate) mod settings;
pub(crate) mod sync;
pub(crate) mod validate_cert;

use easrig_eas::{Command, Version, command::sync::Request, status::Status};
use easrig_wbxml::Document;

use crate::{Answer, Call, Caller, Reply, State, WaiterId, core::Waiter};

/// What a waiting request waits for.
#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    Ping(ping::Watch),
    Sync(Box<Request>),
}

/// Runs a command.
pub(crate) fn run(state: &mut State, caller: &Caller, call: &Call) -> Reply {
    let document = match read_body(caller, call) {
        Ok(document) => document,
        Err(answer) => return Reply::Now(answer),
    };
    let document = document.as_ref();
    let now = match caller.command {
        Command::Sync => return sync::run(state, caller, document),
        Command::Ping => return ping::run(state, caller, document),
        Command::FolderSync => folder_sync::run(state, caller, document),
        Command::FolderCreate => folder_create::run(state, caller, document),
        Command::FolderDelete => folder_delete::run(state, caller, document),
        Command::FolderUpdate => folder_update::run(state, caller, document),
        Command::MoveItems => move_items::run(state, caller, document),
        Command::GetItemEstimate => get_item_estimate::run(state, caller, document),
        Command::ItemOperations => item_operations::run(state, caller, call, document),
        Command::MeetingResponse => meeting_response::run(state, caller, document),
        Command::GetAttachment => get_attachment::run(state, caller, call),
        Command::SendMail | Command::SmartReply | Command::SmartForward => {
            send_mail::run(state, caller, call, document)
        }
        Command::Find => find::run(state, caller, document),
        Command::Provision => provision::run(state, caller, document),
        Command::ResolveRecipients => resolve_recipients::run(state, caller, document),
        Command::Search => search::run(state, caller, document),
        Command::Settings => settings::run(state, caller, document),
        Command::ValidateCert => validate_cert::run(state, caller, document),
    };
    Reply::Now(now)
}

/// Asks a waiting command whether it has something to say; `over` when its time is up.
pub(crate) fn wake(state: &mut State, waiter: &Waiter, id: WaiterId, over: bool) -> Option<Answer> {
    match &waiter.what {
        Waiting::Ping(watch) => ping::wake(state, &waiter.caller, watch, id, over),
        Waiting::Sync(request) => sync::wake(state, &waiter.caller, request, id, over),
    }
}

/// The document of a request; `None` without a body and where the body is a message.
fn read_body(caller: &Caller, call: &Call) -> Result<Option<Document>, Answer> {
    let is_message = caller.version < Version::V14_0
        && matches!(caller.command, Command::SendMail | Command::SmartReply | Command::SmartForward);
    if call.body.is_empty() || is_message || caller.command == Command::GetAttachment {
        return Ok(None);
    }
    Document::decode(&call.body).map(Some).map_err(|_| caller.refuse(Status(102)))
}
