use std::{collections::BTreeMap, ops::Range, time::Duration};

use easrig_eas::Command;
use easrig_wbxml::{Document, XmlErrorKind};

use crate::{
    ARRANGEMENTS, HABITS, Signature,
    model::{
        Answer, Arrangement, Attachment, Body, Habit, HabitParams, Mail, Need, Send, Source, Step, StepKind, Verb,
    },
    path::suggest,
    syntax::{At, AttachmentSyntax, MailSyntax, SourceSyntax, StepSyntax},
};

use super::{Check, ProblemKind, scope::with_zeros};

impl Check<'_> {
    pub(super) fn step(&mut self, whole: &At<StepSyntax>) -> Option<Step> {
        let syntax = whole.get();
        let role = self.role(syntax.role.as_ref());
        self.role = role;
        let kind = self.deed(whole);
        let subject = syntax.subject.is_some() || syntax.mail.as_ref().is_some_and(|mail| mail.get().subject.is_some());
        if subject {
            self.scope.provide("subject");
        }
        if syntax.attachment.is_some() || syntax.mail.as_ref().is_some_and(|mail| mail.get().attachment.is_some()) {
            self.scope.provide("attachment");
        }
        let level = syntax.level.unwrap_or(self.level);
        let expect = syntax.expect.as_ref().map(|expect| self.expect(expect));
        let alternatives = syntax.any.iter().map(|expect| self.alternative(expect, "`[[step.any]]`")).collect();
        let losses = syntax.loss.iter().map(|expect| self.alternative(expect, "`[[step.loss]]`")).collect();
        let background = syntax.background.as_ref().map(|name| self.background(name, syntax));
        let kind = kind?;
        let title = syntax.title.clone().unwrap_or_else(|| title_of(&kind));
        let poll = syntax.poll_s.as_ref().map(|seconds| Duration::from_secs(u64::from(*seconds.get())));
        let pause = syntax.pause_s.as_ref().map(|seconds| Duration::from_secs(u64::from(*seconds.get())));
        let setup = syntax.setup.unwrap_or(false);
        Some(Step { title, role, kind, background, pause, poll, setup, level, expect, alternatives, losses })
    }

    pub(super) fn forgotten_backgrounds(&mut self, steps: &[At<StepSyntax>]) {
        let forgotten = std::mem::take(&mut self.scope.background);
        for name in steps.iter().filter_map(|step| step.get().background.as_ref()) {
            if forgotten.contains(name.get()) {
                self.problem(name, ProblemKind::NeverAwaited { name: name.get().clone() });
            }
        }
    }

    fn background(&mut self, name: &At<String>, syntax: &StepSyntax) -> String {
        if !self.scope.background.insert(name.get().clone()) {
            self.problem(name, ProblemKind::AlreadyInBackground { name: name.get().clone() });
        }
        if syntax.poll_s.is_some() {
            self.problem(name, ProblemKind::Contradiction { first: "background", second: "poll_s" });
        }
        if syntax.expect.is_some() || !syntax.any.is_empty() || !syntax.loss.is_empty() {
            self.problem(name, ProblemKind::Contradiction { first: "background", second: "expect" });
        }
        name.get().clone()
    }

    fn deed(&mut self, whole: &At<StepSyntax>) -> Option<StepKind> {
        let syntax = whole.get();
        let deeds: Vec<_> =
            [("send", &syntax.send), ("do", &syntax.r#do), ("arrange", &syntax.arrange), ("await", &syntax.r#await)]
                .into_iter()
                .filter_map(|(key, value)| value.as_ref().map(|value| (key, value)))
                .collect();
        match deeds.as_slice() {
            [] => {
                let at = first_line(self.text, &whole.span());
                self.problem_at(at, ProblemKind::NoDeed);
                None
            }
            [(key, name)] => match *key {
                "send" => self.send(name, syntax).map(StepKind::Send),
                "do" => self.habit(name, syntax).map(StepKind::Do),
                "arrange" => self.arrange(name, syntax).map(StepKind::Arrange),
                _ => Some(StepKind::Await(self.awaits(name, syntax))),
            },
            [(first, _), (second, name), ..] => {
                self.problem(name, ProblemKind::TwoDeeds { first, second });
                None
            }
        }
    }

    fn awaits(&mut self, name: &At<String>, syntax: &StepSyntax) -> String {
        self.only(syntax, &[], "a step that awaits");
        if !self.scope.background.remove(name.get()) {
            self.problem(name, ProblemKind::NotInBackground { found: name.get().clone() });
        }
        name.get().clone()
    }

    fn send(&mut self, name: &At<String>, syntax: &StepSyntax) -> Option<Send> {
        self.only(syntax, &SEND_KEYS, "a `send` step");
        let command = self.verb(name);
        let body = self.body(name, command, syntax);
        let pairs = |check: &mut Self, map: &Option<At<BTreeMap<String, At<String>>>>| {
            let map = map.as_ref().map(At::get);
            map.into_iter().flatten().map(|(key, value)| (key.clone(), check.template(value))).collect::<Vec<_>>()
        };
        let params = pairs(self, &syntax.params);
        let headers = pairs(self, &syntax.headers);
        Some(Send {
            command: command?,
            body: body?,
            params,
            headers,
            login: syntax.login.as_ref().map(|login| *login.get()),
            query: syntax.query.as_ref().map(|form| *form.get()),
            timeout: syntax.timeout_s.as_ref().map(seconds),
        })
    }

    fn body(&mut self, name: &At<String>, command: Option<Verb>, syntax: &StepSyntax) -> Option<Body> {
        let empty = syntax.empty.as_ref().filter(|empty| *empty.get());
        let given: Vec<_> = [
            ("body", syntax.body.as_ref().map(At::span)),
            ("raw", syntax.raw.as_ref().map(At::span)),
            ("mail", syntax.mail.as_ref().map(At::span)),
            ("empty", empty.map(At::span)),
        ]
        .into_iter()
        .filter_map(|(key, span)| span.map(|span| (key, span)))
        .collect();
        if let [(first, _), (second, span), ..] = given.as_slice() {
            self.problem_at(span.clone(), ProblemKind::TwoBodies { first, second });
            return None;
        }
        let sends_mail =
            matches!(command, Some(Verb::Command(Command::SendMail | Command::SmartReply | Command::SmartForward)));
        if let Some(mail) = &syntax.mail {
            if !sends_mail {
                let place = format!("a request of {}", name.get());
                self.problem(
                    mail,
                    ProblemKind::Misplaced { key: "mail", place, allowed: vec!["body", "raw", "empty"] },
                );
            }
            return Some(Body::Mail(self.mail(mail, syntax)));
        }
        for (key, span) in given_keys(syntax).into_iter().filter(|(key, _)| MAIL_KEYS.contains(key)) {
            let place = "a step without `mail`".to_owned();
            self.problem_at(span, ProblemKind::Misplaced { key, place, allowed: SEND_KEYS.to_vec() });
        }
        if let Some(xml) = &syntax.body {
            return Some(Body::Xml(self.xml(xml)));
        }
        if let Some(raw) = &syntax.raw {
            return self.hex(raw).map(Body::Raw);
        }
        match command {
            Some(Verb::Command(command)) if command != Command::GetAttachment && empty.is_none() => {
                self.problem(name, ProblemKind::NoBody { command });
                None
            }
            _ => Some(Body::Empty),
        }
    }

    fn xml(&mut self, xml: &At<String>) -> String {
        self.template(xml);
        let zeros = with_zeros(xml.get());
        if let Err(error) = Document::from_xml(&zeros) {
            let line = zeros.get(error.offset..).and_then(|rest| rest.lines().find(|line| !line.trim().is_empty()));
            let mut place = error.offset..error.offset + line.map_or(1, str::len);
            let mut suggestion = None;
            if let XmlErrorKind::UnknownElement { name, .. } = &error.kind {
                suggestion = suggest(name);
                let at =
                    zeros.get(error.offset..).and_then(|rest| rest.find(name.as_str())).map(|at| error.offset + at);
                place = at.map_or(place, |at| at..at + name.len());
            }
            let span = self.inside(&xml.span(), xml.get(), place);
            self.problem_at(span, ProblemKind::BadXml { message: error.kind.to_string(), suggestion });
        }
        xml.get().clone()
    }

    fn hex(&mut self, raw: &At<String>) -> Option<Vec<u8>> {
        let digits: Vec<char> = raw.get().chars().filter(|c| !c.is_whitespace()).collect();
        let bad = digits.iter().find(|c| !c.is_ascii_hexdigit());
        let why = match bad {
            Some(c) => Some(format!("`{c}` is not a hexadecimal digit")),
            None => (digits.len() % 2 == 1).then(|| format!("{} digits are not whole bytes", digits.len())),
        };
        if let Some(why) = why {
            self.problem(raw, ProblemKind::BadHex { why });
            return None;
        }
        let pair = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok();
        digits.chunks(2).map(pair).collect()
    }

    fn mail(&mut self, mail: &At<MailSyntax>, syntax: &StepSyntax) -> Mail {
        let parts = mail.get();
        let source = syntax.source.as_ref().map(|source| self.source(source));
        Mail {
            to: self.template_opt(parts.to.as_ref()),
            from: None,
            subject: self.template_opt(parts.subject.as_ref()),
            text: self.template_opt(parts.text.as_ref()),
            html: self.template_opt(parts.html.as_ref()),
            attachment: parts.attachment.as_ref().map(|attachment| self.attachment(attachment)),
            calendar: self.template_opt(parts.calendar.as_ref()),
            size: None,
            client_id: self.template_opt(syntax.client_id.as_ref()),
            save_in_sent: syntax.save_in_sent.as_ref().map(|save| *save.get()),
            source,
            replace_mime: syntax.replace_mime.as_ref().is_some_and(|flag| *flag.get()),
        }
    }

    fn source(&mut self, source: &At<SourceSyntax>) -> Source {
        let SourceSyntax { folder, item, long_id, instance } = source.get();
        let named = [("folder", folder.is_some()), ("item", item.is_some())];
        match long_id {
            Some(_) => {
                if let Some((second, _)) = named.into_iter().find(|(_, given)| *given) {
                    self.problem(source, ProblemKind::Contradiction { first: "long_id", second });
                }
            }
            None => {
                for (key, _) in named.into_iter().filter(|(_, given)| !given) {
                    self.problem(
                        source,
                        ProblemKind::Missing { key, place: "a `source` without `long_id`".to_owned() },
                    );
                }
            }
        }
        Source {
            folder: self.template_opt(folder.as_ref()),
            item: self.template_opt(item.as_ref()),
            long_id: self.template_opt(long_id.as_ref()),
            instance: self.template_opt(instance.as_ref()),
        }
    }

    fn attachment(&mut self, attachment: &AttachmentSyntax) -> Attachment {
        Attachment { name: self.template(&attachment.name), size: attachment.size }
    }

    fn habit(&mut self, name: &At<String>, syntax: &StepSyntax) -> Option<Habit> {
        let Some(signature) = HABITS.iter().find(|habit| habit.name == name.get()) else {
            self.problem(name, ProblemKind::UnknownHabit { found: name.get().clone() });
            return None;
        };
        self.parameters(name, signature, syntax);
        let answer = syntax.answer.as_ref().and_then(|answer| self.answer(answer));
        let folders = syntax.folders.as_ref().map(At::get);
        Some(Habit {
            name: signature.name,
            params: HabitParams {
                subject: self.template_opt(syntax.subject.as_ref()),
                folder: self.template_opt(syntax.folder.as_ref()),
                folders: folders.into_iter().flatten().map(|folder| self.template(folder)).collect(),
                within: syntax.within_s.as_ref().map(seconds),
                to: self.template_opt(syntax.to.as_ref()),
                text: self.template_opt(syntax.text.as_ref()),
                html: self.template_opt(syntax.html.as_ref()),
                attachment: syntax.attachment.as_ref().map(|attachment| self.attachment(attachment.get())),
                read: syntax.read.as_ref().map(|read| *read.get()),
                answer,
                name: self.template_opt(syntax.name.as_ref()),
            },
        })
    }

    fn answer(&mut self, answer: &At<String>) -> Option<Answer> {
        match answer.get().as_str() {
            "accept" => Some(Answer::Accept),
            "tentative" => Some(Answer::Tentative),
            "decline" => Some(Answer::Decline),
            found => {
                let allowed = "`accept`, `tentative`, `decline`";
                self.problem(answer, ProblemKind::BadValue { key: "answer", found: found.to_owned(), allowed });
                None
            }
        }
    }

    fn arrange(&mut self, name: &At<String>, syntax: &StepSyntax) -> Option<Arrangement> {
        let Some(signature) = ARRANGEMENTS.iter().find(|arrangement| arrangement.name == name.get()) else {
            self.problem(name, ProblemKind::UnknownArrangement { found: name.get().clone() });
            return None;
        };
        self.needs(&name.span(), Need::Control);
        self.parameters(name, signature, syntax);
        Some(match signature.name {
            "policy" => {
                let set = syntax.set.as_ref().map(At::get);
                let set = set.into_iter().flatten().map(|(key, value)| (key.clone(), self.template(value))).collect();
                Arrangement::Policy { set }
            }
            "strict" => Arrangement::Strict { on: syntax.on.as_ref().is_none_or(|on| *on.get()) },
            "throttle" => {
                let status = syntax.status.as_ref()?;
                if !matches!(status.get(), 503 | 111) {
                    let found = status.get().to_string();
                    let allowed = "503 (HTTP), 111 (Status)";
                    self.problem(status, ProblemKind::BadValue { key: "status", found, allowed });
                }
                let number = |value: &Option<At<u32>>| value.as_ref().map(|value| *value.get());
                Arrangement::Throttle {
                    status: *status.get(),
                    retry_after: number(&syntax.retry_after),
                    times: number(&syntax.times),
                }
            }
            "moved" => Arrangement::Moved,
            "block" => Arrangement::Block,
            "quarantine" => Arrangement::Quarantine,
            "password" => Arrangement::Password { told: syntax.told.as_ref().is_some_and(|told| *told.get()) },
            "deliver" => Arrangement::Deliver(Mail {
                subject: self.template_opt(syntax.subject.as_ref()),
                from: self.template_opt(syntax.from.as_ref()),
                text: self.template_opt(syntax.text.as_ref()),
                html: self.template_opt(syntax.html.as_ref()),
                attachment: syntax.attachment.as_ref().map(|attachment| self.attachment(attachment.get())),
                size: syntax.size.as_ref().map(|size| *size.get()),
                ..Mail::default()
            }),
            _ => Arrangement::ExpirePolicyKey,
        })
    }

    fn parameters(&mut self, name: &At<String>, signature: &Signature, syntax: &StepSyntax) {
        let allowed: Vec<_> = signature.required.iter().chain(signature.optional).copied().collect();
        let place = format!("`{}`", signature.name);
        self.only(syntax, &allowed, &place);
        let given = given_keys(syntax);
        for key in signature.required.iter().filter(|key| !given.iter().any(|(given, _)| given == *key)) {
            self.problem(name, ProblemKind::Missing { key, place: place.clone() });
        }
    }

    fn only(&mut self, syntax: &StepSyntax, allowed: &[&'static str], place: &str) {
        for (key, span) in given_keys(syntax).into_iter().filter(|(key, _)| !allowed.contains(key)) {
            let kind = ProblemKind::Misplaced { key, place: place.to_owned(), allowed: allowed.to_vec() };
            self.problem_at(span, kind);
        }
    }
}

const SEND_KEYS: [&str; 13] = [
    "body",
    "raw",
    "empty",
    "mail",
    "client_id",
    "save_in_sent",
    "source",
    "replace_mime",
    "params",
    "headers",
    "login",
    "query",
    "timeout_s",
];

const MAIL_KEYS: [&str; 4] = ["client_id", "save_in_sent", "source", "replace_mime"];

/// The keys of a step that belong to some deeds only, as far as they are given.
fn given_keys(syntax: &StepSyntax) -> Vec<(&'static str, Range<usize>)> {
    macro_rules! given {
        ($($key:ident)*) => {
            [$((stringify!($key), syntax.$key.as_ref().map(At::span))),*]
        };
    }
    let keys = given!(body raw empty mail client_id save_in_sent source replace_mime params headers login query timeout_s
        subject folder folders within_s to text html attachment read answer name
        set on status retry_after times told size from);
    keys.into_iter().filter_map(|(key, span)| span.map(|span| (key, span))).collect()
}

fn title_of(kind: &StepKind) -> String {
    match kind {
        StepKind::Send(send) => format!("send {}", send.command),
        StepKind::Do(habit) => habit.name.replace('_', " "),
        StepKind::Arrange(arrangement) => {
            let name = match arrangement {
                Arrangement::Policy { .. } => "put a policy in force",
                Arrangement::Strict { on: true } => "refuse devices that cannot be provisioned",
                Arrangement::Strict { on: false } => "admit devices that cannot be provisioned",
                Arrangement::Throttle { .. } => "refuse requests as too many",
                Arrangement::Moved => "move the mailbox",
                Arrangement::Block => "block the device",
                Arrangement::Quarantine => "put the device into quarantine",
                Arrangement::Password { .. } => "change the password",
                Arrangement::Deliver(_) => "deliver a mail from outside",
                Arrangement::ExpirePolicyKey => "ask for a policy refresh",
            };
            name.to_owned()
        }
        StepKind::Await(name) => format!("wait for {name}"),
    }
}

fn seconds(value: &At<u32>) -> Duration {
    Duration::from_secs(u64::from(*value.get()))
}

fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let length = text.get(span.clone()).and_then(|text| text.lines().next()).map_or(1, str::len);
    span.start..span.start + length.max(1)
}
