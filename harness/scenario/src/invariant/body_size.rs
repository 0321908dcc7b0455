//! Sizes and the Truncated mark agree with the data that is there.
//!
//! `EstimatedDataSize` is an estimate: of the native body on some servers, in characters on others. Only what no estimate
//! explains is told. `TruncationSize` is taken in characters, since many servers count so; that is never stricter.

use easrig_wbxml::{
    Element,
    tags::{air_sync, air_sync_base as base},
};

use crate::Level;

use super::{Context, Invariant, Slip};

pub(super) const INVARIANT: Invariant = Invariant {
    name: "body-size",
    requirement: Some("MS-ASAIRS_R276"),
    level: Level::Must,
    title: "A body is as long as was asked for, and says so when it is cut",
    why: "A phone shows a cut mail as if it were whole, or loads far more than its owner's data plan likes.",
    fix: "This is a matter for whoever makes the server.",
    concerns: |context| {
        let answer = context.decoded.answer.root();
        answer.is_some_and(|answer| answer.descendants().any(|element| element.tag() == base::BODY))
    },
    check,
};

fn check(context: &Context<'_>) -> Vec<Slip> {
    let (Some(request), Some(answer)) = (context.decoded.request.root(), context.decoded.answer.root()) else {
        return Vec::new();
    };
    let limits = Limits::of(request);
    let mut slips = Vec::new();
    for (body, complete) in bodies(answer) {
        let limit = |kind: &str| if complete { None } else { limits.of_type(kind) };
        slips.extend(Seen::of(body).and_then(|seen| seen.slip(limit(&seen.kind))));
        if slips.len() >= MAX_TOLD {
            break;
        }
    }
    slips
}

/// Every body, and whether it answers a Fetch in Sync, which brings the complete item whatever was asked for
/// (MS-ASCMD 2.2.3.67.2).
fn bodies(answer: Element<'_>) -> impl Iterator<Item = (Element<'_>, bool)> {
    let mut open = vec![(answer, false)];
    std::iter::from_fn(move || {
        loop {
            let (element, complete) = open.pop()?;
            if element.tag() == base::BODY {
                return Some((element, complete));
            }
            let complete = complete || element.tag() == air_sync::FETCH;
            let inside = open.len();
            open.extend(element.children().map(|child| (child, complete)));
            open.get_mut(inside..).unwrap_or_default().reverse();
        }
    })
}

/// What a request asks bodies to be cut to.
struct Limits(Vec<(String, Option<usize>)>);

impl Limits {
    fn of(request: Element<'_>) -> Self {
        let preferences = request.descendants().filter(|element| element.tag() == base::BODY_PREFERENCE);
        let read = |preference: Element<'_>| {
            let kind = preference.child_text(base::TYPE)?.trim().to_owned();
            let size = preference.child_text(base::TRUNCATION_SIZE).and_then(|size| size.trim().parse().ok());
            Some((kind, size))
        };
        Self(preferences.filter_map(read).collect())
    }

    /// The largest limit that any preference of this type gives; `None` when one of them gives none, or none is there.
    fn of_type(&self, kind: &str) -> Option<usize> {
        let mut sizes = self.0.iter().filter(|(asked, _)| asked == kind).map(|(_, size)| *size);
        let first = sizes.next()??;
        sizes.try_fold(first, |most, size| size.map(|size| most.max(size)))
    }
}

struct Seen {
    kind: String,
    bytes: usize,
    characters: usize,
    estimate: Option<usize>,
    truncated: bool,
}

impl Seen {
    /// A body that holds data in line; the rest says nothing about sizes.
    fn of(body: Element<'_>) -> Option<Self> {
        let data = body.child(base::DATA)?;
        let text = data.text();
        Some(Self {
            kind: body.child_text(base::TYPE)?.trim().to_owned(),
            bytes: data.bytes().len(),
            characters: text.chars().count(),
            estimate: body.child_text(base::ESTIMATED_DATA_SIZE).and_then(|size| size.trim().parse().ok()),
            truncated: body.child_text(base::TRUNCATED).as_deref() == Some("1"),
        })
    }

    fn slip(&self, limit: Option<usize>) -> Option<Slip> {
        if let Some(limit) = limit
            && self.characters > limit.saturating_add(slack(&self.kind))
        {
            let actual = format!("{} characters", self.characters);
            return Some(Slip::new(format!("a body of type {} cut to {limit} bytes", self.kind), actual));
        }
        if let (Some(limit), Some(estimate)) = (limit, self.estimate)
            && !self.truncated
            && limit > 0
            && (self.bytes == limit || self.characters == limit)
            && estimate > limit + limit / 4 + 64
        {
            let actual = format!("exactly {limit} of about {estimate} bytes, and no such mark");
            return Some(Slip::new("Truncated 1 in a body that is cut", actual));
        }
        let estimate = self.estimate?;
        let far_more = self.characters > estimate.saturating_mul(2).saturating_add(1024);
        (self.truncated && far_more).then(|| {
            let actual = format!("{} bytes are there, marked as a part of about {estimate}", self.bytes);
            Slip::new("a part that is smaller than the whole", actual).at_level(Level::Robust)
        })
    }
}

/// What a server may add to a cut body of this type: HTML is closed properly, the rest may end at a character or line.
fn slack(kind: &str) -> usize {
    if kind == "2" { 4096 } else { 256 }
}

/// One answer may hold hundreds of bodies; the first ones show the fault.
const MAX_TOLD: usize = 5;

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, exchange, sync_answer, sync_request};
    use super::*;

    fn judged(preference: &str, body: &str) -> usize {
        let request = sync_request(&format!(
            "<SyncKey>1</SyncKey><CollectionId>5</CollectionId><Options>\
             <BodyPreference xmlns=\"AirSyncBase\"><Type>1</Type>{preference}</BodyPreference></Options>"
        ));
        let answer = sync_answer(&format!(
            "<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status><Commands><Add><ServerId>5:1</ServerId>\
             <ApplicationData><Body xmlns=\"AirSyncBase\"><Type>1</Type>{body}</Body></ApplicationData></Add></Commands>"
        ));
        broken(&INVARIANT, &exchange("Sync", "14.1", &request, &answer)).len()
    }

    fn body(estimate: usize, truncated: &str, length: usize) -> String {
        let data = "x".repeat(length);
        format!("<EstimatedDataSize>{estimate}</EstimatedDataSize>{truncated}<Data>{data}</Data>")
    }

    const LIMIT: &str = "<TruncationSize>1000</TruncationSize>";
    const CUT: &str = "<Truncated>1</Truncated>";

    #[test]
    fn a_cut_body_is_as_long_as_asked_and_says_so() {
        assert_eq!(judged(LIMIT, &body(5000, CUT, 1000)), 0);
        assert_eq!(judged(LIMIT, &body(5000, CUT, 5000)), 1);
        assert_eq!(judged(LIMIT, &body(5000, "", 1000)), 1);
        assert_eq!(judged(LIMIT, &body(5000, "<Truncated>0</Truncated>", 1000)), 1);
    }

    #[test]
    fn what_was_fetched_in_a_sync_comes_whole() {
        let request = sync_request(
            "<SyncKey>1</SyncKey><CollectionId>5</CollectionId><Options><BodyPreference xmlns=\"AirSyncBase\"><Type>1</Type>\
             <TruncationSize>1000</TruncationSize></BodyPreference></Options>\
             <Commands><Fetch><ServerId>5:1</ServerId></Fetch></Commands>",
        );
        let answer = |place: &str| {
            let item = format!(
                "<{place}><ServerId>5:1</ServerId><Status>1</Status><ApplicationData><Body xmlns=\"AirSyncBase\"><Type>1</Type>{}</Body>\
                 </ApplicationData></{place}>",
                body(5000, "", 5000)
            );
            sync_answer(&format!(
                "<SyncKey>2</SyncKey><CollectionId>5</CollectionId><Status>1</Status><Responses>{item}</Responses>"
            ))
        };
        assert_eq!(broken(&INVARIANT, &exchange("Sync", "14.1", &request, &answer("Fetch"))).len(), 0);
        assert_eq!(broken(&INVARIANT, &exchange("Sync", "14.1", &request, &answer("Add"))).len(), 1);
    }

    #[test]
    fn a_whole_body_and_an_estimate_pass() {
        assert_eq!(judged(LIMIT, &body(900, "", 700)), 0);
        assert_eq!(judged(LIMIT, &body(1000, "", 1000)), 0);
        assert_eq!(judged("", &body(5000, "", 5000)), 0);
        assert_eq!(judged("", &body(3000, "", 1000)), 0);
    }

    #[test]
    fn a_part_larger_than_the_whole_is_odd() {
        assert_eq!(judged("", &body(100, CUT, 5000)), 1);
        assert_eq!(judged("", &body(100, CUT, 120)), 0);
    }
}
