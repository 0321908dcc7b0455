use std::io::Read;
use crate::import::Output;
use crate::{ImportError, Options};
pub(crate) fn is_head(_head: &[u8]) -> bool { false }
pub(crate) fn import<R: Read>(_input: R, _options: &Options, _out: &mut Output<'_>) -> Result<(), ImportError> { Err(ImportError::Unknown) }
