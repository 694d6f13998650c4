//! The port to MISP: what can be asked of it.

use crate::{
    misp::Attribute,
    model::{AttributeUuid, EventUuid},
    plan::{EventSettings, FieldEdit, Row},
};

use super::{Exchange, Page, TaggedRow};

/// Most events that one [`Call::WhichEvents`] is about: MISP lists sixty on a page.
pub const WHICH_EVENTS_MAX: usize = 50;

/// One request to MISP. Paths, bodies and headers are `remote`'s matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `events/add/metadata:1`: creates the event with its first attributes. Drops bad attributes silently.
    AddEvent(Box<NewEvent>),
    /// `events/edit/<uuid>/metadata:1` with new attributes only. An upsert: a known UUID with a newer
    /// timestamp would be overwritten, hence only where nothing of it can be there.
    AppendQuietly {
        /// The event.
        event: EventUuid,
        /// The attributes.
        attributes: Vec<TimedAttribute>,
    },
    /// `attributes/add/<uuid>`: reports every failure and never overwrites.
    AppendLoudly {
        /// The event.
        event: EventUuid,
        /// The attributes.
        attributes: Vec<TimedAttribute>,
    },
    /// `events/edit/<uuid>/metadata:1` with event fields and a timestamp that MISP refuses if anyone
    /// edited the event since.
    EditFields {
        /// The event.
        event: EventUuid,
        /// What changes.
        edit: FieldEdit,
        /// The last known timestamp of the event, plus one.
        timestamp: i64,
    },
    /// CSV of `uuid,deleted,timestamp` of one or more events, in the order of their ids, with the ETag
    /// of the rows that are expected.
    Rows {
        /// The events.
        events: Vec<EventUuid>,
        /// The rows expected, all events together.
        expected: Vec<Row>,
    },
    /// [`Call::Rows`] with the tags of every attribute: what carries a colour of its own is proven with it.
    TaggedRows {
        /// The events.
        events: Vec<EventUuid>,
        /// The rows expected, all events together.
        expected: Vec<TaggedRow>,
    },
    /// CSV of `uuid,deleted,timestamp,event_id` of the attributes that changed at or after a time. Events are
    /// named by MISP's shorter number, which in another MISP is another event's: a hint, never a proof.
    RowsSince {
        /// MISP's numbers of the events.
        events: Vec<u64>,
        /// Seconds since 1970, MISP's clock.
        since: i64,
        /// Those that are soft-deleted alone: from 2.5.16 on MISP shows them to a key without `perm_sync` only where
        /// nothing else is asked for.
        only_deleted: bool,
    },
    /// The same rows of one event, by its UUID, soft-deleted ones included.
    ChangedRows {
        /// The event.
        event: EventUuid,
        /// Seconds since 1970, MISP's clock.
        since: i64,
    },
    /// How many attributes of one event, by its UUID, are not deleted.
    CountOf(EventUuid),
    /// How many attributes that are not deleted these events hold together, named as for
    /// [`Call::RowsSince`].
    CountLive(Vec<u64>),
    /// How many of some attributes or events carry a tag, as MISP spells it.
    CountTagged {
        /// What is counted.
        of: Tagged,
        /// The tag's name.
        tag: Box<str>,
    },
    /// CSV of `uuid,deleted,timestamp,type,value,attribute_tag` of one event, soft-deleted ones included.
    Listing(EventUuid),
    /// Metadata of one event: is it there, whose is it, when was it changed.
    Metadata(EventUuid),
    /// `tags/attachTagToObject`.
    AttachTag {
        /// The event.
        event: EventUuid,
        /// The attribute of it that is meant, if it is not the event itself.
        attribute: Option<AttributeUuid>,
        /// The tag's name.
        tag: Box<str>,
    },
    /// `events/publish/<uuid>`; sends no mail.
    Publish(EventUuid),
    /// `events/index` minimal: which of these events are there and hold attributes, and whose they are.
    WhichEvents(Vec<EventUuid>),
    /// `servers/getVersion`.
    Version,
    /// `users/view/me`.
    Whoami,
    /// `tags/search`: tags with these names. MISP takes `_` and `%` in them as wildcards.
    FindTags(Vec<Box<str>>),
    /// `auth_keys/index/<user>`: the keys of the user with this number, none of them whole.
    KeysOf(u64),
    /// `sharing_groups/index`: the sharing groups that this key may use.
    SharingGroups,
    /// Rows of an event that nobody has, with a tag that no answer has.
    Probe,
    /// So many rows of whatever there is: does a limit of the server cut them?
    AnyRows(u64),
    /// One page of one event's attributes.
    Page(Page),
    /// The same call without the entity tag that it would carry.
    Plain(Box<Self>),
}

impl Call {
    /// Whether it may change anything in MISP.
    #[must_use]
    pub const fn writes(&self) -> bool {
        match self {
            Self::AddEvent(_)
            | Self::AppendQuietly { .. }
            | Self::AppendLoudly { .. }
            | Self::EditFields { .. }
            | Self::AttachTag { .. }
            | Self::Publish(_) => true,
            Self::Plain(call) => call.writes(),
            Self::Rows { .. }
            | Self::TaggedRows { .. }
            | Self::RowsSince { .. }
            | Self::CountLive(_)
            | Self::CountTagged { .. }
            | Self::ChangedRows { .. }
            | Self::CountOf(_)
            | Self::Listing(_)
            | Self::Metadata(_)
            | Self::WhichEvents(_)
            | Self::Version
            | Self::Whoami
            | Self::FindTags(_)
            | Self::KeysOf(_)
            | Self::SharingGroups
            | Self::Probe
            | Self::AnyRows(_)
            | Self::Page(_) => false,
        }
    }
}

/// Of what it is counted how much carries a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tagged {
    /// Live attributes, which carry what their event carries, too.
    Attributes(Vec<AttributeUuid>),
    /// Events with the tag on themselves, named as for [`Call::RowsSince`].
    Events(Vec<u64>),
}

/// An event to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its UUID.
    pub uuid: EventUuid,
    /// Title, day, analysis and tags.
    pub fields: crate::misp::EventFields,
    /// Distribution, threat level and the like.
    pub settings: EventSettings,
    /// The first of its attributes.
    pub attributes: Vec<TimedAttribute>,
}

/// An attribute with the timestamp that was chosen for it once and for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedAttribute {
    /// The attribute.
    pub attribute: Attribute,
    /// Seconds since 1970.
    pub timestamp: i64,
}

/// Sends calls to one MISP.
pub trait Wire {
    /// Sends one call and reads the answer. It never fails: what goes wrong is a [`Trouble`](super::Trouble).
    fn exchange(&self, call: &Call) -> impl Future<Output = Exchange> + Send;

    /// Takes note of the encodings that this MISP says it takes for request bodies: `gzip`, `br`. A wire
    /// that compresses nothing has no use for them.
    fn encodings(&self, _names: &[String]) {}

    /// What tells one key from another; the key cannot be had from it.
    fn key_mark(&self) -> Option<u64> {
        None
    }

    /// Says whether writes are to carry a false entity tag. They need none once MISP was seen to compare tags.
    fn tries_tags(&self, _tries: bool) {}

    /// Takes note that what answers dates say cannot be. A wire that tells nobody anything has no use for it.
    fn doubts_date(&self, _note: String) {}

    /// Whether compressed bodies were found not to get there.
    fn refuses_packed(&self) -> bool {
        false
    }
}
