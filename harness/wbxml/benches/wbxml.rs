//! Decode and encode on the two sets of the corpus, with the trivial walk as a floor: `cargo bench -p easrig-wbxml`.

mod floor;

use std::path::PathBuf;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use easrig_wbxml::{Decoder, Document, xml};

fn main() {
    divan::main();
}

/// Four Sync responses of fifty mails each, or everything else: many small elements.
#[derive(Clone, Copy, Debug)]
enum Set {
    Mail,
    Dense,
}

const SETS: [Set; 2] = [Set::Mail, Set::Dense];

impl Set {
    fn load(self) -> Vec<Vec<u8>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("the corpus lies beside the tests")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "wbxml"))
            .filter(|path| is_mail(path) == matches!(self, Set::Mail))
            .collect();
        files.sort();
        files.iter().map(|path| std::fs::read(path).expect("a listed file can be read")).collect()
    }
}

fn is_mail(path: &std::path::Path) -> bool {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    name.strip_prefix("rsp_sync_mail_").is_some_and(|rest| rest.len() == 1)
}

fn per_set<R>(bencher: Bencher, set: Set, work: impl Fn(&[u8]) -> R + Sync) {
    let files = set.load();
    let bytes: usize = files.iter().map(Vec::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for file in &files {
            black_box(work(black_box(file)));
        }
    });
}

#[divan::bench(args = SETS)]
fn floor_walk(bencher: Bencher, set: Set) {
    per_set(bencher, set, |bytes| {
        let mut seen = 0_usize;
        let elements = floor::walk(bytes, |tag, text| seen += usize::from(tag) + text.len());
        (elements, seen)
    });
}

#[divan::bench(args = SETS)]
fn floor_naive_tree(bencher: Bencher, set: Set) {
    per_set(bencher, set, |bytes| {
        floor::tree(bytes).map(|node| (node.tag, node.text.map(str::len), node.children.len()))
    });
}

#[divan::bench(args = SETS)]
fn floor_scan(bencher: Bencher, set: Set) {
    per_set(bencher, set, floor::scan);
}

#[divan::bench(args = SETS)]
fn events(bencher: Bencher, set: Set) {
    per_set(bencher, set, |bytes| {
        let (mut decoder, mut count) = (Decoder::new(bytes), 0_usize);
        while let Ok(Some(event)) = decoder.next_event() {
            black_box(event);
            count += 1;
        }
        count
    });
}

#[divan::bench(args = SETS)]
fn tree(bencher: Bencher, set: Set) {
    per_set(bencher, set, |bytes| Document::decode(bytes).is_ok());
}

#[divan::bench(args = SETS)]
fn to_xml(bencher: Bencher, set: Set) {
    per_set(bencher, set, |bytes| xml::from_wbxml(bytes).map_or(0, |text| text.len()));
}

#[divan::bench(args = SETS)]
fn from_xml(bencher: Bencher, set: Set) {
    let texts: Vec<String> = set.load().iter().filter_map(|bytes| xml::from_wbxml(bytes).ok()).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for text in &texts {
            black_box(xml::to_wbxml(black_box(text))).ok();
        }
    });
}

#[divan::bench(args = SETS)]
fn encode(bencher: Bencher, set: Set) {
    let trees: Vec<Document> = set.load().iter().filter_map(|bytes| Document::decode(bytes).ok()).collect();
    let bytes: usize = trees.iter().map(|tree| tree.encode().len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for tree in &trees {
            black_box(black_box(tree).encode());
        }
    });
}
