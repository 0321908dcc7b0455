//! Room `persona`.
