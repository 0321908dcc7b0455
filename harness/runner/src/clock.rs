use std::time::{SystemTime, UNIX_EPOCH};

use easrig_exchange::Timestamp;

/// The present, by the system's clock; a clock before 1970 counts as 1970.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
