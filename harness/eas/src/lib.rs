//! The vocabulary of Exchange ActiveSync: typed commands and answers, statuses, the request line, headers, versions,
//! policies and Autodiscover documents (MS-ASCMD, MS-ASHTTP, MS-ASPROV, MS-ASWBXML and their item classes).
//!
//! Parse at the border, total afterwards: every number and name that nobody has named yet is kept. Nothing here sends,
//! waits or remembers.

mod id;
mod markup;
mod version;

pub mod autodiscover;
pub mod command;
pub mod date;
pub mod encoding;
pub mod headers;
pub mod multipart;
pub mod policy;
pub mod query;
pub mod schema;
pub mod status;

pub use command::Command;
pub use id::{ClientId, CollectionId, DeviceId, DeviceIdError, PolicyKey, ServerId, SyncKey};
pub use markup::{MAX_DOCUMENT, MarkupError};
pub use status::{Status, StatusScope};
pub use version::{Version, VersionError};
