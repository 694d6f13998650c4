//! The port to MISP: what can be asked of it, and what can come back.

use crate::{
    misp::Attribute,
    model::{AttributeUuid, EventUuid, OrgUuid, Timestamp},
    plan::{EventSettings, FieldEdit, Row},
};

use super::Page;

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
    /// `events/index` minimal: which of these events are there and hold attributes.
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

    /// A few words for logs and errors.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::AddEvent(new) => {
                format!("events/add {} with {} attributes", new.uuid, new.attributes.len())
            }
            Self::AppendQuietly { event, attributes, .. } => {
                format!("events/edit {event} with {} attributes", attributes.len())
            }
            Self::AppendLoudly { event, attributes, .. } => {
                format!("attributes/add {event} with {} attributes", attributes.len())
            }
            Self::EditFields { event, .. } => format!("events/edit {event}"),
            Self::Rows { events, .. } => {
                format!("events/restSearch rows of {} events", events.len())
            }
            Self::TaggedRows { events, .. } => {
                format!("events/restSearch rows and tags of {} events", events.len())
            }
            Self::RowsSince { events, since, .. } => {
                format!("attributes/restSearch rows of {} events since {since}", events.len())
            }
            Self::ChangedRows { event, since } => {
                format!("attributes/restSearch rows of {event} since {since}")
            }
            Self::CountOf(event) => format!("attributes/restSearch count of {event}"),
            Self::CountLive(events) => {
                format!("attributes/restSearch count of {} events", events.len())
            }
            Self::Listing(event) => format!("events/restSearch list of {event}"),
            Self::Metadata(event) => format!("events/restSearch metadata of {event}"),
            Self::AttachTag { event, attribute, tag } => {
                let of = attribute.map(|it| format!(" of attribute {it}")).unwrap_or_default();
                format!("tags/attachTagToObject {tag:?} to {event}{of}")
            }
            Self::Publish(event) => format!("events/publish {event}"),
            Self::WhichEvents(events) => format!("events/index of {} events", events.len()),
            Self::Version => "servers/getVersion".to_owned(),
            Self::Whoami => "users/view/me".to_owned(),
            Self::FindTags(names) => format!("tags/search {} names", names.len()),
            Self::KeysOf(user) => format!("auth_keys/index {user}"),
            Self::SharingGroups => "sharing_groups/index".to_owned(),
            Self::AnyRows(most) => format!("attributes/restSearch {most} rows"),
            Self::Probe => "events/restSearch rows of no event".to_owned(),
            Self::Page(Page { event, number, size, .. }) => {
                format!("attributes/restSearch page {number} of {event}, {size} a page")
            }
            Self::Plain(call) => call.describe(),
        }
    }
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

/// What came back for a call, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The answer, read.
    pub reply: Reply,
    /// Requests that it took.
    pub requests: u64,
    /// Bytes of the request, headers included.
    pub bytes_sent: u64,
    /// Bytes of the answer, headers included.
    pub bytes_received: u64,
    /// MISP's clock, from the `Date` header.
    pub date: Option<Timestamp>,
}

impl Exchange {
    /// Counts what another call cost with this one.
    pub fn count(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
    }

    /// What another call brought, and what both cost.
    #[must_use]
    pub fn and(self, mut next: Self) -> Self {
        next.count(&self);
        next.date = next.date.or(self.date);
        next
    }
}

/// An answer of MISP, read and classified. What cannot be read is [`Trouble`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The event's metadata, after events/add or events/edit.
    Event(Box<EventAnswer>),
    /// events/add: an event with this UUID is there, perhaps one we cannot see.
    EventExists,
    /// Metadata that was asked for; `None` if the event is absent or invisible.
    Metadata(Option<Box<EventAnswer>>),
    /// attributes/add: each attribute of the request, saved or with the reasons against it.
    Attributes(Vec<AttributeAnswer>),
    /// The rows are exactly the expected ones: what was asked for has the tag that it was asked for with.
    NotModified,
    /// The rows, which differ from the expected ones.
    Rows(Vec<Row>),
    /// The same with the tags of every attribute.
    TaggedRows(Vec<TaggedRow>),
    /// The rows that changed since a time, each after MISP's number of its event.
    RowsSince(Vec<(u64, Row)>),
    /// A number of attributes.
    Count(u64),
    /// Every attribute of the event.
    Listing(Vec<Listed>),
    /// The tag is attached, or the event published.
    Done,
    /// Those of the asked events that are there, each with whether MISP shows it as published.
    WhichEvents(Vec<(EventUuid, bool)>),
    /// Version text and request encodings.
    Version {
        /// Such as `2.5.1`.
        version: String,
        /// Such as `gzip`, `br`.
        encodings: Vec<String>,
    },
    /// Who we are.
    Whoami {
        /// UUID of the organisation.
        org: OrgUuid,
        /// MISP's number of it.
        org_id: Option<u64>,
        /// MISP's number of the user.
        user: Option<u64>,
        /// Permissions of the role that are granted, and `read_only` if the key says so.
        permissions: Vec<String>,
    },
    /// Tags that are there, whoever may use them.
    Tags(Vec<TagRow>),
    /// Keys of a user.
    Keys(Vec<KeyRow>),
    /// MISP's numbers of the sharing groups that the key may use.
    SharingGroups(Vec<u64>),
    /// MISP understood and said no; nothing changed.
    Refused {
        /// What kind of no.
        why: RefusedWhy,
        /// In its own words.
        words: Box<str>,
    },
    /// There is no answer that could be relied on.
    Trouble(Trouble),
}

/// A row with the tags of its attribute, joined by commas as MISP's CSV has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedRow {
    /// The row.
    pub row: Row,
    /// The names in the order in which they were attached; those that are not exportable are missing.
    pub tags: Box<str>,
}

/// A tag as MISP lists it to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// MISP's number of it.
    pub id: u64,
    /// Its name.
    pub name: Box<str>,
    /// Only this organisation may use it; 0: any.
    pub org: u64,
    /// Only this user may use it; 0: any.
    pub user: u64,
    /// It is shown, and goes with what it is attached to.
    pub exportable: bool,
    /// It may only be attached as a local tag.
    pub local_only: bool,
}

/// An API key as MISP lists it: without its middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its first characters.
    pub start: Box<str>,
    /// Its last characters.
    pub end: Box<str>,
    /// It opens nothing that changes anything, whatever its user's role may.
    pub read_only: bool,
    /// When it opens nothing any more, in seconds since 1970; 0: never.
    pub expiration: i64,
    /// Addresses and ranges that it may be used from. `None`: all.
    pub allowed_ips: Option<Vec<Box<str>>>,
}

/// Kinds of no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedWhy {
    /// Validation: this request will never be taken.
    Invalid,
    /// The event is on MISP's blocklist.
    Blocklisted,
    /// The event's timestamp in the request is not newer than MISP's.
    NotNewer,
    /// The event is not there, or not visible.
    NoSuchEvent,
    /// The key's user may not do this to this object.
    NotPermitted,
    /// The key or its role is refused altogether.
    Key,
}

/// No reliable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The request certainly had no effect; it may be repeated after so many seconds, if given.
    NoEffect {
        /// What happened.
        why: Box<str>,
        /// The server's own wish, in seconds.
        retry_after: Option<u64>,
    },
    /// It may have had its effect: the answer was lost, late, cut or unreadable.
    Unknown {
        /// What happened.
        why: Box<str>,
        /// The server's own wish, in seconds.
        retry_after: Option<u64>,
    },
    /// Something is not ready right now, MISP or a proxy before it (408, 502, 503, 52x): it may have had its
    /// effect, and may be repeated.
    Busy {
        /// What happened.
        why: Box<str>,
        /// The server's own wish, in seconds.
        retry_after: Option<u64>,
    },
    /// MISP answered 500, without a reason; part of the request may have been stored.
    ServerError {
        /// What it said.
        why: Box<str>,
    },
    /// The request is too large for the way there.
    TooLarge {
        /// What happened.
        why: Box<str>,
    },
    /// Something does not talk to us as MISP does: a login page, a redirect, another program, a firewall that
    /// does not let this request through. Whether MISP got it is not known.
    NotMisp {
        /// What it looks like, and what to do.
        why: Box<str>,
    },
}

impl Trouble {
    /// What happened, for people.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::NoEffect { why, .. }
            | Self::Unknown { why, .. }
            | Self::Busy { why, .. }
            | Self::ServerError { why }
            | Self::TooLarge { why }
            | Self::NotMisp { why } => why,
        }
    }

    /// The rest that is asked for, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::NoEffect { retry_after, .. }
            | Self::Unknown { retry_after, .. }
            | Self::Busy { retry_after, .. } => *retry_after,
            Self::ServerError { .. } | Self::TooLarge { .. } | Self::NotMisp { .. } => None,
        }
    }
}

/// An event as MISP's metadata answers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAnswer {
    /// MISP's numeric id.
    pub id: u64,
    /// The event.
    pub uuid: EventUuid,
    /// Its title.
    pub info: Box<str>,
    /// Its day.
    pub date: Box<str>,
    /// Its analysis level.
    pub analysis: u8,
    /// When it last changed, MISP's clock.
    pub timestamp: i64,
    /// Whether it is published.
    pub published: bool,
    /// When it was published last, MISP's clock; 0 for never.
    pub publish_timestamp: Option<i64>,
    /// The organisation that created it.
    pub orgc: Option<OrgUuid>,
    /// Live attributes, by MISP's own count.
    pub attribute_count: Option<u64>,
    /// Names of its tags.
    pub tags: Vec<Box<str>>,
}

/// What attributes/add says of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeAnswer {
    /// The UUID that was sent.
    pub uuid: AttributeUuid,
    /// What became of it.
    pub result: AttributeResult,
}

/// What became of one attribute of attributes/add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeResult {
    /// Stored.
    Saved {
        /// Seconds since 1970.
        timestamp: i64,
        /// Names of its tags.
        tags: Vec<Box<str>>,
    },
    /// The UUID is taken, in this event or another.
    UuidTaken,
    /// An equal or similar value is there under another UUID.
    Similar,
    /// Another refusal, in MISP's words.
    Refused(Box<str>),
    /// The answer says nothing of it.
    Unmentioned,
}

/// One attribute of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// UUID, deleted, timestamp.
    pub row: Row,
    /// MISP's type name.
    pub kind: Box<str>,
    /// The value.
    pub value: Box<str>,
    /// Names of its tags, joined by commas.
    pub tags: Box<str>,
}

/// Sends calls to one MISP.
pub trait Wire {
    /// Sends one call and reads the answer. It never fails: what goes wrong is a [`Trouble`].
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

    /// Whether compressed bodies were found not to get there.
    fn refuses_packed(&self) -> bool {
        false
    }
}
