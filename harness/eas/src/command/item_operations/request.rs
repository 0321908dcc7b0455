use easrig_wbxml::{
    Builder, Document,
    tags::{
        air_sync, air_sync_base as base, document_library as library, item_operations as tag,
        rights_management as rights, search,
    },
};

use super::{Fetch, Operation, Options, Request};
use crate::{
    Version,
    command::{
        BodyPartPreference, BodyPreference, ShapeError,
        shape::{Reader, Write},
    },
};

impl Request {
    /// The document; what is newer than `version` is left out of the options.
    pub fn to_document(&self, version: Version) -> Document {
        let mut out = Builder::new(tag::ITEM_OPERATIONS);
        self.operations.iter().for_each(|operation| operation.write(&mut out, version));
        out.finish()
    }

    /// Reads the document.
    ///
    /// # Errors
    /// When the root is another, an operation lacks its target, or a number or range is none.
    pub fn from_document(document: &Document, _version: Version) -> Result<Self, ShapeError> {
        let root = Reader::root(document, tag::ITEM_OPERATIONS, "ItemOperations:ItemOperations")?;
        let operations = root.children().filter_map(|at| Operation::read(&at).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { operations })
    }
}

impl Operation {
    fn read(at: &Reader<'_, '_>) -> Result<Option<Self>, ShapeError> {
        let options = at.child(tag::OPTIONS);
        Ok(match at.tag() {
            tag::EMPTY_FOLDER_CONTENTS => Some(Self::EmptyFolderContents {
                collection_id: at.need_text(air_sync::COLLECTION_ID)?,
                delete_sub_folders: options.map(|at| at.flag(tag::DELETE_SUB_FOLDERS)).transpose()?.flatten(),
            }),
            tag::FETCH => Some(Self::Fetch(Box::new(Fetch::read(at)?))),
            tag::MOVE => Some(Self::Move {
                conversation_id: at.need(tag::CONVERSATION_ID)?.element().bytes().into_owned(),
                dst_fld_id: at.need_text(tag::DST_FLD_ID)?,
                move_always: options.map(|at| at.flag(tag::MOVE_ALWAYS)).transpose()?.flatten(),
            }),
            _ => None,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        match self {
            Self::EmptyFolderContents { collection_id, delete_sub_folders } => {
                out.open(tag::EMPTY_FOLDER_CONTENTS).value(air_sync::COLLECTION_ID, collection_id);
                if delete_sub_folders.is_some() {
                    out.open(tag::OPTIONS).flag(tag::DELETE_SUB_FOLDERS, *delete_sub_folders).close();
                }
            }
            Self::Fetch(fetch) => {
                out.open(tag::FETCH);
                fetch.write(out, version);
            }
            Self::Move { conversation_id, dst_fld_id, move_always } => {
                out.open(tag::MOVE).opaque(tag::CONVERSATION_ID, conversation_id).value(tag::DST_FLD_ID, dst_fld_id);
                if move_always.is_some() {
                    out.open(tag::OPTIONS).flag(tag::MOVE_ALWAYS, *move_always).close();
                }
            }
        }
        out.close();
    }
}

impl Fetch {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            store: at.text(tag::STORE).unwrap_or_default(),
            server_id: at.text(air_sync::SERVER_ID),
            collection_id: at.text(air_sync::COLLECTION_ID),
            link_id: at.text(library::LINK_ID),
            long_id: at.text(search::LONG_ID),
            file_reference: at.text(base::FILE_REFERENCE),
            options: at.child(tag::OPTIONS).map(|at| Options::read(&at)).transpose()?,
            remove_rights_management_protection: at.has(rights::REMOVE_RIGHTS_MANAGEMENT_PROTECTION),
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        out.value(tag::STORE, &self.store)
            .maybe(air_sync::COLLECTION_ID, self.collection_id.as_ref())
            .maybe(air_sync::SERVER_ID, self.server_id.as_ref())
            .maybe(library::LINK_ID, self.link_id.as_ref())
            .maybe(search::LONG_ID, self.long_id.as_ref())
            .maybe(base::FILE_REFERENCE, self.file_reference.as_ref());
        if let Some(options) = &self.options {
            options.write(out, version);
        }
        let unprotect = self.remove_rights_management_protection && version >= Version::V14_1;
        out.present(rights::REMOVE_RIGHTS_MANAGEMENT_PROTECTION, unprotect);
    }
}

impl Options {
    fn read(at: &Reader<'_, '_>) -> Result<Self, ShapeError> {
        Ok(Self {
            schema: at.child(tag::SCHEMA).map(|at| at.children().map(|child| child.tag()).collect()),
            range: at.parsed(tag::RANGE, "a range `first-last`")?,
            user_name: at.text(tag::USER_NAME),
            password: at.text(tag::PASSWORD),
            mime_support: at.number(air_sync::MIME_SUPPORT)?,
            body_preferences: BodyPreference::read_all(at)?,
            body_part_preference: BodyPartPreference::read(at)?,
            rights_management_support: at.switch(rights::RIGHTS_MANAGEMENT_SUPPORT)?,
        })
    }

    fn write(&self, out: &mut Builder, version: Version) {
        if *self == Self::default() {
            out.empty(tag::OPTIONS);
            return;
        }
        out.open(tag::OPTIONS);
        match self.schema.as_deref() {
            Some([]) => {
                out.empty(tag::SCHEMA);
            }
            Some(tags) => {
                out.open(tag::SCHEMA);
                tags.iter().for_each(|&tag| {
                    out.empty(tag);
                });
                out.close();
            }
            None => {}
        }
        out.maybe(tag::RANGE, self.range)
            .maybe(tag::USER_NAME, self.user_name.as_ref().filter(|_| version >= Version::V12_1))
            .maybe(tag::PASSWORD, self.password.as_ref().filter(|_| version >= Version::V12_1))
            .maybe(air_sync::MIME_SUPPORT, self.mime_support);
        self.body_preferences.iter().for_each(|preference| preference.write(out));
        if let Some(preference) = self.body_part_preference.as_ref().filter(|_| version >= Version::V14_1) {
            preference.write(out);
        }
        let rights_management = self.rights_management_support.filter(|_| version >= Version::V14_1);
        out.switch(rights::RIGHTS_MANAGEMENT_SUPPORT, rights_management).close();
    }
}
