use std::io::{self, Read};

use super::STEP;

/// A reader with a part of it in memory, which grows only as far as it is asked to.
pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; STEP], start: 0, end: 0, offset: 0 }
    }

    /// Where in the file the window begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Makes `count` bytes available; false when the file ends before. The memory grows with what was read, not with
    /// what a length field promises.
    pub(super) fn fill(&mut self, count: usize) -> io::Result<bool> {
        while self.end - self.start < count {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len().saturating_mul(2), 0);
            }
            match self.input.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => return Ok(false),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The first `count` bytes, as far as they are there.
    pub(super) fn peek(&self, count: usize) -> &[u8] {
        let end = self.end.min(self.start.saturating_add(count));
        self.buffer.get(self.start..end).unwrap_or_default()
    }

    /// Moves on by `count` bytes that are there.
    pub(super) fn advance(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset = self.offset.saturating_add(count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_moves_over_a_file_and_ends_with_it() {
        let file: Vec<u8> = (0..=255).cycle().take(STEP * 3 + 7).collect();
        let mut window = Window::new(file.as_slice());
        let mut read = Vec::new();
        while window.fill(1000).unwrap() {
            read.extend_from_slice(window.peek(1000));
            window.advance(1000);
        }
        assert_eq!(window.offset(), read.len() as u64);
        read.extend_from_slice(window.peek(1000));
        assert_eq!(read, file);
    }

    #[test]
    fn a_promise_of_bytes_costs_no_memory() {
        let mut window = Window::new([1_u8, 2, 3].as_slice());
        assert!(!window.fill(usize::MAX).unwrap());
        assert_eq!(window.peek(10), [1, 2, 3]);
        assert_eq!(window.buffer.len(), STEP);
    }
}
