use easrig_eas::{Command, date::EasDate};
use easrig_exchange::Timestamp;
use easrig_wbxml::Element;

use super::{
    Author,
    draft::Step,
    rewrite::{Words, folder_of},
    told::{Fact, value, within},
};
use crate::Decoded;

/// A certificate that nobody vouches for, made for this: CN=easrig, valid until 2120.
const CERTIFICATE: &str = include_str!("certificate.txt");

/// How ValidateCert says that the issuer is not trusted: signature, trust, chain, missing parts.
const NOT_TRUSTED: [&str; 4] = ["3", "4", "5", "10"];

impl Author {
    /// The commands that are one question and one answer.
    pub(super) fn asked(
        &mut self,
        command: Command,
        decoded: &Decoded,
        status: Option<u16>,
        at: Timestamp,
    ) -> Result<(), String> {
        let asked = decoded.request.root().ok_or("its request cannot be read")?;
        let answer = decoded.answer.root();
        let mut words = self.words("", 0);
        words.at = Some(at);
        let mut after = None;
        match command {
            Command::ItemOperations => after = self.emptied(asked, &mut words)?,
            Command::Settings if within(asked, &["Oof", "Set"]).next().is_some() => {
                // It writes over the text that the owner may have had.
                (self.draft.destroys, self.draft.away) = (true, true);
            }
            Command::Settings if within(asked, &["DevicePassword", "Set"]).next().is_some() => self.draft.writes = true,
            Command::Search | Command::Find => words.query = self.query(asked, answer, &mut words)?,
            Command::ResolveRecipients => words.people = self.people(answer)?,
            Command::ValidateCert => trusted_by_nobody(answer)?,
            Command::GetItemEstimate => self.estimate_refused(asked, answer, &mut words)?,
            Command::MoveItems | Command::MeetingResponse => self.draft.writes = true,
            _ => {}
        }
        let body = self.rewritten(asked, &mut words)?.to_xml_pretty();
        let mut step = Step::new(command.name(), opaque_parts(&body));
        let is_multipart = decoded.query.as_ref().is_some_and(|query| query.accept_multipart == Some(true));
        if command == Command::ItemOperations && (is_multipart || !decoded.parts.is_empty()) {
            step.lines.push("headers = { MS-ASAcceptMultiPart = \"T\" }".to_owned());
        }
        step.status = status;
        if let Some(answer) = answer {
            self.answer(command, asked, answer, &mut step);
        }
        self.push(&step);
        if let Some((word, subject)) = after {
            self.is_empty(&word, &subject);
        }
        Ok(())
    }

    /// EmptyFolderContents: a folder of the scenario's own, with one mail in it, in place of the owner's. What comes back is
    /// that folder and its mail.
    fn emptied(&mut self, asked: Element<'_>, words: &mut Words) -> Result<Option<(String, String)>, String> {
        let mut stand_in = None;
        let folders: Vec<_> = within(asked, &["EmptyFolderContents"]).filter_map(folder_of).collect();
        for folder in folders {
            if self.draft.folders.contains_key(&folder) {
                self.draft.empty(&folder);
                continue;
            }
            if !self.told.kinds.contains_key(&folder) {
                return Err("it is about a folder that the recording does not tell of".to_owned());
            }
            let number = self.draft.fresh()?;
            let word = self.make_folder(&format!("{{tag}} folder {number}"), 12, number);
            let number = self.draft.fresh()?;
            self.mail(&word, "", number, &Fact::default())?;
            words.stand_ins.insert(folder, word.clone());
            stand_in = Some((word, format!("item_{number}")));
        }
        if !words.stand_ins.is_empty() || within(asked, &["Move"]).next().is_some() {
            self.draft.writes = true;
        }
        Ok(stand_in)
    }

    /// A folder that was emptied says so.
    fn is_empty(&mut self, word: &str, item: &str) {
        let mut step = Step::new("Sync", self.one_sync(word));
        let place = format!("Sync/Collections/Collection[CollectionId={{{word}}}]");
        step.elements = vec![
            super::make::keeps(word),
            format!(
                "{{ at = \"{place}/Commands/*[ServerId={{{item}}}]\", say = \"word that the mail in it is gone\" }}"
            ),
        ];
        step.poll = Some(super::answer::PATIENCE_S);
        self.push(&step);
    }

    /// What is searched instead: the owner in the address list, a mail of the scenario in the mailbox.
    fn query(&mut self, asked: Element<'_>, answer: Option<Element<'_>>, words: &mut Words) -> Result<String, String> {
        let names: Vec<_> = asked.descendants().filter_map(|element| element.tag().name()).collect();
        let store = within(asked, &["Store"]).find_map(|store| value(store, "Name")).unwrap_or_default();
        let found = answer.is_some_and(|answer| answer.descendants().any(|e| e.tag().name() == Some("Properties")));
        words.finds = found;
        if store.eq_ignore_ascii_case("GAL") || names.contains(&"GalSearchCriterion") {
            self.draft.found_people = found;
            return Ok(if found { "{address}" } else { "{unique}" }.to_owned());
        }
        if !store.eq_ignore_ascii_case("Mailbox") && !names.contains(&"MailBoxSearchCriterion") {
            return Err("it is about a document library".to_owned());
        }
        if !found {
            return Ok("{unique}".to_owned());
        }
        let text = |name: &str| {
            let found = asked.descendants().find(|element| element.tag().name() == Some(name));
            found.map(crate::difference::owned_value)
        };
        if let Some(talk) = text("ConversationId") {
            self.conversation(&talk)?;
            self.draft.searched = self.draft.conversations.get(&talk).map(|talk| talk.subject.clone());
            return Ok("{tag}".to_owned());
        }
        let folder = text("CollectionId").filter(|folder| folder != "0" && !folder.is_empty());
        self.searchable(folder.as_deref())?;
        Ok("{tag}".to_owned())
    }

    /// A mail that the search has to find, in its folder.
    fn searchable(&mut self, folder: Option<&str>) -> Result<(), String> {
        let number = self.draft.fresh()?;
        let subject = format!("{{tag}} item {number}");
        match folder.map(|folder| (folder, self.told.kinds.get(folder))) {
            None | Some((_, Some(2))) => self.send(&subject, false, false),
            Some((folder, Some(1 | 4 | 5 | 12))) => {
                let word = self.folder(folder)?;
                self.mail(&word, folder, number, &Fact::default())?;
            }
            _ => return Err("it searches in a folder where the scenario can put no mail".to_owned()),
        }
        self.draft.searched = Some(subject);
        Ok(())
    }

    /// The variable of a search hit; a hit of a search that is no step is searched for.
    pub(super) fn hit(&mut self, id: &str) -> Result<String, String> {
        if let Some(known) = self.draft.hits.get(id) {
            return Ok(known.clone());
        }
        self.searchable(None)?;
        let subject = self.draft.searched.take().unwrap_or_default();
        let variable = format!("hit_{}", self.draft.fresh()?);
        let body = "<Search xmlns=\"Search\"><Store><Name>Mailbox</Name><Query><And><Class xmlns=\"AirSync\">Email</Class>\
                    <FreeText>{tag}</FreeText></And></Query></Store></Search>";
        let mut step = Step::new("Search", body);
        let place = format!("Search/Response/Store/Result[Properties/Subject={subject}]/LongId");
        step.elements.push(format!("{{ at = \"{place}\", save = \"{variable}\" }}"));
        step.poll = Some(60);
        self.push(&step.setup("and found by a search"));
        self.draft.hits.insert(id.to_owned(), variable.clone());
        Ok(variable)
    }

    /// Whom to look up instead: the owner for who was found, nobody for who was not, two of one name for several.
    fn people(&mut self, answer: Option<Element<'_>>) -> Result<Vec<String>, String> {
        let answer = answer.ok_or("its answer cannot be read")?;
        let mut people = Vec::new();
        for (n, response) in within(answer, &["Response"]).enumerate() {
            people.push(match value(response, "Status").as_deref() {
                Some("1") => "{address}".to_owned(),
                Some("2" | "3") => self.namesakes()?,
                Some("4") => format!("{{tag}}-nobody-{n}"),
                _ => return Err("a name in it was refused, and the scenario looks up other names".to_owned()),
            });
        }
        Ok(people)
    }

    /// An estimate that was refused for its key.
    fn estimate_refused(
        &self,
        asked: Element<'_>,
        answer: Option<Element<'_>>,
        words: &mut Words,
    ) -> Result<(), String> {
        let refused = |response: &Element<'_>| matches!(value(*response, "Status").as_deref(), Some("3" | "4"));
        if !answer.into_iter().flat_map(|answer| within(answer, &["Response"])).any(|response| refused(&response)) {
            return Ok(());
        }
        let collections: Vec<_> = within(asked, &["Collections", "Collection"]).collect();
        let [collection] = collections.as_slice() else { return Err(super::KEY_REFUSED.to_owned()) };
        let key = value(*collection, "SyncKey").unwrap_or_default();
        if key != "0" {
            words.wrong_key = self.is_wrong_key(&folder_of(*collection).unwrap_or_default(), &key, true)?;
        }
        Ok(())
    }
}

/// A date of a query, as far from now as it was then; `None` when it is no date.
pub(super) fn moment(text: &str, at: Option<Timestamp>) -> Option<String> {
    let date: EasDate = text.trim().parse().ok()?;
    let seconds = at?.0.div_euclid(1_000_000).saturating_sub(date.at.as_second());
    let (sign, distance) = if seconds >= 0 { ('-', seconds) } else { ('+', seconds.saturating_neg()) };
    Some(format!("{{now{sign}{}m:long}}", distance / 60))
}

/// Only a certificate that was not trusted has one like it everywhere.
fn trusted_by_nobody(answer: Option<Element<'_>>) -> Result<(), String> {
    let answer = answer.ok_or("its answer cannot be read")?;
    let said: Vec<_> = within(answer, &["Certificate"]).filter_map(|one| value(one, "Status")).collect();
    let holds = !said.is_empty() && said.iter().all(|status| NOT_TRUSTED.contains(&status.as_str()));
    holds.then_some(()).ok_or_else(|| "the certificate in it is the recorded person's own".to_owned())
}

/// The certificate that stands for any that is not trusted.
pub(super) fn certificate() -> String {
    CERTIFICATE.split_whitespace().collect()
}

/// `{name}` of something that is bytes has to stand in an opaque part.
fn opaque_parts(xml: &str) -> String {
    xml.replace("&lt;?opaque ", "<?opaque ").replace("?&gt;", "?>")
}
