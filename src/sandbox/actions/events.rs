//! events/view, index, delete and filterEventIdsForPush.

use serde_json::Value as Data;

use crate::sandbox::{
    Call,
    actions::attributes::visible_event,
    http::{
        answer::{Answer, Halt, Outcome},
        php, request,
    },
    output::{
        json::{Json, Style},
        views::{self, Deleted, Detail},
    },
    rows::{
        filters::{Wanted, names_tag},
        row::EventRow,
        state::{State, exact_uuid},
    },
    setup::Load,
};

/// GET or HEAD events/view/{id or uuid}, with `deleted:1` in the path for soft-deleted attributes too.
pub(crate) fn view(state: &State, call: &Call<'_>) -> Outcome {
    let id = call.route.id().unwrap_or_default();
    let found = visible_event(state, call, id);
    if call.method == "HEAD" {
        return Ok(Answer::status(if found.is_ok() { 200 } else { 404 }));
    }
    let event = found?;
    if !state.setup.bears(Load::Whole, event.attributes.len()) {
        return Err(Halt::Crash);
    }
    let deleted = match (php::member(&call.data, "deleted"), call.route.named("deleted")) {
        (Some(given), _) => php::text(given).unwrap_or_default(),
        (None, named) => named.unwrap_or("0").to_owned(),
    };
    let deleted = match deleted.as_str() {
        "1" => Deleted { live: true, soft: true },
        "" | "0" => Deleted::LIVE,
        _ => Deleted { live: false, soft: true },
    };
    let to_ids = match call.route.named("toIDS") {
        Some("2") => Some(false),
        Some(text) if text != "0" => Some(true),
        _ => None,
    };
    let global_tags = call.route.flag("excludeLocalTags");
    let detail = Detail { metadata: false, deleted, to_ids, global_tags, all_tags: false };
    Ok(Answer::data(&views::event(state, event, call.caller, &detail), call.style))
}

/// POST, PUT or DELETE events/delete/{id or uuid}: for good, and the UUID is blocked.
pub(crate) fn delete(state: &mut State, call: &Call<'_>) -> Outcome {
    if !matches!(call.method, "POST" | "PUT" | "DELETE") {
        return Err(Halt::Crash);
    }
    let fields = request::fields(call.data.clone());
    let listed = php::isset(&fields, "id");
    let named: Vec<String> = match (call.route.id(), listed) {
        (Some(id), _) => vec![id.to_owned()],
        (None, Some(list @ Data::Array(_))) => {
            php::elements(list).into_iter().filter_map(|(_, id)| php::text(id)).collect()
        }
        (None, Some(id)) => vec![php::text(id).unwrap_or_default()],
        (None, None) => return Err(Halt::exception(404, "Invalid input.")),
    };
    let mut deleted = 0;
    for id in &named {
        let event = state.event(id).filter(|event| state.may_modify(call.caller, event));
        if let Some(event) = event.map(|event| event.id) {
            state.remove_event(event);
            deleted += 1;
        }
    }
    let message = match (named.len(), deleted) {
        (1, 0) => "Event was not deleted.".to_owned(),
        (1, _) => "Event deleted.".to_owned(),
        (all, _) => {
            let done = match deleted {
                0 => String::new(),
                1 => "1 event deleted.".to_owned(),
                many => format!("{many} events deleted."),
            };
            match all - deleted {
                0 => done,
                left => format!("{done}{left}{NOT_DELETED}"),
            }
        }
    };
    let suffix = call.route.id().map(|id| format!("/{id}")).unwrap_or_default();
    if deleted > 0 {
        let url = format!("/events/delete{suffix}");
        return Ok(Answer::saved(&message, url, call.route.id(), call.style));
    }
    let url = "/events/delete".to_owned();
    Ok(Answer::refused("delete Event", url, Json::text(message), None, call.style))
}

const NOT_DELETED: &str =
    " event(s) could not be deleted due to insufficient privileges or the event not being found.";

/// POST events/filterEventIdsForPush: those of the events that this server would take.
pub(crate) fn filter_for_push(state: &State, call: &Call<'_>) -> Outcome {
    if call.method != "POST" {
        return Err(Halt::exception(405, "This endpoint requires a POST request."));
    }
    let mut wanted: Vec<String> = Vec::new();
    for (_, item) in php::elements(&call.data) {
        let event = php::member(item, "Event").unwrap_or(&Data::Null);
        let uuid = php::member(event, "uuid").and_then(php::text).unwrap_or_default();
        let stored = exact_uuid(&uuid).and_then(|uuid| state.event_id(uuid));
        let takes = stored.map(|id| state.known_event(id)).is_none_or(|stored| {
            let sent = php::member(event, "timestamp").unwrap_or(&Data::Null);
            php::greater(sent, stored.timestamp) && stored.locked
        });
        if takes && !wanted.contains(&uuid) {
            wanted.push(uuid);
        }
    }
    Ok(Answer::data(&Json::texts(wanted), call.style))
}

/// Beyond so many events, events/index is written compactly whoever asks.
const PRETTY_EVENTS_MAX: usize = 10_000;

/// GET or POST events/index. Filters that MISP does not know are ignored, and an empty list is none.
pub(crate) fn index(state: &State, call: &Call<'_>) -> Outcome {
    let filters = IndexFilters::new(call);
    let mut events: Vec<&EventRow> = match &filters.ids {
        Some(ids) => ids.events(state),
        None => state.events.values().collect(),
    };
    events.retain(|event| {
        state.sees(call.caller, event)
            && (!filters.minimal || event.attribute_count > 0)
            && filters.published.is_none_or(|wanted| wanted == event.published)
            && filters.since.is_none_or(|since| event.timestamp >= since)
            && filters
                .tags
                .as_ref()
                .is_none_or(|tags| tags.passes(|name| names_tag(state, &event.tags, name)))
    });
    let total = events.len();
    if let Some(limit) = filters.limit {
        let skipped = limit.saturating_mul(filters.page.saturating_sub(1));
        events = events.into_iter().skip(skipped).take(limit).collect();
    }
    let show = |event| match filters.minimal {
        true => views::minimal_event(state, event),
        false => views::indexed_event(state, event),
    };
    let style = if events.len() > PRETTY_EVENTS_MAX { Style::Compact } else { call.style };
    let json = Json::List(events.into_iter().map(show).collect());
    let mut answer = Answer::data(&json, style);
    answer.headers.push(("X-Result-Count", total.to_string()));
    Ok(answer)
}

struct IndexFilters {
    minimal: bool,
    ids: Option<Ids>,
    published: Option<bool>,
    since: Option<i64>,
    limit: Option<usize>,
    page: usize,
    /// The event's own tags.
    tags: Option<Wanted>,
}

impl IndexFilters {
    fn new(call: &Call<'_>) -> Self {
        let data = call.data.clone();
        let fields = request::fields(request::unwrapped(data, "request"));
        let lower = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("search").map(str::to_owned).unwrap_or(name)
        };
        let get = |wanted: &str| {
            let named = call.route.named.iter().find(|(name, _)| lower(name) == wanted);
            let named = named.map(|(_, value)| Data::String(value.clone()));
            let field =
                fields.iter().find(|(name, value)| lower(name) == wanted && !value.is_null());
            field.map(|(_, value)| value.clone()).or(named)
        };
        let count = |name| get(name).as_ref().and_then(php::number).map(|n| n.max(0.0) as usize);
        let published =
            get("published").filter(|given| php::text(given).is_some_and(|text| text != "2"));
        Self {
            minimal: get("minimal").is_some_and(|given| !php::empty(&given)),
            ids: get("eventid").as_ref().and_then(Ids::new),
            published: published.map(|given| !php::empty(&given)),
            since: get("timestamp").as_ref().and_then(php::number).map(|since| since as i64),
            limit: count("limit").filter(|limit| *limit > 0),
            page: count("page").unwrap_or(1),
            tags: get("tags").or_else(|| get("tag")).as_ref().and_then(Wanted::of_index),
        }
    }
}

/// Numbers or UUIDs of events. MISP wants both kinds to fit where both are given, which nothing does.
struct Ids {
    numbers: Vec<u32>,
    uuids: Vec<String>,
    excluded: Vec<String>,
}

impl Ids {
    fn new(given: &Data) -> Option<Self> {
        let texts: Vec<String> = match given {
            Data::Array(_) | Data::Object(_) => {
                php::elements(given).into_iter().filter_map(|(_, id)| php::text(id)).collect()
            }
            other => php::text(other)?.split('|').map(str::to_owned).collect(),
        };
        if texts.is_empty() || texts.iter().all(String::is_empty) {
            return None;
        }
        let mut ids = Self { numbers: Vec::new(), uuids: Vec::new(), excluded: Vec::new() };
        for text in texts {
            let text = text.trim();
            if let Some(text) = text.strip_prefix('!') {
                ids.excluded.push(text.to_owned());
            } else if text.len() == 36 {
                ids.uuids.push(text.to_owned());
            } else {
                ids.numbers.push(text.parse().unwrap_or_default());
            }
        }
        Some(ids)
    }

    fn events<'a>(&self, state: &'a State) -> Vec<&'a EventRow> {
        let mut ids: Vec<u32> = match (&self.numbers[..], &self.uuids[..]) {
            ([], []) => state.events.keys().copied().collect(),
            (numbers, []) => numbers.to_vec(),
            ([], uuids) => uuids.iter().filter_map(|u| state.event_id(exact_uuid(u)?)).collect(),
            _ => Vec::new(),
        };
        ids.sort_unstable();
        ids.dedup();
        let events = ids.iter().filter_map(|id| state.events.get(id));
        let excluded = |event: &&EventRow| {
            let (id, uuid) = (event.id.to_string(), event.uuid.to_string());
            !self.excluded.iter().any(|text| *text == id || *text == uuid)
        };
        events.filter(excluded).collect()
    }
}
