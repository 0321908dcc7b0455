//! Slower and faster, where both runs have enough times to tell.
//!
//! The times of a command on a phone are compared within each scenario first (Mann–Whitney's U) and the sums put together
//! (van Elteren), so that a scenario with slow answers is compared with itself only. Told is a difference that chance makes
//! in less than one of a thousand comparisons of whole runs, and that somebody would feel: by half or more, and by 10 ms
//! or more in the middle. A Ping waits because it is asked to, so its times say nothing.

use std::collections::BTreeMap;

use super::{answers::Times, change::pairs};
use crate::Run;

/// How often each cell has to run in both runs.
pub const REPEAT_LEAST: u32 = 5;

/// Chance's share, over all comparisons of two runs together.
const CHANCE: f64 = 0.001;

/// How much longer in the middle, at least, to be told: 1.5 times.
const RATIO: f64 = 1.5;

/// How much longer in the middle, at least, in microseconds.
const GAP: f64 = 10_000.0;

/// The fewest times on each side of a comparison.
const TIMES_LEAST: usize = 5;

/// A command that became slower, or faster, on a phone.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace<'r> {
    /// The command, or the HTTP method of what is no command.
    pub command: &'r str,
    /// The persona.
    pub persona: &'r str,
    /// The time in the middle before, in microseconds.
    pub before: u64,
    /// The time in the middle after, in microseconds.
    pub after: u64,
    /// The times between which the middle half lay before, in microseconds.
    pub half_before: [u64; 2],
    /// The times between which the middle half lies after, in microseconds.
    pub half_after: [u64; 2],
    /// In how many scenarios it was compared.
    pub scenarios: usize,
    /// How many times there are on both sides together.
    pub times: usize,
}

impl Pace<'_> {
    /// Whether it takes longer than it did.
    pub fn is_slower(&self) -> bool {
        self.after > self.before
    }
}

/// What became slower or faster; empty unless both runs repeated each cell often enough.
pub(super) fn paces<'r>(before: &'r Run, after: &'r Run) -> Vec<Pace<'r>> {
    if before.started.repeat.min(after.started.repeat) < REPEAT_LEAST {
        return Vec::new();
    }
    let (earlier, later) = (Times::of(before), Times::of(after));
    let mut strata: BTreeMap<(&'r str, &'r str), Vec<Stratum<'_>>> = BTreeMap::new();
    for (was, is) in pairs(before, after) {
        let (Some(was), Some(cell)) = (was, is) else { continue };
        let was: BTreeMap<&str, &[u64]> = earlier.at(&was.id).collect();
        for (command, is) in later.at(&cell.id).filter(|(command, _)| *command != "Ping") {
            let Some(was) = was.get(command).copied() else { continue };
            if was.len().min(is.len()) >= TIMES_LEAST {
                strata.entry((command, &cell.id.persona)).or_default().push(Stratum { was, is });
            }
        }
    }
    // Bonferroni: each comparison gets its part of what is left to chance.
    let least = quantile(1.0 - CHANCE / 2.0 / strata.len().max(1) as f64);
    strata.into_iter().filter_map(|((command, persona), strata)| judge(command, persona, &strata, least)).collect()
}

struct Stratum<'t> {
    was: &'t [u64],
    is: &'t [u64],
}

fn judge<'r, 't>(command: &'r str, persona: &'r str, strata: &[Stratum<'t>], least: f64) -> Option<Pace<'r>> {
    let (mut sum, mut variance) = (0.0, 0.0);
    for stratum in strata {
        let (excess, spread, weight) = stratum.excess();
        sum += excess * weight;
        variance += spread * weight * weight;
    }
    if variance <= 0.0 || (sum / variance.sqrt()).abs() < least {
        return None;
    }
    let [(before, half_before), (after, half_after)] = [|s: &Stratum<'t>| s.was, |s: &Stratum<'t>| s.is]
        .map(|side| spread(strata.iter().flat_map(side).copied().collect()));
    let (short, long) = (before.min(after) as f64, before.max(after) as f64);
    if long < short * RATIO || long - short < GAP || (after > before) != (sum > 0.0) {
        return None;
    }
    let times = strata.iter().map(|stratum| stratum.was.len() + stratum.is.len()).sum();
    Some(Pace { command, persona, before, after, half_before, half_after, scenarios: strata.len(), times })
}

impl Stratum<'_> {
    /// By how much U exceeds what chance gives, its variance with ties, and the weight of the stratum (van Elteren's).
    fn excess(&self) -> (f64, f64, f64) {
        let (m, n) = (self.was.len() as f64, self.is.len() as f64);
        let mut all: Vec<(u64, bool)> = self.was.iter().map(|time| (*time, false)).collect();
        all.extend(self.is.iter().map(|time| (*time, true)));
        all.sort_unstable();
        let (mut ranks, mut ties, mut below) = (0.0, 0.0, 0.0);
        for alike in all.chunk_by(|a, b| a.0 == b.0) {
            let count = alike.len() as f64;
            let later = alike.iter().filter(|(_, is)| *is).count() as f64;
            ranks += later * (below + (count + 1.0) / 2.0);
            ties += count.powi(3) - count;
            below += count;
        }
        let total = m + n;
        let excess = ranks - n * (total + 1.0) / 2.0;
        let variance = m * n / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
        (excess, variance, 1.0 / (total + 1.0))
    }
}

/// The time in the middle, and the quarters beside it.
fn spread(mut times: Vec<u64>) -> (u64, [u64; 2]) {
    times.sort_unstable();
    let quarter = |n: usize| times.get((times.len() * n / 4).min(times.len().saturating_sub(1))).copied();
    let [low, middle, high] = [1, 2, 3].map(|n| quarter(n).unwrap_or_default());
    (middle, [low, high])
}

/// The value of a standard normal variable that is not exceeded with probability `p`, by bisection on the distribution.
fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 12.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if 1.0 - upper_tail(middle) < p { low = middle } else { high = middle }
    }
    low
}

/// The chance that a standard normal variable exceeds `x` ≥ 0 (Zelen and Severo; the error is below 1e-7).
fn upper_tail(x: f64) -> f64 {
    const FACTORS: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * x);
    let series = FACTORS.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(was: &[u64], is: &[u64]) -> bool {
        judge("Sync", "wp7", &[Stratum { was, is }, Stratum { was, is }], quantile(1.0 - CHANCE / 20.0)).is_some()
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.975, 1.959_964), (0.995, 2.575_829), (0.9995, 3.290_527)] {
            assert!((quantile(p) - z).abs() < 1e-3, "{p}");
        }
    }

    #[test]
    fn twice_as_slow_is_told_and_chance_is_not() {
        let fast: Vec<u64> = (0..20).map(|n| 30_000 + n * 37).collect();
        let slow: Vec<u64> = fast.iter().map(|time| time * 2).collect();
        let scattered: Vec<u64> = (0..20).map(|n| 30_000 + (n * 7919) % 740).collect();
        assert!(told(&fast, &slow) && told(&slow, &fast));
        assert!(!told(&fast, &fast) && !told(&fast, &scattered));
    }

    #[test]
    fn what_nobody_feels_is_not_told() {
        let fast: Vec<u64> = (0..20).map(|n| 1_000 + n).collect();
        let slow: Vec<u64> = fast.iter().map(|time| time * 4).collect();
        assert!(!told(&fast, &slow), "3 ms");
        let some: Vec<u64> = (0..20).map(|n| 100_000 + n).collect();
        let more: Vec<u64> = some.iter().map(|time| time + 20_000).collect();
        assert!(!told(&some, &more), "a fifth");
    }

    #[test]
    fn the_middle_half_is_told() {
        assert_eq!(spread((1..=9).rev().collect()), (5, [3, 7]));
        assert_eq!((spread(vec![4]), spread(Vec::new())), ((4, [4, 4]), (0, [0, 0])));
    }

    #[test]
    fn a_few_times_prove_nothing() {
        assert!(!told(&[30_000; 5], &[90_000, 30_000, 30_000, 30_000, 90_000]));
    }
}
