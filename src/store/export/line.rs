//! The lines of an export: which there are, the small ones, and what all of them are made of.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::Cursor,
    model::{Digest, EntityKey, RunNumber, Timestamp, shortened},
    store::{
        export::{
            change::ChangesLine, destination::DestinationLine, event::EventLine, run::RunLine,
            sound,
        },
        record::keys::Name,
    },
};

/// What is wrong with a line, a lower-case fragment.
pub(super) type Wrong = String;

/// Any line but the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Destination(Box<DestinationLine>),
    Rules(RulesLine),
    Run(Box<RunLine>),
    Changes(ChangesLine),
    Alias(AliasLine),
    Event(Box<EventLine>),
    Cursor(CursorLine),
    End(EndLine),
}

/// A UUID, hyphenated and in lower case.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Id(pub(super) Uuid);

impl TryFrom<String> for Id {
    type Error = Wrong;

    fn try_from(text: String) -> Result<Self, Wrong> {
        Uuid::try_parse(&text).map(Self).map_err(|_| format!("{text:?} is no UUID"))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0.as_hyphenated().to_string()
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndLine {
    pub(super) lines: u64,
    pub(super) blake3: String,
}

/// A name; a long one may be known by its digest only.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum NameLine {
    Text(String),
    Digest { digest: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RulesLine {
    pub(super) fingerprint: String,
    pub(super) table: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AliasLine {
    pub(super) alias: String,
    pub(super) root: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CursorLine {
    pub(super) feed: NameLine,
    pub(super) destination: NameLine,
    source: Option<String>,
    rules: String,
    policy: String,
    settled: bool,
    run: u64,
}

impl NameLine {
    pub(super) fn of(name: Name) -> Self {
        match name {
            Name::Text(text) => Self::Text(text),
            Name::Digest(bytes) => Self::Digest { digest: Digest::from_bytes(bytes).to_string() },
        }
    }

    pub(super) fn name(&self) -> Result<Name, Wrong> {
        match self {
            Self::Text(text) => Ok(Name::Text(text.clone())),
            Self::Digest { digest } => Ok(Name::Digest(*digest_of(digest)?.as_bytes())),
        }
    }
}

impl RulesLine {
    pub(super) fn fingerprint(&self) -> Result<Digest, Wrong> {
        digest_of(&self.fingerprint)
    }
}

impl AliasLine {
    pub(super) fn of(alias: &EntityKey, root: &EntityKey) -> Self {
        Self { alias: alias.as_str().to_owned(), root: root.as_str().to_owned() }
    }
}

impl CursorLine {
    pub(super) fn of(feed: Name, destination: Name, cursor: &Cursor) -> Self {
        Self {
            feed: NameLine::of(feed),
            destination: NameLine::of(destination),
            source: cursor.source.map(|digest| digest.to_string()),
            rules: cursor.rules.to_string(),
            policy: cursor.policy.to_string(),
            settled: cursor.settled,
            run: cursor.run.0,
        }
    }

    pub(super) fn cursor(&self) -> Result<Cursor, Wrong> {
        Ok(Cursor {
            source: self.source.as_deref().map(digest_of).transpose()?,
            rules: digest_of(&self.rules)?,
            policy: digest_of(&self.policy)?,
            settled: self.settled,
            run: RunNumber(sound::number(self.run, "the number of a run")?),
        })
    }
}

/// What is kept of a text that somebody may have made longer.
pub(super) fn kept(text: &str) -> Box<str> {
    shortened(text).into()
}

pub(super) fn digest_of(text: &str) -> Result<Digest, Wrong> {
    Digest::parse(text).ok_or_else(|| format!("{text:?} is no digest"))
}

/// Reads what [`Timestamp`] writes, times without a name in the calendar included.
pub(super) fn time_of(text: &str) -> Result<Timestamp, Wrong> {
    if let Some(micros) = text.strip_prefix('@').and_then(|rest| rest.strip_suffix("us")) {
        let micros = micros.parse().map_err(|_| format!("{text:?} is no time"))?;
        return Ok(Timestamp::from_micros(micros));
    }
    Timestamp::parse(text).map_err(|error| error.to_string())
}
