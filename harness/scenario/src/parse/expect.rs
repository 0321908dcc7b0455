use std::{ops::Range, time::Duration};

use regex_lite::Regex;

use crate::{
    model::{Alternative, Count, ElementExpect, Expect, HeaderExpect, OwnerExpect, PartExpect, Test},
    path::Path,
    syntax::{At, ElementSyntax, ExpectSyntax, HeaderSyntax, OwnerSyntax, PartSyntax, Scalar},
};

use super::{Check, ProblemKind};

impl Check<'_> {
    pub(super) fn expect(&mut self, whole: &At<ExpectSyntax>) -> Expect {
        if let Some(name) = &whole.get().name {
            let place = "`[step.expect]`".to_owned();
            self.problem(name, ProblemKind::Misplaced { key: "name", place, allowed: EXPECT_KEYS.to_vec() });
        }
        self.expectations(whole)
    }

    pub(super) fn alternative(&mut self, whole: &At<ExpectSyntax>, place: &str) -> Alternative {
        let name = whole.get().name.as_ref().map(|name| name.get().clone()).unwrap_or_else(|| {
            let span = whole.span();
            self.problem_at(span.start..span.start + 1, ProblemKind::Missing { key: "name", place: place.to_owned() });
            String::new()
        });
        Alternative { name, expect: self.expectations(whole) }
    }

    fn expectations(&mut self, whole: &At<ExpectSyntax>) -> Expect {
        let syntax = whole.get();
        let numbers = |list: &Option<At<crate::syntax::OneOrMany<u16>>>| {
            list.as_ref().map(|list| list.get().0.clone()).unwrap_or_default()
        };
        Expect {
            http: numbers(&syntax.http),
            status: numbers(&syntax.status),
            empty: syntax.empty,
            root: syntax.root.as_ref().map(|root| {
                self.path(root);
                root.get().clone()
            }),
            elements: syntax.element.iter().filter_map(|element| self.element(element)).collect(),
            headers: syntax.header.iter().map(|header| self.header(header.get())).collect(),
            parts: syntax.parts.map(|parts| usize::try_from(parts).unwrap_or(usize::MAX)),
            part: syntax.part.iter().map(|part| self.part(part.get())).collect(),
            within: syntax.within_s.map(|seconds| Duration::from_secs(u64::from(seconds))),
            owner: syntax.owner.iter().filter_map(|owner| self.owner(owner)).collect(),
            error: syntax.error.as_ref().map(|error| error.get().clone()),
        }
    }

    fn path(&mut self, at: &At<String>) -> Option<Path> {
        match Path::parse(at.get()) {
            Ok(path) => {
                for template in path.templates() {
                    self.template_at(&at.span(), template);
                }
                Some(path)
            }
            Err(error) => {
                let span = self.inside(&at.span(), at.get(), error.range);
                self.problem_at(span, ProblemKind::BadPath(error.kind));
                None
            }
        }
    }

    fn element(&mut self, whole: &At<ElementSyntax>) -> Option<ElementExpect> {
        let syntax = whole.get();
        let at = self.path(&syntax.at);
        let mut tests = self.texts(&syntax.equals, syntax.not.as_ref(), &syntax.contains, &syntax.matches);
        if let Some(list) = &syntax.one_of {
            tests.push(Test::OneOf(list.iter().map(|text| self.scalar(text)).collect()));
        }
        tests.extend(syntax.min.map(Test::Min));
        tests.extend(syntax.max.map(Test::Max));
        tests.extend(syntax.r#type.map(Test::Type));
        tests.extend(syntax.bytes.map(Test::Bytes));
        let count = self.count(&syntax.at.span(), syntax, !tests.is_empty());
        if let Some(id) = &syntax.req {
            self.requirement(id);
        }
        let save = self.save(syntax.save.as_ref());
        Some(ElementExpect {
            at: at?,
            count,
            tests,
            each: syntax.each.unwrap_or(false),
            save,
            requirement: syntax.req.as_ref().map(|id| id.get().clone()),
            level: syntax.level,
            say: syntax.say.clone(),
        })
    }

    fn count(&mut self, at: &Range<usize>, syntax: &ElementSyntax, tested: bool) -> Count {
        let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        if syntax.absent == Some(true) || syntax.present == Some(false) {
            let other = [
                ("present", syntax.present == Some(true)),
                ("save", syntax.save.is_some()),
                ("count", syntax.count.is_some()),
                ("min_count", syntax.min_count.is_some()),
                ("max_count", syntax.max_count.is_some()),
                ("equals", tested),
            ];
            if let Some((second, _)) = other.into_iter().find(|(_, given)| *given) {
                self.problem_at(at.clone(), ProblemKind::Contradiction { first: "absent", second });
            }
            return Count { least: 0, most: Some(0) };
        }
        if let Some(count) = syntax.count {
            if syntax.min_count.is_some() || syntax.max_count.is_some() {
                let kind = ProblemKind::Contradiction { first: "count", second: "min_count" };
                self.problem_at(at.clone(), kind);
            }
            return Count { least: number(count), most: Some(number(count)) };
        }
        // An upper bound alone is kept by none at all; each other test asks for one match at least.
        let least = syntax.min_count.map_or(
            usize::from(syntax.max_count.is_none() || tested || syntax.save.is_some() || syntax.present == Some(true)),
            number,
        );
        // "for every match" says nothing about how many there are.
        let least = if syntax.each == Some(true) && syntax.min_count.is_none() { 0 } else { least };
        Count { least, most: syntax.max_count.map(number) }
    }

    fn header(&mut self, syntax: &HeaderSyntax) -> HeaderExpect {
        let tests = self.texts(&syntax.equals, None, &syntax.contains, &syntax.matches);
        let absent = syntax.absent == Some(true) || syntax.present == Some(false);
        if absent && (!tests.is_empty() || syntax.save.is_some()) {
            self.problem(&syntax.name, ProblemKind::Contradiction { first: "absent", second: "equals" });
        }
        if let Some(id) = &syntax.req {
            self.requirement(id);
        }
        HeaderExpect {
            name: syntax.name.get().clone(),
            absent,
            tests,
            save: self.save(syntax.save.as_ref()),
            requirement: syntax.req.as_ref().map(|id| id.get().clone()),
            level: syntax.level,
        }
    }

    fn part(&mut self, syntax: &PartSyntax) -> PartExpect {
        if let Some(name) = &syntax.sha256_of {
            let is_hash = name.get().len() == 64 && name.get().bytes().all(|b| b.is_ascii_hexdigit());
            if !is_hash {
                self.template_at(&name.span(), &format!("{{{}}}", name.get()));
            }
        }
        PartExpect {
            index: usize::try_from(syntax.index).unwrap_or(usize::MAX),
            bytes: syntax.bytes,
            sha256_of: syntax.sha256_of.as_ref().map(|name| name.get().clone()),
            contains: self.template_opt(syntax.contains.as_ref()),
        }
    }

    fn owner(&mut self, whole: &At<OwnerSyntax>) -> Option<OwnerExpect> {
        let syntax = whole.get();
        let (kind, absent) = match (syntax.sees, syntax.not_sees) {
            (Some(kind), None) => (kind, false),
            (None, Some(kind)) => (kind, true),
            (Some(_), Some(_)) => {
                self.problem(whole, ProblemKind::Contradiction { first: "sees", second: "not_sees" });
                return None;
            }
            (None, None) => {
                self.problem(whole, ProblemKind::Missing { key: "sees", place: "what the owner sees".to_owned() });
                return None;
            }
        };
        Some(OwnerExpect {
            kind,
            absent,
            folder: self.template_opt(syntax.folder.as_ref()),
            subject: self.template_opt(syntax.subject.as_ref()),
            from: self.template_opt(syntax.from.as_ref()),
            read: syntax.read,
            flagged: syntax.flagged,
            body_contains: self.template_opt(syntax.body_contains.as_ref()),
            carries: self.template_opt(syntax.carries.as_ref()),
            attachment: self.template_opt(syntax.attachment.as_ref()),
            formatted: syntax.formatted,
            if_synced: syntax.if_synced.unwrap_or(false),
            count: syntax.count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
        })
    }

    fn texts(
        &mut self,
        equals: &Option<At<Scalar>>,
        not: Option<&At<Scalar>>,
        contains: &Option<At<String>>,
        matches: &Option<At<String>>,
    ) -> Vec<Test> {
        let mut tests = Vec::new();
        tests.extend(equals.as_ref().map(|text| Test::Equals(self.scalar(text))));
        tests.extend(not.map(|text| Test::Not(self.scalar(text))));
        tests.extend(contains.as_ref().map(|text| Test::Contains(self.template(text))));
        if let Some(pattern) = matches {
            match Regex::new(pattern.get()) {
                Ok(regex) => tests.push(Test::Matches(regex)),
                Err(error) => self.problem(pattern, ProblemKind::BadRegex { message: error.to_string() }),
            }
        }
        tests
    }

    fn scalar(&mut self, text: &At<Scalar>) -> String {
        self.template_at(&text.span(), &text.get().0);
        text.get().0.clone()
    }

    fn save(&mut self, name: Option<&At<String>>) -> Option<String> {
        let name = name?;
        let form = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !form(name.get()) || name.get() == "now" {
            let allowed = "small letters, digits and underscores, a letter first; not `now`";
            self.problem(name, ProblemKind::BadValue { key: "save", found: name.get().clone(), allowed });
        }
        self.scope.save(name.get());
        Some(name.get().clone())
    }
}

const EXPECT_KEYS: [&str; 11] =
    ["http", "status", "empty", "root", "element", "header", "parts", "part", "within_s", "owner", "error"];
