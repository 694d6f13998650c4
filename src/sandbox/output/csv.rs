//! The CSV export of a search.

use crate::sandbox::{
    http::{answer::Halt, php},
    rows::{
        filters::Parameters,
        row::{AttributeRow, EventRow},
        seen,
        state::{State, halves},
    },
};

const DEFAULT: [&str; 10] = [
    "uuid",
    "event_id",
    "category",
    "type",
    "value",
    "comment",
    "to_ids",
    "timestamp",
    "object_relation",
    "attribute_tag",
];
const OF_OBJECTS: [&str; 3] = ["object_uuid", "object_name", "object_meta-category"];
const OF_EVENTS: [&str; 9] = [
    "event_info",
    "event_member_org",
    "event_source_org",
    "event_distribution",
    "event_threat_level_id",
    "event_analysis",
    "event_date",
    "event_tag",
    "event_timestamp",
];

/// Which tags of the event stand in `event_tag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventTags {
    /// Those for export: events/restSearch.
    Exportable,
    /// All: attributes/restSearch of 2.5.1.
    All,
    /// None: attributes/restSearch of 2.5.19.
    Nothing,
}

/// Lines of CSV with the columns that were asked for.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    columns: Vec<String>,
    event_tags: EventTags,
    all_tags: bool,
    text: String,
}

impl Sheet {
    /// Reads `requested_attributes`, `requested_obj_attributes`, `includeContext` and `headerless`.
    ///
    /// # Errors
    /// A crash if the columns are no list.
    pub(crate) fn new(parameters: &Parameters, event_tags: EventTags) -> Result<Self, Halt> {
        let list = |name: &str| match parameters.get(name) {
            None => Ok(None),
            Some(value) if php::text(value).is_some() => Err(Halt::Crash),
            Some(value) => {
                let names =
                    php::elements(value).into_iter().filter_map(|(_, name)| php::text(name));
                Ok(Some(names.collect::<Vec<String>>()))
            }
        };
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let requested = list("requested_attributes")?;
        let of_objects = match (list("requested_obj_attributes")?, &requested) {
            (Some(names), _) => names.iter().map(|name| format!("object_{name}")).collect(),
            (None, Some(_)) => Vec::new(),
            (None, None) => owned(&OF_OBJECTS),
        };
        let mut columns: Vec<String> = requested.unwrap_or_else(|| owned(&DEFAULT));
        columns.extend(of_objects);
        if parameters.flag("includeContext") {
            columns.extend(OF_EVENTS.map(str::to_owned));
        }
        let mut text = String::new();
        if !parameters.flag("headerless") {
            let head = columns.iter().map(|name| match name.as_str() {
                "timestamp" => "date".to_owned(),
                other => other.replace('-', "_"),
            });
            text.push_str(&head.collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        let all_tags = parameters.flag("includeAllTags");
        Ok(Self { columns, event_tags, all_tags, text })
    }

    /// Adds the line of an attribute.
    pub(crate) fn add(&mut self, state: &State, event: &EventRow, row: &AttributeRow) {
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            let cell = match column.as_str() {
                "attribute_tag" => tag_names(state, &row.tags, self.all_tags),
                "event_tag" if self.event_tags == EventTags::Nothing => None,
                "event_tag" => {
                    let all = self.all_tags || self.event_tags == EventTags::All;
                    tag_names(state, &event.tags, all)
                }
                column => cell(state, event, row, column),
            };
            match cell {
                None => self.text.push_str("\"\""),
                Some(text) if php::numeric(&text).is_some() => self.text.push_str(&text),
                Some(text) => {
                    self.text.push('"');
                    self.text.push_str(&text.replace('"', "\"\""));
                    self.text.push('"');
                }
            }
        }
        self.text.push('\n');
    }

    /// The whole text; it ends with an empty line.
    pub(crate) fn finished(mut self) -> String {
        self.text.push('\n');
        self.text
    }
}

/// The text of one column; nothing for one that is null or unknown.
fn cell(state: &State, event: &EventRow, row: &AttributeRow, column: &str) -> Option<String> {
    let flag = |flag: bool| u8::from(flag).to_string();
    let object = || event.objects.iter().find(|object| object.id == row.object);
    Some(match column {
        "id" => row.id.to_string(),
        "event_id" => row.event.to_string(),
        "object_id" => row.object.to_string(),
        "object_relation" => row.object_relation.as_deref()?.to_owned(),
        "category" => row.category.name().to_owned(),
        "type" => row.kind.name().to_owned(),
        "value" => row.value.to_string(),
        "value1" => halves(row.kind, &row.value).0.to_owned(),
        "value2" => halves(row.kind, &row.value).1.to_owned(),
        "to_ids" => flag(row.to_ids),
        "uuid" => row.uuid.to_string(),
        "timestamp" => row.timestamp.to_string(),
        "distribution" => row.distribution.to_string(),
        "sharing_group_id" => row.sharing_group.to_string(),
        "comment" => row.comment.to_string(),
        "deleted" => flag(row.deleted),
        "disable_correlation" => flag(row.disable_correlation),
        "first_seen" => seen::shown(row.first_seen?),
        "last_seen" => seen::shown(row.last_seen?),
        "object_uuid" => object()?.uuid.to_string(),
        "object_name" => object()?.name.clone(),
        "object_meta-category" => object()?.meta_category.clone(),
        "event_info" => event.info.clone(),
        "event_member_org" => state.org(event.org).name.clone(),
        "event_source_org" => state.org(event.orgc).name.clone(),
        "event_distribution" => event.distribution.to_string(),
        "event_threat_level_id" => threat_level(event.threat_level).to_owned(),
        "event_analysis" => event.analysis.to_string(),
        "event_date" => event.date.clone(),
        "event_timestamp" => event.timestamp.to_string(),
        _ => return None,
    })
}

/// The names in the order in which the tags were attached.
fn tag_names(
    state: &State,
    tags: &[crate::sandbox::rows::row::Attached],
    all: bool,
) -> Option<String> {
    let known = tags.iter().filter_map(|attached| state.tag(attached.tag));
    let shown = known.filter(|tag| tag.exportable || all);
    let names: Vec<&str> = shown.map(|tag| tag.name.as_str()).collect();
    if names.is_empty() { None } else { Some(names.join(",")) }
}

fn threat_level(level: u8) -> &'static str {
    match level {
        1 => "High",
        2 => "Medium",
        3 => "Low",
        _ => "Undefined",
    }
}
