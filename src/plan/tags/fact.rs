//! What is known of a tag at a MISP: whether the key may use it, and what stands in the way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    model::{Context, Digest, Encoder},
    plan::DestinationRecord,
};

/// Most tags of which something is known at a MISP: so many names go into one question.
pub const TAGS_KNOWN_MAX: usize = 200;

/// How a tag stands at a MISP, for our key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagFact {
    /// It is there, and the key may use it. MISP spells it so.
    Usable(Box<str>),
    /// It is not there.
    Missing,
    /// It belongs to another organisation.
    OfAnotherOrg,
    /// It belongs to another user.
    OfAnotherUser,
    /// It may only be attached as a local tag.
    LocalOnly,
    /// It is attached and never shown, and does not leave this MISP.
    NotExportable,
    /// MISP refused to attach it, in its words.
    Refused(Box<str>),
    /// MISP left it out of an event without a word; the next time that it is asked anyway it says why.
    LeftOut,
}

impl TagFact {
    /// What MISP's refusal to attach a tag says of the tag itself; `None` where it says something of the event
    /// or the key.
    #[must_use]
    pub fn of_refusal(words: &str) -> Option<Self> {
        let says = |part: &str| words.contains(part);
        if says("fixed organisation") {
            Some(Self::OfAnotherOrg)
        } else if says("fixed user") {
            Some(Self::OfAnotherUser)
        } else if says("local tag") {
            Some(Self::LocalOnly)
        } else if says("Tag not found") {
            Some(Self::Missing)
        } else if says("Invalid Tag") {
            Some(Self::Refused(words.into()))
        } else {
            None
        }
    }
}

/// Why the tag is not carried.
impl fmt::Display for TagFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usable(_) => "MISP left it out without a word",
            Self::LeftOut => "MISP left it out without a word: it is not there, or others own it",
            Self::Missing => "it is not in MISP, and the key may not make it",
            Self::OfAnotherOrg => "it belongs to another organisation in MISP",
            Self::OfAnotherUser => "it belongs to another user in MISP",
            Self::LocalOnly => "it may only be a local tag in MISP",
            Self::NotExportable => "it is not exportable in MISP, which shows it to nobody",
            Self::Refused(words) => return write!(f, "MISP says: {words}"),
        })
    }
}

/// A tag's name as it is compared: MISP takes no notice of case.
#[must_use]
pub fn tag_key(tag: &str) -> Box<str> {
    tag.trim().to_lowercase().into()
}

impl DestinationRecord {
    /// What is known of a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&TagFact> {
        self.tags.get(&tag_key(name))
    }

    /// Whether a tag can be attached: the key may use it, or may make it. Before MISP was asked every tag counts
    /// as one that can: a run asks before it sends anything, and then plans anew.
    #[must_use]
    pub fn can_carry(&self, tag: &str) -> bool {
        let may_make = self.may("perm_tag_editor");
        self.asked.is_none()
            || match self.tag(tag) {
                Some(TagFact::Usable(_)) => true,
                Some(TagFact::Missing) | None => may_make,
                Some(_) => false,
            }
    }

    /// Whether it is known that a tag cannot be attached. A tag that nobody asked about may be tried.
    #[must_use]
    pub fn cannot_carry(&self, tag: &str) -> Option<&TagFact> {
        self.tag(tag).filter(|_| !self.can_carry(tag))
    }

    /// A tag's name as MISP spells it, as far as that is known.
    #[must_use]
    pub fn spelling<'t>(&'t self, tag: &'t str) -> &'t str {
        match self.tag(tag) {
            Some(TagFact::Usable(spelling)) => spelling,
            _ => tag,
        }
    }

    /// Whether MISP showed once that this key can attach a tag.
    #[must_use]
    pub fn has_proven(&self, tag: &str) -> bool {
        self.proven_tags.contains(&tag_key(tag))
    }

    /// Takes over what was learned elsewhere: of tags, and of the order of rows.
    pub fn take_lessons(&mut self, from: &Self) {
        if from.reorders() {
            self.reorders.clone_from(&from.reorders);
        }
        self.numbered = from.numbered.or(self.numbered);
        if self.tags != from.tags {
            self.tags.extend(from.tags.clone());
        }
        if self.proven_tags != from.proven_tags {
            self.proven_tags.extend(from.proven_tags.iter().cloned());
        }
    }

    /// Fingerprint of all that decides whether a tag is taken: it is tried again once this is another.
    #[must_use]
    pub fn tag_terms(&self, tag: &str) -> Digest {
        let mut encoder = self.rights();
        encoder.text(&tag_key(tag));
        fact_into(&mut encoder, self.tag(tag));
        encoder.finish()
    }

    /// Fingerprint of the same for all tags that are known of.
    #[must_use]
    pub fn all_tag_terms(&self) -> Digest {
        let mut encoder = self.rights();
        encoder.list(self.tags.iter(), |encoder, (key, fact)| {
            encoder.text(key);
            fact_into(encoder, Some(fact));
        });
        encoder.finish()
    }

    fn rights(&self) -> Encoder {
        let mut encoder = Encoder::new(Context::Policy);
        encoder
            .text("tags")
            .option(self.user, |encoder, user| {
                encoder.u64(user);
            })
            .option(self.org, |encoder, org| {
                encoder.bytes(org.uuid().as_bytes());
            })
            .list(
                ["perm_tag_editor", "perm_tagger", "perm_site_admin"].iter(),
                |encoder, right| {
                    encoder.flag(self.may(right));
                },
            );
        encoder
    }
}

fn fact_into(encoder: &mut Encoder, fact: Option<&TagFact>) {
    encoder.option(fact, |encoder, fact| {
        // Words may differ from answer to answer, and the spelling of a usable tag is no reason to try again.
        encoder.u64(match fact {
            TagFact::Usable(_) => 0,
            TagFact::Missing => 1,
            TagFact::OfAnotherOrg => 2,
            TagFact::OfAnotherUser => 3,
            TagFact::LocalOnly => 4,
            TagFact::NotExportable => 5,
            TagFact::Refused(_) => 6,
            TagFact::LeftOut => 7,
        });
    });
}
