//! What rows say of each other. A filter that the platform does not know may be passed over, and then rows come that
//! nobody asked for, also such as are meant for others: so each row has to say itself that it belongs where it is listed.

use serde::Deserialize;
use serde_json::Value;

use crate::format::{Format, name_of};

use super::list::Row;

/// What an entity refers to, by id.
#[derive(Debug)]
pub(super) struct Links {
    /// Its observables.
    pub(super) observables: Vec<Box<str>>,
    /// The outgoing feeds that it is in.
    pub(super) feeds: Vec<Box<str>>,
}

/// An end of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Target,
}

impl End {
    /// The filter that finds the relationships of an entity.
    pub(super) const fn filter(self) -> &'static str {
        match self {
            Self::Source => "filter[data.source]",
            Self::Target => "filter[data.target]",
        }
    }
}

/// The members that refer to other rows.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    observables: Value,
    outgoing_feeds: Value,
    entities: Value,
    data: Value,
}

fn members(row: &Row) -> Members {
    serde_json::from_str(row.raw.get()).unwrap_or_default()
}

impl Links {
    pub(super) fn of(entity: &Row) -> Self {
        let Members { observables, outgoing_feeds, .. } = members(entity);
        Self { observables: ids(&observables), feeds: ids(&outgoing_feeds) }
    }
}

/// Whether an observable and an entity are linked, as one of them says.
pub(super) fn has(entity: &Row, links: &Links, observable: &Row) -> bool {
    links.observables.contains(&observable.id)
        || ids(&members(observable).entities).iter().any(|id| is_same(id, &entity.id))
}

/// Whether a relationship has an entity at an end.
pub(super) fn is_at(relationship: &Row, end: End, entity: &Row) -> bool {
    let data = members(relationship).data;
    let named = match end {
        End::Source => &data["source"],
        End::Target => &data["target"],
    };
    let Some(named) = named.as_str().map(last_part) else { return false };
    let own = &members(entity).data["id"];
    is_same(named, &entity.id) || own.as_str().is_some_and(|own| is_same(named, own))
}

fn is_same(one: &str, other: &str) -> bool {
    name_of(one, Format::EclecticIq) == name_of(other, Format::EclecticIq)
}

fn ids(urls: &Value) -> Vec<Box<str>> {
    let urls = urls.as_array().into_iter().flatten().filter_map(Value::as_str);
    urls.map(|url| last_part(url).into()).collect()
}

/// What comes last in a URL or path.
fn last_part(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;

    fn row(mut value: Value) -> Row {
        value["last_updated_at"] = json!("2026-11-18T10:00:00Z");
        Row::read(RawValue::from_string(value.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn rows_say_themselves_where_they_belong() {
        let uuid = |end: u8| format!("7c1e0000-0000-4000-8001-0000000000{end:02}");
        let url = |end: u8| format!("https://eiq.example/api/v2/entities/{}/?x=1", uuid(end));
        let entity = row(json!({"id": uuid(1), "observables": ["/api/v2/observables/7"],
            "data": {"id": format!("{{https://eiq.example/}}incident-{}", uuid(2))}}));
        let links = Links::of(&entity);
        assert!(has(&entity, &links, &row(json!({"id": 7}))));
        assert!(has(&entity, &links, &row(json!({"id": 8, "entities": [url(1)]}))));
        assert!(!has(&entity, &links, &row(json!({"id": 8, "entities": [url(3)]}))));
        assert!(!has(&entity, &links, &row(json!({"id": 8, "entities": null}))));
        let relationship = |source: &str, target: &str| {
            row(json!({"id": "r", "data": {"source": source, "target": target}}))
        };
        for named in [url(1), uuid(1).to_uppercase(), url(2)] {
            assert!(is_at(&relationship(&named, "x"), End::Source, &entity), "{named}");
            assert!(is_at(&relationship("x", &named), End::Target, &entity), "{named}");
            assert!(!is_at(&relationship("x", &named), End::Source, &entity), "{named}");
        }
        assert!(!is_at(&row(json!({"id": "r"})), End::Source, &entity));
    }
}
