//! Expectations against what was seen. The same code judges a live run, an imported capture and a replay.

mod element;
mod envelope;
mod owner;

use easrig_exchange::{Exchange, ExchangeNumber, Failure, Outcome};

use crate::{
    DeviceError, Finding, Level,
    decoded::{Decoded, http_equivalents},
    model::{Alternative, Expect, Role, Scenario, Step, StepKind},
    owner::OwnerView,
    variables::{UnknownVariable, Variables},
};

/// What a step left behind for the judge.
#[derive(Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// The exchange of a `send` step, the last one of a `do` step, with its layers off.
    pub exchange: Option<(&'a Exchange, &'a Decoded)>,
    /// The device's screen after the step.
    pub owner: Option<&'a dyn OwnerView>,
    /// The error the device shows after the step.
    pub device_error: Option<&'a DeviceError>,
}

/// What the judge says of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What was wrong, in the order of the file.
    pub findings: Vec<Finding>,
    /// Which of two legal answers was seen, and the like.
    pub notes: Vec<String>,
    /// The name of the alternative that held.
    pub alternative_seen: Option<String>,
    /// Why nothing can be said: no answer, a cut answer, a server that was busy.
    pub inconclusive: Option<String>,
    /// Why the cell is skipped: the server does not have that folder.
    pub skipped: Option<String>,
    /// The file expects a device error at this step, and this device error is it.
    pub expected_error: bool,
    /// What the owner is without although the step did what it should.
    pub losses: Vec<Loss>,
}

/// Something that the owner is without although they got what they asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The file's words, and what was seen.
    pub what: String,
    /// It is one only because the device is said to synchronise that folder.
    pub by_habit: bool,
}

impl Judgement {
    /// Whether everything that was expected was seen.
    pub fn holds(&self) -> bool {
        self.findings.is_empty() && self.inconclusive.is_none() && self.skipped.is_none()
    }
}

/// Judges a step by what it left behind; values that it saves go into `variables`.
///
/// A step that ends in a device error which the file does not expect is not judged: the caller has the error, and the cell
/// is `blocked`.
pub fn judge(scenario: &Scenario, step: &Step, evidence: &Evidence<'_>, variables: &mut Variables) -> Judgement {
    let mut judgement = Judgement::default();
    // An error that nobody expects is the whole story: what is missing on the screen for its sake is no second one.
    if evidence.device_error.is_some() && !step.expects_error() {
        return judgement;
    }
    if let Some(why) = out_of_reach(step, evidence) {
        judgement.inconclusive = Some(why);
        return judgement;
    }
    if let Some(expect) = &step.expect {
        let seen = Bench::new(scenario, step, evidence, variables).expect(expect);
        judgement.take(seen, variables, step.role);
    }
    if !step.alternatives.is_empty() && judgement.holds() {
        judge_alternatives(scenario, step, evidence, variables, &mut judgement);
    }
    // Who did not get what they asked for has nothing to lose.
    if judgement.holds() {
        judgement.losses = losses(scenario, step, evidence, variables);
    }
    judgement
}

/// What the owner is without; what nobody could look at is no loss.
fn losses(scenario: &Scenario, step: &Step, evidence: &Evidence<'_>, variables: &mut Variables) -> Vec<Loss> {
    let mut losses = Vec::new();
    for wanted in &step.losses {
        let mut seen = Bench::new(scenario, step, evidence, variables).expect(&wanted.expect);
        if seen.inconclusive.is_some() || seen.skipped.is_some() {
            continue;
        }
        match seen.findings.first() {
            Some(finding) => losses.push(Loss {
                what: format!("{} ({})", wanted.name, finding.actual),
                by_habit: wanted.expect.owner.iter().any(|owner| owner.if_synced),
            }),
            None => {
                for (name, value) in seen.saved.drain(..) {
                    variables.save(step.role, name, value);
                }
            }
        }
    }
    losses
}

fn judge_alternatives(
    scenario: &Scenario,
    step: &Step,
    evidence: &Evidence<'_>,
    variables: &mut Variables,
    judgement: &mut Judgement,
) {
    let mut nearest: Option<(usize, &Alternative, String)> = None;
    for alternative in &step.alternatives {
        let seen = Bench::new(scenario, step, evidence, variables).expect(&alternative.expect);
        if seen.findings.is_empty() && seen.skipped.is_none() && seen.inconclusive.is_none() {
            judgement.take(seen, variables, step.role);
            judgement.alternative_seen = Some(alternative.name.clone());
            judgement.notes.push(format!("seen: {}", alternative.name));
            return;
        }
        let why = seen.findings.first().map(|finding| finding.actual.clone()).or(seen.skipped).or(seen.inconclusive);
        if nearest.as_ref().is_none_or(|(count, ..)| seen.findings.len() < *count) {
            nearest = Some((seen.findings.len(), alternative, why.unwrap_or_default()));
        }
    }
    let names: Vec<_> = step.alternatives.iter().map(|alternative| alternative.name.as_str()).collect();
    let bench = Bench::new(scenario, step, evidence, variables);
    judgement.findings.push(Finding {
        requirement: bench.requirement(None),
        level: step.level,
        expected: format!("one of: {}", names.join("; ")),
        actual: nearest.map(|(_, _, why)| why).unwrap_or_default(),
        exchange: bench.number(),
    });
}

/// Why an exchange says nothing about the server's conformance, if so.
fn out_of_reach(step: &Step, evidence: &Evidence<'_>) -> Option<String> {
    let StepKind::Send(send) = &step.kind else {
        return awaited_out_of_reach(step, evidence);
    };
    exchange_out_of_reach(step, evidence, send.login.is_some())
}

fn awaited_out_of_reach(step: &Step, evidence: &Evidence<'_>) -> Option<String> {
    matches!(step.kind, StepKind::Await(_)).then(|| exchange_out_of_reach(step, evidence, false)).flatten()
}

fn exchange_out_of_reach(step: &Step, evidence: &Evidence<'_>, other_login: bool) -> Option<String> {
    let (exchange, decoded) = evidence.exchange?;
    let response = match &exchange.outcome {
        Outcome::Failed(failure) if is_late(step, failure) => return None,
        Outcome::Failed(failure) => return Some(failure.to_string()),
        Outcome::Answered(response) => response,
    };
    if let Some(why) = &response.cut {
        return Some(format!("the answer is cut short: {why}"));
    }
    let wanted = |expect: &Expect| wants(expect, response.status, decoded);
    if step.expect.as_ref().is_some_and(wanted) || step.alternatives.iter().any(|a| wanted(&a.expect)) {
        return None;
    }
    let busy = decoded.status.is_some_and(|(_, status)| status.0 == 111);
    match response.status {
        401 if !other_login => Some("the server refuses the account's user or password (HTTP 401)".to_owned()),
        502..=504 => Some(format!("the server was not able to answer (HTTP {})", response.status)),
        _ if busy => Some("the server was busy (Status 111)".to_owned()),
        _ => None,
    }
}

/// No answer in time counts against the server when the file says by when it is due.
fn is_late(step: &Step, failure: &Failure) -> bool {
    let Failure::Timeout { seconds, .. } = failure else { return false };
    step.expect.as_ref().and_then(|expect| expect.within).is_some_and(|within| within.as_secs() <= *seconds)
}

fn wants(expect: &Expect, http: u16, decoded: &Decoded) -> bool {
    let stands_for = |(scope, status)| http_equivalents(scope, status).iter().any(|code| expect.http.contains(code));
    expect.http.contains(&http)
        || decoded.status.is_some_and(stands_for)
        || expect.status.iter().any(|status| envelope::equivalents(decoded, *status).contains(&http))
        || decoded.status.is_some_and(|(_, status)| expect.status.contains(&status.0))
}

/// What one set of expectations came to.
#[derive(Debug, Default)]
struct Seen {
    findings: Vec<Finding>,
    notes: Vec<String>,
    saved: Vec<(String, String)>,
    inconclusive: Option<String>,
    skipped: Option<String>,
    expected_error: bool,
}

impl Judgement {
    fn take(&mut self, seen: Seen, variables: &mut Variables, role: Role) {
        self.findings.extend(seen.findings);
        self.notes.extend(seen.notes);
        self.expected_error |= seen.expected_error;
        self.inconclusive = self.inconclusive.take().or(seen.inconclusive);
        self.skipped = self.skipped.take().or(seen.skipped);
        for (name, value) in seen.saved {
            variables.save(role, name, value);
        }
    }
}

/// One set of expectations at work.
struct Bench<'a> {
    scenario: &'a Scenario,
    step: &'a Step,
    evidence: &'a Evidence<'a>,
    variables: Variables,
    seen: Seen,
}

impl<'a> Bench<'a> {
    fn new(scenario: &'a Scenario, step: &'a Step, evidence: &'a Evidence<'a>, variables: &Variables) -> Self {
        Self { scenario, step, evidence, variables: variables.clone(), seen: Seen::default() }
    }

    fn expect(mut self, expect: &Expect) -> Seen {
        let in_http_form = self.envelope(expect);
        // Said by HTTP status instead of in band: there is no document that could be looked into.
        if !in_http_form {
            self.body(expect);
        }
        for header in &expect.headers {
            self.header(header);
        }
        for owner in &expect.owner {
            self.owner(owner);
        }
        if let Some(code) = &expect.error {
            self.error(code);
        }
        self.seen
    }

    fn error(&mut self, code: &str) {
        let shown = |error: &DeviceError| match error.code.as_str() {
            "" => format!("the device shows `{}`", error.message),
            code => format!("the device shows {code} `{}`", error.message),
        };
        let expected =
            if code == "any" { "an error on the device".to_owned() } else { format!("error {code} on the device") };
        match self.evidence.device_error {
            Some(error) if code == "any" || error.code.eq_ignore_ascii_case(code) => self.seen.expected_error = true,
            Some(error) => self.find(None, None, expected, shown(error)),
            None => self.find(None, None, expected, "the device shows no error".to_owned()),
        }
    }

    fn find(&mut self, requirement: Option<&str>, level: Option<Level>, expected: String, actual: String) {
        let finding = Finding {
            requirement: self.requirement(requirement),
            level: level.unwrap_or(self.step.level),
            expected,
            actual,
            exchange: self.number(),
        };
        self.seen.findings.push(finding);
    }

    fn requirement(&self, own: Option<&str>) -> String {
        own.or(self.scenario.requirements.first().map(String::as_str)).unwrap_or(&self.scenario.id).to_owned()
    }

    fn number(&self) -> Option<ExchangeNumber> {
        self.evidence.exchange.map(|(exchange, _)| exchange.number)
    }

    fn decoded(&self) -> Option<&'a Decoded> {
        self.evidence.exchange.map(|(_, decoded)| decoded)
    }

    /// The template with its variables; a value that is missing ends the cell without a verdict.
    fn text(&mut self, template: &str) -> Option<String> {
        match self.variables.substitute(self.step.role, template) {
            Ok(text) => Some(text),
            Err(unknown) => {
                self.unknown(&unknown);
                None
            }
        }
    }

    fn unknown(&mut self, unknown: &UnknownVariable) {
        match unknown.missing_folder() {
            Some(folder) => self.seen.skipped = Some(format!("the server has no {folder} folder")),
            None => self.seen.inconclusive = Some(unknown.to_string()),
        }
    }

    fn save(&mut self, name: &str, value: &str) {
        self.variables.save(self.step.role, name, value);
        self.seen.saved.push((name.to_owned(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests;
