use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use easrig_eas::{
    Version,
    headers::{self, challenges},
};
use easrig_exchange::{Exchange, ExchangeNumber};
use easrig_scenario::{
    Decoded,
    difference::{Allowed, Comparison, Contents, Difference, Kind, Owned, Terms, compare_decoded},
};
use easrig_transport::Patience;

use super::binding::{Because, Withheld};
use super::device::{Device, carry_keys, forget_policy, is_latest, note_keys, note_made, restart, withhold};
use super::ledger::Alone;
use super::rename::Names;
use super::stage::{Stage, sent_again};
use super::{Came, Entry, Mode, ReplayError, Replayed, Totals};

/// How far apart the clocks of two servers may be, in seconds.
const CLOCKS: i64 = 120;

/// Why an item may be there although it was not seen.
const MORE: &str = "the target has more for this folder than the recording asks for; it may be among that";

impl<R: Read + Seek> Stage<R> {
    /// Compares an answer with the recorded one, and learns what the target calls things.
    pub(super) fn judge(
        &mut self,
        row: usize,
        entry: &Entry,
        account: usize,
        recorded: &Exchange,
        (exchange, decoded): (&Exchange, &Decoded),
    ) {
        if entry.is_given_up {
            return;
        }
        let before = Decoded::of(recorded);
        let key = self.key(entry, recorded);
        let moved = exchange.started.0.saturating_sub(recorded.started.0) / 1_000_000;
        let (least, most) = self.later.unwrap_or((moved, moved));
        let later = (least.min(moved), most.max(moved));
        self.later = Some(later);
        let contents = match (self.recording.has_contents(), self.orders.keep_content) {
            (false, _) => Contents::Filler,
            (true, true) => Contents::Quoted,
            (true, false) => Contents::Told,
        };
        let Self { devices, people, sent, orders, .. } = self;
        let device = devices.get_mut(&key).expect("it has sent the request");
        restart(device, &before, decoded);
        if is_latest(device, &before, decoded) {
            let why = "its key was out of date in the recording, and the target has given no newer one for it";
            self.unlike.insert(row, why.to_owned());
        }
        note_keys(device, decoded);
        let sends_filler = contents == Contents::Filler && orders.mode == Mode::Rebound;
        let names = Names { bindings: &device.bindings, people, sent, sends_filler };
        let terms = Terms {
            contents,
            later: (later.0.saturating_sub(CLOCKS), later.1.saturating_add(CLOCKS)),
            renamed: &names,
        };
        let mut comparison = compare_decoded((recorded, &before), (exchange, decoded), terms);
        device.ledger.take(row, &mut comparison);
        device.ledger.remember(decoded);
        device.ledger.note_promises(&before);
        let joined = device.ledger.join(terms);
        let mut learned = vec![(row, comparison)];
        learned.extend(joined);
        for (row, comparison) in learned {
            self.learn(row, &key, comparison);
        }
        let withheld = Withheld { exchange: entry.number.0, because: Because::Differs };
        let sent = &self.sent;
        if let Some(device) = self.devices.get_mut(&key) {
            note_made(&mut device.bindings, decoded, sent);
            carry_keys(&mut device.bindings, &before, decoded);
            forget_policy(&mut device.bindings, &before, decoded);
            withhold(&mut device.bindings, &before, &withheld);
        }
        if let Some(saved) = self.hurried.get(&(account / 2)).filter(|saved| saved.as_secs() > 0) {
            let why = format!(
                "heartbeats were shortened, so that this came {} s earlier than in the recording, and what is missing may have \
                 come later; --pace real waits as long",
                saved.as_secs()
            );
            self.early.insert(row, why);
        }
        let left_out = self.left_out.get(&(account / 2)).copied().unwrap_or(0);
        if left_out > 0 {
            let why = format!("{} commands were left out before, and this may follow from it", left_out);
            self.doubts.insert(row, why);
        }
    }

    fn learn(&mut self, row: usize, key: &str, comparison: Comparison) {
        let Comparison { differences, allowed, pairs, fillers, .. } = comparison;
        if let Some(device) = self.devices.get_mut(key) {
            pairs.iter().for_each(|pair| device.bindings.bind(pair));
        }
        let mut broken = Vec::new();
        for filler in fillers {
            let known = *self.fillers.entry(filler.before).or_insert(filler.after);
            if known != filler.after {
                broken.push(Difference {
                    kind: Kind::ItemChanged,
                    path: filler.path,
                    before: "a text that stood elsewhere too".to_owned(),
                    after: "another text than stands there".to_owned(),
                });
            }
        }
        if let Some(row) = self.rows.get_mut(row) {
            row.differences.extend(differences);
            row.differences.extend(broken);
            row.allowed.add(&allowed);
        }
    }

    /// Takes from an answer what concerns everything that follows: cookies, a refused login, a target out of reach.
    pub(super) async fn heed(
        &mut self,
        row: usize,
        entry: &Entry,
        account: usize,
        recorded: &Exchange,
        exchange: &Exchange,
    ) -> Result<(), ReplayError> {
        let Some(answer) = exchange.response() else {
            if recorded.response().is_some() {
                self.note_silence(row, entry, exchange);
            }
            return Ok(());
        };
        self.unanswered.clear();
        let key = self.key(entry, recorded);
        for cookie in answer.headers.all("Set-Cookie") {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let (Some((name, value)), Some(device)) = (pair, self.devices.get_mut(&key)) {
                device.cookies.retain(|(known, _)| known != name.trim());
                device.cookies.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        let had_login = exchange.request.headers.get("Authorization").is_some();
        if answer.status == 401 && had_login {
            let name = self.orders.accounts.get(account).map(|account| account.user.clone()).unwrap_or_default();
            let why = format!(
                "the account `{name}` is not used any more: the target refused its login (HTTP 401) at exchange {}, and \
                 another try could lock the account",
                entry.number.0
            );
            self.stopped.entry(account).or_insert(why);
            let offered: Vec<_> = answer.headers.all(headers::WWW_AUTHENTICATE).flat_map(challenges).collect();
            let only_bearer = offered.iter().any(|c| c.is("Bearer")) && !offered.iter().any(|c| c.is("Basic"));
            if only_bearer && !self.inquired {
                self.inquired = true;
                self.inquire(row, &key, account, entry, recorded, exchange).await?;
            }
        }
        Ok(())
    }

    /// Asks a target that takes tokens alone which versions it speaks: the device's own may be refused too. No password is
    /// tried by it; an account without a token asks as nobody, which some servers answer.
    async fn inquire(
        &mut self,
        row: usize,
        key: &str,
        account: usize,
        entry: &Entry,
        recorded: &Exchange,
        refused: &Exchange,
    ) -> Result<(), ReplayError> {
        let token = self.orders.accounts.get(account).and_then(|account| account.token.clone());
        let bearer = token.map(|token| headers::bearer(token.expose()));
        let mut request = refused.request.clone();
        request.method = "OPTIONS".to_owned();
        request.url = self.orders.endpoint.clone();
        request.body = Vec::new();
        let kept = refused.request.headers.iter().filter(|(name, _)| {
            !matches!(name.to_ascii_lowercase().as_str(), "content-length" | "content-type" | "ms-asprotocolversion")
        });
        request.headers = kept
            .filter_map(|(name, value)| match name.eq_ignore_ascii_case("Authorization") {
                true => Some((name.to_owned(), bearer.clone()?)),
                false => Some((name.to_owned(), value.to_owned())),
            })
            .collect();
        let session = Arc::clone(&self.device(key).session);
        let attempt = session.send(&request, &Patience::default()).await;
        let exchange = sent_again(recorded, request, attempt);
        let decoded = Decoded::of(&exchange);
        self.keep(entry, recorded, &exchange, &decoded)?;
        let spoken = self.spoken(recorded)?;
        let offered = exchange.response().and_then(|answer| answer.headers.get(headers::PROTOCOL_VERSIONS));
        if let (Some(spoken), Some(offered)) = (spoken, offered)
            && !headers::list(offered).any(|version| version == spoken.to_string())
            && let Some(row) = self.rows.get_mut(row)
        {
            row.differences.push(Difference {
                kind: Kind::VersionGone,
                path: headers::PROTOCOL_VERSIONS.to_owned(),
                before: format!("{spoken}, which the device speaks, is offered"),
                after: format!("{offered} is demanded of every device"),
            });
        }
        Ok(())
    }

    /// The version that the sender of an exchange speaks in the recording.
    fn spoken(&mut self, recorded: &Exchange) -> Result<Option<Version>, ReplayError> {
        let numbers: Vec<ExchangeNumber> = self
            .recording
            .entries()
            .iter()
            .filter(|entry| entry.sender == recorded.sender)
            .map(|entry| entry.number)
            .take(64)
            .collect();
        for number in numbers {
            if let Some(version) = self.recording.get(number)?.and_then(|exchange| Decoded::of(&exchange).version) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    pub(super) fn finish(mut self) -> Replayed {
        let mut asides: BTreeMap<usize, String> = BTreeMap::new();
        for device in self.devices.values_mut() {
            let Device { ledger, bindings, .. } = device;
            for Alone { row: index, stray, has_more } in ledger.close(&|folder| bindings.now(Owned::Folder, "", folder))
            {
                let Some(row) = self.rows.get_mut(index) else { continue };
                let is_said = row.differences.iter().any(|difference| difference.kind == Kind::MoreAvailableChanged);
                let cut = self.cut_short.as_ref().map(|why| format!("the replay was cut short: {why}"));
                let early = self.early.get(&index).filter(|_| may_be_late(&stray.difference)).cloned();
                let certain = |may: fn(&Difference) -> bool| !row.differences.iter().all(may);
                let is_beside = cut.is_some() && certain(may_follow) || early.is_some() && certain(may_be_late);
                if let Some(why) = cut.clone().or(early).filter(|_| is_beside) {
                    // What cannot be told must not stand beside what can.
                    let why = format!("{} cannot be told: {why}", stray.difference);
                    asides.entry(index).or_insert(why);
                    continue;
                }
                row.differences.push(stray.difference);
                if let Some(why) = cut.or_else(|| (has_more && !is_said).then(|| MORE.to_owned())) {
                    self.doubts.entry(index).or_insert(why);
                }
            }
        }
        let mut allowed = Allowed::default();
        for (index, row) in self.rows.iter_mut().enumerate() {
            allowed.add(&row.allowed);
            if row.why.is_some() {
                continue;
            }
            let doubt = |doubts: &mut BTreeMap<usize, String>, may: fn(&Difference) -> bool| {
                doubts.remove(&index).filter(|_| row.differences.iter().all(may))
            };
            let doubt = doubt(&mut self.doubts, may_follow).or_else(|| doubt(&mut self.early, may_be_late));
            row.came = match (row.differences.is_empty(), row.allowed.total()) {
                (true, 0) => Came::Same,
                (true, _) => Came::Allowed,
                (false, _) => Came::Different,
            };
            let doubt = self.unlike.remove(&index).or(doubt);
            match doubt.filter(|_| row.came == Came::Different) {
                Some(why) => (row.came, row.why) = (Came::Inconclusive, Some(why)),
                None => row.why = asides.remove(&index),
            }
        }
        Replayed {
            format: 1,
            recording: self.orders.recording,
            target: self.orders.target_name,
            mode: self.orders.mode.name().to_owned(),
            contents: self.recording.has_contents(),
            cut_short: self.cut_short,
            totals: Totals::of(&self.rows),
            exchanges: self.rows,
            allowed,
        }
    }
}

/// Whether a difference may be gone a little later.
fn may_be_late(difference: &Difference) -> bool {
    let counts = || ["/Estimate", "/Total", "/Range"].iter().any(|end| difference.path.ends_with(end));
    match difference.kind {
        Kind::ItemLost | Kind::FolderLost | Kind::MoreAvailableChanged => true,
        Kind::DocumentDiffers => counts(),
        _ => false,
    }
}

/// Whether a difference may follow from something that was not done before.
fn may_follow(difference: &Difference) -> bool {
    !matches!(
        difference.kind,
        Kind::LoginRefused
            | Kind::VersionGone
            | Kind::CommandGone
            | Kind::ContentTypeChanged
            | Kind::FolderTypeChanged
            | Kind::PolicyChanged
            | Kind::KeyNotAdvanced
    )
}
