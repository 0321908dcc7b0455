//! Finding the end of a string and checking it.

use super::{DecodeError, DecodeErrorKind};

/// The bytes before the first NUL, or `None` when there is no NUL.
#[inline]
pub(super) fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..memchr::memchr(0, bytes)?)
}

/// The bytes as text, or `None` when they are not UTF-8.
#[inline]
pub(super) fn utf8(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

/// The error for a string that begins at `start` and is not UTF-8, at its first bad byte.
#[cold]
pub(super) fn invalid_utf8(start: usize, bytes: &[u8]) -> DecodeError {
    let valid = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
    DecodeError::new(start + valid, DecodeErrorKind::InvalidUtf8)
}
