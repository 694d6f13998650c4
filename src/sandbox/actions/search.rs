//! events/restSearch and attributes/restSearch.

use crate::sandbox::{
    Call,
    http::answer::{Answer, Content, Halt, Outcome},
    output::{
        csv::{EventTags, Sheet},
        json::{Json, Style},
        views::{self, Deleted, Detail},
    },
    rows::{
        filters::{OfAttributes, Parameters, names_event, names_tag},
        roles::{Caller, Permission},
        row::{AttributeRow, EventRow},
        state::{State, exact_uuid},
    },
    setup::{Load, RowOrder},
};

/// The formats that the sandbox knows of MISP's many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Count,
    Text,
}

impl Format {
    fn named(name: Option<&str>) -> Result<Self, Halt> {
        match name {
            None | Some("json" | "download") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("count") => Ok(Self::Count),
            Some("text") => Ok(Self::Text),
            Some(_) => Err(Halt::exception(404, "Invalid output format.")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Count => "count",
            Self::Text => "text",
        }
    }

    /// The kind of body, and what the file that it makes is called.
    fn content(self) -> (Content, &'static str) {
        match self {
            Self::Json => (Content::Json, "json"),
            Self::Csv => (Content::Csv, "csv"),
            Self::Count | Self::Text => (Content::Text, "txt"),
        }
    }

    /// Whether the format is for detection systems, which get what is published and marked alone.
    fn is_restrictive(self) -> bool {
        self == Self::Text
    }

    fn answer(self, body: String, results: usize, file: Option<String>) -> Answer {
        let (content, ending) = self.content();
        let mut headers = vec![
            ("X-Result-Count", results.to_string()),
            ("X-Export-Module-Used", self.name().to_owned()),
            ("X-Response-Format", ending.to_owned()),
            ("X-Skipped-Elements-Count", "0".to_owned()),
        ];
        if let Some(file) = file {
            let disposition = format!("attachment; filename=\"{file}.{ending}\"");
            headers.push(("Content-Disposition", disposition));
        }
        Answer { status: 200, content, body, headers, tagged: true }
    }
}

/// The parameters, or the answer to a search without any.
fn parameters(state: &State, call: &Call<'_>) -> Result<Result<Parameters, Answer>, Halt> {
    let Some(parameters) = Parameters::new(call, state.setup.release) else {
        let message = Json::text(
            "Either specify the search terms in the url, or POST a json with the filter parameters.",
        );
        let url = format!("/{}/restSearch", call.route.controller);
        let json =
            Json::map([("name", message.clone()), ("message", message), ("url", Json::text(url))]);
        let mut answer = Answer::data(&json, call.style);
        answer.status = 400;
        return Ok(Err(answer));
    };
    if parameters.is_empty() && call.method == "GET" {
        return Err(Halt::exception(
            400,
            "Restsearch queries using GET and no parameters are not allowed. If you have passed \
             parameters via a JSON body, make sure you use POST requests.",
        ));
    }
    Ok(Ok(parameters))
}

/// events/restSearch.
pub(crate) fn events(state: &State, call: &Call<'_>) -> Outcome {
    let parameters = match parameters(state, call)? {
        Ok(parameters) => parameters,
        Err(answer) => return Ok(answer),
    };
    let format = Format::named(parameters.text("returnFormat").as_deref())?;
    let mut found: Vec<&EventRow> = candidates(state, &parameters)
        .into_iter()
        .filter(|event| state.sees(call.caller, event))
        .filter(|event| event_passes(state, event, &parameters, format, call.now))
        .collect();
    let results = found.len();
    if let Some((limit, page)) = parameters.paging(limit_of_server(state, call)) {
        let skipped = limit.saturating_mul(page - 1);
        found = found.into_iter().skip(skipped).take(limit).collect();
    }
    let rows = |event: &&EventRow| event.attributes.len();
    let too_large = |event| !state.setup.bears(Load::Export, rows(event));
    if !parameters.flag("metadata") && found.iter().any(too_large) {
        return Err(Halt::Crash);
    }
    let restricted = format.is_restrictive().then_some(true);
    let detail = Detail {
        metadata: parameters.flag("metadata"),
        deleted: parameters.deleted().unwrap_or(Deleted::LIVE),
        to_ids: parameters.column("to_ids").or(restricted),
        global_tags: Detail::of_answer(call.caller, false).global_tags,
        all_tags: parameters.flag("includeAllTags"),
    };
    let body = match format {
        Format::Json => {
            let events = found.iter().map(|event| views::event(state, event, call.caller, &detail));
            let mut body = "{\"response\": [".to_owned();
            join(&mut body, events);
            body.push_str("]}\n");
            body
        }
        Format::Csv => {
            let mut sheet = Sheet::new(&parameters, EventTags::Exportable)?;
            for event in &found {
                events_rows(state, event, call.caller, &detail, &mut sheet);
            }
            sheet.finished()
        }
        Format::Count => found.len().to_string(),
        Format::Text => values(found.iter().flat_map(|event| {
            views::shown_attributes(state, event, call.caller, &detail).filter(|r| r.object == 0)
        })),
    };
    let file = parameters.text("eventid").filter(|_| parameters.wanted("eventid").is_some());
    let file = format!("misp.event.{}", file.as_deref().unwrap_or("list"));
    Ok(format.answer(body, results, Some(file)))
}

fn events_rows<'a>(
    state: &'a State,
    event: &'a EventRow,
    caller: Caller,
    detail: &Detail,
    sheet: &mut Sheet,
) {
    if detail.metadata {
        return;
    }
    let rows: Vec<&AttributeRow> = views::shown_attributes(state, event, caller, detail).collect();
    let (plain, of_objects): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.object == 0);
    for row in plain.into_iter().chain(of_objects) {
        sheet.add(state, event, row);
    }
}

/// Compact JSON, separated by commas.
fn join<'a>(body: &mut String, items: impl Iterator<Item = Json<'a>>) {
    for (place, item) in items.enumerate() {
        if place > 0 {
            body.push(',');
        }
        item.write(body, Style::Compact, 0);
    }
}

/// Every value once, one a line.
fn values<'a>(rows: impl Iterator<Item = &'a AttributeRow>) -> String {
    let mut seen = std::collections::HashSet::new();
    let mut lines: Vec<&str> = Vec::new();
    for row in rows {
        if seen.insert(&*row.value) {
            lines.push(&row.value);
        }
    }
    format!("{}\n", lines.join("\n"))
}

/// The events that the filters by UUID and number leave, in the order of their numbers: by index where
/// a filter names them, all of them otherwise.
fn candidates<'a>(state: &'a State, parameters: &Parameters) -> Vec<&'a EventRow> {
    let by_uuid = parameters.wanted("uuid").filter(|wanted| !wanted.any.is_empty());
    let by_id = parameters.wanted("eventid").filter(|wanted| !wanted.any.is_empty());
    let mut ids: Vec<u32> = match (&by_uuid, &by_id) {
        (Some(wanted), _) => wanted
            .any
            .iter()
            .filter_map(|text| {
                let uuid = exact_uuid(text)?;
                let of_attribute = || Some(state.attributes.get(&state.attribute_id(uuid)?)?.event);
                state.event_id(uuid).or_else(of_attribute)
            })
            .collect(),
        (None, Some(wanted)) => {
            wanted.any.iter().filter_map(|text| Some(state.event(text)?.id)).collect()
        }
        (None, None) => state.events.keys().copied().collect(),
    };
    ids.sort_unstable();
    ids.dedup();
    ids.iter().filter_map(|id| state.events.get(id)).collect()
}

fn event_passes(
    state: &State,
    event: &EventRow,
    parameters: &Parameters,
    format: Format,
    now: i64,
) -> bool {
    let within = |name: &str, time: i64| {
        parameters.span(name, now).is_none_or(|(first, last)| (first..=last).contains(&time))
    };
    let named = parameters
        .wanted("eventid")
        .is_none_or(|wanted| wanted.passes(|text| names_event(text, event)));
    let published = parameters
        .column("published")
        .or((format.is_restrictive() && parameters.get("published").is_none()).then_some(true));
    let tagged = parameters.wanted("tags").is_none_or(|wanted| {
        wanted.passes(|name| {
            let mut rows = state.attributes_of(event);
            names_tag(state, &event.tags, name) || rows.any(|row| names_tag(state, &row.tags, name))
        })
    });
    let own_tags = parameters.wanted("event_tags");
    let tagged = tagged
        && own_tags.is_none_or(|wanted| wanted.passes(|name| names_tag(state, &event.tags, name)));
    // Filters of attributes ask whether the event has such a one; `deleted` is one of them.
    let of_attributes = OfAttributes::new(parameters);
    let deleted = parameters.deleted();
    let holds = (!of_attributes.is_any()
        || state.attributes_of(event).any(|row| of_attributes.pass(row)))
        && deleted.is_none_or(|deleted| {
            state.attributes_of(event).any(|row| deleted.covers(row.deleted))
        });
    named
        && holds
        && tagged
        && published.is_none_or(|wanted| wanted == event.published)
        && within("timestamp", event.timestamp)
        && within("event_timestamp", event.timestamp)
        && within("publish_timestamp", event.publish_timestamp)
        && within("last", event.publish_timestamp)
}

/// attributes/restSearch.
pub(crate) fn attributes(state: &State, call: &Call<'_>) -> Outcome {
    let parameters = match parameters(state, call)? {
        Ok(parameters) => parameters,
        Err(answer) => return Ok(answer),
    };
    let format = Format::named(parameters.text("returnFormat").as_deref())?;
    let mut found = attribute_rows(state, call, &parameters, format);
    let row_order = state.setup.row_order;
    if row_order != RowOrder::Insertion && !parameters.is_ordered() {
        found.sort_by_key(|(row, event)| (event.id, row_order.rank(row)));
    }
    if parameters.is_descending() {
        found.reverse();
    }
    let mut results = found.len();
    let paging = parameters.paging(limit_of_server(state, call));
    if paging.is_none() && !state.setup.bears(Load::Whole, found.len()) {
        return Err(Halt::Crash);
    }
    if let Some((limit, page)) = paging {
        let skipped = limit.saturating_mul(page - 1);
        found = found.into_iter().skip(skipped).take(limit).collect();
        // One more than there are says that there may be more; MISP says so of an empty page, too.
        let more = found.len() == limit || found.is_empty();
        results = found.len() + usize::from(more);
    }
    if !state.setup.bears(Load::Export, found.len()) {
        return Err(Halt::Crash);
    }
    let body = match format {
        Format::Json => {
            let all_tags = parameters.flag("includeAllTags");
            let items = found
                .iter()
                .map(|(row, event)| views::found_attribute(state, event, row, all_tags));
            let mut body = "{\"response\": {\"Attribute\": [".to_owned();
            join(&mut body, items);
            body.push_str("]}}\n");
            body
        }
        Format::Csv => {
            let mut sheet = Sheet::new(
                &parameters,
                if state.setup.release.is_later() { EventTags::Nothing } else { EventTags::All },
            )?;
            for (row, event) in &found {
                sheet.add(state, event, row);
            }
            sheet.finished()
        }
        Format::Count => found.len().to_string(),
        Format::Text => values(found.iter().map(|(row, _)| *row)),
    };
    let file = format!("misp.attributes_search.{}.{}", format.name(), call.now);
    let file = state.setup.release.is_later().then_some(file);
    Ok(format.answer(body, results, file))
}

/// The limit that the server has for the caller.
fn limit_of_server(state: &State, call: &Call<'_>) -> Option<usize> {
    state.setup.search_limit().filter(|_| !call.caller.may(Permission::SiteAdmin))
}

type Found<'a> = Vec<(&'a AttributeRow, &'a EventRow)>;

fn attribute_rows<'a>(
    state: &'a State,
    call: &Call<'_>,
    parameters: &Parameters,
    format: Format,
) -> Found<'a> {
    let by_uuid = parameters.wanted("uuid");
    let by_event = parameters.wanted("eventid");
    let mut ids: Vec<u32> = match (&by_uuid, &by_event) {
        (Some(wanted), _) if !wanted.any.is_empty() => {
            let ids = wanted.any.iter().map(|text| state.attribute_id(exact_uuid(text)?));
            ids.flatten().collect()
        }
        (_, Some(wanted)) if !wanted.any.is_empty() => {
            let events = wanted.any.iter().filter_map(|text| state.event(text));
            events.flat_map(|event| event.attributes.iter().copied()).collect()
        }
        _ => state.attributes.keys().copied().collect(),
    };
    ids.sort_unstable();
    ids.dedup();
    let sync_only = state.setup.release.is_later() && !call.caller.may(Permission::Sync);
    let deleted = parameters.deleted_attributes(sync_only);
    let restricted = format.is_restrictive();
    let published = parameters
        .column("published")
        .or((restricted && parameters.get("published").is_none()).then_some(true));
    let marked = restricted && parameters.get("to_ids").is_none();
    let of_attributes = OfAttributes::new(parameters);
    let within = |name: &str, time: i64| {
        parameters.span(name, call.now).is_none_or(|(first, last)| (first..=last).contains(&time))
    };
    let passes = |row: &AttributeRow, event: &EventRow| {
        let tagged =
            |name: &str| names_tag(state, &row.tags, name) || names_tag(state, &event.tags, name);
        deleted.covers(row.deleted)
            && state.sees(call.caller, event)
            && state.sees_attribute(call.caller, event, row)
            && by_uuid.as_ref().is_none_or(|wanted| {
                let uuid = row.uuid.to_string();
                wanted.passes(|text| text == uuid)
            })
            && by_event.as_ref().is_none_or(|w| w.passes(|text| names_event(text, event)))
            && published.is_none_or(|wanted| wanted == event.published)
            && (!marked || row.to_ids)
            && within("timestamp", row.timestamp)
            && within("attribute_timestamp", row.timestamp)
            && within("event_timestamp", event.timestamp)
            && within("publish_timestamp", event.publish_timestamp)
            && parameters.wanted("tags").is_none_or(|wanted| wanted.passes(tagged))
            && of_attributes.pass(row)
    };
    let rows = ids.iter().filter_map(|id| {
        let row = state.attributes.get(id)?;
        let event = state.events.get(&row.event)?;
        passes(row, event).then_some((row, event))
    });
    rows.collect()
}
