//! Room `eas`.
