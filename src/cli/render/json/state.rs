//! States, changes and their reasons by the names of the glossary.

use serde::Serialize;
use serde_json::Value as Json;

use crate::{
    history::{ChangeKind, query::Phrase},
    misp::{AttributeType, Value},
    model::AttributeUuid,
    plan::{BlockedReason, ExposedReason, Presence, Standing, WithheldReason},
};

#[cfg(test)]
use super::names::{NameOf, NameOfReason};

/// Why something is as it is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Because {
    /// The reason by its name, where it is one of those of the glossary.
    #[cfg_attr(test, schemars(with = "Option<NameOfReason>"))]
    pub reason: Option<String>,
    /// What more there is to say, in words.
    pub detail: Option<String>,
}

impl From<&ExposedReason> for Because {
    fn from(why: &ExposedReason) -> Self {
        Self { reason: Some(name_of(why)), detail: Some(why.to_string()) }
    }
}

impl From<&WithheldReason> for Because {
    fn from(why: &WithheldReason) -> Self {
        Self { reason: Some(name_of(why)), detail: Some(why.to_string()) }
    }
}

impl From<&BlockedReason> for Because {
    fn from(why: &BlockedReason) -> Self {
        Self { reason: Some(name_of(why)), detail: Some(why.to_string()) }
    }
}

/// Something that happened to an event or attribute.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeView {
    /// What happened, by its name.
    #[cfg_attr(test, schemars(with = "NameOf<ChangeKind>"))]
    pub change: String,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
}

impl From<&ChangeKind> for ChangeView {
    fn from(kind: &ChangeKind) -> Self {
        let reason = match kind {
            ChangeKind::Withheld(why) => Some(name_of(why)),
            ChangeKind::Blocked(why) => Some(name_of(why)),
            ChangeKind::Exposed(why) => Some(name_of(why)),
            _ => None,
        };
        Self { change: named(kind.word()), because: Because { reason, detail: kind.detail() } }
    }
}

/// Something that happened to an attribute.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttributeChangeView<'a> {
    /// What happened.
    #[serde(flatten)]
    pub change: ChangeView,
    /// The attribute.
    pub uuid: AttributeUuid,
    /// Its type in MISP, where the store knows it.
    #[serde(rename = "type")]
    pub kind: Option<AttributeType>,
    /// Its value, where the store knows it.
    pub value: Option<&'a Value>,
    /// What took its place, where it is superseded.
    pub superseded_by: Option<OtherValue<'a>>,
}

impl<'a> AttributeChangeView<'a> {
    /// A change of one attribute, wherever it stands; `instead` is the value that took its place.
    pub(super) fn new(
        uuid: AttributeUuid,
        content: Option<(AttributeType, &'a Value)>,
        kind: &ChangeKind,
        instead: Option<&'a Value>,
    ) -> Self {
        let superseded_by = match kind {
            ChangeKind::Superseded(by) => Some(OtherValue { uuid: *by, value: instead }),
            _ => None,
        };
        Self {
            change: kind.into(),
            uuid,
            kind: content.map(|(kind, _)| kind),
            value: content.map(|(_, value)| value),
            superseded_by,
        }
    }
}

/// Another attribute of the same event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherValue<'a> {
    /// The attribute.
    pub uuid: AttributeUuid,
    /// Its value, where the store knows it.
    pub value: Option<&'a Value>,
}

/// How an attribute stands in MISP.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StandingView {
    /// How it stands, by its name.
    #[cfg_attr(test, schemars(with = "NameOf<Standing>"))]
    pub standing: String,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
}

impl From<&Standing> for StandingView {
    fn from(standing: &Standing) -> Self {
        let reason = match standing {
            Standing::Withheld(why) => Some(name_of(why)),
            Standing::Blocked(why) => Some(name_of(why)),
            _ => None,
        };
        let Phrase { word, detail } = Phrase::from(standing);
        Self { standing: named(word), because: Because { reason, detail } }
    }
}

/// Whether MISP has an event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PresenceView {
    /// Whether it has, by its name.
    #[cfg_attr(test, schemars(with = "NameOf<Presence>"))]
    pub presence: String,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
}

impl From<&Presence> for PresenceView {
    fn from(presence: &Presence) -> Self {
        let reason = match presence {
            Presence::Blocked(why) => Some(name_of(why)),
            _ => None,
        };
        let Phrase { word, detail } = Phrase::from(presence);
        Self { presence: named(word), because: Because { reason, detail } }
    }
}

/// A word for people as a name.
pub(super) fn named(word: &str) -> String {
    word.replace(' ', "_")
}

/// The name of a variant, as serde writes it: what is in it is told in words.
pub(in crate::cli) fn name_of(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant).expect("a variant is a plain value") {
        Json::String(name) => name,
        Json::Object(one) => {
            one.into_iter().next().expect("a variant is a name and what is in it").0
        }
        other => other.to_string(),
    }
}
