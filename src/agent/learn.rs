//! What has to be known of a MISP before anything is sent to it.

use std::{collections::BTreeSet, fmt};

use url::Url;

use crate::{
    delivery::{Call, RefusedWhy, Reply, TagRow, Wire, fact_of},
    model::{Fault, Tlp},
    plan::{DestinationRecord, TAGS_KNOWN_MAX, TagFact, tag_key},
};

use super::Asking;

/// Kept in place of the encodings that MISP names, where none of them gets there.
pub const PLAIN: &str = "identity";

/// Tags that are asked about, beside the colours.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedTags<'a> {
    /// Those that every event is to have.
    pub always: &'a [Box<str>],
    /// Those of incidents that somebody wants to know about beforehand. A run does not: MISP's answers show what it
    /// takes.
    pub of_events: &'a [Box<str>],
}

/// Why a MISP cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// MISP refuses the key.
    Key {
        /// The destination's URL.
        url: String,
        /// In MISP's words.
        words: Box<str>,
    },
    /// MISP does not answer, or something else does.
    Unreachable {
        /// The destination's URL.
        url: String,
        /// What happened.
        why: Box<str>,
    },
}

impl LearnError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Key { url, words } => {
                Fault::new(format!("MISP refuses the key: {words}"), key_cure(words)).at(url)
            }
            Self::Unreachable { url, why } => {
                Fault::of_message(&format!("MISP cannot be used: {why}")).at(url)
            }
        }
    }
}

impl fmt::Display for LearnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl<W: Wire> Asking<'_, W> {
    /// Asks version and role, and which of the tags that are needed are there, and whose.
    ///
    /// # Errors
    /// If MISP refuses the key, does not answer, or is no MISP.
    pub async fn learn(&mut self, wanted: WantedTags<'_>) -> Result<(), LearnError> {
        self.greet().await?;
        match self.ask(&Call::Whoami).await {
            Reply::Whoami { org, org_id, user, permissions } => {
                let record = &mut *self.record;
                // What one user showed to be taken says nothing of another.
                if (record.org, record.user) != (Some(org), user) {
                    record.proven_tags.clear();
                }
                record.org = Some(org);
                record.first_org.get_or_insert(org);
                record.key_mark = self.wire.key_mark();
                (record.org_id, record.user) = (org_id, user);
                record.permissions = permissions.into_iter().collect();
            }
            other => return Err(self.refusal(other)),
        }
        let wanted = asked_tags(self.record, wanted);
        let listed = match self.ask(&Call::FindTags(wanted.iter().cloned().collect())).await {
            Reply::Tags(listed) => listed,
            // Fail safe: a tag that is not known to be there cannot be carried.
            Reply::Refused { .. } => Vec::new(),
            other => return Err(self.refusal(other)),
        };
        let facts = wanted.into_iter().map(|tag| (tag.clone(), fact(&tag, &listed, self.record)));
        self.record.tags = facts.collect();
        self.record.asked = Some(self.clock.now());
        Ok(())
    }

    /// Asks the version: the cheapest answer that tells MISP's clock.
    ///
    /// # Errors
    /// If MISP refuses the key, does not answer, or is no MISP.
    pub(super) async fn greet(&mut self) -> Result<(), LearnError> {
        match self.ask(&Call::Version).await {
            Reply::Version { version, encodings } => {
                let record = &mut *self.record;
                // Whatever MISP says that it takes: what stands before it may not.
                let plain = record.encodings == [PLAIN] && record.version == version;
                if !plain {
                    self.wire.encodings(&encodings);
                    record.encodings = encodings;
                }
                record.version = version;
                Ok(())
            }
            other => Err(self.refusal(other)),
        }
    }

    /// An answer that is none, as the reason why MISP cannot be used.
    pub(super) fn refusal(&self, reply: Reply) -> LearnError {
        let url = self.record.url.clone();
        match reply {
            // A path of MISP's pages before a question makes it another one, which MISP may refuse to anybody.
            Reply::Refused { why: RefusedWhy::NotPermitted, words } if has_path(&url) => {
                let why = format!(
                    "it says {words:?} to a question that everybody may ask; `url` is MISP's own address without the \
                     path of any of its pages: correct its path"
                );
                LearnError::Unreachable { url, why: why.into() }
            }
            Reply::Refused { words, .. } => LearnError::Key { url, words },
            Reply::Trouble(trouble) => LearnError::Unreachable { url, why: trouble.why().into() },
            _ => {
                let why = "it answers another question than asked".into();
                LearnError::Unreachable { url, why }
            }
        }
    }
}

/// The tags that are asked about, in one question: the colours, those that every event is to have, and those that
/// MISP left out before. What else an event carries shows in MISP's answers.
fn asked_tags(record: &DestinationRecord, wanted: WantedTags<'_>) -> BTreeSet<Box<str>> {
    let colours = Tlp::ALL.iter().map(|tlp| tag_key(tlp.tag()));
    let always = wanted.always.iter().map(|tag| tag_key(tag));
    let not_taken = record.tags.iter().filter(|(_, fact)| !matches!(fact, TagFact::Usable(_)));
    let left_out = not_taken.map(|(key, _)| key.clone());
    // Whoever may make tags finds out as they go.
    let of_events = wanted.of_events.iter().filter(|_| !record.may("perm_tag_editor"));
    let of_events = of_events.map(|tag| tag_key(tag));
    let mut asked = BTreeSet::new();
    for tag in colours.chain(always).chain(left_out).chain(of_events) {
        if asked.len() < TAGS_KNOWN_MAX {
            asked.insert(tag);
        }
    }
    asked
}

/// What MISP's list says of a tag. Where MISP refused one that is usable by its list, the refusal stands.
fn fact(tag: &str, listed: &[TagRow], record: &DestinationRecord) -> TagFact {
    match (fact_of(tag, listed, record), record.tag(tag)) {
        (TagFact::Usable(_), Some(refused @ TagFact::Refused(_))) => refused.clone(),
        (fact, _) => fact,
    }
}

/// What to do about a key that is refused, by MISP's words.
fn key_cure(words: &str) -> &'static str {
    match words.contains("from your IP address") {
        true => {
            "have the address of this machine added to the addresses that the key is allowed from"
        }
        false => "check the key and that its user is enabled",
    }
}

/// Whether a URL goes on behind the host.
fn has_path(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.path().len() > 1)
}
