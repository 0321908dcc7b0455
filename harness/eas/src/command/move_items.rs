//! MoveItems: move items between folders (MS-ASCMD 2.2.1.12). Success is Status 3, not 1.

use crate::{CollectionId, ServerId, status::Status};

/// What a device asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The moves.
    pub moves: Vec<Move>,
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The item.
    pub src_msg_id: ServerId,
    /// Its folder.
    pub src_fld_id: CollectionId,
    /// Where to.
    pub dst_fld_id: CollectionId,
}

/// What the server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// An error of the whole command, where a server gives one.
    pub status: Option<Status>,
    /// The outcome of the moves.
    pub responses: Vec<MoveResponse>,
}

/// The outcome of one move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveResponse {
    /// The item, as the request named it.
    pub src_msg_id: Option<ServerId>,
    /// 3 is success.
    pub status: Option<Status>,
    /// The item's new name.
    pub dst_msg_id: Option<ServerId>,
}
