use std::io::Read;

use crate::import::Output;
use crate::{ImportError, Options};

pub(crate) fn is_head(head: &[u8]) -> bool { let t = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head); t.trim_ascii_start().starts_with(b"{") }
pub(crate) fn import<R: Read>(_input: R, _options: &Options, _out: &mut Output<'_>) -> Result<(), ImportError> { Err(ImportError::Unknown) }
