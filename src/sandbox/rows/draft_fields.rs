//! The fields of an attribute in a request, one at a time, as MISP reads them.

use serde_json::Value as Data;
use uuid::Uuid;

use crate::{
    misp::{AttributeType, Category, Stage, Value, Version, import_filtered, normalise_as},
    sandbox::{
        http::php::{self, Fields},
        rows::{
            draft::{DraftUuid, DraftValue, Errors, Manner, Poison, Seen, TEXT_BYTES_MAX, Trouble},
            row::AttributeRow,
            seen,
            state::is_uuid,
        },
    },
};

pub(super) fn kind(fields: &Fields, base: Option<&AttributeRow>) -> Result<AttributeType, Trouble> {
    let refused = |message| Trouble::Refused(Errors::one("type", message));
    match (php::isset(fields, "type"), base) {
        (None, Some(base)) => Ok(base.kind),
        (None, None) => Err(refused("No type set.")),
        (Some(given), _) if php::empty(given) => Err(refused("No type set.")),
        (Some(given), _) => {
            let name = php::text(given).ok_or(Trouble::Crash)?;
            AttributeType::named(&name).ok_or_else(|| refused("Invalid type."))
        }
    }
}

pub(super) fn category(
    fields: &Fields,
    base: Option<&AttributeRow>,
    kind: AttributeType,
) -> Result<Option<Category>, Trouble> {
    match (php::isset(fields, "category"), base) {
        (None, Some(base)) => Ok(Some(base.category)),
        (None, None) => Ok(Some(kind.default_category())),
        (Some(given), _) if php::empty(given) => Ok(Some(kind.default_category())),
        (Some(given), _) => Ok(Category::named(&php::text(given).ok_or(Trouble::Crash)?)),
    }
}

pub(super) fn value(
    fields: &Fields,
    base: Option<&AttributeRow>,
    kind: AttributeType,
    manner: Manner,
    version: Version,
) -> Result<DraftValue, Trouble> {
    let given = match (php::isset(fields, "value"), base) {
        (None, Some(base)) if base.kind == kind => {
            return Ok(DraftValue::Good(Value::stored(&base.value)));
        }
        (None, Some(base)) => Data::String(base.value.to_string()),
        (given, _) => given.cloned().unwrap_or(Data::Null),
    };
    let text = match &given {
        Data::Array(_) | Data::Object(_) if manner != Manner::Bulk => {
            return Err(Trouble::Refused(Errors::one("value", "Value is an array.")));
        }
        given if php::empty(given) => from_halves(fields).map_or_else(|| php::text(given), Some),
        given => php::text(given),
    };
    Ok(stored_value(version, kind, &text.ok_or(Trouble::Crash)?))
}

/// `value1` and `value2` stand in for a value that is missing.
fn from_halves(fields: &Fields) -> Option<String> {
    let half = |name| fields.get(name).filter(|half| !php::empty(half)).and_then(php::text);
    let first = half("value1")?;
    Some(match half("value2") {
        Some(second) => format!("{first}|{second}"),
        None => first,
    })
}

fn stored_value(version: Version, kind: AttributeType, raw: &str) -> DraftValue {
    let result = normalise_as(version, kind, raw);
    let first = match &result {
        Ok(value) => value.as_str(),
        Err(refusal) => &refusal.normalised,
    };
    let result = match import_filtered(first) {
        _ if UNFILTERED.contains(&kind.name()) => result,
        Err(blocked) => return DraftValue::Refused(blocked.message),
        Ok(filtered) if filtered != first => normalise_as(version, kind, &filtered),
        Ok(_) => result,
    };
    match result {
        Ok(value) => match value.as_str().strip_suffix('|') {
            Some(first) if HALF_MAY_BE_EMPTY.contains(&kind.name()) => {
                DraftValue::Good(Value::stored(first))
            }
            _ => DraftValue::Good(value),
        },
        Err(refusal) if refusal.stage == Stage::ServerError => DraftValue::Crash,
        Err(refusal) => DraftValue::Refused(refusal.message),
    }
}

/// Composite types whose second half may be empty; the `|` goes with it.
const HALF_MAY_BE_EMPTY: [&str; 2] = ["malware-sample", "regkey|value"];

/// Types that MISP's import filters leave alone.
const UNFILTERED: [&str; 4] = ["sigma", "size-in-bytes", "counter", "float"];

pub(super) fn uuid(fields: &Fields) -> Result<DraftUuid, Trouble> {
    Ok(match fields.get("uuid") {
        None => DraftUuid::Fresh,
        Some(Data::String(text)) if is_uuid(text) => {
            Uuid::try_parse(text).map_or(DraftUuid::Malformed, DraftUuid::Given)
        }
        Some(given) if php::text(given).is_none() && !php::empty(given) => {
            return Err(Trouble::Crash);
        }
        Some(_) => DraftUuid::Malformed,
    })
}

/// A timestamp as the database takes it: a number of 32 bits, rounded; nothing means now.
pub(crate) fn timestamp(given: Option<&Data>, now: i64) -> Result<i64, Poison> {
    let Some(given) = given.filter(|given| !php::empty(given)) else { return Ok(now) };
    let number = match given {
        Data::Bool(flag) => f64::from(*flag),
        other => php::number(other).ok_or(Poison)?,
    };
    let rounded = number.round();
    if rounded >= f64::from(i32::MIN) && rounded <= f64::from(i32::MAX) {
        Ok(rounded as i64)
    } else {
        Err(Poison)
    }
}

pub(super) fn comment(fields: &Fields, base: Option<&AttributeRow>) -> Result<Box<str>, Poison> {
    match (php::isset(fields, "comment"), base) {
        (None, Some(base)) => Ok(base.comment.clone()),
        (None, None) => Ok(Box::default()),
        (Some(given), _) if php::empty(given) => Ok(Box::default()),
        (Some(given), _) => database_text(&php::text(given).ok_or(Poison)?),
    }
}

/// A text as a column of the database takes it: 65,535 bytes, no character of four bytes.
pub(crate) fn database_text(text: &str) -> Result<Box<str>, Poison> {
    if text.len() > TEXT_BYTES_MAX || php::wide(text) { Err(Poison) } else { Ok(text.into()) }
}

pub(super) fn to_ids(
    fields: &Fields,
    base: Option<&AttributeRow>,
    kind: AttributeType,
    manner: Manner,
) -> Option<bool> {
    match (php::isset(fields, "to_ids"), base) {
        (None, Some(base)) => Some(base.to_ids),
        (None, None) => Some(kind.default_to_ids()),
        (Some(given), _) if manner == Manner::Capture => Some(!php::empty(given)),
        (Some(given), _) => strict_flag(given),
    }
}

/// A flag where MISP takes only 0, 1 and the like.
pub(crate) fn strict_flag(given: &Data) -> Option<bool> {
    match given {
        Data::Bool(flag) => Some(*flag),
        Data::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Data::String(text) if text == "0" => Some(false),
        Data::String(text) if text == "1" => Some(true),
        _ => None,
    }
}

pub(super) fn distribution(fields: &Fields, base: Option<&AttributeRow>) -> Option<u8> {
    match (php::isset(fields, "distribution"), base) {
        (None, Some(base)) => Some(base.distribution),
        (None, None) => Some(5),
        (Some(given), _) => one_of(given, 0..=5),
    }
}

/// The digit that a value stands for, if it is one of these.
pub(crate) fn one_of(given: &Data, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
    let text = php::text(given)?;
    let [digit @ b'0'..=b'9'] = *text.as_bytes() else { return None };
    Some(digit - b'0').filter(|digit| range.contains(digit))
}

pub(super) fn seen_at(
    fields: &Fields,
    name: &str,
    base: Option<Option<i64>>,
) -> Result<Seen, Trouble> {
    let kept = base.map_or(Seen::Unset, |kept| kept.map_or(Seen::Nothing, Seen::At));
    match fields.get(name) {
        None | Some(Data::Null) => Ok(kept),
        Some(Data::String(text)) if text.is_empty() => Ok(Seen::Nothing),
        Some(given) => {
            let text = php::text(given).ok_or(Trouble::Crash)?;
            Ok(seen::instant(&text).map_or(Seen::Malformed, Seen::At))
        }
    }
}
