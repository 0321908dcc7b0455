//! Prints the megabytes of WBXML that one core handles per second of CPU time: `throughput MODE SECONDS FILE...`.
//!
//! Modes: `events`, `tree`, `xml`, `encode`, and the floors `walk`, `naive-tree`, `scan`. `benches/peers` compares them.

#[path = "../benches/floor/mod.rs"]
mod floor;

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use cpu_time::ProcessTime;
use easrig_wbxml::{Decoder, Document, Event, xml};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(mode), Some(seconds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: throughput MODE SECONDS FILE...".into());
    };
    let time = Duration::from_secs_f64(seconds.parse()?);
    let files = arguments.map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let trees = files.iter().map(|bytes| Document::decode(bytes)).collect::<Result<Vec<_>, _>>()?;
    let rate = match mode.as_str() {
        "events" => measure(time, || files.iter().map(|bytes| events(black_box(bytes))).sum()),
        "tree" => measure(time, || {
            files.iter().map(|bytes| black_box(Document::decode(bytes)).map_or(0, |_| bytes.len())).sum()
        }),
        "xml" => measure(time, || {
            files.iter().map(|bytes| black_box(xml::from_wbxml(bytes)).map_or(0, |_| bytes.len())).sum()
        }),
        "encode" => measure(time, || trees.iter().map(|tree| black_box(tree.encode()).len()).sum()),
        "walk" => measure(time, || files.iter().map(|bytes| walk(black_box(bytes))).sum()),
        "naive-tree" => measure(time, || files.iter().map(|bytes| naive_tree(black_box(bytes))).sum()),
        "scan" => measure(time, || {
            files
                .iter()
                .map(|bytes| {
                    black_box(floor::scan(black_box(bytes)));
                    bytes.len()
                })
                .sum()
        }),
        other => return Err(format!("unknown mode `{other}`").into()),
    };
    println!("{rate:.1}");
    Ok(())
}

/// Repeats `work`, which says how many bytes it handled, and gives megabytes per second of CPU time.
fn measure(time: Duration, mut work: impl FnMut() -> usize) -> f64 {
    work();
    let (start, mut bytes) = (ProcessTime::now(), 0_usize);
    while start.elapsed() < time {
        bytes += work();
    }
    bytes as f64 / start.elapsed().as_secs_f64() / 1e6
}

/// Like the floor's visitor: adds up what it is shown.
fn events(bytes: &[u8]) -> usize {
    let (mut decoder, mut seen) = (Decoder::new(bytes), 0_usize);
    while let Ok(Some(event)) = decoder.next_event() {
        seen += match event {
            Event::Start { tag, .. } => usize::from(tag.token()) + usize::from(tag.page()),
            Event::End => 0,
            Event::Text(text) => text.len(),
            Event::Opaque(bytes) => bytes.len(),
        };
    }
    black_box(seen);
    bytes.len()
}

fn walk(bytes: &[u8]) -> usize {
    let mut seen = 0_usize;
    let elements = floor::walk(bytes, |tag, text| seen += usize::from(tag) + text.len());
    black_box((elements, seen));
    bytes.len()
}

fn naive_tree(bytes: &[u8]) -> usize {
    let tree = floor::tree(bytes);
    black_box(tree.map(|node| (node.tag, node.text, node.children.len())));
    bytes.len()
}
