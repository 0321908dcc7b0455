use easrig_eas::{
    ServerId,
    command::move_items::{Move, MoveResponse, Request, Response},
    status::Status,
};
use easrig_wbxml::{Document, tags::move_items as tag};

use crate::{Answer, Caller, State, Switch, core::Desk, store::class_of};

/// The item or its folder is not there.
const BAD_SOURCE: u16 = 1;

/// The destination is not there, or holds another class.
const BAD_DESTINATION: u16 = 2;

/// Success has its own number in this command.
const MOVED: u16 = 3;

/// The item is there already.
const SAME_FOLDER: u16 = 4;

/// The item cannot go to two places.
const MOVE_FAILED: u16 = 5;

/// The most moves of one request.
const MOVES_MOST: usize = 1000;

/// Moves items between folders; each has its own outcome.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.refuse(Status(103));
    };
    if request.moves.len() > MOVES_MOST {
        return caller.refuse(Status(103));
    }
    let Some(mut desk) = state.desk(caller) else { return caller.refuse(Status::SERVER_ERROR) };
    let outcome = |(one, to_two): (&Move, bool)| {
        let done = if to_two { Err(MOVE_FAILED) } else { move_one(&mut desk, one) };
        let (status, dst_msg_id) = match done {
            Ok(id) => (MOVED, Some(id)),
            Err(status) => (status, None),
        };
        MoveResponse { src_msg_id: Some(one.src_msg_id.clone()), status: Some(Status(status)), dst_msg_id }
    };
    let to_two = document.into_iter().flat_map(|document| document.root().all(tag::MOVE));
    let to_two = to_two.map(|one| one.all(tag::DST_FLD_ID).count() > 1);
    let responses = request.moves.iter().zip(to_two).map(outcome).collect();
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
