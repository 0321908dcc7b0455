use std::{collections::BTreeSet, ops::Range};

use crate::{
    model::{Need, Role, Start},
    syntax::At,
    variables::{BadReference, FOLDERS, Piece, Reference, pieces},
};

use super::{
    Check, ProblemKind,
    problem::{nearest, roles},
};

/// The variables that can have a value at a point of the file.
pub(super) struct Scope {
    common: BTreeSet<String>,
    of_role: BTreeSet<String>,
    saved: BTreeSet<String>,
    partner: bool,
    /// Names of background steps under way.
    pub(super) background: BTreeSet<String>,
}

impl Scope {
    pub(super) fn new(start: Start, needs: &[Need]) -> Self {
        let partner = needs.contains(&Need::Partner);
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let mut common = owned(&["tag", "unique", "user", "address"]);
        if partner {
            common.extend(owned(&["partner_user", "partner_address"]));
        }
        let mut of_role = owned(&["device_id", "policy_key"]);
        if start >= Start::Foldered {
            of_role.insert("folder_key".to_owned());
            of_role.extend(FOLDERS.iter().map(|(name, _)| (*name).to_owned()));
        }
        if start >= Start::Synced {
            of_role.insert("inbox_key".to_owned());
        }
        Self { common, of_role, saved: BTreeSet::new(), partner, background: BTreeSet::new() }
    }

    /// From here on every step may have been cut short, so nothing is under way any more.
    pub(super) fn enter_cleanup(&mut self) {
        self.background.clear();
    }

    pub(super) fn save(&mut self, name: &str) {
        self.saved.insert(name.to_owned());
    }

    /// `{subject}` or `{attachment}` has a value from here on.
    pub(super) fn provide(&mut self, name: &str) {
        self.common.insert(name.to_owned());
    }

    fn knows(&self, role: Option<Role>, name: &str) -> bool {
        let own = self.of_role.contains(name) || self.saved.contains(name);
        own || (role.is_none() && self.common.contains(name))
    }

    fn why_not(&self, name: &str) -> Option<String> {
        let later = FOLDERS.iter().any(|(folder, _)| *folder == name) || name == "folder_key";
        match name {
            _ if later => Some("folders are known from `start = \"foldered\"`".to_owned()),
            "inbox_key" => Some("it is known from `start = \"synced\"`".to_owned()),
            "partner_user" | "partner_address" if !self.partner => {
                Some("add `needs = [\"partner\"]` at the top of the file".to_owned())
            }
            "subject" => Some("no step before this one names a subject".to_owned()),
            "attachment" => Some("no step before this one makes an attachment".to_owned()),
            _ => {
                let known = self.common.iter().chain(&self.of_role).chain(&self.saved).map(String::as_str);
                Some(nearest(name, known.chain(["now"])).map_or_else(
                    || format!("no step before this one has `save = \"{name}\"`"),
                    |like| format!("did you mean `{{{like}}}`?"),
                ))
            }
        }
    }
}

impl Check<'_> {
    /// A text that may hold variables, checked.
    pub(super) fn template(&mut self, text: &At<String>) -> String {
        self.template_at(&text.span(), text.get());
        text.get().clone()
    }

    pub(super) fn template_opt(&mut self, text: Option<&At<String>>) -> Option<String> {
        text.map(|text| self.template(text))
    }

    /// Checks the variables of `text`, which stands at `whole`.
    pub(super) fn template_at(&mut self, whole: &Range<usize>, text: &str) {
        for piece in pieces(text) {
            let (range, kind) = match piece {
                Piece::Text(_) => continue,
                Piece::Unclosed { at } => (at..at + 1, Some(ProblemKind::OpenBrace)),
                Piece::Reference { name, range } => (range, self.reference(name)),
            };
            if let Some(kind) = kind {
                let span = self.inside(whole, text, range);
                self.problem_at(span, kind);
            }
        }
    }

    fn reference(&mut self, written: &str) -> Option<ProblemKind> {
        match Reference::parse(written) {
            Ok(Reference::Now(_)) => None,
            Ok(Reference::Name { role, name }) if self.scope.knows(role, name) => {
                let folder = FOLDERS.iter().find(|(folder, _)| *folder == name && !self.scope.saved.contains(name));
                if let Some((folder, _)) = folder {
                    let named = (role.unwrap_or(self.role), *folder);
                    if !self.folders.contains(&named) {
                        self.folders.push(named);
                    }
                }
                None
            }
            Ok(Reference::Name { name, .. }) => {
                Some(ProblemKind::UnknownVariable { name: written.to_owned(), help: self.scope.why_not(name) })
            }
            Err(BadReference::Role(role)) => {
                let help = Some(format!("`{role}` is no role; the roles are {}", roles()));
                Some(ProblemKind::UnknownVariable { name: written.to_owned(), help })
            }
            Err(BadReference::Name | BadReference::Now) => Some(ProblemKind::BadVariable { text: written.to_owned() }),
        }
    }
}

/// `text` with every variable replaced by as many zeros as it has bytes, so that places stay the same.
pub(super) fn with_zeros(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            // The piece is one brace where the text has two.
            Piece::Text("{") => out.push_str("{{"),
            Piece::Text(text) => out.push_str(text),
            Piece::Reference { range, .. } => {
                // The bytes of an opaque part are pairs of digits; white space between them does not count.
                let layout = usize::from(out.ends_with("<?opaque ")) * (range.len() % 2);
                out.extend(std::iter::repeat_n('0', range.len() - layout).chain(std::iter::repeat_n(' ', layout)));
            }
            Piece::Unclosed { at } => out.push_str(text.get(at..).unwrap_or_default()),
        }
    }
    out
}
