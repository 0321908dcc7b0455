use std::net::SocketAddr;
use std::time::Duration;

use easrig_exchange::{ExchangeNumber, Failure, Outcome, Phase, Request, Response, Times, Timestamp, TlsSession};

use super::head;
use super::message::Message;
use super::request_url;
use crate::import::Found;
use crate::tcp::{Both, Context, Side};
use crate::{Gap, GapKind, ImportError, Skip};

/// Between whom a conversation is, and over what.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) pair: Both<SocketAddr>,
    pub(crate) client: Side,
    pub(crate) secure: bool,
    /// What the TLS handshake agreed on.
    pub(crate) tls: Option<TlsSession>,
}

impl Link {
    /// Hands on a request with its answer.
    pub(crate) fn answered(
        &self,
        request: Message,
        answer: Message,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let since = |at: Timestamp| u64::try_from(at.0.saturating_sub(request.begun.0)).unwrap_or(0);
        let times =
            Times { connected: None, secured: None, first_byte: Some(since(answer.begun)), done: since(answer.done) };
        if answer.cut.is_some() {
            let number = Some(context.out.upcoming());
            self.gap(self.client.other(), answer.done, GapKind::AnswerCut, number, context);
        }
        let response = Response {
            status: answer.head.status,
            reason: answer.head.reason,
            headers: answer.head.headers,
            body: answer.body,
            cut: answer.cut,
        };
        self.exchange(
            request.head,
            request.body,
            request.begun,
            Outcome::Answered(response),
            times,
            request.cut,
            context,
        )
    }

    /// Hands on a request that has no answer.
    pub(crate) fn unanswered(
        &self,
        request: Message,
        ending: Ending,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let waited = |end: Timestamp| u64::try_from(end.0.saturating_sub(request.begun.0)).unwrap_or(0);
        let (failure, done) = match ending {
            Ending::Closed => (Failure::Closed, request.done),
            Ending::Cancelled(at) => (Failure::Cancelled, at.max(request.done)),
            Ending::CaptureEnds(end) => {
                let seconds = Duration::from_micros(waited(end)).as_secs();
                (Failure::Timeout { phase: Phase::FirstByte, seconds }, end)
            }
            Ending::Lost => (Failure::NotHttp { detail: "it is missing from the capture".to_owned() }, request.done),
        };
        if !matches!(ending, Ending::Closed | Ending::Cancelled(_)) {
            let number = Some(context.out.upcoming());
            self.gap(self.client.other(), done, GapKind::Answer, number, context);
        }
        let times = Times { done: waited(done), ..Times::default() };
        let Message { head, body, begun, cut, .. } = request;
        self.exchange(head, body, begun, Outcome::Failed(failure), times, cut, context)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an exchange, taken apart by both callers")]
    fn exchange(
        &self,
        head: head::Head,
        body: Vec<u8>,
        started: Timestamp,
        outcome: Outcome,
        times: Times,
        cut: Option<String>,
        context: &mut Context<'_, '_, '_>,
    ) -> Result<(), ImportError> {
        let server = self.pair.of(self.client.other());
        let Some(url) = request_url(&head.target, &head.headers, server, self.secure) else {
            context.out.tally.skip(Skip::BadUrl);
            return Ok(());
        };
        if cut.is_some() {
            let number = Some(context.out.upcoming());
            self.gap(self.client, started, GapKind::RequestCut, number, context);
        }
        let request = Request { method: head.method, url, headers: head.headers, body };
        context.out.exchange(Found { started, request, outcome, times, tls: self.tls.clone() })
    }

    /// Notes what is missing on a side.
    pub(crate) fn gap(
        &self,
        side: Side,
        at: Timestamp,
        what: GapKind,
        exchange: Option<ExchangeNumber>,
        context: &mut Context<'_, '_, '_>,
    ) {
        let stream = format!("{} > {}", self.pair.of(side), self.pair.of(side.other()));
        context.out.tally.gap(Gap { stream, at, what, exchange });
    }
}

/// How a request came to have no answer.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    Closed,
    /// The device gave the request up.
    Cancelled(Timestamp),
    CaptureEnds(Timestamp),
    Lost,
}
