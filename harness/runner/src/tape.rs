use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Seek, SeekFrom},
    path::Path,
};

use easrig_exchange::{EascapError, EascapFile, EascapWriter, Exchange, ExchangeNumber};

/// The growing `exchanges.eascap` of a run, and the numbers in it.
pub(crate) struct Tape {
    writer: EascapWriter<File>,
    next: u64,
}

impl Tape {
    /// Begins a new file; one with exchanges in it is not written over.
    pub(crate) fn create(path: &Path) -> Result<Self, EascapError> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() > HEAD {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        Self::begin(file, 1)
    }

    fn begin(file: File, next: u64) -> Result<Self, EascapError> {
        file.set_len(0)?;
        Ok(Self { writer: EascapWriter::new(file)?, next })
    }

    /// Goes on behind the last whole record of a file; what is torn behind it is cut off. No number up to `taken` is given
    /// again: the run file may know of exchanges that this file has lost.
    pub(crate) fn append(path: &Path, taken: ExchangeNumber) -> Result<Self, EascapError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() < HEAD {
            return Self::begin(file, taken.0.saturating_add(1));
        }
        let (end, last) = {
            let known = EascapFile::open(BufReader::new(&mut file))?;
            (known.end(), known.offsets().last_key_value().map_or(0, |(number, _)| number.0))
        };
        file.set_len(end)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { writer: EascapWriter::append(file), next: last.max(taken.0).saturating_add(1) })
    }

    /// Waits until what was written is on the disk.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.writer.get_ref().sync_data()
    }

    /// Gives the Exchange the next number and writes it.
    pub(crate) fn push(&mut self, exchange: &mut Exchange) -> Result<ExchangeNumber, EascapError> {
        exchange.number = ExchangeNumber(self.next);
        self.writer.write(exchange)?;
        self.next += 1;
        Ok(exchange.number)
    }
}

/// Bytes at the beginning of a file before its first record; with fewer there is nothing in it.
const HEAD: u64 = 12;
