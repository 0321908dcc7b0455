use easrig_eas::{command::Item, date::EasDate};
use easrig_wbxml::{
    Builder, Element,
    tags::{air_sync_base as base, calendar},
};
use jiff::Timestamp;

use crate::Fields;

/// Changes one occurrence of a series (16.0+); without data it is deleted.
pub(super) fn set(fields: &mut Fields, start: Timestamp, data: Option<&Item>) {
    let mut out = Builder::new(calendar::EXCEPTIONS);
    let mut merged = Fields::default();
    for exception in fields.get(calendar::EXCEPTIONS).into_iter().flat_map(|all| all.children()) {
        if is_at(exception, start) {
            merged = Fields::read(&Item(exception.to_document()));
        } else {
            out.append(exception);
        }
    }
    out.open(calendar::EXCEPTION);
    match data {
        None => {
            out.leaf(calendar::DELETED, "1");
        }
        Some(data) => {
            Fields::read(data).elements().for_each(|element| merged.put(element.to_document()));
            let already = [calendar::EXCEPTION_START_TIME, calendar::DELETED, base::INSTANCE_ID];
            let kept = merged.elements().filter(|element| !already.contains(&element.tag()));
            kept.for_each(|element| {
                out.append(element);
            });
        }
    }
    out.leaf(calendar::EXCEPTION_START_TIME, &EasDate::compact(start).to_string());
    out.close();
    let exceptions = out.finish();
    fields.put(exceptions);
}

fn is_at(exception: Element<'_>, start: Timestamp) -> bool {
    let found =
        exception.child_text(calendar::EXCEPTION_START_TIME).or_else(|| exception.child_text(base::INSTANCE_ID));
    found.and_then(|text| text.parse::<EasDate>().ok()).is_some_and(|date| date.at == start)
}

#[cfg(test)]
mod tests {
    use easrig_wbxml::Document;

    use super::*;

    #[test]
    fn an_occurrence_is_changed_and_then_deleted_in_place() {
        let start: Timestamp = "2024-07-01T08:00:00Z".parse().unwrap();
        let mut fields = Fields::default();
        let data = r#"<ApplicationData xmlns="AirSync"><Subject xmlns="Calendar">other</Subject></ApplicationData>"#;
        set(&mut fields, start, Some(&Item(Document::from_xml(data).unwrap())));
        let only = |fields: &Fields| {
            let all = fields.get(calendar::EXCEPTIONS).unwrap();
            assert_eq!(all.children().count(), 1);
            all.children().next().unwrap().to_document()
        };
        assert_eq!(only(&fields).root().child_text(calendar::SUBJECT).as_deref(), Some("other"));
        set(&mut fields, start, None);
        assert_eq!(only(&fields).root().child_text(calendar::DELETED).as_deref(), Some("1"));
    }
}
