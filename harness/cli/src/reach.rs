//! What the flags about a target come to: accounts, trust and care, for `run` and `replay` alike.

use std::{fs::OpenOptions, path::Path, sync::Arc};

use easrig_runner::{Account, Allowed, Target};
use easrig_transport::{Client, ClientConfig, KeyLog, Resolve, read_certificates};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::{
    accounts,
    args::{Effect, ReachArgs},
    embedded::Embedded,
    input,
    output::Output,
    target::{self, Named, Trust},
};

impl ReachArgs {
    /// Reads `--target`, and refuses flags that are for another kind of target.
    ///
    /// # Errors
    /// When the target cannot be read, or a flag would be passed over without a word.
    pub(crate) fn target(&self, text: &str) -> miette::Result<Named> {
        let trust = if self.insecure { Trust::Anything } else { Trust::Verified };
        let named = target::parse(text, trust)?;
        match named {
            Named::Outside(_) if !self.server.is_empty() => {
                Err(miette!("--policy, --dishonest and --latency are for --target embedded:PROFILE only"))
            }
            Named::Embedded(_) => accounts::refuse(&self.accounts).map(|()| named),
            Named::Outside(_) => Ok(named),
        }
    }

    /// The accounts that were given; none is no error yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn given_accounts(&self) -> miette::Result<Vec<Account>> {
        let accounts = accounts::gather(&self.accounts)?.into_iter();
        Ok(if self.bearer { accounts.map(Account::with_token).collect() } else { accounts.collect() })
    }

    /// For an account that must be there and is not.
    pub(crate) fn no_account(what: &str) -> miette::Report {
        miette!(
            help = "write --account USER:SECRET, --accounts FILE, or set EASRIG_ACCOUNTS",
            "a {what} needs at least one account"
        )
    }

    /// What may be done to somebody's own server.
    ///
    /// # Errors
    /// When something is allowed that the target is not named for.
    pub(crate) fn allowed(&self, target: &Target) -> miette::Result<Allowed> {
        let allow = |effect| self.allow.contains(&effect);
        if allow(Effect::Destroys) {
            target::check_disposable(target, self.disposable.as_deref())?;
        }
        Ok(Allowed {
            writes: allow(Effect::Writes) || allow(Effect::Destroys),
            destroys: allow(Effect::Destroys),
            lockout: allow(Effect::Lockout),
            ..Allowed::default()
        })
    }

    /// Trust and names for somebody's own server.
    ///
    /// # Errors
    /// When a certificate or the key log cannot be read or written.
    pub(crate) fn client(&self) -> miette::Result<Client> {
        let mut extra_roots = Vec::new();
        for path in &self.ca {
            let bytes = input::read(Some(path))?;
            extra_roots.extend(read_certificates(&bytes).map_err(|why| miette!("`{}`: {why}", path.display()))?);
        }
        self.connecting(ClientConfig {
            extra_roots,
            insecure: self.insecure,
            resolve: self.resolve.clone(),
            ..ClientConfig::default()
        })
    }

    /// Trust and names for the reference server in this process.
    ///
    /// # Errors
    /// When the key log cannot be written.
    pub(crate) fn client_of(&self, server: &Embedded) -> miette::Result<Client> {
        self.connecting(server.client()?)
    }

    fn connecting(&self, config: ClientConfig) -> miette::Result<Client> {
        let key_log = self.keylog.as_deref().map(key_log).transpose()?;
        Client::new(ClientConfig { key_log, ..config }).into_diagnostic()
    }

    /// What was allowed and how trust was widened, as it was written.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.allow.iter().map(|effect| format!("--allow {}", effect.name())).collect();
        words.extend(self.disposable.iter().map(|host| format!("--disposable {host}")));
        words.extend(self.insecure.then(|| "--insecure: certificates were not checked".to_owned()));
        let keylog = |path: &Path| format!("--keylog {}: it decrypts every capture of this run", path.display());
        words.extend(self.keylog.as_deref().map(keylog));
        words.extend(self.ca.iter().map(|path| format!("--ca {}", path.display())));
        let resolve = |entry: &Resolve| format!("--resolve {}:{}={}", entry.host, entry.port, entry.addr);
        words.extend(self.resolve.iter().map(resolve));
        words.extend(self.server.policy.iter().map(|path| format!("--policy {}", path.display())));
        words.extend(self.server.orders());
        words
    }

    /// Says aloud what gives passwords away.
    pub(crate) fn warn(&self, output: &Output) {
        if self.insecure {
            output.say("WARNING: --insecure: certificates are not checked, and passwords go to whoever answers");
        }
        if let Some(path) = &self.keylog {
            output.say(&format!(
                "WARNING: --keylog: with `{}`, captures of this traffic give passwords away",
                path.display()
            ));
        }
    }
}

/// The file of `--keylog`, readable by its owner alone when it is new.
fn key_log(path: &Path) -> miette::Result<Arc<KeyLog>> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).into_diagnostic();
    let file = file.wrap_err_with(|| format!("cannot write the key log `{}`", path.display()))?;
    Ok(Arc::new(KeyLog::new(file)))
}
