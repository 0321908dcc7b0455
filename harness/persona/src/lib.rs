//! What a device is and does: identity, habits, policy abilities, error vocabulary.
//!
//! A [`Persona`] is a file: everything in which one device differs from another is data there, each value with its
//! evidence. A [`Phone`] is a machine that behaves as the file says: it is told what happened, and says what to do next.
//! What was recorded of real devices is read with the same file, by the same rules: an [`Onlooker`] says what their owners
//! saw. The room opens no socket, reads no clock and no file, and draws no random number; it knows no device by name.

mod answer;
mod confidence;
mod device_error;
mod discovery;
mod habit;
mod learn;
mod letter;
mod machine;
mod owner;
mod persona;
mod phone;
mod reaction;
mod recorded;

pub use confidence::{Confidence, Sourced};
pub use device_error::{Condition, DeviceError, ErrorKind, ErrorRow, Obeyed, TlsTrouble, When, Wipe};
pub use habit::{Body, ExplicitSend, FolderRef, Habit, Login, MailBody, MeetingAnswer, QueryHabit, Task};
pub use learn::{LearnError, Learner, Proposal};
pub use letter::{Attachment, Letter, Source};
pub use machine::{
    End, Ending, Input, Machine, Output, Patience, RequestId, Rests, Server, Setup, SrvTarget, TaskId, TimerId,
};
pub use owner::{Folder, FolderKind, ItemKind, OwnerAttachment, OwnerItem, OwnerView};
pub use persona::{Persona, PersonaError};
pub use phone::Phone;
pub use reaction::{Ability, PolicySetting};
pub use recorded::{DeviceName, Likeness, Onlooker, Sight, Sorter, Traits};
