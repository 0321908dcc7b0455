use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync as tag, air_sync_base as base},
};

use super::{CollectionResponse, CommandResponse, Response, ServerCommand};
use crate::{
    Version,
    command::{
        Item, ShapeError,
        shape::{Reader, Write},
    },
};

impl Response {
    /// The document; the class of a collection is left out from 12.1 on, where it is optional and some phones refuse it.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::SYNC);
        out.maybe(tag::STATUS, self.status).maybe(tag::LIMIT, self.limit);
        if !self.collections.is_empty() {
            out.open(tag::COLLECTIONS);
            self.collections.iter().for_each(|collection| collection.write(&mut out, version));
            out.close();
        }
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, a change of the server's lacks its item or its content, or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::SYNC, "AirSync:Sync")?;
        let collections = match root.child(tag::COLLECTIONS) {
            Some(at) => at.all(tag::COLLECTION).map(|at| CollectionResponse::read(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self { status: root.status(tag::STATUS)?, limit: root.number(tag::LIMIT)?, collections })
    }
}

impl CollectionResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            class: at.text(tag::CLASS),
            sync_key: at.text(tag::SYNC_KEY),
            collection_id: at.text(tag::COLLECTION_ID),
            status: at.status(tag::STATUS)?,
            more_available: at.has(tag::MORE_AVAILABLE),
            commands: match at.child(tag::COMMANDS) {
                Some(at) => {
                    at.children().filter_map(|at| ServerCommand::read(&at).transpose()).collect::<Result<_, _>>()?
                }
                None => Vec::new(),
            },
            responses: match at.child(tag::RESPONSES) {
                Some(at) => {
                    at.children().filter_map(|at| CommandResponse::read(&at).transpose()).collect::<Result<_, _>>()?
                }
                None => Vec::new(),
            },
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::COLLECTION)
            .maybe(tag::CLASS, self.class.as_ref().filter(|_| version < Version::V12_1))
            .maybe(tag::SYNC_KEY, self.sync_key.as_ref())
            .maybe(tag::COLLECTION_ID, self.collection_id.as_ref())
            .maybe(tag::STATUS, self.status)
            .present(tag::MORE_AVAILABLE, self.more_available);
        // Neither list is ever written empty: some phones refuse the whole answer then.
        if !self.commands.is_empty() {
            out.open(tag::COMMANDS);
            self.commands.iter().for_each(|command| command.write(out));
            out.close();
        }
        if !self.responses.is_empty() {
            out.open(tag::RESPONSES);
            self.responses.iter().for_each(|response| response.write(out));
            out.close();
        }
        out.close();
    }
}

impl ServerCommand {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let server_id = || at.need_text(tag::SERVER_ID);
        let class = || at.text(tag::CLASS);
        let item = || at.need(tag::APPLICATION_DATA).map(|data| Item::from_element(data.element()));
        Ok(match at.tag() {
            tag::ADD => Some(Self::Add { server_id: server_id()?, class: class(), application_data: item()? }),
            tag::CHANGE => Some(Self::Change { server_id: server_id()?, class: class(), application_data: item()? }),
            tag::DELETE => Some(Self::Delete { server_id: server_id()?, class: class() }),
            tag::SOFT_DELETE => Some(Self::SoftDelete { server_id: server_id()? }),
            _ => None,
        })
    }

    fn write(&self, out: &mut Builder) {
        match self {
            Self::Add { server_id, class, application_data } => {
                out.open(tag::ADD).maybe(tag::CLASS, class.as_ref()).value(tag::SERVER_ID, server_id);
                application_data.write(out, tag::APPLICATION_DATA);
            }
            Self::Change { server_id, class, application_data } => {
                out.open(tag::CHANGE).maybe(tag::CLASS, class.as_ref()).value(tag::SERVER_ID, server_id);
                application_data.write(out, tag::APPLICATION_DATA);
            }
            Self::Delete { server_id, class } => {
                out.open(tag::DELETE).maybe(tag::CLASS, class.as_ref()).value(tag::SERVER_ID, server_id);
            }
            Self::SoftDelete { server_id } => {
                out.open(tag::SOFT_DELETE).value(tag::SERVER_ID, server_id);
            }
        }
        out.close();
    }
}

impl CommandResponse {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let server_id = at.text(tag::SERVER_ID);
        let instance_id = at.text(base::INSTANCE_ID);
        let class = at.text(tag::CLASS);
        let status = at.status(tag::STATUS)?;
        let application_data = at.child(tag::APPLICATION_DATA).map(|data| Item::from_element(data.element()));
        Ok(match at.tag() {
            tag::ADD => {
                let client_id = at.text(tag::CLIENT_ID);
                Some(Self::Add { client_id, server_id, class, status, application_data })
            }
            tag::CHANGE => Some(Self::Change { server_id, instance_id, class, status, application_data }),
            tag::DELETE => Some(Self::Delete { server_id, instance_id, class, status }),
            tag::FETCH => Some(Self::Fetch { server_id, status, application_data }),
            _ => None,
        })
    }

    fn write(&self, out: &mut Builder) {
        let data = match self {
            Self::Add { client_id, server_id, class, status, application_data } => {
                out.open(tag::ADD)
                    .maybe(tag::CLASS, class.as_ref())
                    .maybe(tag::CLIENT_ID, client_id.as_ref())
                    .maybe(tag::SERVER_ID, server_id.as_ref())
                    .maybe(tag::STATUS, *status);
                application_data.as_ref()
            }
            Self::Change { server_id, instance_id, class, status, application_data } => {
                out.open(tag::CHANGE)
                    .maybe(tag::CLASS, class.as_ref())
                    .maybe(tag::SERVER_ID, server_id.as_ref())
                    .maybe(base::INSTANCE_ID, instance_id.as_ref())
                    .maybe(tag::STATUS, *status);
                application_data.as_ref()
            }
            Self::Delete { server_id, instance_id, class, status } => {
                out.open(tag::DELETE)
                    .maybe(tag::CLASS, class.as_ref())
                    .maybe(tag::SERVER_ID, server_id.as_ref())
                    .maybe(base::INSTANCE_ID, instance_id.as_ref())
                    .maybe(tag::STATUS, *status);
                None
            }
            Self::Fetch { server_id, status, application_data } => {
                out.open(tag::FETCH).maybe(tag::SERVER_ID, server_id.as_ref()).maybe(tag::STATUS, *status);
                application_data.as_ref()
            }
        };
        if let Some(item) = data {
            item.write(out, tag::APPLICATION_DATA);
        }
        out.close();
    }
}
