//! What the owners of recorded devices saw, exchange by exchange.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use easrig_capture::Options;
use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_persona::{DeviceName, Onlooker, Sight, Sorter};
use easrig_report::safe;

use super::{cells::Cells, steps::Steps};
use crate::{import::source::Source, library::Library};

/// The most sights that are kept of one recording.
const MOST_SIGHTS: usize = 100_000;

/// What was seen, by the exchange that decided it.
#[derive(Default)]
pub(crate) struct Sights(BTreeMap<ExchangeNumber, Vec<Sight>>);

impl Sights {
    /// Looks through a whole recording. What cannot be read any further is the concern of whoever shows it.
    ///
    /// # Errors
    /// When it cannot be opened, or a persona's file is wrong.
    pub(crate) fn of(
        capture: &Path,
        options: &Options,
        cells: Option<&Cells>,
        library: &Library,
    ) -> miette::Result<Self> {
        let mut onlooker = Onlooker::new(library.personas(&["all".to_owned()])?);
        let steps = cells.map(|cells| Steps::of(cells, library));
        let (mut sorter, mut sights) = (Sorter::default(), Self::default());
        let mut watch = |device: Option<DeviceName>, exchange: &Exchange| {
            // One that found no server never says its name.
            let device = device.or_else(|| DeviceName::of_agent(exchange))?;
            if steps.as_ref().is_some_and(|steps| steps.is_explicit(exchange.number)) {
                return None;
            }
            let life = steps.as_ref().map(|steps| steps.life(exchange)).unwrap_or_default();
            onlooker.watch(&device, &life, exchange)
        };
        let read = Source::open(capture)?.read(options, &mut |exchange| {
            sorter.push(exchange).into_iter().for_each(|(device, exchange)| sights.add(watch(device, &exchange)));
            Ok(())
        });
        drop(read);
        sorter.finish().into_iter().for_each(|(device, exchange)| sights.add(watch(device, &exchange)));
        // The end of a cell is not the end of a recording: a run says itself what its cells came to. But a search for a
        // server is over with its cell.
        let last = if cells.is_none() { onlooker.finish() } else { onlooker.searches() };
        last.into_iter().for_each(|(_, sight)| sights.add(Some(sight)));
        Ok(sights)
    }

    /// What was seen because of an exchange.
    pub(crate) fn of_exchange(&self, number: ExchangeNumber) -> &[Sight] {
        self.0.get(&number).map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, sight: Option<Sight>) {
        if let Some(sight) = sight.filter(|_| self.0.len() < MOST_SIGHTS) {
            self.0.entry(sight.exchange).or_default().push(sight);
        }
    }
}

/// Lines for people, behind the exchange.
pub(crate) fn words(sights: &[Sight]) -> String {
    let mut out = String::new();
    for sight in sights {
        let known =
            sight.persona.as_deref().map(|persona| format!(" ({persona}, confidence {})", sight.confidence.as_str()));
        let text = match &sight.error {
            Some(error) => {
                let saw = if sight.doubt.is_some() { "may have seen" } else { "saw" };
                format!("the owner {saw}  {error}{}", known.unwrap_or_default())
            }
            None => format!("the owner saw  an error: {}", sight.condition),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "    {}", safe(&text));
        let because = sight.because.iter().map(|number| number.0.to_string()).collect::<Vec<_>>().join(", ");
        if sight.error.is_some() {
            let places = if because.is_empty() { String::new() } else { format!("; see exchange {because}") };
            let _ = writeln!(out, "                   since {}{places}", safe(&sight.condition.to_string()));
        }
        if let Some(doubt) = &sight.doubt {
            let _ = writeln!(out, "                   {}", safe(doubt));
        }
        let remedy = sight.error.as_ref().map(|error| error.remedy.as_str()).unwrap_or_default();
        for line in remedy.lines() {
            let _ = writeln!(out, "                   {}", safe(line));
        }
    }
    out
}
