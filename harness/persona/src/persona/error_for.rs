//! What the owner sees, looked up in the persona's vocabulary.

use super::{Persona, policy};
use crate::{Condition, DeviceError, device_error};

impl Persona {
    /// What the owner sees in `condition`: local rows win over wire rows, narrow ones over wide ones.
    ///
    /// Where the server itself decides what is lost (a wipe), a device without a row has that for its error.
    ///
    /// `None` when the facts give this device no error for it. It depends on nothing but the file, so that recorded
    /// traffic is read with it as well.
    pub fn error_for(&self, condition: &Condition) -> Option<DeviceError> {
        let cmdlets = match condition {
            Condition::PolicyNotApplicable { settings } | Condition::PolicyRefused { settings } => {
                policy::remedies(settings)
            }
            _ => String::new(),
        };
        let row = device_error::find(&self.errors, condition).map(|row| row.error(condition, &cmdlets));
        row.or_else(|| condition.by_itself())
    }
}
