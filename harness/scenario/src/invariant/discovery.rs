//! The answer of Autodiscover is in the namespaces that phones look into.

use easrig_eas::{autodiscover::PoxResponse, encoding::ContentEncoding};

use crate::Level;

use super::{Context, Invariant, Slip};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "autodiscover-namespace",
    requirement: None,
    // Some phones read by local names alone.
    level: Level::Should,
    title: "Autodiscover answers in its own namespaces",
    why: "A phone that reads by namespace finds no server in the answer and asks its owner for the server's name.",
    fix: "Answer in `responseschema/2006` outside and `mobilesync/responseschema/2006` inside, whatever the request is in.",
    concerns: discovers,
    check,
};

fn discovers(context: &Context<'_>) -> bool {
    context.exchange.response().is_some_and(|response| response.status == 200)
        && context.exchange.request.url.path().to_ascii_lowercase().ends_with("/autodiscover.xml")
}

fn check(context: &Context<'_>) -> Vec<Slip> {
    let Some(response) = context.exchange.response() else { return Vec::new() };
    // What cannot be read at all is the scenario's to judge.
    let coding = ContentEncoding::parse(response.headers.get("Content-Encoding").unwrap_or_default());
    let Ok(body) = coding.decode(&response.body, MOST) else { return Vec::new() };
    let Ok(answer) = PoxResponse::parse(&body) else { return Vec::new() };
    let slip = |oddity: &_| Slip::new("an answer in the namespaces of Autodiscover", format!("{oddity}"));
    answer.oddities.iter().map(slip).collect()
}

/// No answer of Autodiscover is longer, in bytes.
const MOST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, broken, exchange};
    use super::*;

    fn discovered(body: String) -> usize {
        let mut asked = exchange("Ping", "14.1", "", "");
        asked.request.url = "https://autodiscover.easrig.test/Autodiscover/Autodiscover.xml".parse().expect("a URL");
        answer(&mut asked).body = body.into_bytes();
        broken(&INVARIANT, &asked).len()
    }

    #[test]
    fn an_answer_in_the_namespace_of_the_request_is_noticed() {
        let honest = PoxResponse::mobile_sync("a@easrig.test", "a", "https://easrig.test/x").to_string();
        assert_eq!(discovered(honest.clone()), 0);
        assert_eq!(discovered(honest.replace("responseschema", "requestschema")), 2);
        assert_eq!(discovered("<html/>".to_owned()), 0);
    }

    #[test]
    fn a_packed_answer_is_unpacked_first() {
        let honest = PoxResponse::mobile_sync("a@easrig.test", "a", "https://easrig.test/x").to_string();
        let mut asked = exchange("Ping", "14.1", "", "");
        asked.request.url = "https://easrig.test/autodiscover/autodiscover.xml".parse().expect("a URL");
        let response = answer(&mut asked);
        response.headers.push("Content-Encoding", "gzip");
        response.body = easrig_eas::encoding::gzip(honest.replace("responseschema", "requestschema").as_bytes());
        assert_eq!(broken(&INVARIANT, &asked).len(), 2);
    }
}
