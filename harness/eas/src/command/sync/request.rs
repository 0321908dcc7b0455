use easrig_wbxml::{
    Builder, Document,
    tags::{air_sync as tag, air_sync_base as base, rights_management as rights},
};

use super::{Collection, Command, Options, Request};
use crate::{
    Version,
    command::{
        BodyPartPreference, BodyPreference, Item, ShapeError,
        shape::{Reader, Write},
    },
};

impl Request {
    /// The document. What `version` does not have is left out: the class of a collection from 14.0 on, body
    /// preferences before 12.0, `Wait` and `Partial` before 12.1, `HeartbeatInterval` before 14.0.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::SYNC);
        if !self.collections.is_empty() {
            out.open(tag::COLLECTIONS);
            self.collections.iter().for_each(|collection| collection.write(&mut out, version));
            out.close();
        }
        out.maybe(tag::WAIT, self.wait.filter(|_| version >= Version::V12_1))
            .maybe(tag::HEARTBEAT_INTERVAL, self.heartbeat_interval.filter(|_| version >= Version::V14_0))
            .maybe(tag::WINDOW_SIZE, self.window_size)
            .present(tag::PARTIAL, self.partial && version >= Version::V12_1);
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, a collection has no key or id, a change lacks its item or a number is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::SYNC, "AirSync:Sync")?;
        let collections = match root.child(tag::COLLECTIONS) {
            Some(at) => at.all(tag::COLLECTION).map(|at| Collection::read(&at)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self {
            collections,
            wait: root.number(tag::WAIT)?,
            heartbeat_interval: root.number(tag::HEARTBEAT_INTERVAL)?,
            window_size: root.number(tag::WINDOW_SIZE)?,
            partial: root.has(tag::PARTIAL),
        })
    }
}

impl Collection {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        let commands = match at.child(tag::COMMANDS) {
            Some(at) => at.children().filter_map(|at| Command::read(&at).transpose()).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self {
            class: at.text(tag::CLASS),
            sync_key: at.need_text(tag::SYNC_KEY)?,
            collection_id: at.need_text(tag::COLLECTION_ID)?,
            supported: at.child(tag::SUPPORTED).map(|at| at.children().map(|child| child.tag()).collect()),
            deletes_as_moves: at.flag(tag::DELETES_AS_MOVES)?,
            get_changes: at.flag(tag::GET_CHANGES)?,
            window_size: at.number(tag::WINDOW_SIZE)?,
            conversation_mode: at.flag(tag::CONVERSATION_MODE)?,
            options: at.all(tag::OPTIONS).map(|at| Options::read(&at)).collect::<Result<_, _>>()?,
            commands,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::COLLECTION)
            .maybe(tag::CLASS, self.class.as_ref().filter(|_| version < Version::V14_0))
            .value(tag::SYNC_KEY, &self.sync_key)
            .value(tag::COLLECTION_ID, &self.collection_id);
        match self.supported.as_deref() {
            Some([]) => {
                out.empty(tag::SUPPORTED);
            }
            Some(tags) => {
                out.open(tag::SUPPORTED);
                tags.iter().for_each(|&tag| {
                    out.empty(tag);
                });
                out.close();
            }
            None => {}
        }
        out.flag(tag::DELETES_AS_MOVES, self.deletes_as_moves)
            .flag(tag::GET_CHANGES, self.get_changes)
            .maybe(tag::WINDOW_SIZE, self.window_size)
            .flag(tag::CONVERSATION_MODE, self.conversation_mode.filter(|_| version >= Version::V14_0));
        self.options.iter().for_each(|options| options.write(out, version));
        if !self.commands.is_empty() {
            out.open(tag::COMMANDS);
            self.commands.iter().for_each(|command| command.write(out));
            out.close();
        }
        out.close();
    }
}

impl Options {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            filter_type: at.number(tag::FILTER_TYPE)?,
            class: at.text(tag::CLASS),
            body_preferences: BodyPreference::read_all(at)?,
            body_part_preference: BodyPartPreference::read(at)?,
            truncation: at.number(tag::TRUNCATION)?,
            conflict: at.number(tag::CONFLICT)?,
            mime_support: at.number(tag::MIME_SUPPORT)?,
            mime_truncation: at.number(tag::MIME_TRUNCATION)?,
            max_items: at.number(tag::MAX_ITEMS)?,
            rights_management_support: at.switch(rights::RIGHTS_MANAGEMENT_SUPPORT)?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.open(tag::OPTIONS)
            .maybe(tag::FILTER_TYPE, self.filter_type)
            .maybe(tag::CLASS, self.class.as_ref().filter(|_| version >= Version::V14_0))
            .maybe(tag::TRUNCATION, self.truncation.filter(|_| version < Version::V12_0))
            .maybe(tag::CONFLICT, self.conflict)
            .maybe(tag::MIME_SUPPORT, self.mime_support)
            .maybe(tag::MIME_TRUNCATION, self.mime_truncation);
        if version >= Version::V12_0 {
            self.body_preferences.iter().for_each(|preference| preference.write(out));
        }
        if let Some(preference) = self.body_part_preference.as_ref().filter(|_| version >= Version::V14_1) {
            preference.write(out);
        }
        out.maybe(tag::MAX_ITEMS, self.max_items.filter(|_| version >= Version::V14_0));
        let rights_management = self.rights_management_support.filter(|_| version >= Version::V14_1);
        out.switch(rights::RIGHTS_MANAGEMENT_SUPPORT, rights_management).close();
    }
}

impl Command {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let item = || at.need(tag::APPLICATION_DATA).map(|data| Item::from_element(data.element()));
        Ok(match at.tag() {
            tag::ADD => Some(Self::Add {
                client_id: at.need_text(tag::CLIENT_ID)?,
                class: at.text(tag::CLASS),
                application_data: item()?,
            }),
            tag::CHANGE => Some(Self::Change {
                server_id: at.need_text(tag::SERVER_ID)?,
                instance_id: at.text(base::INSTANCE_ID),
                application_data: item()?,
            }),
            tag::DELETE => {
                Some(Self::Delete { server_id: at.need_text(tag::SERVER_ID)?, instance_id: at.text(base::INSTANCE_ID) })
            }
            tag::FETCH => Some(Self::Fetch { server_id: at.need_text(tag::SERVER_ID)? }),
            _ => None,
        })
    }

    fn write(&self, out: &mut Builder) {
        match self {
            Self::Add { client_id, class, application_data } => {
                out.open(tag::ADD).maybe(tag::CLASS, class.as_ref()).value(tag::CLIENT_ID, client_id);
                application_data.write(out, tag::APPLICATION_DATA);
            }
            Self::Change { server_id, instance_id, application_data } => {
                out.open(tag::CHANGE).value(tag::SERVER_ID, server_id).maybe(base::INSTANCE_ID, instance_id.as_ref());
                application_data.write(out, tag::APPLICATION_DATA);
            }
            Self::Delete { server_id, instance_id } => {
                out.open(tag::DELETE).value(tag::SERVER_ID, server_id).maybe(base::INSTANCE_ID, instance_id.as_ref());
            }
            Self::Fetch { server_id } => {
                out.open(tag::FETCH).value(tag::SERVER_ID, server_id);
            }
        }
        out.close();
    }
}
