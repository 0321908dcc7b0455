use easrig_exchange::TlsSession;
use easrig_persona::{Condition, Persona, TlsTrouble};
use easrig_scenario::{Cell, CellId, CellOutcome};
use easrig_transport::certificate_issuer;

use crate::owner::{confidence, device_error};

/// Whether the phone itself would have trusted the chain that easrig accepted for it; `None` when the facts name no roots.
///
/// The facts name companies, not keys: a chain that ends in a certificate of one of them is taken as trusted, and the cell
/// says on what ground.
pub(crate) fn cell(persona: &Persona, tls: &TlsSession, id: CellId) -> Option<Cell> {
    let companies = persona.trusted_companies()?;
    let issuer = certificate_issuer(tls.chain.last()?)?;
    let known = companies.value.iter().find(|company| plain(&issuer).contains(&plain(company)));
    let mut outcome = CellOutcome { sent: true, ..CellOutcome::default() };
    let mut notes = Vec::new();
    match known {
        Some(company) => notes.push(format!("matched by company name only: `{company}` in `{issuer}`")),
        None => {
            let error = persona.error_for(&Condition::Tls(TlsTrouble::UnknownCa))?;
            outcome.device_error = Some(device_error(&error));
            outcome.confidence = Some(confidence(companies.confidence));
            notes.push(format!(
                "the chain ends in `{issuer}`, which is no company whose roots the phone is known to have"
            ));
            notes.push("the other cells went on under easrig's own trust".to_owned());
        }
    }
    let conclusion = outcome.conclude();
    notes.extend(conclusion.notes);
    Some(Cell {
        id: CellId { scenario: NAME.to_owned(), ..id },
        verdict: conclusion.verdict,
        reason: conclusion.reason,
        blocked_by: None,
        device_error: outcome.device_error,
        findings: Vec::new(),
        notes,
        exchanges: Vec::new(),
    })
}

/// Letters and digits only, in lower case: `VeriSign, Inc.` and `Verisign` are one company.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The scenario under which the report shows whether a phone trusts the server's certificate.
const NAME: &str = "invariant/trusted-chain";

#[cfg(test)]
mod tests {
    use easrig_scenario::Verdict;
    use easrig_transport::ServerTls;

    use super::*;

    fn wp7() -> Persona {
        Persona::parse("wp7", include_str!("../../../scenarios/personas/wp7.toml")).unwrap()
    }

    fn id() -> CellId {
        CellId { scenario: String::new(), persona: "wp7".into(), version: None }
    }

    fn session(chain: Vec<Vec<u8>>) -> TlsSession {
        TlsSession { chain, ..TlsSession::default() }
    }

    #[test]
    fn a_root_of_nobody_the_phone_knows_is_80072f0d() {
        let (tls, _) = ServerTls::self_made(&["localhost"]).unwrap();
        let chain = tls.chain().iter().map(|certificate| certificate.to_vec()).collect();
        let cell = cell(&wp7(), &session(chain), id()).unwrap();
        assert_eq!(cell.verdict, Verdict::Blocked);
        assert_eq!(cell.device_error.unwrap().code, "80072F0D");
    }

    #[test]
    fn names_of_companies_compare_without_case_and_punctuation() {
        assert!(plain("C=US, O=VeriSign, Inc., CN=VeriSign Class 3").contains(&plain("Verisign")));
        assert!(plain("O=RSA Security Inc").contains(&plain("RSA Security")));
    }

    #[test]
    fn a_chain_that_cannot_be_read_is_not_judged() {
        assert_eq!(cell(&wp7(), &session(vec![vec![0x30, 0x01]]), id()), None);
        assert_eq!(cell(&wp7(), &session(Vec::new()), id()), None);
    }
}
