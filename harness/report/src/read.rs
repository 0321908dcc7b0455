use std::io::{self, BufRead, Read as _};

use easrig_scenario::event::{self, Event};
use thiserror::Error;

/// The longest line of a run file, in bytes.
const MAX_LINE: u64 = 16 << 20;

/// Why a run file cannot be read. Lines count from 1.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The bytes could not be had.
    #[error("the run file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A whole line that is no event.
    #[error("line {line} is not an event of a run file: {why}")]
    Line {
        /// Which line.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A line without end.
    #[error("line {0} is longer than {MAX_LINE} bytes")]
    TooLong(u64),
    /// The first line names a format that this build does not know yet.
    #[error("made by a newer version: the run file has format {0}, this version reads up to {format}", format = event::FORMAT)]
    Newer(u32),
    /// There is no first line.
    #[error("the run file does not begin with `run_started`")]
    NoStart,
    /// More cells than any run has.
    #[error("the run file has more than {0} cells")]
    TooManyCells(usize),
}

/// The events of a run file, one a line. A torn last line, which a crash leaves, is ignored; after an error the sequence
/// ends.
pub fn read_events(mut input: impl BufRead) -> impl Iterator<Item = Result<Event, ReadError>> {
    let mut line = 0;
    let mut over = false;
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        line += 1;
        let next = next_event(&mut input, line);
        over = !matches!(next, Ok(Some(_)));
        next.transpose()
    })
}

fn next_event(input: &mut impl BufRead, line: u64) -> Result<Option<Event>, ReadError> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.last() != Some(&b'\n') {
        return if read as u64 == MAX_LINE { Err(ReadError::TooLong(line)) } else { Ok(None) };
    }
    match serde_json::from_slice(&bytes) {
        Ok(Event::RunStarted(started)) if started.format > event::FORMAT => Err(ReadError::Newer(started.format)),
        Ok(event) => Ok(Some(event)),
        // A newer version may have changed the first line itself; its number is all that has to be readable.
        Err(error) => Err(newer(&bytes).unwrap_or(ReadError::Line { line, why: error.to_string() })),
    }
}

fn newer(bytes: &[u8]) -> Option<ReadError> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let format = u32::try_from(value.get("format")?.as_u64()?).ok()?;
    (format > event::FORMAT).then_some(ReadError::Newer(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_ignored() {
        let text = "{\"event\":\"resumed\",\"at\":1}\n{\"event\":\"resu";
        let events: Vec<_> = read_events(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(events.len(), 1);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named_and_ends_the_reading() {
        let text = "{\"event\":\"resumed\",\"at\":1}\nnonsense\n{\"event\":\"resumed\",\"at\":1}\n";
        let events: Vec<_> = read_events(text.as_bytes()).collect();
        assert_eq!(events.len(), 2);
        assert!(events[1].as_ref().unwrap_err().to_string().starts_with("line 2 is not an event"));
    }

    #[test]
    fn a_newer_format_is_refused_even_when_its_first_line_is_not_understood() {
        let text = "{\"event\":\"run_began\",\"format\":7}\n";
        let error = read_events(text.as_bytes()).next().unwrap().unwrap_err();
        assert!(matches!(error, ReadError::Newer(7)), "{error}");
    }
}
