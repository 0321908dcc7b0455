//! Scrubbing a Sync answer of mails, both passes: `cargo bench -p easrig-exchange`. Whole files: `harness/cli/benches/scrub.sh`.

use divan::{Bencher, counter::BytesCount};
use easrig_exchange::{
    Exchange, ExchangeNumber, Headers, Origin, Outcome, Request, Response, Scrubber, Sender, Times, Timestamp,
};
use easrig_wbxml::{Builder, tags};

fn main() {
    divan::main();
}

/// How many mails one answer brings.
const MAILS: usize = 50;

/// The same words again and again, as in most mail of one mailbox.
#[divan::bench]
fn known_words(bencher: Bencher<'_, '_>) {
    scrub(bencher, |_| 0);
}

/// Another name, number and address in each mail.
#[divan::bench]
fn new_words(bencher: Bencher<'_, '_>) {
    scrub(bencher, |mail| mail);
}

fn scrub(bencher: Bencher<'_, '_>, person: impl Fn(usize) -> usize) {
    let exchange = exchange(person);
    let Outcome::Answered(response) = &exchange.outcome else { unreachable!("it was made with an answer") };
    bencher.counter(BytesCount::new(response.body.len())).bench_local(|| {
        let mut scrubber = Scrubber::new([7; 32]);
        scrubber.learn(&exchange).expect("few names");
        scrubber.scrub(exchange.clone()).expect("few names")
    });
}

fn exchange(person: impl Fn(usize) -> usize) -> Exchange {
    let mut document = Builder::new(tags::air_sync::SYNC);
    for mail in 0..MAILS {
        let person = person(mail);
        let text = format!(
            "<html><body><p>Dear Robin,</p><p>please ring person{person} at +49 30 55{person:05}-0 about the order, or write \
             to <a href=\"mailto:p{person}@corp.example\">p{person}@corp.example</a>.</p><table><tr><td>1</td></tr></table>{}",
            "<p>The parcel was sent on Monday and should be with you by the end of the week.</p>".repeat(40)
        );
        document
            .open(tags::air_sync::APPLICATION_DATA)
            .leaf(tags::email::FROM, &format!("\"Person {person}\" <p{person}@corp.example>"))
            .leaf(tags::email::SUBJECT, "About the order")
            .open(tags::air_sync_base::BODY)
            .leaf(tags::air_sync_base::TYPE, "2")
            .leaf(tags::air_sync_base::DATA, &text)
            .close()
            .close();
    }
    let headers: Headers = [("Content-Type", "application/vnd.ms-sync.wbxml")].into_iter().collect();
    let url = "https://mail.corp.example/Microsoft-Server-ActiveSync?Cmd=Sync&User=robin&DeviceId=ABC123&DeviceType=WP";
    Exchange {
        number: ExchangeNumber(1),
        origin: Origin::Imported,
        sender: Sender::default(),
        started: Timestamp(0),
        request: Request {
            method: "POST".to_owned(),
            url: url.parse().expect("it is a URL"),
            headers: headers.clone(),
            body: Vec::new(),
        },
        outcome: Outcome::Answered(Response {
            status: 200,
            reason: "OK".to_owned(),
            headers,
            body: document.finish().encode(),
            cut: None,
        }),
        times: Times::default(),
        tls: None,
    }
}
