//! What requests cost in bytes, and which of two ways to append is the cheaper.
//!
//! The numbers were measured on MISP 2.5.1 with headers, in both directions: an append by attributes/add
//! echoes each attribute in 450 to 530 bytes; events/edit answers about 1.1 KB whatever the number, but has
//! to be guarded before and proven afterwards, at 900 bytes each.

use crate::misp::Attribute;

use super::{Call, PageOf, Tagged};

/// Headers of a request that has a body.
const HEADERS_SENT: u64 = 420;
/// Headers of its answer.
const HEADERS_RECEIVED: u64 = 280;
const HEADERS: u64 = HEADERS_SENT + HEADERS_RECEIVED;
/// Echo of one attribute, its value and comment aside.
pub(crate) const ECHO: u64 = 420;
/// The metadata that events/add and events/edit answer.
const METADATA: u64 = 690;
/// What such an answer says of a tag of the event, its name aside.
const TAG: u64 = 190;
/// A question for rows.
const PROOF_SENT: u64 = 620;
/// Its answer, 304.
const PROOF_RECEIVED: u64 = 280;
const PROOF: u64 = PROOF_SENT + PROOF_RECEIVED;
/// What an event adds to a question that is asked for others anyway.
const PROOF_IN_COMPANY: u64 = 40;
/// So many events go into one question.
const EVENTS_PER_PROOF: u64 = 50;
/// A row of an answer about rows: UUID, whether it is deleted, timestamp, and the number of the event or a colour.
const ROW: u64 = 72;
/// A row of a list, type included, its value and tags aside.
const LISTED: u64 = 100;
/// The same of an attribute that is not ours, of which nothing more is known.
const LISTED_FOREIGN: u64 = 200;
/// An event in MISP's index, with its UUID in the question.
const INDEXED: u64 = 250;
/// Fields of an attribute in a request: UUID, type, timestamp and the names of the fields.
const FIELDS: u64 = 110;

/// The names and quotes of an attribute's fields that not every one of them has, and of a tag.
const RARE_FIELDS: u64 = 120;
const TAG_FIELDS: u64 = 12;

/// How attributes are appended to an event that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// events/edit: cheap for many, needs guard and proof.
    Quiet,
    /// attributes/add: cheap for a few, says what it refuses.
    Loud,
}

/// Bytes that an answer says of one tag of an event or attribute.
pub(crate) const fn of_tag(name: &str) -> u64 {
    TAG + name.len() as u64
}

/// What the quiet way needs to be asked besides.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Circumstances {
    /// MISP showed what the event holds.
    pub(super) guarded: bool,
    /// The proof is asked for together with that of others.
    pub(super) in_company: bool,
}

impl Circumstances {
    const fn questions(self) -> u64 {
        let guard = if self.guarded { 0 } else { PROOF };
        guard + if self.in_company { PROOF_IN_COMPANY } else { PROOF }
    }
}

/// The cheaper way to append `count` attributes of `text` bytes in all (values and comments) to an event whose
/// metadata shows `tags` bytes of tags.
pub(super) fn cheaper(count: u64, text: u64, tags: u64, circumstances: Circumstances) -> Way {
    let body = text + count * FIELDS;
    let loud = HEADERS + body + count * ECHO + text;
    let quiet = circumstances.questions() + HEADERS + body + METADATA + tags;
    if quiet < loud { Way::Quiet } else { Way::Loud }
}

/// Most bytes of a request that writes and of its answer, attributes aside.
pub(crate) const fn of_write(text: u64, tags: u64) -> u64 {
    HEADERS + METADATA + of_texts(text, tags)
}

/// What the event's own texts take in both.
pub(super) const fn of_texts(text: u64, tags: u64) -> u64 {
    2 * (text + tags)
}

/// Bytes of what a request says of an attribute, its fields aside.
pub(super) fn text_of(attribute: &Attribute) -> u64 {
    (attribute.value.as_str().len() + attribute.comment.len()) as u64
}

/// Most bytes that an attribute takes in a request.
pub(super) fn of_sent(attribute: &Attribute) -> u64 {
    let tags: u64 = attribute.tags.iter().map(|tag| TAG_FIELDS + tag.len() as u64).sum();
    FIELDS + RARE_FIELDS + text_of(attribute) + tags
}

/// Most bytes that its echo takes.
pub(super) fn of_echo(attribute: &Attribute) -> u64 {
    ECHO + text_of(attribute) + attribute.tags.iter().map(|tag| of_tag(tag)).sum::<u64>()
}

/// Most bytes of the questions that prove what so many events hold.
pub(super) const fn of_proofs(events: u64) -> u64 {
    events.div_ceil(EVENTS_PER_PROOF) * PROOF + events * PROOF_IN_COMPANY
}

/// Most bytes of an answer about so many rows of so many events, all of which may differ. What a 304 is worth may have to be
/// asked first.
pub(super) const fn of_rows(events: u64, rows: u64) -> u64 {
    of_proofs(events) + PROOF + rows * ROW
}

/// Most bytes of a list of so many attributes of which nothing is known.
pub(super) const fn of_listing(rows: u64) -> u64 {
    HEADERS + rows * LISTED_FOREIGN
}

/// Most bytes that an attribute takes in a list.
pub(super) fn of_listed(attribute: &Attribute) -> u64 {
    let tags: u64 = attribute.tags.iter().map(|tag| 1 + tag.len() as u64).sum();
    LISTED + attribute.value.as_str().len() as u64 + tags
}

/// Most bytes of looking at so many rows of so many events, where each event may be asked about a second time alone and then
/// be listed.
pub(crate) const fn of_look(events: u64, rows: u64) -> u64 {
    of_rows(events, rows) + events * (of_rows(1, 0) + HEADERS) + rows * (ROW + LISTED_FOREIGN)
}

/// Most bytes of what MISP's index says of so many events.
pub(super) const fn of_index(events: u64) -> u64 {
    HEADERS + events * INDEXED
}

/// Of how many events MISP's index can be asked with so many bytes.
pub(crate) fn indexed_within(bytes: u64) -> usize {
    usize::try_from(bytes.saturating_sub(HEADERS) / INDEXED).unwrap_or(usize::MAX)
}

/// Most bytes that a call and its answer may take, where MISP answers as foreseen and holds what is expected.
pub(crate) fn most_of(call: &Call) -> u64 {
    let rows = |events: usize, rows: usize| of_rows(events as u64, rows as u64);
    match call {
        Call::AddEvent(new) => {
            let tags = new.fields.tags.iter().map(|tag| of_tag(tag)).sum();
            let bodies = new.attributes.iter().map(|it| of_sent(&it.attribute));
            of_write(new.fields.info.len() as u64, tags) + bodies.sum::<u64>()
        }
        Call::AppendQuietly { attributes, .. } => {
            let bodies = attributes.iter().map(|it| of_sent(&it.attribute));
            of_write(0, 0) + bodies.sum::<u64>()
        }
        Call::AppendLoudly { attributes, .. } => {
            let bodies =
                attributes.iter().map(|it| of_sent(&it.attribute) + of_echo(&it.attribute));
            of_write(0, 0) + bodies.sum::<u64>()
        }
        Call::EditFields { edit, .. } => {
            let info = edit.info.as_deref().map_or(0, str::len);
            of_write(info as u64, 0)
        }
        Call::Rows { events, expected } => rows(events.len(), expected.len()),
        Call::TaggedRows { events, expected } => rows(events.len(), expected.len()),
        Call::Page(page) => match page.of {
            PageOf::Values => of_listing(page.size as u64),
            PageOf::Rows | PageOf::Expected(_) => PROOF + page.size as u64 * ROW,
        },
        Call::AnyRows(count) => of_listing(*count),
        Call::WhichEvents(about) => of_index(about.len() as u64),
        Call::CountTagged { of: Tagged::Attributes(about), .. } => of_proofs(about.len() as u64),
        Call::Plain(call) => most_of(call),
        Call::RowsSince { .. }
        | Call::ChangedRows { .. }
        | Call::Listing(_)
        | Call::CountOf(_)
        | Call::CountLive(_)
        | Call::CountTagged { .. }
        | Call::Metadata(_)
        | Call::AttachTag { .. }
        | Call::Publish(_)
        | Call::Version
        | Call::Whoami
        | Call::FindTags(_)
        | Call::KeysOf(_)
        | Call::SharingGroups
        | Call::Probe => of_write(0, 0),
    }
}

/// What it costs more to make an event without attributes first: they follow in a request of their own.
pub(super) fn of_standing_empty(count: u64, text: u64, tags: u64) -> u64 {
    match count {
        0 => 0,
        _ => HEADERS + (METADATA + tags).min(count * ECHO + text),
    }
}

/// What a plan would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Requests.
    pub requests: u64,
    /// Bytes of the requests, headers included.
    pub bytes_sent: u64,
    /// Bytes of the answers, headers included.
    pub bytes_received: u64,
}

impl Estimate {
    /// Adds what so many more requests cost, in all.
    pub const fn add(&mut self, requests: u64, bytes_sent: u64, bytes_received: u64) {
        self.requests += requests;
        self.bytes_sent += bytes_sent;
        self.bytes_received += bytes_received;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handful_goes_loudly_and_many_quietly() {
        let (alone, proven) =
            (Circumstances::default(), Circumstances { guarded: true, in_company: false });
        assert_eq!(cheaper(1, 64, 0, alone), Way::Loud);
        assert_eq!(cheaper(2, 128, 0, alone), Way::Loud);
        assert_eq!(cheaper(10, 640, 0, alone), Way::Quiet);
        assert_eq!(cheaper(1_000, 64_000, 0, alone), Way::Quiet);
        assert_eq!(cheaper(4, 256, 0, proven), Way::Quiet);
        assert_eq!(cheaper(2, 128, 0, proven), Way::Loud);
        assert_eq!(cheaper(2, 128, 0, Circumstances { in_company: true, ..proven }), Way::Quiet);
    }

    #[test]
    fn many_tags_of_the_event_make_the_quiet_way_the_dearer() {
        let tags: u64 = (0..60).map(|_| of_tag("misp-galaxy:mitre-attack-pattern")).sum();
        let proven = Circumstances { guarded: true, in_company: false };
        assert_eq!(cheaper(20, 1_280, 0, proven), Way::Quiet);
        assert_eq!(cheaper(20, 1_280, tags, proven), Way::Loud);
        assert_eq!(of_standing_empty(0, 0, tags), 0);
        assert!(of_standing_empty(1, 64, tags) < of_standing_empty(5, 320, tags));
    }
}
