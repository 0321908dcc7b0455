//! MoveItems: move items between folders (MS-ASCMD 2.2.1.12). Success is Status 3, not 1.

use easrig_wbxml::{Builder, Document, tags::move_items as tag};

use super::{
    ShapeError,
    shape::{Reader, Write},
};
use crate::{CollectionId, ServerId, Version, status::Status};

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

impl Request {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::MOVE_ITEMS);
        for item in &self.moves {
            out.open(tag::MOVE)
                .value(tag::SRC_MSG_ID, &item.src_msg_id)
                .value(tag::SRC_FLD_ID, &item.src_fld_id)
                .value(tag::DST_FLD_ID, &item.dst_fld_id)
                .close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a move lacks a part.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::MOVE_ITEMS, "Move:MoveItems")?;
        Ok(Self { moves: root.all(tag::MOVE).map(|at| Move::read(&at)).collect::<Result<_, _>>()? })
    }
}

impl Move {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            src_msg_id: at.need_text(tag::SRC_MSG_ID)?,
            src_fld_id: at.need_text(tag::SRC_FLD_ID)?,
            dst_fld_id: at.need_text(tag::DST_FLD_ID)?,
        })
    }
}

impl Response {
    /// The document.
    pub fn to_document(&self, _version: Version) -> Document {
        let mut out = Builder::new(tag::MOVE_ITEMS);
        out.maybe(tag::STATUS, self.status);
        for response in &self.responses {
            out.open(tag::RESPONSE)
                .maybe(tag::SRC_MSG_ID, response.src_msg_id.as_ref())
                .maybe(tag::STATUS, response.status)
                .maybe(tag::DST_MSG_ID, response.dst_msg_id.as_ref())
                .close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another or a status is no number.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::MOVE_ITEMS, "Move:MoveItems")?;
        Ok(Self {
            status: root.status(tag::STATUS)?,
            responses: root.all(tag::RESPONSE).map(|at| MoveResponse::read(&at)).collect::<Result<_, _>>()?,
        })
    }
}

impl MoveResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            src_msg_id: at.text(tag::SRC_MSG_ID),
            status: at.status(tag::STATUS)?,
            dst_msg_id: at.text(tag::DST_MSG_ID),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_written() {
        let xml = "<MoveItems xmlns=\"Move\"><Move><SrcMsgId>5:1</SrcMsgId><SrcFldId>5</SrcFldId>\
            <DstFldId>6</DstFldId></Move></MoveItems>";
        let document = Document::from_xml(xml).unwrap();
        let request = Request::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(request.moves[0].dst_fld_id, "6".into());
        assert_eq!(request.to_document(Version::V14_1), document);
    }

    #[test]
    fn an_answer_gives_the_new_name() {
        let xml = "<MoveItems xmlns=\"Move\"><Response><SrcMsgId>5:1</SrcMsgId><Status>3</Status>\
            <DstMsgId>6:1</DstMsgId></Response><Response><SrcMsgId>5:2</SrcMsgId><Status>1</Status></Response></MoveItems>";
        let document = Document::from_xml(xml).unwrap();
        let response = Response::from_document(&document, Version::V14_1).unwrap();
        assert_eq!(response.responses[0].dst_msg_id, Some("6:1".into()));
        assert_eq!(response.responses[1].status, Some(Status(1)));
        assert_eq!(response.to_document(Version::V14_1), document);
    }

    #[test]
    fn a_move_without_target_is_refused() {
        let xml = "<MoveItems xmlns=\"Move\"><Move><SrcMsgId>5:1</SrcMsgId><SrcFldId>5</SrcFldId></Move></MoveItems>";
        let error = Request::from_document(&Document::from_xml(xml).unwrap(), Version::V14_1).unwrap_err();
        assert_eq!(error.path, "MoveItems/Move/DstFldId");
    }
}
