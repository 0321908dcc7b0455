use std::{
    fs::File,
    io::{BufReader, Write as _},
    sync::Arc,
};

use easrig_report::{Exit, safe};
use easrig_runner::{Recorded, Recording, Unanswered};
use easrig_transport::{Authority, Validity};
use miette::{IntoDiagnostic as _, WrapErr as _};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

use crate::{args::ReplayArgs, output::Output, run::runtime};

/// Answers from a recording until Ctrl-C.
pub(super) fn serve(args: &ReplayArgs, recording: Recording<BufReader<File>>, output: &Output) -> miette::Result<Exit> {
    if !args.listen.ip().is_loopback() {
        output.say(&format!("WARNING: {} lets other machines in, with any password", args.listen));
    }
    let hears = |unanswered: Unanswered| eprintln!("{}", safe(&unanswered.to_string()));
    let service = Recorded::new(recording, Arc::new(hears)).into_diagnostic()?;
    runtime()?.block_on(async {
        let listener = TcpListener::bind(args.listen).await.into_diagnostic();
        let listener = listener.wrap_err_with(|| format!("cannot listen at {}", args.listen))?;
        let address = listener.local_addr().into_diagnostic()?;
        let (mut tls, mut root) = (None, None);
        if !args.plain {
            let authority = Authority::new().into_diagnostic()?;
            let own = address.ip().to_string();
            let mut names = vec!["127.0.0.1", "localhost"];
            names.extend(Some(own.as_str()).filter(|own| !address.ip().is_unspecified() && *own != "127.0.0.1"));
            tls = Some(authority.certify(&names, Validity::Current).into_diagnostic()?);
            root = Some(root_file(&authority)?);
        }
        let scheme = if args.plain { "http" } else { "https" };
        let handle = easrig_transport::serve(listener, tls, service).into_diagnostic()?;
        let root_name = root.as_ref().map_or_else(|| "-".to_owned(), |file| file.path().display().to_string());
        output.write(format!("ready {scheme}://{address} CA={root_name}\n").as_bytes())?;
        tokio::signal::ctrl_c().await.into_diagnostic()?;
        handle.shutdown().await;
        Ok(Exit::Well)
    })
}

/// The root certificate in a file of its own, which goes away with the server.
fn root_file(authority: &Authority) -> miette::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("easrig-ca-").suffix(".pem").tempfile().into_diagnostic()?;
    let written = file.write_all(authority.pem().as_bytes());
    written.into_diagnostic().wrap_err("the root certificate could not be written")?;
    Ok(file)
}
