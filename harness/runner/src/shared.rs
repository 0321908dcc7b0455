use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use easrig_eas::Version;
use easrig_exchange::Exchange;
use easrig_scenario::{Cell, CellId, DeviceError, Verdict};

use crate::{
    folder::Unfinished,
    journal::Journal,
    lease::{Leases, Pair},
    orders::Orders,
    partnerships::Partnerships,
    seed,
    tls::TlsOffers,
    watch::Watch,
};

/// What the lanes of a run share.
pub(crate) struct Shared {
    pub(crate) orders: Orders,
    pub(crate) journal: Journal,
    pub(crate) watch: Watch,
    pub(crate) leases: Leases,
    pub(crate) tls: TlsOffers,
    pub(crate) done: BTreeSet<CellId>,
    causes: Mutex<Causes>,
    stopped: Mutex<BTreeMap<String, String>>,
    partnerships: Mutex<Partnerships>,
    tokens: AtomicU64,
    lockout_spent: AtomicBool,
}

impl Shared {
    /// What the lanes begin with; `unfinished` is what an earlier part of the run left.
    pub(crate) fn new(orders: Orders, journal: Journal, unfinished: Option<&Unfinished>) -> Self {
        // The seed is that of the first part, which took fewer tokens than this: none of them comes again.
        let tokens = unfinished.map_or(0, |unfinished| unfinished.last_exchange().0.saturating_add(1) << 8);
        Self {
            watch: Watch::new(orders.outage),
            leases: Leases::new(&orders.accounts),
            journal,
            tls: unfinished.map(TlsOffers::remembered).unwrap_or_default(),
            done: unfinished.map(Unfinished::done).unwrap_or_default(),
            causes: Mutex::new(unfinished.map(|unfinished| causes(&unfinished.finished)).unwrap_or_default()),
            stopped: Mutex::default(),
            partnerships: Mutex::default(),
            tokens: AtomicU64::new(tokens),
            lockout_spent: AtomicBool::new(false),
            orders,
        }
    }

    /// The mark in everything that a cell makes.
    pub(crate) fn tag(&self, cell: &CellId) -> String {
        let mut rng = fastrand::Rng::with_seed(self.orders.seed ^ seed::of(&cell.to_string()));
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        format!("easrig-{:08x}", rng.u32(..) ^ (number as u32).rotate_left(16))
    }

    /// A text no other step has.
    pub(crate) fn unique(&self) -> String {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}{number:08x}", self.orders.seed as u32)
    }

    /// The cell of this persona and version that met the same error first, if it was another one.
    pub(crate) fn first_cause(&self, cell: &CellId, error: &DeviceError) -> Option<CellId> {
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = causes.entry(cause(cell, error)).or_insert_with(|| cell.clone());
        (first != cell).then(|| first.clone())
    }

    /// The devices that this run has registered so far.
    pub(crate) fn partnerships(&self) -> MutexGuard<'_, Partnerships> {
        self.partnerships.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No more attempts with an account whose password was refused: servers lock accounts that try too often.
    pub(crate) fn stop_account(&self, exchange: &Exchange, cell: &CellId) {
        let sent = exchange.request.headers.get("Authorization").unwrap_or_default().to_owned();
        let why = format!("its password was refused (HTTP 401) in {cell}, and another try could lock the account");
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).entry(sent).or_insert(why);
    }

    /// Whether the one wrong password that `--allow lockout` permits is still to be spent; asking spends it.
    pub(crate) fn lockout_left(&self) -> bool {
        !self.lockout_spent.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn account_stopped(&self, pair: &Pair) -> Option<String> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        [Some(&pair.owner), pair.partner.as_ref()].into_iter().flatten().find_map(|account| {
            let why = account.authorizations().find_map(|sent| stopped.get(&sent).cloned())?;
            Some(format!("the account `{}` is not used any more: {why}", account.user))
        })
    }
}

/// The cell that met an error first, by persona, version and what the owner sees.
type Causes = BTreeMap<(String, Option<Version>, String), CellId>;

fn cause(cell: &CellId, error: &DeviceError) -> (String, Option<Version>, String) {
    let what = if error.code.is_empty() { error.message.clone() } else { error.code.clone() };
    (cell.persona.clone(), cell.version, what)
}

/// The causes that an earlier part of the run has found.
fn causes(finished: &[Cell]) -> Causes {
    let first = finished.iter().filter(|cell| cell.verdict == Verdict::Blocked && cell.blocked_by.is_none());
    first.filter_map(|cell| Some((cause(&cell.id, cell.device_error.as_ref()?), cell.id.clone()))).collect()
}
