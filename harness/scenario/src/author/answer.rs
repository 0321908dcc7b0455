use std::collections::BTreeMap;

use easrig_eas::Command;
use easrig_wbxml::Element;

use super::{
    Author,
    draft::Step,
    make::{keeps, saves},
    rewrite::{Words, folder_of},
    told::{named, value, within},
};
use crate::Decoded;

/// How long what the server tells by itself may take, in seconds.
pub(super) const PATIENCE_S: u32 = 15;

impl Author {
    /// What the recorded answer of a Sync says that has to hold again.
    pub(super) fn sync_answer(
        &mut self,
        asked: Element<'_>,
        written: Element<'_>,
        decoded: &Decoded,
        words: &Words,
        step: &mut Step,
    ) {
        let mut written = within(written, &["Collections", "Collection", "Commands", "*"]);
        let mut added = 0;
        let mut changes = false;
        for collection in within(asked, &["Collections", "Collection"]) {
            let Some(folder) = folder_of(collection) else { continue };
            let Ok(word) = self.folder(&folder) else { continue };
            let is_first = value(collection, "SyncKey").is_none_or(|key| key == "0");
            let answer = answer_for(decoded, &folder);
            let status = answer.and_then(|answer| value(answer, "Status"));
            let refused = status.as_ref().filter(|status| *status != "1").and_then(|status| status.parse::<u16>().ok());
            let at = format!("Sync/Collections/Collection[CollectionId={{{word}}}]");
            if let Some(refused) = refused {
                step.elements.push(format!("{{ at = \"{at}/Status\", equals = {refused} }}"));
                self.draft.keys.remove(&word);
                continue;
            }
            if is_first {
                self.draft.begin(&folder);
                step.elements.push(saves(&word));
                self.draft.keys.insert(word.clone());
            } else {
                step.elements.push(keeps(&word));
            }
            for change in within(collection, &["Commands", "*"]) {
                changes = true;
                self.outcome(&at, &folder, change, answer, words, &mut added, step);
                if let Some(now) = written.next() {
                    self.keep_fields(&folder, change, now, answer);
                }
            }
            if let Some(answer) = answer.filter(|_| !self.told.is_repeated(&folder)) {
                self.told_by_server(&at, &folder, answer, step);
            }
        }
        // A request that changes something is not sent twice; what is told without one may take its time.
        if !changes && step.elements.iter().any(|element| element.contains("/Commands/")) {
            step.poll = Some(PATIENCE_S);
        }
    }

    /// What became of one change of the device's.
    #[expect(clippy::too_many_arguments, reason = "one place of the answer, and what it is compared with")]
    fn outcome(
        &mut self,
        at: &str,
        folder: &str,
        change: Element<'_>,
        answer: Option<Element<'_>>,
        words: &Words,
        added: &mut usize,
        step: &mut Step,
    ) {
        let kind = change.tag().name().unwrap_or_default();
        let responses = answer.into_iter().flat_map(|answer| within(answer, &["Responses", "*"]));
        let mut responses = responses.filter(|response| response.tag().name() == Some(kind));
        if kind == "Add" {
            *added += 1;
            let id = value(change, "ClientId").unwrap_or_default();
            let response = responses.find(|response| value(*response, "ClientId").is_some_and(|told| told == id));
            let own = if words.adds > 1 { format!("{{unique}}-{added}") } else { "{unique}".to_owned() };
            let place = format!("{at}/Responses/Add[ClientId={own}]");
            let Some(response) = response else { return };
            step.elements.extend(status_of(response, &place, "the new item taken"));
            if let Some(told) = value(response, "ServerId") {
                // Every Add of a request has the same texts, hence one number.
                let variable = format!("{}_{added}", words.item.replace("{tag} ", "").replace(' ', "_"));
                let has_subject = named(change, "ApplicationData").is_some_and(|data| named(data, "Subject").is_some());
                let subject = (has_subject && words.adds == 1).then(|| words.item.clone());
                step.elements.push(format!("{{ at = \"{place}/ServerId\", save = \"{variable}\" }}"));
                self.draft.bind(folder, &told, &variable, subject);
            }
            return;
        }
        let Some(id) = value(change, "ServerId") else { return };
        let Some(made) = self.draft.made_mut(folder, &id) else { return };
        let place = format!("{at}/Responses/{kind}[ServerId={{{}}}]", made.variable);
        let said = responses.find(|response| value(*response, "ServerId").is_some_and(|told| told == id));
        let was_taken = said.and_then(|said| value(said, "Status")).is_none_or(|status| status == "1");
        match (kind, said) {
            ("Change" | "Delete", _) if was_taken => {
                let what = if kind == "Change" { "the change taken" } else { "the item deleted" };
                step.elements.push(format!("{{ at = \"{place}[Status!=1]\", absent = true, say = \"{what}\" }}"));
                if kind == "Delete" {
                    self.leaves(folder, &id);
                }
                let subject = named(change, "ApplicationData").and_then(|data| value(data, "Subject"));
                if let Some(told) = subject.filter(|_| kind == "Change") {
                    // Every text of a request is the same: it names an item only when the request is about that one alone.
                    let written = (words.changes == 1).then(|| words.item.clone());
                    if let Some(made) = self.draft.made_mut(folder, &id) {
                        made.subject.clone_from(&written);
                    }
                    self.draft.subjects.extend(written.map(|written| (told, written)));
                }
            }
            (_, Some(said)) => {
                step.elements.extend(status_of(said, &place, "the answer to this item"));
                if let Some((data, subject)) = named(said, "ApplicationData").zip(made.subject.as_ref())
                    && named(data, "Subject").is_some()
                {
                    let test = format!("equals = \"{subject}\", say = \"the subject of the item that was fetched\"");
                    step.elements.push(format!("{{ at = \"{place}/ApplicationData/Subject\", {test} }}"));
                }
            }
            _ => {}
        }
    }

    /// What is written into an item, so that it can be looked for when the server tells of it.
    fn keep_fields(&mut self, folder: &str, change: Element<'_>, now: Element<'_>, answer: Option<Element<'_>>) {
        let new_id = || {
            let client = value(change, "ClientId")?;
            let mut adds = answer.into_iter().flat_map(|answer| within(answer, &["Responses", "Add"]));
            value(adds.find(|add| value(*add, "ClientId").is_some_and(|told| told == client))?, "ServerId")
        };
        let Some(id) = value(change, "ServerId").or_else(new_id) else { return };
        let both = named(change, "ApplicationData").zip(named(now, "ApplicationData"));
        let (Some((before, now)), Some(made)) = (both, self.draft.made_mut(folder, &id)) else { return };
        let now = leaves(now);
        for (way, recorded) in leaves(before) {
            match now.get(&way) {
                Some(now) if is_quotable(now) => made.fields.insert(way, (recorded, now.clone())),
                _ => made.fields.remove(&way),
            };
        }
    }

    /// What the server tells of items that the scenario knows.
    fn told_by_server(&mut self, at: &str, folder: &str, answer: Element<'_>, step: &mut Step) {
        for change in within(answer, &["Commands", "*"]) {
            let Some(id) = value(change, "ServerId") else { continue };
            let kind = change.tag().name().unwrap_or_default();
            let known = self.draft.made(folder, &id).cloned();
            match (kind, known) {
                ("Delete" | "SoftDelete", Some(made)) if made.left => {
                    let test = "say = \"word that the item is gone\"";
                    step.elements
                        .push(format!("{{ at = \"{at}/Commands/*[ServerId={{{}}}]\", {test} }}", made.variable));
                }
                ("Add", known) if known.as_ref().is_none_or(|made| !made.known) => {
                    let Some(data) = named(change, "ApplicationData") else { continue };
                    let told = value(data, "Subject");
                    // What another device of the owner did is no part of the scenario.
                    let is_sure = |told: &String| {
                        self.draft.travels.contains(told)
                            && !self.draft.passed.contains(&(folder.to_owned(), told.clone()))
                            && !self.told.is_twice(folder, told)
                    };
                    let by_subject = || self.draft.subjects.get(told.as_ref().filter(|told| is_sure(told))?).cloned();
                    let named = known.as_ref().and_then(|made| made.subject.clone().filter(|_| told.is_some()));
                    let subject = named.or_else(by_subject);
                    let place = match (&subject, &known) {
                        (Some(subject), _) => format!("{at}/Commands/Add[ApplicationData/Subject={subject}]"),
                        (None, Some(made)) => format!("{at}/Commands/Add[ServerId={{{}}}]", made.variable),
                        (None, None) => continue,
                    };
                    let variable = known
                        .as_ref()
                        .map(|made| made.variable.clone())
                        .or_else(|| self.draft.fresh().ok().map(|number| format!("item_{number}")));
                    let Some(variable) = variable else { continue };
                    step.elements.push(format!("{{ at = \"{place}\", count = 1, say = \"the item, once\" }}"));
                    if subject.is_some() {
                        step.elements.push(format!("{{ at = \"{place}/ServerId\", save = \"{variable}\" }}"));
                    }
                    let kept = known.as_ref().map(|made| same(&made.fields, data)).unwrap_or_default();
                    for (way, now) in kept {
                        let test = format!("equals = \"{now}\", say = \"what was written\"");
                        step.elements.push(format!("{{ at = \"{place}/ApplicationData/{way}\", {test} }}"));
                    }
                    match self.draft.made_mut(folder, &id) {
                        Some(made) => made.known = true,
                        None => self.draft.bind(folder, &id, &variable, subject),
                    }
                }
                _ => {}
            }
        }
    }

    /// What the recorded answer to any other command says that has to hold again.
    pub(super) fn answer(&mut self, command: Command, asked: Element<'_>, answer: Element<'_>, step: &mut Step) {
        statuses(answer, &mut Vec::new(), answer.tag().name().unwrap_or_default(), &mut step.elements);
        match command {
            Command::MoveItems => self.moved(asked, answer, step),
            Command::ItemOperations => {
                self.fetched(answer, step);
                self.talks_moved(answer);
            }
            Command::MeetingResponse => self.answered(asked, answer, step),
            Command::GetItemEstimate if has(answer, "Estimate") => {
                step.elements.push("{ at = \"**/Collection/Estimate\", type = \"integer\", min = 0 }".to_owned());
            }
            Command::Search | Command::Find => self.hits(command, answer, step),
            Command::ValidateCert => {
                step.status = None;
                let test = "not = 1, each = true, say = \"a certificate that nobody vouches for is not good\"";
                step.elements.retain(|element| !element.contains("/Certificate"));
                step.elements.push(format!("{{ at = \"ValidateCert/Certificate/Status\", {test} }}"));
            }
            Command::ResolveRecipients => {
                // Which lists a server looks into is its own affair: only that it does not choose for the owner holds.
                for (n, _) in several(answer) {
                    let place = format!("ResolveRecipients/Response[{}]", n + 1);
                    let only = "ResolveRecipients/Response/";
                    step.elements.retain(|e| !e.contains(&format!("\"{place}/")) && !e.contains(&format!("\"{only}")));
                    let test = "not = 1, say = \"not one of two who have the name\"";
                    step.elements.push(format!("{{ at = \"{place}/Status\", {test} }}"));
                }
                let count = within(answer, &["Response"]).count();
                if count > 0 {
                    let test = format!("count = {count}, say = \"an answer for each name\"");
                    step.elements.push(format!("{{ at = \"ResolveRecipients/Response\", {test} }}"));
                }
            }
            Command::Settings => {
                for part in ["UserInformation", "Oof"] {
                    if within(answer, &[part, "Get"]).next().is_some_and(Element::has_content) {
                        step.elements.push(format!("{{ at = \"Settings/{part}/Get\", count = 1 }}"));
                    }
                }
            }
            _ => {}
        }
    }

    /// The sequence moves or deletes an item: it is gone here, and may turn up elsewhere.
    fn leaves(&mut self, folder: &str, id: &str) {
        let subject = self.told.item_of(folder, id).and_then(|fact| fact.subject.clone());
        self.draft.travels.extend(subject);
        if let Some(made) = self.draft.made_mut(folder, id) {
            made.left = true;
        }
    }

    fn talks_moved(&mut self, answer: Element<'_>) {
        let is_done = |moved: &Element<'_>| value(*moved, "Status").is_some_and(|status| status == "1");
        for moved in within(answer, &["Response", "Move"]).filter(is_done) {
            let place = value(moved, "ConversationId").and_then(|id| self.told.conversation_of(&id).cloned());
            if let Some((folder, item)) = place {
                self.leaves(&folder, &item);
            }
        }
    }

    fn moved(&mut self, asked: Element<'_>, answer: Element<'_>, step: &mut Step) {
        for moved in within(asked, &["Move"]) {
            let ids = value(moved, "SrcMsgId").zip(value(moved, "SrcFldId")).zip(value(moved, "DstFldId"));
            let Some(((id, from), to)) = ids else { continue };
            let said = within(answer, &["Response"])
                .find(|response| value(*response, "SrcMsgId").is_some_and(|told| told == id));
            let Some(said) = said.filter(|said| value(*said, "Status").is_some_and(|status| status == "3")) else {
                continue;
            };
            self.leaves(&from, &id);
            let Some(made) = self.draft.made(&from, &id) else { continue };
            let (variable, subject) = (made.variable.clone(), made.subject.clone());
            let Some(now) = value(said, "DstMsgId") else { continue };
            let Ok(number) = self.draft.fresh() else { continue };
            let next = format!("item_{number}");
            let at = format!("MoveItems/Response[SrcMsgId={{{variable}}}]/DstMsgId");
            step.elements.push(format!("{{ at = \"{at}\", save = \"{next}\" }}"));
            self.draft.bind(&to, &now, &next, subject);
            if let Some(made) = self.draft.made_mut(&to, &now) {
                made.known = false;
            }
        }
    }

    fn fetched(&mut self, answer: Element<'_>, step: &mut Step) {
        let fetches: Vec<_> = within(answer, &["Response", "Fetch"]).collect();
        for (n, fetch) in fetches.iter().enumerate() {
            let place = match fetches.len() {
                1 => "ItemOperations/Response/Fetch".to_owned(),
                _ => format!("ItemOperations/Response/Fetch[{}]", n + 1),
            };
            let Some(data) = named(*fetch, "Properties") else { continue };
            let id = value(*fetch, "CollectionId").zip(value(*fetch, "ServerId"));
            let made = id.and_then(|(folder, id)| self.draft.made(&folder, &id));
            if let Some(subject) = made.and_then(|made| made.subject.as_ref())
                && named(data, "Subject").is_some()
            {
                let test = format!("equals = \"{subject}\", say = \"the subject of the item that was fetched\"");
                step.elements.push(format!("{{ at = \"{place}/Properties/Subject\", {test} }}"));
            }
            for (way, now) in made.map(|made| same(&made.fields, data)).unwrap_or_default() {
                let test = format!("equals = \"{now}\", say = \"what was written\"");
                step.elements.push(format!("{{ at = \"{place}/Properties/{way}\", {test} }}"));
            }
            for name in ["Body", "Data", "Part"] {
                if named(data, name).is_some() {
                    let test = "say = \"what was asked for\"";
                    step.elements.push(format!("{{ at = \"{place}/Properties/{name}\", {test} }}"));
                }
            }
        }
    }

    fn answered(&mut self, asked: Element<'_>, answer: Element<'_>, step: &mut Step) {
        let calendar = self.told.kinds.iter().find(|(_, kind)| **kind == 8).map(|(id, _)| id.clone());
        let requests: Vec<_> = within(asked, &["Request"]).filter_map(|request| value(request, "RequestId")).collect();
        for said in within(answer, &["Result"]) {
            let id = value(said, "RequestId").filter(|id| requests.contains(id));
            let (Some(_), Some(event), Some(calendar)) = (id, value(said, "CalendarId"), &calendar) else { continue };
            let Ok(number) = self.draft.fresh() else { continue };
            let next = format!("item_{number}");
            let test = format!("save = \"{next}\", say = \"the event of the answered invitation\"");
            step.elements.push(format!("{{ at = \"MeetingResponse/Result/CalendarId\", {test} }}"));
            self.draft.bind(calendar, &event, &next, None);
        }
    }

    /// The mail that the scenario made is among the hits, and stands for all of them.
    fn hits(&mut self, command: Command, answer: Element<'_>, step: &mut Step) {
        if std::mem::take(&mut self.draft.found_people) {
            step.elements.push("{ at = \"**/Result/Properties\", say = \"the person who was searched\" }".to_owned());
        }
        let way: &[&str] =
            if command == Command::Find { &["Response", "Result"] } else { &["Response", "Store", "Result"] };
        let found = within(answer, way).filter(|result| named(*result, "Properties").is_some());
        let Some(subject) = self.draft.searched.take() else { return };
        let ids: Vec<_> = found.filter_map(|result| value(result, "LongId")).collect();
        let place = format!("{}/{}[Properties/Subject={subject}]", command.name(), way.join("/"));
        step.elements.push(format!("{{ at = \"{place}\", say = \"the mail that was searched\" }}"));
        if !ids.is_empty()
            && let Ok(number) = self.draft.fresh()
        {
            step.elements.push(format!("{{ at = \"{place}/LongId\", save = \"hit_{number}\" }}"));
            self.draft.hits.extend(ids.into_iter().take(100).map(|id| (id, format!("hit_{number}"))));
        }
        step.poll = Some(PATIENCE_S);
    }
}

/// The values of an item that stand there once, by place.
fn leaves(data: Element<'_>) -> BTreeMap<String, String> {
    fn walk(element: Element<'_>, way: &str, out: &mut Vec<(String, String)>) {
        for child in element.children() {
            let Some(name) = child.tag().name() else { continue };
            let way = if way.is_empty() { name.to_owned() } else { format!("{way}/{name}") };
            // Texts come back in the form that was asked for, if at all.
            match name {
                "Body" => {}
                _ if !child.has_content() || child.is_opaque() => out.push((way, String::new())),
                _ if child.is_leaf() => out.push((way, child.text().trim().to_owned())),
                _ => walk(child, &way, out),
            }
        }
    }
    let mut found = Vec::new();
    walk(data, "", &mut found);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    found.iter().for_each(|(way, _)| *counts.entry(way.clone()).or_default() += 1);
    found.into_iter().filter(|(way, value)| counts.get(way) == Some(&1) && !value.is_empty()).collect()
}

/// What of the fields the server told as they were written, and what the scenario has written there.
fn same(fields: &BTreeMap<String, (String, String)>, data: Element<'_>) -> Vec<(String, String)> {
    let told = leaves(data);
    let holds = |way: &String, recorded: &String| told.get(way) == Some(recorded);
    let kept = fields.iter().filter(|(way, (recorded, _))| way.as_str() != "Subject" && holds(way, recorded));
    kept.map(|(way, (_, now))| (way.clone(), now.clone())).collect()
}

/// Whether it can stand in the file as it is; what is fresh in every step is not known later.
fn is_quotable(text: &str) -> bool {
    !text.contains(['"', '\\', '\n', '\r', '\'']) && !text.contains("{unique}") && !text.contains("{now")
}

/// The collection of the answer that is about this folder.
fn answer_for<'d>(decoded: &'d Decoded, folder: &str) -> Option<Element<'d>> {
    let root = decoded.answer.root()?;
    within(root, &["Collections", "Collection"]).find(|found| folder_of(*found).is_some_and(|id| id == folder))
}

/// The names for which several people were found, by place.
fn several(answer: Element<'_>) -> impl Iterator<Item = (usize, Element<'_>)> {
    let is_several =
        |(_, response): &(usize, Element<'_>)| matches!(value(*response, "Status").as_deref(), Some("2" | "3"));
    within(answer, &["Response"]).enumerate().filter(is_several)
}

fn has(answer: Element<'_>, name: &str) -> bool {
    answer.descendants().any(|element| element.tag().name() == Some(name))
}

fn status_of(response: Element<'_>, place: &str, say: &str) -> Option<String> {
    let status = value(response, "Status")?.parse::<u16>().ok()?;
    Some(format!("{{ at = \"{place}/Status\", equals = {status}, say = \"{say}\" }}"))
}

/// Every Status near the root but the root's own, by the place it stands at.
fn statuses(element: Element<'_>, way: &mut Vec<String>, at: &str, out: &mut Vec<String>) {
    if way.len() >= 4 || out.len() >= 100 {
        return;
    }
    for child in element.children() {
        let Some(name) = child.tag().name() else { continue };
        let same: Vec<_> = element.children().filter(|other| other.tag() == child.tag()).map(Element::offset).collect();
        let place = match same.iter().position(|offset| *offset == child.offset()) {
            Some(n) if same.len() > 1 => format!("{at}/{name}[{}]", n + 1),
            _ => format!("{at}/{name}"),
        };
        if name == "Status" && child.is_leaf() && !way.is_empty() {
            if let Ok(status) = child.text().trim().parse::<u16>() {
                out.push(format!("{{ at = \"{place}\", equals = {status} }}"));
            }
        } else if !child.is_leaf() && !OTHERS.contains(&name) {
            way.push(name.to_owned());
            statuses(child, way, &place, out);
            way.pop();
        }
    }
}

/// What lies in these depends on other people and other mail.
const OTHERS: [&str; 6] = ["Properties", "ApplicationData", "Recipient", "Changes", "Policies", "Picture"];
