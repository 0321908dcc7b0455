use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::Account;

/// An owner and, if there is one, a partner: one mailbox lease.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) owner: Account,
    pub(crate) partner: Option<Account>,
}

/// The account pairs of a run. Two cells never hold the same pair at the same time, and a persona's cells all use the same
/// pair, so that its DeviceIds and partnerships are the same in every run whatever `--jobs` says.
pub(crate) struct Leases(Vec<Arc<Mutex<Pair>>>);

impl Leases {
    /// Pairs accounts up as 1+2, 3+4 …; an odd last one has no partner.
    pub(crate) fn new(accounts: &[Account]) -> Self {
        let pair = |two: &[Account]| Arc::new(Mutex::new(Pair { owner: two[0].clone(), partner: two.get(1).cloned() }));
        Self(accounts.chunks(2).map(pair).collect())
    }

    /// What the pair of the persona at `index` of the run looks like, before the run begins.
    pub(crate) fn look(&self, index: usize) -> Pair {
        let pair = &self.0[index % self.0.len()];
        pair.try_lock().expect("nobody holds a lease before the run begins").clone()
    }

    /// How many pairs there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Waits for the pair that belongs to the persona at `index` of the run.
    pub(crate) async fn take(&self, index: usize) -> OwnedMutexGuard<Pair> {
        Arc::clone(&self.0[index % self.0.len()]).lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(n: usize) -> Vec<Account> {
        (0..n).map(|i| format!("u{i}:x").parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn accounts_pair_up_in_order_and_an_odd_one_stands_alone() {
        let leases = Leases::new(&accounts(3));
        assert_eq!(leases.len(), 2);
        let (first, second) = (leases.take(0).await, leases.take(1).await);
        assert_eq!((first.owner.user.as_str(), first.partner.as_ref().unwrap().user.as_str()), ("u0", "u1"));
        assert!(second.owner.user == "u2" && second.partner.is_none());
    }

    #[tokio::test]
    async fn a_pair_is_held_by_one_cell_at_a_time() {
        let leases = Leases::new(&accounts(2));
        let held = leases.take(0).await;
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, leases.take(5)).await.is_err());
        drop(held);
        assert!(tokio::time::timeout(soon, leases.take(5)).await.is_ok());
    }
}
