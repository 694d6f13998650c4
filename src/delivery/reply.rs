//! What MISP answers, read and classified.

use crate::{
    model::{AttributeUuid, EventUuid, OrgUuid, Timestamp},
    plan::Row,
};

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
    /// How many of both nobody foresaw when the call went.
    pub bytes_beside: u64,
    /// MISP's clock, from the `Date` header.
    pub date: Option<Timestamp>,
}

impl Exchange {
    /// Bytes that went both ways.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes_sent + self.bytes_received
    }

    /// Counts what another call cost with this one.
    pub fn count(&mut self, other: &Self) {
        self.requests += other.requests;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.bytes_beside += other.bytes_beside;
    }

    /// What another call brought, and what both cost.
    #[must_use]
    pub fn and(self, mut next: Self) -> Self {
        next.count(&self);
        next.date = next.date.or(self.date);
        next
    }

    /// What stands for the answer to a call that was not sent.
    #[must_use]
    pub const fn unsent(reply: Reply) -> Self {
        let (requests, bytes_sent, bytes_received, bytes_beside) = (0, 0, 0, 0);
        Self { reply, requests, bytes_sent, bytes_received, bytes_beside, date: None }
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
    /// Those of the asked events that are there.
    WhichEvents(Vec<Indexed>),
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
    /// It was not asked, or not to the end: that may take more than is left of what a run may transfer.
    OverLimit,
}

impl Trouble {
    /// Whether fewer requests at once may spare it: MISP, or what stands before it, says that it has too much to do. A
    /// connection that is lost says nothing of that.
    #[must_use]
    pub const fn is_of_load(&self) -> bool {
        matches!(self, Self::Busy { .. }) || self.retry_after().is_some()
    }

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
            Self::OverLimit => "that may take more than max_transfer leaves",
        }
    }

    /// The rest that is asked for, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::NoEffect { retry_after, .. }
            | Self::Unknown { retry_after, .. }
            | Self::Busy { retry_after, .. } => *retry_after,
            Self::ServerError { .. }
            | Self::TooLarge { .. }
            | Self::NotMisp { .. }
            | Self::OverLimit => None,
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

/// An event as MISP's minimal index has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed {
    /// The event.
    pub event: EventUuid,
    /// Whether MISP shows it as published.
    pub published: bool,
    /// The organisation that created it.
    pub orgc: Option<OrgUuid>,
}

/// What attributes/add says of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeAnswer {
    /// The UUID that was sent.
    pub uuid: AttributeUuid,
    /// What became of it.
    pub result: AttributeResult,
}

impl AttributeAnswer {
    /// MISP's number of the attribute, if it was stored and is named.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        match self.result {
            AttributeResult::Saved { number, .. } => number,
            _ => None,
        }
    }
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
        /// MISP's number of it, if it is named.
        number: Option<u64>,
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
