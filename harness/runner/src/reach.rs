use easrig_exchange::{Exchange, Failure, Outcome};
use easrig_scenario::Decoded;

/// Why the end of an errand says nothing about the target: nobody answered, or the answer has no end.
///
/// A server that answers and sends the phone on to a place where nobody is has said something; so has one of several
/// places that Autodiscover asks.
pub(crate) fn out_of_reach(exchanges: &[Exchange]) -> Option<String> {
    let last = exchanges.last()?;
    let place = last.request.url.origin();
    match &last.outcome {
        Outcome::Failed(Failure::Cancelled) => None,
        Outcome::Failed(failure) => {
            let elsewhere = |e: &Exchange| e.response().is_some() && e.request.url.origin() != place;
            (!exchanges.iter().any(elsewhere)).then(|| failure.to_string())
        }
        Outcome::Answered(answer) => answer.cut.as_ref().map(|why| format!("the answer is cut short: {why}")),
    }
}

/// What stands behind an error on the screen: the last request and its answer, in a few words.
pub(crate) fn on_the_wire(exchanges: &[Exchange]) -> Option<String> {
    let last = exchanges.last()?;
    let decoded = Decoded::of(last);
    let asked = decoded.command().map_or_else(|| last.request.method.clone(), |command| command.to_string());
    Some(match &last.outcome {
        Outcome::Failed(failure) => format!("behind it on the wire: {asked}: {failure}"),
        Outcome::Answered(_) => format!("behind it on the wire: {asked} was answered with {}", decoded.words()),
    })
}
