//! Room `refserver`.
