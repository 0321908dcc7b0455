use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use easrig_eas::{
    CollectionId, SyncKey,
    command::{folder_sync::Folder, sync},
    query::DeviceIdForm,
};
use jiff::Timestamp;

use crate::{UserName, WaiterId, admission::Dossier, command::sync::CollectionState};

/// How many ClientIds of sent messages are remembered per device.
const SENT_MEMORY: usize = 256;

/// A device id as the server compares it: text without regard to case, 16 bytes as hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKey(String);

impl DeviceKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&DeviceIdForm> for DeviceKey {
    fn from(form: &DeviceIdForm) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match form {
            DeviceIdForm::Text(text) => Self(text.to_lowercase()),
            DeviceIdForm::Guid(bytes) => Self(hex(bytes)),
            DeviceIdForm::Bytes(bytes) => Self(hex(bytes)),
        }
    }
}

impl From<&str> for DeviceKey {
    fn from(text: &str) -> Self {
        Self(text.to_lowercase())
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the server knows of one device of one user.
#[derive(Clone, Debug)]
pub struct Partnership {
    /// The device.
    pub device: DeviceKey,
    /// Its type, as the request line says it.
    pub device_type: String,
    /// Its `User-Agent`, as last seen.
    pub user_agent: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it last spoke.
    pub last_seen: Timestamp,
    pub(crate) dossier: Dossier,
    pub(crate) keys: KeySource,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) collections: BTreeMap<CollectionId, CollectionState>,
    pub(crate) last_sync: Option<sync::Request>,
    pub(crate) last_ping: Option<PingMemory>,
    pub(crate) waiting_ping: Option<WaiterId>,
    pub(crate) waiting_sync: Option<WaiterId>,
    sent: VecDeque<String>,
}

impl Partnership {
    /// A device that was never seen before.
    pub fn new(seed: u64, user: &UserName, device: DeviceKey, now: Timestamp) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, user, &device).hash(&mut hasher);
        Self {
            keys: KeySource(fastrand::Rng::with_seed(hasher.finish())),
            dossier: Dossier::default(),
            device,
            device_type: String::new(),
            user_agent: None,
            first_seen: now,
            last_seen: now,
            hierarchy: Hierarchy::default(),
            collections: BTreeMap::new(),
            last_sync: None,
            last_ping: None,
            waiting_ping: None,
            waiting_sync: None,
            sent: VecDeque::new(),
        }
    }

    /// Remembers a sending; `false` when this device has used the ClientId before.
    pub(crate) fn remember_sent(&mut self, client_id: &str) -> bool {
        if self.sent.iter().any(|known| known == client_id) {
            return false;
        }
        if self.sent.len() >= SENT_MEMORY {
            self.sent.pop_front();
        }
        self.sent.push_back(client_id.to_owned());
        true
    }
}

/// The interval and folders of the last full Ping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PingMemory {
    pub(crate) interval: Option<u32>,
    pub(crate) folders: Vec<CollectionId>,
}

/// The folder list as the device has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    pub(crate) current: Option<KnownFolders>,
    pub(crate) previous: Option<KnownFolders>,
}

/// The folder list that one key stands for.
#[derive(Clone, Debug)]
pub(crate) struct KnownFolders {
    pub(crate) key: SyncKey,
    pub(crate) folders: BTreeMap<CollectionId, Folder>,
}

impl Hierarchy {
    /// The list `key` stands for: the current one, or the one before while the device has not used the current one.
    pub(crate) fn known(&self, key: &SyncKey) -> Option<&KnownFolders> {
        self.current.iter().chain(&self.previous).find(|known| known.key == *key)
    }

    /// Moves on from `base` to a new key; whatever is older than `base` is forgotten.
    pub(crate) fn advance(&mut self, base: Option<KnownFolders>, next: KnownFolders) {
        self.previous = base;
        self.current = Some(next);
    }
}

/// Makes keys that look random and come out alike for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct KeySource(fastrand::Rng);

impl KeySource {
    /// A key that is neither `0` nor one of the last few billion.
    pub(crate) fn sync_key(&mut self) -> SyncKey {
        SyncKey(self.0.u64(1_000_000_000..1_000_000_000_000).to_string())
    }

    /// A number for what is not a key: ids, boundaries.
    pub(crate) fn number(&mut self) -> u64 {
        self.0.u64(..)
    }
}
