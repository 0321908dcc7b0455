use std::{collections::BTreeMap, sync::Arc, time::Duration};

use easrig_exchange::{Exchange, Failure, OfferAnswer, Outcome, TlsVersion};
use easrig_persona::{Condition, Confidence, Persona, TlsTrouble};
use easrig_scenario::{
    Cell, CellId, CellOutcome,
    event::{Event, TlsAsked},
};
use easrig_transport::{Client, tls_offers};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    folder::{FolderError, Unfinished},
    journal::Journal,
    owner::{confidence, device_error},
};

/// Which versions of TLS the servers of a run take: each host and port is asked once, however many phones talk to it.
#[derive(Default)]
pub(crate) struct TlsOffers {
    asked: Mutex<BTreeMap<String, Arc<TlsAsked>>>,
}

impl TlsOffers {
    /// What an earlier part of the run has asked already.
    pub(crate) fn remembered(unfinished: &Unfinished) -> Self {
        let asked = unfinished.events.iter().filter_map(|event| match event {
            Event::TlsAsked(asked) => Some((asked.endpoint.clone(), Arc::new(asked.clone()))),
            _ => None,
        });
        Self { asked: Mutex::new(asked.collect()) }
    }

    /// What the server at `url` takes; `None` where there is nobody to ask.
    pub(crate) async fn of(
        &self,
        url: &Url,
        client: &Client,
        journal: &Journal,
    ) -> Result<Option<Arc<TlsAsked>>, FolderError> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Ok(None) };
        let endpoint = format!("{host}:{port}");
        // Held while the server is asked, so that no other lane asks it as well.
        let mut known = self.asked.lock().await;
        if let Some(asked) = known.get(&endpoint) {
            return Ok(Some(Arc::clone(asked)));
        }
        let Ok(Ok(addresses)) = tokio::time::timeout(PATIENCE, client.names().addresses(host, port)).await else {
            return Ok(None);
        };
        let offers = tls_offers(&addresses, host, PATIENCE).await;
        let asked = Arc::new(TlsAsked { endpoint: endpoint.clone(), offers });
        journal.record(&Event::TlsAsked(TlsAsked::clone(&asked)))?;
        known.insert(endpoint, Arc::clone(&asked));
        Ok(Some(asked))
    }
}

/// Where a phone spoke TLS last, or tried to.
pub(crate) fn endpoint(seen: &[Exchange]) -> Option<Url> {
    let spoke = |exchange: &&Exchange| {
        exchange.tls.is_some() || matches!(exchange.outcome, Outcome::Failed(Failure::Tls { .. }))
    };
    seen.iter().rev().find(spoke).map(|exchange| exchange.request.url.clone())
}

/// Whether the phone has a version of TLS in common with the server; `None` when the facts name none of the phone's.
pub(crate) fn cell(persona: &Persona, asked: &TlsAsked, id: CellId) -> Option<Cell> {
    let spoken = persona.tls_versions()?;
    let mut outcome = CellOutcome { sent: true, ..CellOutcome::default() };
    let mut notes = Vec::new();
    let mut agreed = None;
    match common(&spoken.value, asked) {
        Common::Highest(version) => agreed = Some(format!("{version} is the highest version that both have")),
        Common::Unclear(why) => outcome.inconclusive = Some(why),
        // What is low or unverified blocks nobody (`docs/personas.md`).
        Common::None(gap) if spoken.confidence <= Confidence::Low => {
            outcome.inconclusive = Some(format!("unverified: this phone is said to speak {gap}"));
        }
        Common::None(gap) => match persona.error_for(&Condition::Tls(TlsTrouble::Handshake)) {
            Some(error) => {
                outcome.device_error = Some(device_error(&error));
                outcome.confidence = Some(confidence(spoken.confidence));
                notes.push(format!("this phone speaks {gap}"));
            }
            None => {
                let why = format!("this phone speaks {gap}; what its owner sees then is not known");
                outcome.inconclusive = Some(why);
            }
        },
    }
    let conclusion = outcome.conclude();
    notes.extend(conclusion.notes);
    if agreed.is_none() {
        notes.push(told(asked));
    }
    Some(Cell {
        id: CellId { scenario: TlsAsked::CELL.to_owned(), ..id },
        verdict: conclusion.verdict,
        reason: agreed.unwrap_or(conclusion.reason),
        blocked_by: None,
        device_error: outcome.device_error,
        findings: Vec::new(),
        notes,
        exchanges: Vec::new(),
    })
}

/// What a phone and a server have in common.
enum Common {
    Highest(TlsVersion),
    /// It could not be told, for this reason.
    Unclear(String),
    /// What the phone speaks, and why that does not do; continues `this phone speaks`.
    None(String),
}

fn common(spoken: &[TlsVersion], asked: &TlsAsked) -> Common {
    let accepted: Vec<TlsVersion> = asked.accepted().collect();
    if let Some(highest) = spoken.iter().filter(|version| accepted.contains(version)).max() {
        return Common::Highest(*highest);
    }
    let unclear = |offer: &&easrig_exchange::TlsOffer| offer.answer == OfferAnswer::Unclear;
    if let Some(offer) = spoken.iter().filter_map(|version| asked.offer(*version)).find(unclear) {
        return Common::Unclear(format!("whether the server takes {} could not be told: {}", offer.version, offer.how));
    }
    match (spoken.iter().min(), spoken.iter().max(), accepted.last()) {
        (Some(oldest), _, Some(newest)) if newest < oldest => {
            Common::None(format!("nothing below {oldest} and the server takes {newest} at most"))
        }
        (Some(oldest), Some(newest), Some(_)) if oldest == newest => {
            Common::None(format!("{newest} at most and the server refuses it"))
        }
        (_, Some(newest), Some(_)) => {
            Common::None(format!("{newest} at most and the server refuses it and what is older"))
        }
        _ => Common::Unclear("the server refuses every version of TLS".to_owned()),
    }
}

/// What the server made of each version, in one line.
fn told(asked: &TlsAsked) -> String {
    let listed = |answer: OfferAnswer, word: &str| {
        let of = asked.offers.iter().filter(|offer| offer.answer == answer);
        let names: Vec<String> = of
            .map(|offer| match offer.how.as_str() {
                "" => offer.version.to_string(),
                how => format!("{} ({how})", offer.version),
            })
            .collect();
        (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
    };
    let parts = [
        listed(OfferAnswer::Accepted, "accepts"),
        listed(OfferAnswer::Refused, "refuses"),
        listed(OfferAnswer::Unclear, "gives no clear answer about"),
    ];
    format!("the server {}", parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

/// How long the name may take, and then each hello; all leave at once.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use easrig_exchange::TlsOffer;
    use easrig_scenario::Verdict;

    use super::*;

    use TlsVersion::{V1_0, V1_1, V1_2, V1_3};

    fn persona(versions: &str, confidence: &str) -> Persona {
        let text = include_str!("../../../scenarios/personas/wp7.toml");
        let line = text.lines().find(|line| line.starts_with("versions = ") && line.contains("TLSv1.0")).unwrap();
        let new =
            format!("versions = {{ value = [{versions}], evidence = \"a test\", confidence = \"{confidence}\" }}");
        Persona::parse("wp7", &text.replace(line, &new)).unwrap()
    }

    fn asked(accepted: &[TlsVersion], unclear: &[TlsVersion]) -> TlsAsked {
        let offer = |version| {
            let (answer, how) = match version {
                version if accepted.contains(&version) => (OfferAnswer::Accepted, ""),
                version if unclear.contains(&version) => (OfferAnswer::Unclear, "no answer to the hello within 5 s"),
                _ => (OfferAnswer::Refused, "alert 70 (protocol_version)"),
            };
            TlsOffer { version, answer, how: how.to_owned() }
        };
        TlsAsked { endpoint: "mail.easrig.test:443".into(), offers: TlsVersion::ALL.map(offer).to_vec() }
    }

    fn judged(persona: &Persona, asked: &TlsAsked) -> (Verdict, String) {
        let id = CellId { scenario: String::new(), persona: "wp7".into(), version: None };
        let cell = cell(persona, asked, id).unwrap();
        assert_eq!(cell.id.scenario, "invariant/tls-version");
        (cell.verdict, cell.reason)
    }

    #[test]
    fn a_phone_that_is_only_said_to_be_too_old_is_inconclusive_and_never_blocked() {
        for confidence in ["low", "unverified"] {
            let (verdict, reason) = judged(&persona("'TLSv1.0'", confidence), &asked(&[V1_2, V1_3], &[]));
            assert_eq!(verdict, Verdict::Inconclusive);
            let said = "unverified: this phone is said to speak TLS 1.0 at most and the server refuses it";
            assert_eq!(reason, said);
        }
    }

    #[test]
    fn a_phone_that_is_known_to_be_too_old_is_blocked_with_its_own_error() {
        let known = persona("'TLSv1.0'", "high");
        let server = asked(&[V1_2], &[]);
        assert_eq!(judged(&known, &server).0, Verdict::Blocked);
        let id = CellId { scenario: String::new(), persona: "wp7".into(), version: None };
        let cell = cell(&known, &server, id).unwrap();
        assert_eq!(cell.notes[0], "this phone speaks TLS 1.0 at most and the server refuses it");
        assert!(cell.device_error.is_some());
    }

    #[test]
    fn a_common_version_passes_whatever_it_rests_on() {
        let phone = persona("'TLSv1.0', 'TLSv1.1', 'TLSv1.2'", "unverified");
        assert_eq!(
            judged(&phone, &asked(&[V1_2, V1_3], &[])),
            (Verdict::Pass, "TLS 1.2 is the highest version that both have".to_owned())
        );
        let lowest = judged(&phone, &asked(&[V1_0], &[V1_1, V1_2]));
        assert_eq!(lowest, (Verdict::Pass, "TLS 1.0 is the highest version that both have".to_owned()));
    }

    #[test]
    fn what_the_server_did_not_answer_accuses_nobody() {
        let (verdict, reason) = judged(&persona("'TLSv1.0'", "high"), &asked(&[V1_2], &[V1_0]));
        assert_eq!(verdict, Verdict::Inconclusive);
        assert_eq!(reason, "whether the server takes TLS 1.0 could not be told: no answer to the hello within 5 s");
        let (verdict, reason) = judged(&persona("'TLSv1.0'", "high"), &asked(&[], &[]));
        assert_eq!((verdict, reason.as_str()), (Verdict::Inconclusive, "the server refuses every version of TLS"));
    }

    #[test]
    fn the_gap_may_be_on_either_side() {
        let gap = |spoken: &[TlsVersion], accepted: &[TlsVersion]| match common(spoken, &asked(accepted, &[])) {
            Common::None(gap) => gap,
            _ => String::new(),
        };
        assert_eq!(gap(&[V1_2, V1_3], &[V1_0, V1_1]), "nothing below TLS 1.2 and the server takes TLS 1.1 at most");
        assert_eq!(gap(&[V1_0, V1_1], &[V1_2]), "TLS 1.1 at most and the server refuses it and what is older");
    }

    #[test]
    fn the_answers_are_told_in_one_line() {
        let line = "the server accepts TLS 1.3; refuses TLS 1.0 (alert 70 (protocol_version)), TLS 1.1 \
            (alert 70 (protocol_version)); gives no clear answer about TLS 1.2 (no answer to the hello within 5 s)";
        assert_eq!(told(&asked(&[V1_3], &[V1_2])), line);
    }
}
