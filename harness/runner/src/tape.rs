use std::{
    fs::{File, OpenOptions},
    io::{BufReader, Seek, SeekFrom},
    path::Path,
};

use easrig_exchange::{EascapError, EascapFile, EascapWriter, Exchange, ExchangeNumber};

/// The growing `exchanges.eascap` of a run, and the numbers in it.
pub(crate) struct Tape {
    writer: EascapWriter<File>,
    next: u64,
}

impl Tape {
    /// Begins a new file.
    pub(crate) fn create(path: &Path) -> Result<Self, EascapError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self { writer: EascapWriter::new(file)?, next: 1 })
    }

    /// Goes on behind the last whole record of a file; what is torn behind it is cut off.
    pub(crate) fn append(path: &Path) -> Result<Self, EascapError> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let (end, last) = {
            let known = EascapFile::open(BufReader::new(&mut file))?;
            (known.end(), known.offsets().last_key_value().map_or(0, |(number, _)| number.0))
        };
        file.set_len(end)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { writer: EascapWriter::append(file), next: last + 1 })
    }

    /// Gives the Exchange the next number and writes it.
    pub(crate) fn push(&mut self, exchange: &mut Exchange) -> Result<ExchangeNumber, EascapError> {
        exchange.number = ExchangeNumber(self.next);
        self.writer.write(exchange)?;
        self.next += 1;
        Ok(exchange.number)
    }
}
