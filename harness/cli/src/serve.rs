//! `easrig serve`.

use std::io::Write as _;

use easrig_report::Exit;
use miette::{IntoDiagnostic as _, WrapErr as _};

use crate::{
    accounts,
    args::ServeArgs,
    embedded::{Embedded, Plan},
    library::Library,
    output::Output,
    run::runtime,
};

pub(crate) fn serve(args: &ServeArgs, library: &Library, output: &Output) -> miette::Result<Exit> {
    let accounts = accounts::gather(&args.accounts)?;
    let plan = Plan::served(args, accounts, library)?;
    if !args.listen.ip().is_loopback() {
        output.say(&format!("WARNING: {} lets other machines in", args.listen));
    }
    runtime()?.block_on(async {
        let server = Embedded::start(plan).await?;
        let root = root_file(&server)?;
        let root_name = root.as_ref().map_or_else(|| "-".to_owned(), |file| file.path().display().to_string());
        let mut said = format!("ready {} CA={root_name}\n", server.url());
        for account in server.accounts() {
            let address = account.address.as_deref().unwrap_or_default();
            for secret in account.secret.iter().chain(&account.token).take(1) {
                said.push_str(&format!("account {}={address}:{}\n", account.user, secret.expose()));
            }
        }
        output.write(said.as_bytes())?;
        tokio::signal::ctrl_c().await.into_diagnostic()?;
        server.stop().await;
        Ok(Exit::Well)
    })
}

/// The root certificate in a file of its own, which goes away with the server.
fn root_file(server: &Embedded) -> miette::Result<Option<tempfile::NamedTempFile>> {
    let Some(pem) = server.root_pem() else { return Ok(None) };
    let mut file = tempfile::Builder::new().prefix("easrig-ca-").suffix(".pem").tempfile().into_diagnostic()?;
    file.write_all(pem.as_bytes()).into_diagnostic().wrap_err("the root certificate could not be written")?;
    Ok(Some(file))
}
