//! One command from the first byte to an answer that means something: redirects, a busy server, policies.

use std::time::Duration;

use easrig_eas::{headers, headers::RetryAfter};
use easrig_exchange::Headers;
use url::Url;

use super::{
    line::{Line, Stop},
    memory::{Core, with_path},
    request::Call,
};
use crate::{Condition, answer::Answer, persona::word::Which, reaction::MOST_REDIRECTS};

/// The longest wait a busy server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

impl Line {
    /// Sends a command until it is served, and brings an answer without a status of the common list.
    ///
    /// A challenge is answered with Provision. A device that then keeps silent and is challenged again shows its owner
    /// what it decided itself, whichever challenge the server uses.
    pub(super) async fn command(&self, call: Call) -> Result<Answer, Stop> {
        self.command_but(call, &[]).await
    }

    /// The same, with statuses of the common list that the caller reads itself.
    pub(super) async fn command_but(&self, call: Call, own: &[u16]) -> Result<Answer, Stop> {
        let mut silent: Option<Vec<String>> = None;
        let mut rounds = 0;
        loop {
            let answer = self.transfer(&call).await?;
            let condition = match answer.trouble() {
                None => return Ok(answer),
                Some(Condition::Status(status)) if own.contains(&status) => return Ok(answer),
                Some(condition) => condition,
            };
            if !self.is_challenge(&condition) {
                return Err(self.stop(&condition));
            }
            if let Some(settings) = silent {
                return Err(self.stop(&Condition::PolicyNotApplicable { settings }));
            }
            rounds += 1;
            if rounds > self.with(|core| core.persona.provisioning.rounds.value) {
                return Err(self.stop(&condition));
            }
            silent = self.provision().await?;
        }
    }

    /// Sends a request, follows redirects as the device does and waits for a busy server.
    pub(super) async fn transfer(&self, call: &Call) -> Result<Answer, Stop> {
        let (mut hops, mut waits) = (0, 0);
        loop {
            let (request, patience) = self.with(|core| {
                let request = core.request(call).map_err(Stop::GaveUp)?;
                Ok((request, call.patience.unwrap_or_else(|| core.patience())))
            })?;
            let answer = match self.http(request, patience).await? {
                Ok(response) => Answer::of(response),
                Err(failure) => return Err(self.stop(&Condition::of_failure(&failure))),
            };
            self.with(|core| core.keep_cookies(&answer.headers));
            if let Some(coding) = &answer.unreadable {
                return Err(Stop::GaveUp(format!("the answer is encoded as `{coding}`, which easrig cannot read")));
            }
            if let Some(target) = self.redirect(&answer, call.which()) {
                hops += 1;
                if hops > MOST_REDIRECTS {
                    return Err(self.stop(&Condition::TooManyRedirects));
                }
                self.with(|core| core.endpoint = Some(target));
            } else if answer.http == 401 && self.with(|core| core.sign_in_otherwise(&answer.headers)) {
                self.rest(|core| &core.persona.auth.schemes);
            } else if answer.is_busy() && waits < self.rest(|core| &core.persona.timeouts.busy_retries) {
                waits += 1;
                self.pause(self.busy_wait(&answer.headers)).await;
            } else {
                return Ok(answer);
            }
        }
    }

    pub(super) fn is_challenge(&self, condition: &Condition) -> bool {
        self.with(|core| core.persona.is_challenge(condition, core.set_up))
    }

    /// Where the device goes on, if this answer sends it elsewhere and it follows.
    fn redirect(&self, answer: &Answer, which: Which) -> Option<Url> {
        self.with(|core| {
            let target = core.persona.elsewhere(answer, which)?;
            resolve(core, target)
        })
    }

    fn busy_wait(&self, answer: &Headers) -> Duration {
        let asked = answer.get(headers::RETRY_AFTER).and_then(RetryAfter::parse);
        let asked = match asked {
            Some(RetryAfter::Seconds(seconds)) => Some(Duration::from_secs(seconds.into())),
            _ => None,
        };
        asked.unwrap_or_else(|| self.with(|core| core.persona.timeouts.busy_wait.value)).min(LONGEST_WAIT)
    }
}

/// An absolute or relative target; from https only to https.
fn resolve(core: &Core, target: &str) -> Option<Url> {
    let base = core.endpoint.as_ref()?;
    let url = base.join(target.trim()).ok()?;
    let safe = url.scheme() == "https" || url.scheme() == "http" && base.scheme() == "http";
    safe.then(|| with_path(url))
}
