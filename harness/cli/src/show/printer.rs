use std::io::{self, BufWriter, StdoutLock, Write};

use easrig_exchange::Exchange;
use easrig_report::exchange_in_full;
use easrig_scenario::CellId;

use easrig_persona::Sight;

use super::{entry::Entry, sights, xml};
use crate::{args::ShowFormat, output::Output};

/// Writes exchanges to stdout one by one, and what stands around them.
pub(crate) struct Printer<'o> {
    format: ShowFormat,
    output: &'o Output,
    out: BufWriter<StdoutLock<'static>>,
    begun: bool,
}

impl<'o> Printer<'o> {
    pub(crate) fn new(format: ShowFormat, output: &'o Output) -> Self {
        Self { format, output, out: BufWriter::with_capacity(64 << 10, io::stdout().lock()), begun: false }
    }

    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn exchange(&mut self, exchange: &Exchange, cell: Option<&CellId>, sights: &[Sight]) -> io::Result<()> {
        let first = !self.begun;
        self.begin()?;
        match self.format {
            ShowFormat::Human => {
                let text = exchange_in_full(exchange, &title(exchange, cell), self.output.view(""));
                let gap = if first { "" } else { "\n" };
                write!(self.out, "{gap}{text}{}", sights::words(sights))
            }
            ShowFormat::Json => {
                self.out.write_all(if first { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut self.out, &Entry::of(exchange, cell).seen(sights)).map_err(io::Error::from)
            }
            ShowFormat::Xml => self.out.write_all(xml::exchange(&Entry::of(exchange, cell).seen(sights)).as_bytes()),
        }
    }

    /// Whether anything was written.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Closes what is open; a result without exchanges is still one.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.begin()?;
        match self.format {
            ShowFormat::Human => {}
            ShowFormat::Json => self.out.write_all(b"\n]}\n")?,
            ShowFormat::Xml => self.out.write_all(xml::END.as_bytes())?,
        }
        self.out.flush()
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        match self.format {
            ShowFormat::Human => Ok(()),
            ShowFormat::Json => self.out.write_all(b"{\"format\":1,\"exchanges\":["),
            ShowFormat::Xml => self.out.write_all(xml::BEGIN.as_bytes()),
        }
    }
}

/// Who sent it and why, as far as that is known.
fn title(exchange: &Exchange, cell: Option<&CellId>) -> String {
    let role = &exchange.sender.role;
    match cell {
        Some(cell) if role.is_empty() => cell.to_string(),
        Some(cell) => format!("{cell} ({role})"),
        None => [exchange.sender.persona.as_str(), role].join(" ").trim().to_owned(),
    }
}
