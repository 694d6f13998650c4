//! The tags of one event, as MISP's answers showed them.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde::{Deserialize, Serialize};

use crate::model::{Digest, Tlp};

use super::tag_key;

/// How a tag stands on an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagStanding {
    /// It was sent by a release that did not look whether MISP took it: the next answer tells.
    Doubted,
    /// MISP showed it.
    Shown,
    /// MISP showed it once and does not any more: somebody took it off, and it stays off.
    Removed,
    /// It was to be there, and MISP did not take it.
    Refused {
        /// Why, a lower-case fragment.
        why: Box<str>,
        /// Under which terms: another [`DestinationRecord::tag_terms`](crate::plan::DestinationRecord::tag_terms) is a
        /// reason to try again.
        terms: Digest,
    },
}

/// A tag of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTag {
    /// Its name, as MISP spells it once MISP showed it.
    pub name: Box<str>,
    /// How it stands.
    pub standing: TagStanding,
}

/// The tags of an event by name, whatever the case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<EventTag>", into = "Vec<EventTag>")]
pub struct EventTags(BTreeMap<Box<str>, EventTag>);

impl EventTags {
    /// Tags that were sent once, by an earlier release.
    #[must_use]
    pub fn doubted(names: impl IntoIterator<Item = Box<str>>) -> Self {
        let tags = names.into_iter().map(|name| EventTag { name, standing: TagStanding::Doubted });
        tags.collect()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &EventTag> {
        self.0.values()
    }

    /// How a tag stands.
    #[must_use]
    pub fn standing(&self, name: &str) -> Option<&TagStanding> {
        self.0.get(&tag_key(name)).map(|tag| &tag.standing)
    }

    /// Whether MISP has a tag, as far as is known.
    #[must_use]
    pub fn carries(&self, name: &str) -> bool {
        matches!(self.standing(name), Some(TagStanding::Shown | TagStanding::Doubted))
    }

    /// The tags that MISP did not take, each with the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &str, Digest)> {
        self.0.values().filter_map(|tag| match &tag.standing {
            TagStanding::Refused { why, terms } => Some((&*tag.name, &**why, *terms)),
            _ => None,
        })
    }

    /// The strictest colour that MISP has on the event, as far as is known.
    #[must_use]
    pub fn colour(&self) -> Option<Tlp> {
        self.strictest().and_then(|tag| Tlp::of_tag(&tag.name))
    }

    /// The tag of that colour.
    #[must_use]
    pub fn strictest(&self) -> Option<&EventTag> {
        let carried = self.0.values().filter(|tag| self.carries(&tag.name));
        carried
            .filter(|tag| Tlp::of_tag(&tag.name).is_some())
            .max_by_key(|tag| Tlp::of_tag(&tag.name))
    }

    /// Notes how a tag stands now; whether that is news.
    pub fn set(&mut self, name: &str, standing: TagStanding) -> bool {
        match self.0.entry(tag_key(name)) {
            Entry::Vacant(entry) => {
                entry.insert(EventTag { name: name.into(), standing });
                true
            }
            Entry::Occupied(mut entry) => {
                let news = entry.get().standing != standing;
                entry.get_mut().standing = standing;
                news
            }
        }
    }

    /// Takes in the tags that an answer of MISP shows. What an earlier release sent and is not there counts as
    /// never tried; what was there once was taken off by somebody. Of the tags of others, those that are not
    /// wanted, only the colours matter.
    pub fn see(&mut self, shown: &[Box<str>], wanted: &[Box<str>]) {
        let there: BTreeMap<Box<str>, &Box<str>> =
            shown.iter().map(|name| (tag_key(name), name)).collect();
        self.0.retain(|key, tag| match (there.get(key), &tag.standing) {
            (Some(name), _) => {
                tag.name = (*name).clone();
                tag.standing = TagStanding::Shown;
                true
            }
            (None, TagStanding::Doubted) => false,
            (None, TagStanding::Shown) => {
                tag.standing = TagStanding::Removed;
                true
            }
            (None, TagStanding::Removed | TagStanding::Refused { .. }) => true,
        });
        let wanted: BTreeSet<Box<str>> = wanted.iter().map(|name| tag_key(name)).collect();
        for (key, name) in there {
            if wanted.contains(&key) || Tlp::of_tag(name).is_some() {
                let tag = EventTag { name: name.clone(), standing: TagStanding::Shown };
                self.0.entry(key).or_insert(tag);
            }
        }
    }

    /// Forgets some tags: those for which `keep` is false.
    pub fn retain(&mut self, keep: impl Fn(&EventTag) -> bool) {
        self.0.retain(|_, tag| keep(tag));
    }
}

impl From<Vec<EventTag>> for EventTags {
    fn from(tags: Vec<EventTag>) -> Self {
        tags.into_iter().collect()
    }
}

impl From<EventTags> for Vec<EventTag> {
    fn from(tags: EventTags) -> Self {
        tags.0.into_values().collect()
    }
}

impl FromIterator<EventTag> for EventTags {
    fn from_iter<I: IntoIterator<Item = EventTag>>(tags: I) -> Self {
        Self(tags.into_iter().map(|tag| (tag_key(&tag.name), tag)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<Box<str>> {
        of.iter().map(|name| Box::from(*name)).collect()
    }

    #[test]
    fn an_answer_decides_what_was_only_sent() {
        let mut tags = EventTags::doubted(names(&["tlp:amber", "sector:energy", "Mine"]));
        assert_eq!(tags.colour(), Some(Tlp::Amber));
        tags.see(&names(&["mine", "theirs", "Ours"]), &names(&["ours"]));
        assert_eq!((tags.standing("theirs"), tags.carries("ours")), (None, true));
        assert_eq!(tags.standing("MINE"), Some(&TagStanding::Shown));
        assert_eq!(tags.standing("tlp:amber"), None);
        assert_eq!(tags.colour(), None);
    }

    #[test]
    fn what_was_shown_and_is_gone_was_taken_off() {
        let mut tags = EventTags::default();
        tags.set("tlp:amber", TagStanding::Shown);
        tags.see(&names(&["TLP:RED", "theirs"]), &[]);
        assert_eq!(tags.standing("tlp:amber"), Some(&TagStanding::Removed));
        assert_eq!((tags.colour(), tags.standing("theirs")), (Some(Tlp::Red), None));
        tags.see(&names(&["tlp:amber"]), &[]);
        assert!(tags.carries("TLP:AMBER"));
    }
}
