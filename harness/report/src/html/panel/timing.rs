//! How long answers took, by command: the distribution, for a mean hides what an owner waits for.

use std::collections::BTreeMap;

use crate::{Run, html::exchange::milliseconds};

/// How many bars a histogram has: four for each power of ten, from 0.1 ms to 1000 s.
const BARS: usize = 28;

/// How wide and high a histogram is drawn, in units of its own.
const WIDTH: usize = 8 * BARS;
const HEIGHT: f64 = 36.0;

pub(in crate::html) struct Timing {
    pub(in crate::html) command: String,
    pub(in crate::html) count: usize,
    pub(in crate::html) least: String,
    pub(in crate::html) median: String,
    /// Nineteen of twenty answers came within it.
    pub(in crate::html) most: String,
    pub(in crate::html) longest: String,
    pub(in crate::html) bars: Vec<Bar>,
    /// Where the median stands in the drawing.
    pub(in crate::html) middle: String,
    pub(in crate::html) width: usize,
}

pub(in crate::html) struct Bar {
    pub(in crate::html) x: usize,
    pub(in crate::html) y: String,
    pub(in crate::html) height: String,
}

pub(super) fn timings(run: &Run) -> Vec<Timing> {
    let mut times: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for exchange in run.exchanges.iter().filter(|exchange| exchange.http.is_some()) {
        times.entry(&exchange.command).or_default().push(exchange.took_us);
    }
    let mut all: Vec<(&str, Vec<u64>)> = times.into_iter().collect();
    all.iter_mut().for_each(|(_, times)| times.sort_unstable());
    all.into_iter().map(|(command, times)| timing(command, &times)).collect()
}

/// Of sorted times.
fn timing(command: &str, times: &[u64]) -> Timing {
    let at = |share: usize| {
        let place = (times.len().saturating_sub(1) * share).div_ceil(100);
        times.get(place).copied().unwrap_or(0)
    };
    let mut counts = [0_usize; BARS];
    for time in times {
        let bar = (place(*time) as usize).min(BARS - 1);
        if let Some(count) = counts.get_mut(bar) {
            *count += 1;
        }
    }
    let highest = counts.iter().max().copied().unwrap_or(1).max(1);
    let bar = |(number, count): (usize, &usize)| {
        let height = (*count as f64 / highest as f64 * HEIGHT).max(1.5);
        Bar { x: number * 8 + 1, y: format!("{:.1}", HEIGHT - height), height: format!("{height:.1}") }
    };
    Timing {
        command: command.to_owned(),
        count: times.len(),
        least: milliseconds(at(0)),
        median: milliseconds(at(50)),
        most: milliseconds(at(95)),
        longest: milliseconds(at(100)),
        bars: counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect(),
        middle: format!("{:.1}", (place(at(50)) * 8.0).min(WIDTH as f64)),
        width: WIDTH,
    }
}

/// Where a time stands on the scale, in bars.
fn place(micros: u64) -> f64 {
    ((micros.max(100) as f64 / 100.0).log10() * 4.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_answer_in_twenty_is_in_the_last_number_only() {
        let mut times = vec![2_000; 20];
        times.push(9_000_000);
        let timing = timing("Sync", &times);
        assert_eq!(
            (timing.median.as_str(), timing.most.as_str(), timing.longest.as_str()),
            ("2.0 ms", "2.0 ms", "9000 ms")
        );
        assert_eq!(timing.bars.len(), 2);
    }

    #[test]
    fn a_single_time_is_its_own_distribution() {
        let timing = timing("Sync", &[0]);
        assert_eq!((timing.count, timing.median.as_str(), timing.bars.len()), (1, "0.0 ms", 1));
    }
}
