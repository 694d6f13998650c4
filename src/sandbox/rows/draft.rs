//! An attribute as a request describes it: MISP's defaults and rewritings, then its validation.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    misp::{AttributeType, Category, Value, Version},
    sandbox::{
        http::php::{self, Fields},
        output::json::Json,
        rows::{
            draft_fields::{
                category, comment, distribution, kind, seen_at, timestamp, to_ids, uuid, value,
            },
            row::AttributeRow,
            state::State,
        },
    },
};

/// The longest text that MISP's database takes, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 65_535;

/// Messages by field, as validation answers them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors(BTreeMap<&'static str, String>);

impl Errors {
    /// One message for one field.
    pub(crate) fn one(field: &'static str, message: &str) -> Self {
        Self(BTreeMap::from([(field, message.to_owned())]))
    }

    /// Notes a message, unless the field has one: the first rule that fails ends a field.
    pub(crate) fn add(&mut self, field: &'static str, message: &str) {
        self.0.entry(field).or_insert_with(|| message.to_owned());
    }

    /// Whether everything is fine.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `{"field": ["message"]}`
    pub(crate) fn json(&self) -> Json<'static> {
        let entry = |(field, message): (&&'static str, &String)| {
            ((*field).into(), Json::List(vec![Json::text(message.clone())]))
        };
        Json::Map(self.0.iter().map(entry).collect())
    }
}

/// Why no draft could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Refused before the rules were run.
    Refused(Errors),
    /// MISP fails over the shape of a field.
    Crash,
}

/// A number or text that the database refuses to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Poison;

/// `first_seen` or `last_seen` of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not mentioned.
    Unset,
    /// Taken away.
    Nothing,
    /// Microseconds since 1970.
    At(i64),
    Malformed,
}

/// The UUID of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DraftUuid {
    /// None was sent.
    Fresh,
    Given(Uuid),
    Malformed,
}

/// What became of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DraftValue {
    Good(Value),
    Refused(String),
    /// MISP has no rule for the type and fails.
    Crash,
}

/// An attribute between request and database.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    kind: AttributeType,
    category: Option<Category>,
    value: DraftValue,
    pub(crate) uuid: DraftUuid,
    timestamp: Result<i64, Poison>,
    comment: Result<Box<str>, Poison>,
    to_ids: Option<bool>,
    distribution: Option<u8>,
    /// The group that goes with the distribution, if one is named.
    sharing_group: Option<u32>,
    without_sharing_group: bool,
    pub(crate) deleted: Option<bool>,
    disable_correlation: Option<bool>,
    object_relation: Option<Box<str>>,
    first_seen: Seen,
    last_seen: Seen,
}

/// By which of MISP's ways an attribute comes in; they differ in odd cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// attributes/add and events/add: `to_ids` is true if it is not empty.
    Capture,
    /// attributes/edit: `to_ids` has to be a flag.
    Edit,
    /// events/edit: as before, and the value is rewritten before its shape is checked.
    Bulk,
}

/// Where and when a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Whose value rules hold.
    pub(crate) version: Version,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

impl Origin {
    pub(crate) fn new(state: &State, now: i64) -> Self {
        Self { version: state.setup.release.version(), now }
    }
}

/// Whether a value that is in the event already is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Similar {
    Refuse,
    Allow,
}

impl Draft {
    /// Reads the fields; those that are missing come from `base`, a stored attribute, or are MISP's
    /// defaults. `object` is the number of the object it is to belong to, or 0.
    pub(crate) fn new(
        fields: &Fields,
        base: Option<&AttributeRow>,
        object: u32,
        manner: Manner,
        origin: Origin,
    ) -> Result<Self, Trouble> {
        let Origin { version, now } = origin;
        let kind = kind(fields, base)?;
        let value = value(fields, base, kind, manner, version)?;
        let relation = fields.get("object_relation").filter(|relation| !php::empty(relation));
        if object != 0 && relation.is_none() && base.is_none() {
            let message = "Object attribute sent, but no object_relation set.";
            return Err(Trouble::Refused(Errors::one("object_relation", message)));
        }
        let flag = |name| fields.get(name).map(|flag| !php::empty(flag));
        let kept = base.map(|row| (row.first_seen, row.last_seen));
        let distribution = distribution(fields, base);
        Ok(Self {
            kind,
            category: category(fields, base, kind)?,
            value,
            uuid: uuid(fields)?,
            timestamp: timestamp(fields.get("timestamp"), now),
            comment: comment(fields, base),
            to_ids: to_ids(fields, base, kind, manner),
            distribution,
            sharing_group: php::isset(fields, "distribution").map(|_| {
                let group = php::isset(fields, "sharing_group_id").and_then(php::text);
                let group = group.filter(|_| distribution == Some(4));
                group.and_then(|id| id.parse().ok()).unwrap_or_default()
            }),
            without_sharing_group: distribution == Some(4)
                && base.is_none()
                && !php::isset(fields, "sharing_group_id").is_some_and(php::empty),
            deleted: flag("deleted"),
            disable_correlation: flag("disable_correlation"),
            object_relation: relation.and_then(php::text).map(String::into_boxed_str),
            first_seen: seen_at(fields, "first_seen", kept.map(|(first, _)| first))?,
            last_seen: seen_at(fields, "last_seen", kept.map(|(_, last)| last))?,
        })
    }

    /// Runs the rules. `event` is the event it is to stand in, `existing` the attribute it changes.
    pub(crate) fn validate(
        &self,
        state: &State,
        event: u32,
        existing: Option<u32>,
        similar: Similar,
    ) -> Result<Errors, Trouble> {
        let mut errors = Errors::default();
        match self.category {
            Some(category) if self.kind.allows(category) => {}
            known => {
                errors.add("type", "Options depend on the selected category.");
                if known.is_none() {
                    errors.add("category", CATEGORY_OPTIONS);
                }
            }
        }
        match &self.value {
            DraftValue::Good(value) => {
                if similar == Similar::Refuse && self.is_taken(state, event, existing, value) {
                    errors.add("value", "A similar attribute already exists for this event.");
                }
            }
            DraftValue::Refused(message) => errors.add("value", message),
            DraftValue::Crash => return Err(Trouble::Crash),
        }
        if self.to_ids.is_none() {
            errors.add("to_ids", "boolean");
        }
        match self.uuid {
            DraftUuid::Malformed => errors.add("uuid", "Please provide a valid RFC 4122 UUID"),
            DraftUuid::Given(uuid) if existing.is_none() && state.attribute_id(uuid).is_some() => {
                errors.add("uuid", "The UUID provided is not unique");
            }
            DraftUuid::Given(_) | DraftUuid::Fresh => {}
        }
        if self.distribution.is_none() {
            errors.add("distribution", DISTRIBUTION_OPTIONS);
        }
        self.check_seen(&mut errors)?;
        Ok(errors)
    }

    fn is_taken(&self, state: &State, event: u32, existing: Option<u32>, value: &Value) -> bool {
        let Some(category) = self.category else { return false };
        self.deleted != Some(true)
            && self.object_relation.is_none()
            && state.similar(event, self.kind, Some(category), value.as_str(), existing).is_some()
    }

    fn check_seen(&self, errors: &mut Errors) -> Result<(), Trouble> {
        const FORMAT: &str = "Invalid ISO 8601 format";
        if self.first_seen == Seen::Malformed {
            errors.add("first_seen", FORMAT);
        }
        match (self.first_seen, self.last_seen) {
            (_, Seen::Malformed) => errors.add("last_seen", FORMAT),
            // The rule reads `first_seen` again, and nothing catches what goes wrong there.
            (Seen::Malformed, Seen::At(_)) => return Err(Trouble::Crash),
            (Seen::At(first), Seen::At(last)) if first > last => {
                errors.add("last_seen", "Last seen value should be greater than first seen value");
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the database would refuse to take the row, which ends the request in a 500.
    pub(crate) fn is_poison(&self, state: &State) -> bool {
        let group = self.sharing_group.unwrap_or_default();
        let without_group =
            self.without_sharing_group && !state.sharing_groups.contains_key(&group);
        self.timestamp.is_err() || self.comment.is_err() || without_group
    }

    /// A new row. The draft has to be valid and no poison.
    pub(crate) fn into_row(self, uuid: Uuid, event: u32, object: u32) -> AttributeRow {
        let mut row = AttributeRow {
            id: 0,
            event,
            object,
            object_relation: self.object_relation.clone(),
            kind: self.kind,
            category: self.kind.default_category(),
            value: Box::default(),
            to_ids: false,
            uuid,
            timestamp: 0,
            distribution: 0,
            sharing_group: 0,
            comment: Box::default(),
            deleted: false,
            disable_correlation: false,
            first_seen: None,
            last_seen: None,
            tags: Vec::new(),
        };
        self.apply(&mut row);
        row
    }

    /// Writes the draft into a row. The draft has to be valid and no poison.
    pub(crate) fn apply(self, row: &mut AttributeRow) {
        row.kind = self.kind;
        row.category = self.category.unwrap_or_else(|| self.kind.default_category());
        if let DraftValue::Good(value) = self.value {
            row.value = value.as_str().into();
        }
        row.to_ids = self.to_ids.unwrap_or_default();
        row.timestamp = self.timestamp.unwrap_or_default();
        row.distribution = self.distribution.unwrap_or_default();
        row.sharing_group = self.sharing_group.unwrap_or(row.sharing_group);
        row.comment = self.comment.unwrap_or_default();
        row.deleted = self.deleted.unwrap_or(row.deleted);
        row.disable_correlation = self.disable_correlation.unwrap_or(row.disable_correlation);
        let seen = |new: Seen, old: Option<i64>| match new {
            Seen::Unset | Seen::Malformed => old,
            Seen::Nothing => None,
            Seen::At(micros) => Some(micros),
        };
        row.first_seen = seen(self.first_seen, row.first_seen);
        row.last_seen = seen(self.last_seen, row.last_seen);
    }
}

const CATEGORY_OPTIONS: &str =
    "Options : Payload delivery, Antivirus detection, Payload installation, Files dropped ...";
const DISTRIBUTION_OPTIONS: &str = "Options: Your organisation only, This community only, Connected \
                                    communities, All communities, Sharing group, Inherit event";
