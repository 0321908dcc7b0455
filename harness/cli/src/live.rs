//! `easrig capture live`.

use easrig_report::Exit;

use crate::{args::LiveArgs, output::Output};

/// Captures from an interface until Ctrl-C.
///
/// # Errors
/// When nothing can be captured or written, and in a build without libpcap.
#[cfg(feature = "live-capture")]
pub(crate) fn live(args: &LiveArgs, output: &Output) -> miette::Result<Exit> {
    use std::{
        fs::File,
        io::{BufWriter, Read},
        sync::atomic::{AtomicBool, Ordering},
    };

    use easrig_capture::live::{LiveOptions, capture};
    use miette::{IntoDiagnostic as _, WrapErr as _};

    use crate::run::runtime;

    let options = LiveOptions { interface: args.interface.clone(), filter: args.filter.clone() };
    let path = &args.output;
    let named = || format!("`{}`", path.display());
    // Opened before anything is captured: a missing key log after an hour of traffic would come too late.
    let mut keys = match &args.keylog {
        Some(keys) => Some(File::open(keys).into_diagnostic().wrap_err_with(|| format!("`{}`", keys.display()))?),
        None => None,
    };
    let file = File::create_new(path).into_diagnostic().wrap_err_with(named)?;
    output.say(&format!("capturing on {}; Ctrl-C ends it", args.interface));
    let stop = AtomicBool::new(false);
    let tally = std::thread::scope(|scope| {
        let capturing = scope.spawn(|| {
            let keys = keys.as_mut().map(|keys| keys as &mut dyn Read);
            capture(&options, keys, BufWriter::new(file), &stop)
        });
        runtime()?.block_on(async {
            while !capturing.is_finished() {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => stop.store(true, Ordering::Relaxed),
                    () = tokio::time::sleep(std::time::Duration::from_millis(100)) => {}
                }
            }
        });
        capturing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).into_diagnostic()
    });
    // Where nothing could be captured, no empty file stands in the way of the next try.
    if tally.is_err() && std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        std::fs::remove_file(path).into_diagnostic().wrap_err_with(named)?;
    }
    let tally = tally?;
    output.say(&format!(
        "{} packets in `{}`; {} came faster than they could be taken, {} were lost by the interface",
        tally.packets,
        path.display(),
        tally.dropped,
        tally.interface_dropped
    ));
    Ok(Exit::Well)
}

/// In a build without libpcap.
///
/// # Errors
/// Always.
#[cfg(not(feature = "live-capture"))]
pub(crate) fn live(args: &LiveArgs, _output: &Output) -> miette::Result<Exit> {
    let filter = args.filter.as_deref().map(|filter| format!(" '{filter}'")).unwrap_or_default();
    let keys = args.keylog.as_ref().map(|keys| format!(" --keylog {}", keys.display())).unwrap_or_default();
    Err(miette::miette!(
        help = format!(
            "build it with libpcap: cargo install --path harness/cli --features live-capture (Debian: libpcap-dev), or \
             capture with tcpdump -i {} -w {}{filter} and read that by easrig import{keys}",
            args.interface,
            args.output.display()
        ),
        "this build cannot capture from `{}`: it was made without libpcap",
        args.interface
    ))
}
