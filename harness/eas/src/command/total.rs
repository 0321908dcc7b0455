//! Every command reads every document without a panic, and reads again what it wrote.

use easrig_wbxml::{Builder, Document, Tag};
use proptest::prelude::*;

use super::*;
use crate::schema::{Direction, check};

/// Steps of a document: a tag, of the root's own page or not, whether it is a leaf, opens or closes, and its text.
type Step = (prop::sample::Index, bool, u8, String);

fn document() -> impl Strategy<Value = Document> {
    let text = prop_oneof![Just(String::new()), "[0-9]{1,12}", "[a-z0-9 -]{0,12}"];
    let step = (any::<prop::sample::Index>(), any::<bool>(), 0..3_u8, text);
    (any::<prop::sample::Index>(), prop::collection::vec(step, 0..60)).prop_map(|(root, steps)| build(root, &steps))
}

fn build(root: prop::sample::Index, steps: &[Step]) -> Document {
    let tags: Vec<Tag> = PAGES.into_iter().flat_map(page).collect();
    let is_root = |tag: &Tag| tag.name().is_some_and(|name| name.parse::<Command>().is_ok());
    let roots: Vec<Tag> = tags.iter().copied().filter(is_root).collect();
    let root = roots[root.index(roots.len())];
    let own: Vec<Tag> = page(root.page()).collect();
    let (mut out, mut depth) = (Builder::new(root), 0);
    for (index, near, step, text) in steps {
        let list = if *near { &own } else { &tags };
        let tag = list[index.index(list.len())];
        match step {
            0 => {
                out.leaf(tag, text);
            }
            1 => {
                out.open(tag);
                depth += 1;
            }
            _ if depth > 0 => {
                out.close();
                depth -= 1;
            }
            _ => {}
        }
    }
    out.finish()
}

/// The pages of the commands, so that documents come close to real ones.
const PAGES: [u8; 15] = [0, 5, 6, 7, 8, 10, 11, 13, 14, 15, 17, 18, 20, 21, 25];

fn page(page: u8) -> impl Iterator<Item = Tag> {
    (0x05..=0x3F).map(move |token| Tag::new(page, token)).filter(|tag| tag.name().is_some())
}

macro_rules! reads_what_it_wrote {
    ($document:expr, $version:expr, $($module:ident),+) => {$(
        if let Ok(request) = $module::Request::from_document($document, $version) {
            let written = request.to_document($version);
            let again = $module::Request::from_document(&written, $version);
            prop_assert_eq!(again.map(|again| again.to_document($version)), Ok(written));
        }
        if let Ok(response) = $module::Response::from_document($document, $version) {
            let written = response.to_document($version);
            let again = $module::Response::from_document(&written, $version);
            prop_assert_eq!(again.map(|again| again.to_document($version)), Ok(written));
        }
    )+};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_document_makes_a_command_panic(document in document(), version in prop::sample::select(&Version::ALL)) {
        reads_what_it_wrote!(
            &document, version, find, folder_create, folder_delete, folder_sync, folder_update, get_item_estimate,
            item_operations, meeting_response, move_items, ping, provision, resolve_recipients, search, send_mail,
            settings, sync, validate_cert
        );
    }

    #[test]
    fn no_document_makes_the_judge_panic(document in document(), version in prop::sample::select(&Version::ALL)) {
        for command in Command::all() {
            check(&document, command, Direction::Request, version);
            check(&document, command, Direction::Answer, version);
        }
    }
}
