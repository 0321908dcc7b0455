use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes the TLS secrets of every connection to a key log, in the form of `SSLKEYLOGFILE`, so that a capture of them can be
/// decrypted. Whoever has both reads everything, passwords included.
pub struct KeyLog(Mutex<Box<dyn Write + Send>>);

impl KeyLog {
    /// A key log that is written line by line.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(out)))
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLog")
    }
}

impl rustls::KeyLog for KeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex(client_random), hex(secret));
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A handshake does not fail because its secrets could not be written; the capture then says that they are missing.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use rustls::KeyLog as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_secret_is_a_line_of_label_random_and_secret() {
        let out = Shared::default();
        KeyLog::new(out.clone()).log("CLIENT_RANDOM", &[0, 0xAB], &[0x0F]);
        assert_eq!(out.0.lock().unwrap().as_slice(), b"CLIENT_RANDOM 00ab 0f\n");
    }
}
