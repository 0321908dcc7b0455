//! What a user reads when we made a mistake; the process then ends with 101.

use std::panic;

/// Says what happened and where to tell it, instead of a bare trace.
pub(crate) fn install() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        eprintln!("\neasrig made a mistake and cannot go on. This is our bug, not your server's.\n");
        usual(info);
        eprintln!(
            "\nPlease report it with the lines above, the command line (without secrets) and, for a run, its folder: what \
             was recorded up to here is kept.\neasrig {} on {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS
        );
    }));
}
