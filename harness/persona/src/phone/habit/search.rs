//! Searching the mailbox: Search, or Find from 16.1 on (MS-ASCMD 2.2.1.16, 2.2.1.2).

use std::borrow::Cow;

use easrig_eas::{
    Command, Version,
    command::{BodyPreference, Class, Flag, Item, Range, find, search},
};
use easrig_wbxml::tags::email;

use crate::{
    Condition,
    persona::word::SearchBy,
    phone::{
        line::{Line, Stop},
        request::Call,
    },
};

impl Line {
    pub(super) async fn search(&self, text: String) -> Result<(), Stop> {
        let version = self.version().await?;
        let by = self.with(|core| core.persona.search.by.value.at(version)).unwrap_or(SearchBy::Search);
        let found = match by {
            SearchBy::Search => self.search_store(text, version).await?,
            SearchBy::Find => self.find_in_mailbox(text, version).await?,
        };
        self.with(|core| core.owner().found = found);
        Ok(())
    }

    async fn search_store(&self, text: String, version: Version) -> Result<Vec<String>, Stop> {
        let habits = self.with(|core| core.persona.search.clone());
        let body = habits.truncation_size.map(|size| BodyPreference {
            body_type: 2,
            truncation_size: Some(size.value),
            ..BodyPreference::default()
        });
        let request = search::Request {
            store: search::Store::Mailbox,
            query: search::Query::Criteria(search::Criteria {
                classes: vec![Class::Email],
                collection_ids: habits.collection.map(|id| id.value.into()).into_iter().collect(),
                free_text: Some(text),
                ..search::Criteria::default()
            }),
            options: Some(search::Options {
                range: Some(Range { first: 0, last: habits.last.value }),
                rebuild_results: Some(Flag::Empty),
                deep_traversal: Some(Flag::Empty),
                body_preferences: body.into_iter().collect(),
                ..search::Options::default()
            }),
        };
        let answer = self.command(Call::new(Command::Search, request.to_document(version).encode())).await?;
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = search::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to Search: {error}")))?;
        let store = said.store.unwrap_or_default();
        good("Search", said.status.map(|status| status.0))?;
        good("Search", store.status.map(|status| status.0))?;
        Ok(store.results.iter().filter_map(|result| subject(result.properties.as_ref())).collect())
    }

    async fn find_in_mailbox(&self, text: String, version: Version) -> Result<Vec<String>, Stop> {
        let (id, last) = self.with(|core| (core.fresh(), core.persona.search.last.value));
        let request = find::Request {
            search_id: guid(&id),
            criterion: find::Criterion::Mailbox {
                class: Some(Class::Email),
                collection_id: None,
                free_text: Some(text),
                options: Some(find::Options {
                    range: Some(Range { first: 0, last }),
                    deep_traversal: Some(Flag::Empty),
                    ..find::Options::default()
                }),
            },
        };
        let answer = self.command(Call::new(Command::Find, request.to_document(version).encode())).await?;
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = find::Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to Find: {error}")))?;
        let store = said.response.unwrap_or_default();
        good("Find", said.status.map(|status| status.0))?;
        good("Find", store.status.map(|status| status.0))?;
        Ok(store.results.iter().filter_map(|result| subject(result.properties.as_ref())).collect())
    }
}

fn good(command: &str, status: Option<u16>) -> Result<(), Stop> {
    match status.unwrap_or(1) {
        1 => Ok(()),
        status => Err(Stop::GaveUp(format!("{command} was answered with Status {status}"))),
    }
}

fn subject(content: Option<&Item>) -> Option<String> {
    content?.text(email::SUBJECT).map(Cow::into_owned)
}

/// A GUID of the digits of `text`, filled up with zeros.
fn guid(text: &str) -> String {
    let digits: String = text.chars().chain(std::iter::repeat('0')).take(32).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
