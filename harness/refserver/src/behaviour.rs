use std::ops::RangeInclusive;

/// What one product does and another does not, as far as the mailbox commands care; profiles fill it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Whether an item keeps its id when it is moved.
    pub move_keeps_id: bool,
    /// The Ping intervals that are taken, in seconds.
    pub ping_heartbeat: RangeInclusive<u32>,
    /// The most folders one Ping watches.
    pub ping_folders: usize,
    /// The Sync `HeartbeatInterval` that is taken, in seconds.
    pub sync_heartbeat: RangeInclusive<u32>,
    /// The Sync `Wait` that is taken, in minutes.
    pub sync_wait: RangeInclusive<u32>,
    /// The most collections of one Sync.
    pub sync_collections: usize,
    /// The window where the client names none, in changes.
    pub window_default: u32,
    /// The largest window, in changes.
    pub window_most: u32,
    /// The largest message that is sent or stored, in bytes.
    pub message_most: usize,
}

impl Default for Behaviour {
    /// The figures of MS-ASCMD, and of Exchange where the standard leaves them open.
    fn default() -> Self {
        Self {
            move_keeps_id: false,
            ping_heartbeat: 60..=3540,
            ping_folders: 300,
            sync_heartbeat: 60..=3540,
            sync_wait: 1..=59,
            sync_collections: 300,
            window_default: 100,
            window_most: 512,
            message_most: 10 * 1024 * 1024,
        }
    }
}
