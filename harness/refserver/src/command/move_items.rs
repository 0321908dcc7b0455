use easrig_eas::{
    ServerId,
    command::move_items::{Move, MoveResponse, Request, Response},
    status::Status,
};
use easrig_wbxml::Document;

use crate::{Answer, Caller, State, Switch, core::Desk, store::class_of};

/// The item or its folder is not there.
const BAD_SOURCE: u16 = 1;

/// The destination is not there, or holds another class.
const BAD_DESTINATION: u16 = 2;

/// Success has its own number in this command.
const MOVED: u16 = 3;

/// The item is there already.
const SAME_FOLDER: u16 = 4;

/// Moves items between folders; each has its own outcome.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.refuse(Status(103));
    };
    let Some(mut desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    let outcome = |one: &Move| {
        let (status, dst_msg_id) = match move_one(&mut desk, one) {
            Ok(id) => (MOVED, Some(id)),
            Err(status) => (status, None),
        };
        MoveResponse { src_msg_id: Some(one.src_msg_id.clone()), status: Some(Status(status)), dst_msg_id }
    };
    let responses = request.moves.iter().map(outcome).collect();
    Answer::wbxml(&Response { status: None, responses }.to_document(caller.version))
}

fn move_one(desk: &mut Desk<'_>, one: &Move) -> Result<ServerId, u16> {
    let (from, to) = (&one.src_fld_id, &one.dst_fld_id);
    desk.mailbox.item(from, &one.src_msg_id).ok_or(BAD_SOURCE)?;
    let class = |id| desk.mailbox.folder(id).map(|folder| class_of(folder.folder_type));
    if from == to {
        return Err(SAME_FOLDER);
    }
    if class(to).is_none() || class(from) != class(to) {
        return Err(BAD_DESTINATION);
    }
    if desk.switches.has(Switch::MoveLosesItem) {
        desk.mailbox.remove(from, &one.src_msg_id);
        return Ok(ServerId(format!("{to}:{}", desk.mailbox.sequence())));
    }
    desk.mailbox.relocate(from, &one.src_msg_id, to, desk.behaviour.move_keeps_id).ok_or(BAD_DESTINATION)
}
