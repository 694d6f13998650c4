//! Which key each record stands under: a letter for its kind, a slash, and what it is of.
//!
//! | key | record |
//! | --- | --- |
//! | `o/` neighbourhood, digest | object: a part of an attribute bucket, index node or longer record |
//! | `h/` destination, event UUID | head of an event |
//! | `r/` run number | record of a run |
//! | `c/` run number, commit, part | changes of a run |
//! | `a/` bucket | aliases: entities, each with the root of its version chain |
//! | `d/` destination | what is known of it |
//! | `f/` feed, destination | cursor |
//! | `t/` fingerprint | rule table |
//! | `x/` destination, terms, changes, words or aliases, way in the tree, number | page of the index |
//! | `x/` destination, events or chunks, number | page of what numbers of the index mean |
//! | `l/` destination, feed's place, event UUID or bucket | losses |
//! | `m/format`, `m/store`, `m/seq` | the store itself: format, identity, counters |
//!
//! Numbers are big-endian, so that keys sort as they do. A text stands behind its length, and a long one is
//! replaced by its digest, so that no key grows long.

mod index;

use serde::{Deserialize, Serialize};

use crate::{
    history::{LossOf, LossPlace},
    model::{Context, DestinationName, Digest, Encoder, EntityKey, EventUuid, FeedName, RunNumber},
};

pub(crate) use index::{
    IndexOf, WAY_DIGITS_MAX, index, index_names, index_node, index_number, index_page, index_table,
};

/// The store's format number.
pub(crate) const FORMAT: &[u8] = b"m/format";
/// Id and place of the store.
pub(crate) const IDENTITY: &[u8] = b"m/store";
/// The commit counter, and how many records there are.
pub(crate) const COUNTERS: &[u8] = b"m/seq";

/// The store's records of itself; there are always all of them.
pub(crate) const META: [&[u8]; 3] = [FORMAT, IDENTITY, COUNTERS];

/// Bytes of an object's key before its digest.
pub(crate) const NEAR_BYTES: usize = 8;
/// Longest text that stands in a key as it is, in bytes.
const TEXT_BYTES_MAX: usize = 120;
const TEXT_DIGEST: u8 = 0xff;
/// What stands in the key of losses before a bucket, and before an event.
const UNLINKED: u8 = 0;
const OF_EVENT: u8 = 1;
/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A content-addressed object.
    Object,
    /// The head of an event.
    Head,
    /// The record of a run.
    Run,
    /// A chunk of a run's changes.
    Changes,
    /// A bucket of aliases.
    Alias,
    /// What is known of a destination.
    Destination,
    /// Where a feed stands at a destination.
    Cursor,
    /// A mapping rule table.
    Rules,
    /// What did not reach MISP, of an event or a bucket of values.
    Losses,
    /// A page of the index.
    Index,
    /// The store itself.
    Meta,
}

impl Kind {
    /// All kinds; the place of each is its place in the stored counters and never changes.
    pub const ALL: [Self; 11] = [
        Self::Object,
        Self::Head,
        Self::Run,
        Self::Changes,
        Self::Alias,
        Self::Destination,
        Self::Cursor,
        Self::Rules,
        Self::Losses,
        Self::Index,
        Self::Meta,
    ];

    /// What people call its records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "objects",
            Self::Head => "events",
            Self::Run => "runs",
            Self::Changes => "change chunks",
            Self::Alias => "alias buckets",
            Self::Destination => "destinations",
            Self::Cursor => "cursors",
            Self::Rules => "rule tables",
            Self::Losses => "loss records",
            Self::Index => "index pages",
            Self::Meta => "store records",
        }
    }

    /// What every key of this kind begins with.
    pub(crate) const fn prefix(self) -> &'static [u8; 2] {
        match self {
            Self::Object => b"o/",
            Self::Head => b"h/",
            Self::Run => b"r/",
            Self::Changes => b"c/",
            Self::Alias => b"a/",
            Self::Destination => b"d/",
            Self::Cursor => b"f/",
            Self::Rules => b"t/",
            Self::Losses => b"l/",
            Self::Index => b"x/",
            Self::Meta => b"m/",
        }
    }

    /// The kind of the record under a key, if it is a key of ours.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| key.starts_with(kind.prefix()))
    }
}

/// An object by its digest, near those that are written together with it: the engine rewrites whole pages
/// of neighbours.
pub(crate) fn object(near: [u8; NEAR_BYTES], digest: &Digest) -> Vec<u8> {
    Key::new(Kind::Object).bytes(&near).bytes(digest.as_bytes()).0
}

/// All objects of one record, and perhaps some of others: the first half of `near` is of the record.
pub(crate) fn objects_near(near: [u8; NEAR_BYTES]) -> Vec<u8> {
    Key::new(Kind::Object).bytes(&near[..NEAR_BYTES / 2]).0
}

/// The digest in the key of an object.
pub(crate) fn object_digest(key: &[u8]) -> Option<Digest> {
    let (_, rest) = key.strip_prefix(Kind::Object.prefix())?.split_first_chunk::<NEAR_BYTES>()?;
    Some(Digest::from_bytes(rest.try_into().ok()?))
}

/// All heads of a destination.
pub(crate) fn heads(destination: &DestinationName) -> Vec<u8> {
    Key::new(Kind::Head).text(destination.as_str()).0
}

/// The head of an event.
pub(crate) fn head(destination: &DestinationName, event: EventUuid) -> Vec<u8> {
    Key(heads(destination)).bytes(event.uuid().as_bytes()).0
}

/// The record of a run.
pub(crate) fn run(number: RunNumber) -> Vec<u8> {
    Key::new(Kind::Run).number(number.0).0
}

/// The run that the key of its record names.
pub(crate) fn run_number(key: &[u8]) -> Option<RunNumber> {
    let number = key.strip_prefix(Kind::Run.prefix())?;
    Some(RunNumber(u64::from_be_bytes(number.try_into().ok()?)))
}

/// All changes of a run.
pub(crate) fn changes(run: RunNumber) -> Vec<u8> {
    Key::new(Kind::Changes).number(run.0).0
}

/// One chunk of the changes that one commit made in a run.
pub(crate) fn change_chunk(run: RunNumber, commit: u64, part: u32) -> Vec<u8> {
    Key(changes(run)).number(commit).bytes(&part.to_be_bytes()).0
}

/// The aliases among which one stands: one of 4096 buckets, by its digest. Most stores have few aliases and
/// one in a bucket, some have hundreds of thousands.
pub(crate) fn aliases(alias: &EntityKey) -> Vec<u8> {
    let digest = Encoder::new(Context::Record).text(alias.as_str()).finish();
    let [high, low, ..] = *digest.as_bytes();
    aliases_in([high, low & 0xf0])
}

/// What is known of a destination.
pub(crate) fn destination(name: &DestinationName) -> Vec<u8> {
    Key::new(Kind::Destination).text(name.as_str()).0
}

/// Where a feed stands at a destination.
pub(crate) fn cursor(feed: &FeedName, destination: &DestinationName) -> Vec<u8> {
    Key::new(Kind::Cursor).text(feed.as_str()).text(destination.as_str()).0
}

/// A rule table.
pub(crate) fn rules(fingerprint: &Digest) -> Vec<u8> {
    Key::new(Kind::Rules).bytes(fingerprint.as_bytes()).0
}

/// All losses of a feed at a destination, by its bit there.
pub(crate) fn losses_of_feed(destination: &DestinationName, feed: u8) -> Vec<u8> {
    Key::new(Kind::Losses).text(destination.as_str()).bytes(&[feed]).0
}

/// The losses of one place.
pub(crate) fn losses(destination: &DestinationName, place: &LossPlace) -> Vec<u8> {
    Key(losses_of_feed(destination, place.feed)).loss_of(place.of).0
}

/// [`losses`], of a destination that may be known by its digest only.
pub(crate) fn losses_at(destination: &Name, place: &LossPlace) -> Vec<u8> {
    Key::new(Kind::Losses).name(destination).bytes(&[place.feed]).loss_of(place.of).0
}

/// The destination and the place that the key of losses names.
pub(crate) fn loss_names(key: &[u8]) -> Option<(Name, LossPlace)> {
    let (name, rest) = Name::split(key.strip_prefix(Kind::Losses.prefix())?)?;
    let (feed, rest) = rest.split_first()?;
    let of = match rest.split_first()? {
        (&UNLINKED, bucket) => LossOf::Unlinked(u16::from_be_bytes(bucket.try_into().ok()?)),
        (&OF_EVENT, event) => {
            LossOf::Event(EventUuid::new(uuid::Uuid::from_bytes(event.try_into().ok()?)))
        }
        _ => return None,
    };
    Some((name, LossPlace { feed: *feed, of }))
}

/// A name as it stands in a key: itself, or its digest where it is long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Name {
    /// The name.
    Text(String),
    /// A long one.
    Digest {
        /// Its digest.
        digest: Digest,
    },
}

impl Name {
    /// As it stands in keys.
    pub(crate) fn of(text: &str) -> Self {
        let key = Key(Vec::new()).text(text);
        Self::split(&key.0).expect("what was put into a key is found there").0
    }

    /// The name at the beginning of a key's rest, and what follows it.
    fn split(rest: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = rest.split_first()?;
        if *length == TEXT_DIGEST {
            let (digest, rest) = rest.split_first_chunk()?;
            return Some((Self::Digest { digest: Digest::from_bytes(*digest) }, rest));
        }
        let (text, rest) = rest.split_at_checked((*length).into())?;
        Some((Self::Text(str::from_utf8(text).ok()?.to_owned()), rest))
    }
}

/// The key of the same head, losses or page of the index at a destination of another name; `None`: it is of another one.
pub(crate) fn at_destination(key: &[u8], from: &Name, to: &Name) -> Option<Vec<u8>> {
    let kind = Kind::of(key)?;
    let (name, rest) = Name::split(key.strip_prefix(kind.prefix())?)?;
    (name == *from).then(|| Key::new(kind).name(to).bytes(rest).0)
}

/// The destination that the key of a head names, and the event.
pub(crate) fn head_names(key: &[u8]) -> Option<(Name, EventUuid)> {
    let (name, rest) = Name::split(key.strip_prefix(Kind::Head.prefix())?)?;
    Some((name, EventUuid::new(uuid::Uuid::from_bytes(rest.try_into().ok()?))))
}

/// The feed and the destination that the key of a cursor names.
pub(crate) fn cursor_names(key: &[u8]) -> Option<(Name, Name)> {
    let (feed, rest) = Name::split(key.strip_prefix(Kind::Cursor.prefix())?)?;
    let (destination, rest) = Name::split(rest)?;
    rest.is_empty().then_some((feed, destination))
}

/// [`head`], of a destination that may be known by its digest only.
pub(crate) fn head_of(destination: &Name, event: EventUuid) -> Vec<u8> {
    Key::new(Kind::Head).name(destination).bytes(event.uuid().as_bytes()).0
}

/// [`cursor`], of names that may be known by their digests only.
pub(crate) fn cursor_of(feed: &Name, destination: &Name) -> Vec<u8> {
    Key::new(Kind::Cursor).name(feed).name(destination).0
}

/// Run, commit and part that the key of a chunk of changes names.
pub(crate) fn change_numbers(key: &[u8]) -> Option<(RunNumber, u64, u32)> {
    let rest = key.strip_prefix(Kind::Changes.prefix())?;
    let (run, rest) = rest.split_first_chunk()?;
    let (commit, part) = rest.split_first_chunk()?;
    let part = u32::from_be_bytes(part.try_into().ok()?);
    Some((RunNumber(u64::from_be_bytes(*run)), u64::from_be_bytes(*commit), part))
}

/// The fingerprint of the rule table that a key names.
pub(crate) fn rules_fingerprint(key: &[u8]) -> Option<Digest> {
    let fingerprint = key.strip_prefix(Kind::Rules.prefix())?;
    Some(Digest::from_bytes(fingerprint.try_into().ok()?))
}

/// The bucket that the key of aliases names.
pub(crate) fn alias_bucket(key: &[u8]) -> Option<[u8; 2]> {
    key.strip_prefix(Kind::Alias.prefix())?.try_into().ok()
}

/// The aliases of a bucket.
pub(crate) fn aliases_in(bucket: [u8; 2]) -> Vec<u8> {
    Key::new(Kind::Alias).bytes(&bucket).0
}

/// Every key that aliases may stand under.
pub(crate) fn alias_buckets() -> impl Iterator<Item = Vec<u8>> {
    (0..=u8::MAX).flat_map(|high| (0..16).map(move |low| aliases_in([high, low << 4])))
}

/// How a key is named to people: its kind and the rest, readable where it is text.
pub(crate) fn shown(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

struct Key(Vec<u8>);

impl Key {
    fn new(kind: Kind) -> Self {
        Self(kind.prefix().to_vec())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn name(self, name: &Name) -> Self {
        match name {
            Name::Text(text) => self.text(text),
            Name::Digest { digest } => self.bytes(&[TEXT_DIGEST]).bytes(digest.as_bytes()),
        }
    }

    fn loss_of(self, of: LossOf) -> Self {
        match of {
            LossOf::Unlinked(bucket) => self.bytes(&[UNLINKED]).bytes(&bucket.to_be_bytes()),
            LossOf::Event(event) => self.bytes(&[OF_EVENT]).bytes(event.uuid().as_bytes()),
        }
    }

    fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn text(self, text: &str) -> Self {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= TEXT_BYTES_MAX => {
                self.bytes(&[length]).bytes(text.as_bytes())
            }
            _ => {
                let digest = Encoder::new(Context::Record).text(text).finish();
                self.bytes(&[TEXT_DIGEST]).bytes(digest.as_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_destination_is_a_prefix_of_another() {
        let names = ["", "a", "ab", "a\u{1}b", &"x".repeat(120), &"x".repeat(121), "ü/ö\0"];
        for one in names {
            for other in names {
                let (one, other) = (DestinationName::new(one), DestinationName::new(other));
                assert_eq!(heads(&one).starts_with(&heads(&other)), one == other);
            }
        }
    }

    #[test]
    fn keys_of_runs_sort_as_their_numbers() {
        assert!(run(RunNumber(255)) < run(RunNumber(256)));
        assert_eq!(run_number(&run(RunNumber(256))), Some(RunNumber(256)));
        assert!(change_chunk(RunNumber(1), 9, 1) < change_chunk(RunNumber(1), 10, 0));
    }

    #[test]
    fn every_kind_is_known_by_its_prefix() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.prefix()), Some(kind));
        }
        assert_eq!(Kind::of(b"__sled"), None);
    }

    #[test]
    fn what_a_key_names_is_read_back() {
        for text in ["", "main", "ü/\0", &"x".repeat(120), &"x".repeat(121)] {
            let (feed, name) = (FeedName::new(text), DestinationName::new(text));
            let event = EventUuid::new(uuid::Uuid::from_u128(7 << 76));
            let key = head(&name, event);
            let (found, of) = head_names(&key).unwrap();
            assert_eq!((head_of(&found, of), of), (key, event));
            assert_eq!(matches!(found, Name::Text(_)), text.len() <= TEXT_BYTES_MAX);
            let at = Name::of(text);
            assert_eq!(Key::new(Kind::Head).name(&at).0, heads(&name));
            for of in [LossOf::Unlinked(0x1234), LossOf::Event(event)] {
                let place = LossPlace { feed: 3, of };
                let key = losses(&name, &place);
                assert!(key.starts_with(&losses_of_feed(&name, 3)));
                let (found, of) = loss_names(&key).unwrap();
                assert_eq!((losses_at(&found, &of), of), (key, place));
            }
            let key = cursor(&feed, &name);
            let (feed, name) = cursor_names(&key).unwrap();
            assert_eq!(cursor_of(&feed, &name), key);
        }
        let chunk = change_chunk(RunNumber(3), 9, 2);
        assert_eq!(change_numbers(&chunk), Some((RunNumber(3), 9, 2)));
        assert!(alias_buckets().any(|key| key == aliases(&EntityKey::of("a"))));
        assert_eq!(alias_buckets().count(), 4096);
    }

    #[test]
    fn aliases_spread_over_buckets() {
        let keys: std::collections::BTreeSet<_> =
            (0..10_000).map(|n| aliases(&EntityKey::of(&format!("platform-{n}")))).collect();
        assert!((3000..=4096).contains(&keys.len()), "{}", keys.len());
    }
}
