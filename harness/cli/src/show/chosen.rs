use std::{io, path::Path};

use easrig_capture::Options;
use easrig_exchange::Exchange;
use easrig_scenario::CellId;
use miette::miette;

use super::{cells::Cells, selection::Selection};
use crate::{
    args::{KeyArgs, SelectArgs},
    import::source::{self, Kind, Seen, Source, SourceError},
};

/// The exchanges of a capture or a run that were asked for.
pub(crate) struct Chosen {
    source: Source,
    cells: Option<Cells>,
    selection: Selection,
    options: Options,
}

/// Takes an exchange and the cell that sent it, if that is known; its error ends the reading.
pub(crate) type Take<'t> = &'t mut dyn FnMut(Exchange, Option<&CellId>) -> io::Result<()>;

impl Chosen {
    /// Opens a capture or run folder.
    ///
    /// # Errors
    /// When it cannot be read, the selection does not fit it, or a key cannot be read.
    pub(crate) fn open(path: &Path, select: &SelectArgs, keys: &KeyArgs) -> miette::Result<Self> {
        let source = Source::open(path)?;
        let cells = match source.kind() {
            Kind::Run => Some(Cells::read(path, select.cell.as_deref())?),
            _ if select.cell.is_some() => {
                return Err(miette!("--cell needs the folder of a run; `{}` is a capture", path.display()));
            }
            _ => None,
        };
        let selection = Selection::of(select, cells.as_ref())?;
        Ok(Self { source, cells, selection, options: source::options(keys)? })
    }

    /// How the source is named to people.
    pub(crate) fn name(&self) -> String {
        self.source.name()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.source.kind()
    }

    /// The cells of a run.
    pub(crate) fn cells(&self) -> Option<&Cells> {
        self.cells.as_ref()
    }

    /// How a capture is imported.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Hands on every exchange that was asked for, one after the other.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(crate) fn read(self, take: Take<'_>) -> Result<Seen, SourceError> {
        let Self { source, cells, selection, options } = self;
        let mut sink = |exchange: Exchange| {
            if !selection.takes(&exchange) {
                return Ok(());
            }
            let cell = cells.as_ref().and_then(|cells| cells.of(exchange.number));
            take(exchange, cell)
        };
        match selection.numbers() {
            Some(numbers) => source.read_some(&numbers, &options, &mut sink),
            None => source.read(&options, &mut sink),
        }
    }
}
