use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    io::BufReader,
    path::Path,
};

use easrig_exchange::ExchangeNumber;
use easrig_report::{ReadError, read_events};
use easrig_scenario::{CellId, event::Event};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::suggest;

/// Where in a run an exchange belongs: the place of its cell, and its step.
type Place = (usize, usize);

/// Which exchange of a run belongs to which cell, as its run file says.
pub(crate) struct Cells {
    ids: Vec<CellId>,
    places: HashMap<CellId, usize>,
    of: BTreeMap<ExchangeNumber, Place>,
    chosen: Option<BTreeSet<ExchangeNumber>>,
}

impl Cells {
    /// Reads the run file of a folder. `chosen` is `SCENARIO[,PERSONA]`; an invariant has the exchanges that it lists.
    ///
    /// # Errors
    /// When the run file cannot be read, or the run has no such cell.
    pub(crate) fn read(folder: &Path, chosen: Option<&str>) -> miette::Result<Self> {
        let log = folder.join("run.jsonl");
        let named = || format!("cannot read `{}`", log.display());
        let file = File::open(&log).into_diagnostic().wrap_err_with(named)?;
        let mut cells = Self { ids: Vec::new(), places: HashMap::new(), of: BTreeMap::new(), chosen: None };
        let wanted = chosen.map(Wanted::parse);
        let read = cells.fill(read_events(BufReader::new(file)), wanted.as_ref());
        let (numbers, known) = read.into_diagnostic().wrap_err_with(named)?;
        if let Some(wanted) = wanted {
            if !known {
                return Err(cells.unknown(&wanted, folder));
            }
            cells.chosen = Some(numbers);
        }
        Ok(cells)
    }

    /// The cell that sent an exchange.
    pub(crate) fn of(&self, number: ExchangeNumber) -> Option<&CellId> {
        self.of.get(&number).and_then(|(cell, _)| self.ids.get(*cell))
    }

    /// The step that sent an exchange, from 1; 0 while the ladder was climbed.
    pub(crate) fn step(&self, number: ExchangeNumber) -> Option<usize> {
        self.of.get(&number).map(|(_, step)| *step)
    }

    /// Every cell of the run.
    pub(crate) fn ids(&self) -> &[CellId] {
        &self.ids
    }

    /// The exchanges of the chosen cells; `None` when all are.
    pub(crate) fn chosen(&self) -> Option<&BTreeSet<ExchangeNumber>> {
        self.chosen.as_ref()
    }

    /// The exchanges of the wanted cells, and whether there is such a cell at all.
    fn fill(
        &mut self,
        events: impl Iterator<Item = Result<Event, ReadError>>,
        wanted: Option<&Wanted<'_>>,
    ) -> Result<(BTreeSet<ExchangeNumber>, bool), ReadError> {
        let takes = |cell: &CellId| wanted.is_some_and(|wanted| wanted.takes(cell));
        let (mut numbers, mut known) = (BTreeSet::new(), false);
        let mut steps = HashMap::new();
        for event in events {
            match event? {
                Event::StepStarted { cell, step, .. } => {
                    steps.insert(self.place(cell), step);
                }
                Event::Exchanged { cell, exchange, .. } => {
                    if takes(&cell) {
                        numbers.insert(exchange);
                        known = true;
                    }
                    let place = self.place(cell);
                    self.of.insert(exchange, (place, steps.get(&place).copied().unwrap_or_default()));
                }
                Event::CellFinished(cell) => {
                    if takes(&cell.id) {
                        numbers.extend(cell.exchanges);
                        known = true;
                    }
                    self.place(cell.id);
                }
                // The invariant's own cell may be missing from a run that was cut short.
                Event::InvariantBroken { cell, finding } => {
                    if takes(&cell) {
                        numbers.extend(finding.exchange);
                        known = true;
                    }
                    self.place(cell);
                }
                _ => {}
            }
        }
        Ok((numbers, known))
    }

    fn place(&mut self, cell: CellId) -> usize {
        let next = self.ids.len();
        *self.places.entry(cell).or_insert_with_key(|cell| {
            self.ids.push(cell.clone());
            next
        })
    }

    fn unknown(&self, wanted: &Wanted<'_>, folder: &Path) -> miette::Report {
        let summary = folder.join("summary.json").display().to_string();
        let same = self.ids.iter().filter(|cell| cell.scenario == wanted.scenario);
        let personas: BTreeSet<&str> = same.map(|cell| cell.persona.as_str()).collect();
        if let (Some(persona), false) = (wanted.persona, personas.is_empty()) {
            let ran = personas.into_iter().collect::<Vec<_>>().join(", ");
            return miette!("`{}` was not run on `{persona}`; it was run on {ran}", wanted.scenario);
        }
        let scenarios = self.ids.iter().map(|cell| cell.scenario.as_str());
        let help = match suggest::nearest(wanted.scenario, scenarios) {
            Some(near) => format!("did you mean `{near}`? {summary} names all cells"),
            None => format!("{summary} names all cells"),
        };
        miette!(help = help, "this run has no cell of `{}`", wanted.scenario)
    }
}

/// Cells as they are asked for.
struct Wanted<'a> {
    scenario: &'a str,
    persona: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn parse(text: &'a str) -> Self {
        match text.split_once(',') {
            Some((scenario, persona)) => Self { scenario: scenario.trim(), persona: Some(persona.trim()) },
            None => Self { scenario: text.trim(), persona: None },
        }
    }

    fn takes(&self, cell: &CellId) -> bool {
        cell.scenario == self.scenario && self.persona.is_none_or(|persona| cell.persona == persona)
    }
}
