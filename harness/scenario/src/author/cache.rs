use easrig_eas::Command;
use easrig_wbxml::{Builder, Document, Element};

use super::told::{named, value, within};
use crate::{
    Decoded,
    difference::{Owned, owned},
};

/// The requests that the recorded server has in mind, so that the device need not send them again.
#[derive(Debug, Default)]
pub(super) struct Cache {
    count: u64,
    /// The last Sync as meant.
    sync: Option<Kept>,
    /// The Sync that the last one was completed from.
    before: Option<Kept>,
    ping: Option<Kept>,
}

/// A request that was sent in full, or as it was completed.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Which one.
    pub(super) number: u64,
    /// What it says.
    pub(super) document: Document,
}

/// How much of a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// Everything.
    Whole,
    /// What is other than before.
    Part,
    /// No body.
    Empty,
}

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::Empty => "empty",
        }
    }
}

impl Cache {
    /// Takes in what a request says.
    pub(super) fn learn(&mut self, decoded: &Decoded) {
        let Some(document) = decoded.request.document() else { return };
        match decoded.command() {
            Some(Command::Sync) => {
                self.before.clone_from(&self.sync);
                let meant = match (form(decoded), &self.sync) {
                    (Form::Part, Some(before)) => completed(document.root(), before.document.root()),
                    (Form::Part, None) => return,
                    _ => document.clone(),
                };
                self.sync = Some(self.kept(meant));
            }
            Some(Command::Ping) => {
                let meant = match (form(decoded), &self.ping) {
                    (Form::Part, Some(before)) => both(document.root(), before.document.root()),
                    _ => document.clone(),
                };
                self.ping = Some(self.kept(meant));
            }
            _ => {}
        }
    }

    fn kept(&mut self, document: Document) -> Kept {
        self.count += 1;
        Kept { number: self.count, document }
    }

    /// The last Sync as meant.
    pub(super) fn sync(&self) -> Option<&Kept> {
        self.sync.as_ref()
    }

    /// The Sync that the server had in mind when the last one of this form came.
    pub(super) fn sync_before(&self, form: Form) -> Option<&Kept> {
        if form == Form::Part { self.before.as_ref() } else { self.sync.as_ref() }
    }

    /// The last Ping as meant.
    pub(super) fn ping(&self) -> Option<&Kept> {
        self.ping.as_ref()
    }
}

/// How much of it a request says.
pub(super) fn form(decoded: &Decoded) -> Form {
    let Some(root) = decoded.request.root() else { return Form::Empty };
    let is_part = match decoded.command() {
        Some(Command::Ping) => named(root, "Folders").is_none() || named(root, "HeartbeatInterval").is_none(),
        _ => named(root, "Partial").is_some(),
    };
    if is_part { Form::Part } else { Form::Whole }
}

/// For how many seconds a Sync asks the server to wait.
pub(super) fn wait_s(root: Element<'_>) -> Option<u32> {
    let number = |name: &str| value(root, name).and_then(|text| text.parse::<u32>().ok());
    number("HeartbeatInterval").or_else(|| number("Wait").map(|minutes| minutes.saturating_mul(60)))
}

/// The request without its changes, with keys that are no first ones, and waiting no longer than `most` seconds; with 0 it
/// does not wait.
pub(super) fn again(root: Element<'_>, most: u32) -> Document {
    let mut builder = Builder::new(root.tag());
    copy(&mut builder, root, most, true);
    builder.finish()
}

/// The request, waiting no longer than `most` seconds.
pub(super) fn shortened(root: Element<'_>, most: u32) -> Document {
    let mut builder = Builder::new(root.tag());
    copy(&mut builder, root, most, false);
    builder.finish()
}

/// Depth is bounded by the decoder.
fn copy(builder: &mut Builder, element: Element<'_>, most: u32, is_repeat: bool) {
    for child in element.children() {
        let (tag, name) = (child.tag(), child.tag().name().unwrap_or_default());
        let number = child.text().trim().parse::<u32>().unwrap_or(u32::MAX);
        match name {
            "Commands" if is_repeat => {}
            "Wait" | "HeartbeatInterval" if most == 0 => {}
            "Wait" if most < number.saturating_mul(60) => {
                builder.leaf(tag, &(most / 60).max(1).to_string());
            }
            "HeartbeatInterval" if most < number => {
                builder.leaf(tag, &most.to_string());
            }
            "SyncKey" if is_repeat && owned(tag) == Some(Owned::SyncKey) => {
                builder.leaf(tag, "repeated");
            }
            _ if child.has_content() && !child.is_leaf() => {
                builder.open(tag);
                copy(builder, child, most, is_repeat);
                builder.close();
            }
            _ => {
                builder.append(child);
            }
        }
    }
}

/// A partial Sync, completed from the one before.
fn completed(asked: Element<'_>, before: Element<'_>) -> Document {
    let mut builder = Builder::new(asked.tag());
    let new: Vec<_> = within(asked, &["Collections", "Collection"]).collect();
    let ids: Vec<_> = new.iter().filter_map(|one| value(*one, "CollectionId")).collect();
    let is_old = |one: &Element<'_>| value(*one, "CollectionId").is_some_and(|id| !ids.contains(&id));
    if let Some(collections) = named(before, "Collections").or_else(|| named(asked, "Collections")) {
        builder.open(collections.tag());
        new.iter().for_each(|one| {
            builder.append(*one);
        });
        within(before, &["Collections", "Collection"]).filter(is_old).for_each(|one| {
            builder.append(one);
        });
        builder.close();
    }
    let waits = |root: Element<'_>| named(root, "Wait").is_some() || named(root, "HeartbeatInterval").is_some();
    let with_wait = if waits(asked) { asked } else { before };
    for name in ["Wait", "HeartbeatInterval"] {
        named(with_wait, name).into_iter().for_each(|one| {
            builder.append(one);
        });
    }
    named(asked, "WindowSize").or_else(|| named(before, "WindowSize")).into_iter().for_each(|one| {
        builder.append(one);
    });
    builder.finish()
}

/// What either says; the first counts.
fn both(asked: Element<'_>, before: Element<'_>) -> Document {
    let mut builder = Builder::new(asked.tag());
    for name in ["HeartbeatInterval", "Folders"] {
        if let Some(one) = named(asked, name).or_else(|| named(before, name)) {
            builder.append(one);
        }
    }
    builder.finish()
}
