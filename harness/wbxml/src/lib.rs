//! Room `wbxml`.
