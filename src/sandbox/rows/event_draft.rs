//! The fields of an event as a request describes them: MISP's defaults, then its validation.

use serde_json::Value as Data;
use uuid::Uuid;

use crate::sandbox::{
    http::{
        answer::Halt,
        php::{self, Fields},
    },
    rows::{
        draft::{DraftUuid, Errors},
        draft_fields::{database_text, one_of, strict_flag, timestamp},
        row::EventRow,
        seen,
        state::{State, is_uuid},
    },
};

/// An event between request and database.
#[derive(Debug, Clone)]
pub(crate) struct EventDraft {
    date: Option<String>,
    threat_level: Option<u8>,
    distribution: Option<u8>,
    /// The group that goes with the distribution, if one is named.
    sharing_group: Option<u32>,
    analysis: Option<u8>,
    info: Option<String>,
    info_is_missing: bool,
    published: Option<bool>,
    pub(crate) uuid: DraftUuid,
    extends_uuid: Result<Option<String>, &'static str>,
    timestamp: Result<i64, crate::sandbox::rows::draft::Poison>,
    disable_correlation: Option<bool>,
}

impl EventDraft {
    /// Reads the fields; those that are missing come from `base`, the stored event, or are defaults.
    ///
    /// # Errors
    /// A crash, if a field has a shape that MISP fails over.
    pub(crate) fn new(
        state: &State,
        fields: &Fields,
        base: Option<&EventRow>,
        now: i64,
    ) -> Result<Self, Halt> {
        let info = match (fields.get("info"), base) {
            (None | Some(Data::Null), Some(base)) => Some(base.info.clone()),
            (given, _) => given.map(php::text).map(|t| t.ok_or(Halt::Crash)).transpose()?,
        };
        let digit = |name, default: u8, range| match php::isset(fields, name) {
            Some(given) => one_of(given, range),
            None => Some(default),
        };
        let published = match (fields.get("published"), base) {
            (None, _) | (Some(Data::Null), Some(_)) => Some(false),
            (Some(given), _) => strict_flag(given),
        };
        Ok(Self {
            date: date(fields, base, now),
            threat_level: digit("threat_level_id", base.map_or(4, |b| b.threat_level), 1..=4),
            distribution: digit("distribution", base.map_or(1, |b| b.distribution), 0..=4),
            sharing_group: php::isset(fields, "distribution").map(|given| {
                let group = php::isset(fields, "sharing_group_id").and_then(php::text);
                let group = group.filter(|_| php::equals(given, 4));
                group.and_then(|id| id.parse().ok()).unwrap_or_default()
            }),
            analysis: match php::isset(fields, "analysis").and_then(Data::as_str) {
                Some("Initial") => Some(0),
                Some("Ongoing") => Some(1),
                Some("Completed") => Some(2),
                _ => digit("analysis", base.map_or(0, |b| b.analysis), 0..=2),
            },
            info_is_missing: info.is_none(),
            info: info.filter(|info| !matches!(info.trim(), "" | "0")),
            published,
            uuid: uuid(fields)?,
            extends_uuid: extends_uuid(state, fields),
            timestamp: timestamp(fields.get("timestamp"), now),
            disable_correlation: fields.get("disable_correlation").map(|flag| !php::empty(flag)),
        })
    }

    /// Runs the rules for a new event (`base` is none) or a changed one.
    pub(crate) fn validate(&self, state: &State, is_new: bool) -> Errors {
        let mut errors = Errors::default();
        if self.date.is_none() {
            errors.add("date", "Expected date format: YYYY-MM-DD");
        }
        if self.threat_level.is_none() {
            errors.add("threat_level_id", THREAT_LEVELS);
        }
        if self.distribution.is_none() {
            errors.add("distribution", DISTRIBUTIONS);
        }
        if self.analysis.is_none() {
            errors.add("analysis", ANALYSES);
        }
        if self.info_is_missing {
            errors.add("info", "valueNotEmpty");
        } else if self.info.is_none() {
            errors.add("info", "Info cannot be empty.");
        }
        if self.published.is_none() {
            errors.add("published", "boolean");
        }
        match self.uuid {
            DraftUuid::Malformed => errors.add("uuid", "Please provide a valid RFC 4122 UUID"),
            DraftUuid::Given(uuid) if is_new && state.event_id(uuid).is_some() => {
                errors.add("uuid", "The UUID provided is not unique");
            }
            DraftUuid::Given(_) | DraftUuid::Fresh => {}
        }
        if let Err(message) = self.extends_uuid {
            errors.add("extends_uuid", message);
        }
        errors
    }

    /// Whether the database would refuse to take the row.
    pub(crate) fn is_poison(&self) -> bool {
        self.timestamp.is_err()
            || self.info.as_deref().is_some_and(|info| database_text(info).is_err())
    }

    /// Whether the event is to be published, if the caller may.
    pub(crate) fn wants_publication(&self) -> bool {
        self.published == Some(true)
    }

    /// Writes the draft into a row, all but UUID and publication. It has to be valid and no poison.
    pub(crate) fn apply(self, row: &mut EventRow) {
        row.date = self.date.unwrap_or_default();
        row.threat_level = self.threat_level.unwrap_or_default();
        row.distribution = self.distribution.unwrap_or_default();
        row.sharing_group = self.sharing_group.unwrap_or(row.sharing_group);
        row.analysis = self.analysis.unwrap_or_default();
        row.info = self.info.unwrap_or_default();
        row.timestamp = self.timestamp.unwrap_or_default();
        row.disable_correlation = self.disable_correlation.unwrap_or(row.disable_correlation);
        if let Ok(Some(extends)) = self.extends_uuid {
            row.extends_uuid = extends;
        }
    }

    /// A new row with the draft's fields and nothing else.
    pub(crate) fn into_row(self, uuid: Uuid, org: u32, orgc: u32, user: u32) -> EventRow {
        let mut row = EventRow {
            id: 0,
            uuid,
            org,
            orgc,
            user,
            date: String::new(),
            threat_level: 0,
            analysis: 0,
            info: String::new(),
            published: false,
            timestamp: 0,
            publish_timestamp: 0,
            distribution: 0,
            sharing_group: 0,
            locked: false,
            disable_correlation: false,
            extends_uuid: String::new(),
            attribute_count: 0,
            tags: Vec::new(),
            attributes: Vec::new(),
            objects: Vec::new(),
            proposals: Vec::new(),
        };
        self.apply(&mut row);
        row
    }
}

const THREAT_LEVELS: &str = "Options : 1, 2, 3, 4 (for High, Medium, Low, Undefined)";
const DISTRIBUTIONS: &str =
    "Options : Your organisation only, This community only, Connected communities, All communities";
const ANALYSES: &str = "Options : 0, 1, 2 (for Initial, Ongoing, Completed)";

fn date(fields: &Fields, base: Option<&EventRow>, now: i64) -> Option<String> {
    match (php::isset(fields, "date"), base) {
        (None, Some(base)) => Some(base.date.clone()),
        (None, None) => Some(seen::today(now)),
        (Some(given), _) if php::empty(given) => Some(seen::today(now)),
        (Some(given), _) => php::text(given).as_deref().and_then(seen::event_date),
    }
}

fn uuid(fields: &Fields) -> Result<DraftUuid, Halt> {
    Ok(match fields.get("uuid") {
        None => DraftUuid::Fresh,
        Some(Data::String(text)) if is_uuid(text) => {
            Uuid::try_parse(text).map_or(DraftUuid::Malformed, DraftUuid::Given)
        }
        Some(Data::Array(list)) if !list.is_empty() => return Err(Halt::Crash),
        Some(Data::Object(map)) if !map.is_empty() => return Err(Halt::Crash),
        Some(_) => DraftUuid::Malformed,
    })
}

fn extends_uuid(state: &State, fields: &Fields) -> Result<Option<String>, &'static str> {
    let Some(given) = php::isset(fields, "extends_uuid") else { return Ok(None) };
    let text = php::text(given).unwrap_or_default();
    if text.is_empty() {
        return Ok(Some(String::new()));
    }
    if php::numeric(&text).is_some() {
        let event = text.parse::<u32>().ok().and_then(|id| state.events.get(&id));
        return event.map(|event| Some(event.uuid.to_string())).ok_or("Invalid event ID provided.");
    }
    if is_uuid(&text) { Ok(Some(text.to_lowercase())) } else { Err("Please provide a valid UUID") }
}
