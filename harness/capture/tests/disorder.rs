//! Captures with a known content, put out of order as networks do it: everything that is in them is found.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufReader, Cursor};
use std::path::PathBuf;

use easrig_capture::export::PcapngWriter;
use easrig_capture::{KeyLog, Options, Tally, import};
use easrig_exchange::Exchange;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../captures", name].iter().collect()
}

fn options() -> Options {
    let key_log = KeyLog::read(BufReader::new(fs::File::open(path("tls12.keys")).unwrap())).unwrap();
    Options { key_log, ..Options::default() }
}

fn read(bytes: &[u8]) -> (Vec<Exchange>, Tally) {
    let mut found = Vec::new();
    let tally = import(Cursor::new(bytes), &options(), &mut |exchange| {
        found.push(exchange);
        Ok(())
    });
    (found, tally.unwrap())
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// The blocks of a pcapng.
fn blocks(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut blocks = Vec::new();
    while rest.len() >= 12 {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let Some((block, behind)) = rest.split_at_checked(length) else { break };
        blocks.push(block);
        rest = behind;
    }
    blocks
}

/// 2 % of the packets come up to four places late, 1 % come twice; handshakes (the first packets) stay.
fn disordered(capture: &[u8], seed: u64) -> Vec<u8> {
    let (mut dice, mut blocks) = (Dice(seed), blocks(capture));
    let is_packet = |block: &[u8]| block[0] == 6;
    for at in 0..blocks.len().saturating_sub(5) {
        let to = at + 1 + dice.below(4) as usize;
        if dice.below(50) == 0 && blocks[at..=to].iter().all(|block| is_packet(block)) {
            blocks[at..=to].rotate_left(1);
        }
    }
    let mut out = Vec::new();
    for block in blocks {
        out.extend_from_slice(block);
        if is_packet(block) && dice.below(100) == 0 {
            out.extend_from_slice(block);
        }
    }
    out
}

/// What two readings of the same traffic must have in common: arrival decides times and numbers, and the order of streams.
fn contents(exchanges: &[Exchange]) -> Vec<String> {
    let mut contents: Vec<_> =
        exchanges.iter().map(|exchange| format!("{:?} {:?}", exchange.request, exchange.outcome)).collect();
    contents.sort();
    contents
}

#[test]
fn two_percent_out_of_order_and_one_percent_twice_lose_nothing() {
    for name in ["plain-disordered.pcapng", "cooked.pcapng", "tls12.pcapng", "tls13-retry.pcapng", "h2-tls13.pcapng"] {
        let capture = fs::read(path(name)).unwrap();
        let truth = contents(&read(&capture).0);
        for seed in 0..40 {
            let (found, tally) = read(&disordered(&capture, seed));
            assert_eq!(contents(&found), truth, "{name}, seed {seed}: {tally}");
            assert_eq!(tally.gap_count, 0, "{name}, seed {seed}: {tally}");
        }
    }
}

#[test]
fn a_cut_tail_costs_nothing_that_stands_before_it() {
    let (exchanges, _) = read(&fs::read(path("tls12.pcapng")).unwrap());
    let mut writer = PcapngWriter::new(Vec::new(), "0").unwrap();
    let mut ends = Vec::new();
    for exchange in &exchanges {
        writer.write(exchange, "", "").unwrap();
    }
    let capture = writer.finish().unwrap();
    // An exchange is whole once the last packet of its connection has passed: the third one that closes it.
    let (mut at, mut last_port) = (0, None);
    for block in blocks(&capture) {
        if block[0] == 6 {
            let ports: Vec<u16> = [62, 64].map(|place| u16::from_be_bytes([block[place], block[place + 1]])).into();
            let port = ports.into_iter().find(|port| *port != 80);
            if port != last_port && last_port.is_some() {
                ends.push(at);
            }
            last_port = port;
        }
        at += block.len();
    }
    ends.push(at);
    assert_eq!(ends.len(), exchanges.len());
    let mut dice = Dice(7);
    for _ in 0..60 {
        let cut = 200 + dice.below(capture.len() as u64 - 200) as usize;
        let (found, tally) = read(&capture[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert!(found.len() >= whole, "cut at {cut}: {} of {whole}", found.len());
        for (found, known) in found.iter().zip(&exchanges).take(whole) {
            assert_eq!((&found.request.body, &found.outcome), (&known.request.body, &known.outcome), "cut at {cut}");
        }
        let rest_is_named =
            found.iter().skip(whole).all(|one| tally.gaps.iter().any(|gap| gap.exchange == Some(one.number)));
        let is_last_whole = found.get(whole).is_some_and(|one| one.outcome == exchanges[whole].outcome);
        assert!(rest_is_named || is_last_whole, "cut at {cut}: {tally}");
    }
}

#[test]
fn a_torn_tail_costs_only_what_ends_behind_it_plain_and_tls() {
    for name in ["plain-disordered.pcapng", "tls12.pcapng", "tls13-keys-inside.pcapng", "h2-tls13.pcapng"] {
        let capture = disordered(&fs::read(path(name)).unwrap(), 5);
        let (all, _) = read(&capture);
        let end = |exchange: &Exchange| exchange.started.0 + i64::try_from(exchange.times.done).unwrap();
        let (sent, mut dice, mut whole) = (times(&capture), Dice(3), 0);
        for _ in 0..25 {
            let cut = capture.len() / 4 + dice.below(capture.len() as u64 * 3 / 4) as usize;
            let seen = times(&capture[..cut]);
            let (found, tally) = read(&capture[..cut]);
            // An exchange is done with the packet that has its last byte; one before it may come a little later.
            let is_there = |known: &&Exchange| {
                let behind = sent.range(end(known) + 1..).take(4);
                sent.range(..=end(known)).chain(behind).all(|at| seen.contains(at))
            };
            for known in all.iter().filter(is_there) {
                whole += 1;
                let same = |one: &&Exchange| one.request == known.request && one.outcome == known.outcome;
                assert!(found.iter().any(|one| same(&one)), "{name} cut at {cut}: {:?}, {tally}", known.request.url);
            }
            for one in &found {
                let is_known = all.iter().any(|known| known.request == one.request && known.outcome == one.outcome);
                let is_named = tally.gaps.iter().any(|gap| gap.exchange == Some(one.number));
                assert!(is_known || is_named, "{name} cut at {cut}: {one:?}");
            }
        }
        assert!(whole > 25, "{name}: {whole}");
    }
}

/// When the packets of a capture were seen, in microseconds.
fn times(capture: &[u8]) -> BTreeSet<i64> {
    let time = |packet: &[u8]| {
        let word = |at: usize| i64::from(u32::from_le_bytes(packet[at..at + 4].try_into().unwrap()));
        word(12) << 32 | word(16)
    };
    blocks(capture).into_iter().filter(|block| block[0] == 6).map(time).collect()
}
