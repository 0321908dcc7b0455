use easrig_wbxml::{
    Builder, Tag,
    tags::{air_sync, document_library as library, email, search as tag},
};

use super::{Criteria, Operator, Query};
use crate::{
    Version,
    command::{
        ShapeError,
        shape::{Reader, Write},
    },
};

impl Query {
    pub(super) fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        if let Some(at) = at.child(tag::EQUAL_TO) {
            return Ok(Self::LinkId(at.need_text(tag::VALUE)?));
        }
        if at.element().children().next().is_none() {
            return Ok(Self::Text(at.own_text().into_owned()));
        }
        let joined = [(tag::AND, Operator::And), (tag::OR, Operator::Or)];
        match joined.into_iter().find_map(|(tag, operator)| at.child(tag).map(|at| Criteria::read(&at, operator))) {
            Some(criteria) => criteria.map(Self::Criteria),
            None => Criteria::read(at, Operator::Bare).map(Self::Criteria),
        }
    }

    pub(super) fn write(&self, out: &mut Builder, version: Version) {
        match self {
            Self::Text(text) => {
                out.leaf(tag::QUERY, text);
            }
            Self::Criteria(criteria) => {
                out.open(tag::QUERY);
                criteria.write(out, version);
                out.close();
            }
            Self::LinkId(link) => {
                out.open(tag::QUERY).open(tag::EQUAL_TO).empty(library::LINK_ID).leaf(tag::VALUE, link).close().close();
            }
        }
    }
}

impl Criteria {
    fn read(at: &Reader<'_, '_>, operator: Operator) -> Result<Self, ShapeError> {
        let value = |wanted: Tag| at.child(wanted).map(|at| at.need_text(tag::VALUE)).transpose();
        Ok(Self {
            operator,
            classes: at.texts(air_sync::CLASS),
            collection_ids: at.texts(air_sync::COLLECTION_ID),
            free_text: at.text(tag::FREE_TEXT),
            conversation_id: at.child(tag::CONVERSATION_ID).map(|at| at.element().bytes().into_owned()),
            received_after: value(tag::GREATER_THAN)?,
            received_before: value(tag::LESS_THAN)?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        match self.operator {
            Operator::And => {
                out.open(tag::AND);
            }
            Operator::Or => {
                out.open(tag::OR);
            }
            Operator::Bare => {}
        }
        for class in &self.classes {
            out.value(air_sync::CLASS, class);
        }
        for collection in &self.collection_ids {
            out.value(air_sync::COLLECTION_ID, collection);
        }
        out.maybe(tag::FREE_TEXT, self.free_text.as_ref());
        if let Some(conversation) = self.conversation_id.as_ref().filter(|_| version >= Version::V14_0) {
            out.opaque(tag::CONVERSATION_ID, conversation);
        }
        for (bound, time) in [(tag::GREATER_THAN, &self.received_after), (tag::LESS_THAN, &self.received_before)] {
            if let Some(time) = time {
                out.open(bound).empty(email::DATE_RECEIVED).leaf(tag::VALUE, time).close();
            }
        }
        if self.operator != Operator::Bare {
            out.close();
        }
    }
}
