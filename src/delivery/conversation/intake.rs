//! What an answer means for the event it is about.

use std::collections::BTreeSet;

use crate::{
    delivery::{AttributeAnswer, AttributeResult, EventAnswer, Reply, Trouble, rows},
    model::{AttributeUuid, Timestamp},
    plan::{ChangeKind, DestinationRecord, EventTags, FieldEdit, Presence, Row, Seen, Standing},
};

use super::{
    Body, Conversation, Impact, Look, Making, Phase, Purpose, Request, Why, fields::fields_of,
    tags::Shown,
};

impl Conversation {
    /// Takes in the answer to what was asked.
    pub(in crate::delivery) fn on_reply(
        &mut self,
        reply: Reply,
        now: Timestamp,
        book: &mut DestinationRecord,
    ) {
        let request = match std::mem::replace(&mut self.phase, Phase::Open) {
            Phase::Asked(request) => request,
            // Nothing was asked.
            phase => return self.phase = phase,
        };
        match &reply {
            Reply::Trouble(_) => self.retry.setbacks += u32::from(request.writes()),
            _ => self.retry.answered(),
        }
        if let Some(body) = request.body().filter(|_| gets_through(&reply)) {
            self.retry.setbacks = 0;
            self.retry.suspect.taken(body);
        }
        self.phase = match reply {
            Reply::Trouble(trouble) => self.on_trouble(request, &trouble, now),
            Reply::Refused { why, words } => self.on_refused(request, why, words, book),
            reply => self.on_answer(request, reply, now, book),
        };
        self.take_what_was_put_off(book);
        self.note_number(book);
    }

    fn on_answer(
        &mut self,
        request: Request,
        reply: Reply,
        now: Timestamp,
        book: &mut DestinationRecord,
    ) -> Phase {
        match (request, reply) {
            (Request::Create(body), Reply::Event(answer)) => self.on_created(body, &answer, book),
            (Request::Create(body), Reply::EventExists) => {
                self.outbox.put_back(&body);
                Phase::Look(Look::Metadata(Why::IsThere))
            }
            (Request::Quiet(body), Reply::Event(answer)) => self.on_quiet(body, &answer, book),
            (Request::Loud(body), Reply::Attributes(answers)) => self.on_loud(body, &answers, book),
            (Request::Fields, Reply::Event(answer)) => self.on_fields(&answer, book),
            (Request::Tags, Reply::Tags(listed)) => self.on_tags(&listed, book),
            (Request::Tag, Reply::Done) => self.on_tagged(book),
            (Request::OwnColour, Reply::Done) => self.on_own_colour_attached(),
            (Request::Publish, Reply::Done) => self.on_publish_taken(),
            (Request::Changes(purpose), Reply::RowsSince(found)) => {
                let found: Vec<Row> = found.into_iter().map(|(_, row)| row).collect();
                self.on_changes(purpose, &found)
            }
            (Request::Look(Look::Count), Reply::Count(live)) => self.on_count(live),
            (Request::Look(Look::Metadata(why)), Reply::Metadata(answer)) => {
                self.on_metadata(answer, why, book)
            }
            (Request::Look(Look::Owner(answer, why)), Reply::WhichEvents(found)) => {
                self.on_owner(answer, why, &found, book)
            }
            (request, reply) => self.on_list(request, reply, now, book),
        }
    }

    /// What follows from a list of rows or attributes, or from an answer of the wrong kind.
    fn on_list(
        &mut self,
        request: Request,
        reply: Reply,
        now: Timestamp,
        book: &mut DestinationRecord,
    ) -> Phase {
        use Request::{Listing, Look as Looks, Rows};
        match (request, reply) {
            (Rows(Purpose::Proof), Reply::NotModified) if self.is_contradicted() => {
                Phase::Look(Look::Listing)
            }
            (Rows(_) | Looks(Look::Rows), Reply::NotModified) => self.on_proven(),
            (Rows(_) | Listing | Looks(Look::Rows | Look::Listing), reply)
                if (self.went_back() || !self.misp.seen) && self.lists_less(&reply) =>
            {
                match self.went_back() {
                    true => Phase::Over(self.went_back_by(&reply)),
                    false => Phase::Look(Look::Metadata(Why::ListsLess)),
                }
            }
            (Listing | Looks(Look::Listing), Reply::Listing(listed)) => {
                self.reconcile(&listed, book)
            }
            (Looks(Look::Rows), Reply::Rows(rows)) if self.are_known(&rows) => self.on_rows(&rows),
            (Rows(Purpose::Proof), Reply::Rows(rows)) if !self.bring_colours(&rows) => {
                self.on_rows_in_proof(&rows)
            }
            (Rows(Purpose::Proof), Reply::TaggedRows(found)) => self.on_tagged_rows(&found, book),
            (Rows(_) | Looks(Look::Rows), Reply::Rows(_) | Reply::TaggedRows(_)) => {
                Phase::Look(Look::Listing)
            }
            (request, reply) => {
                let why = format!("an answer of the wrong kind came: {reply:?}");
                let why = why.chars().take(200).collect::<String>().into();
                self.on_trouble(request, &Trouble::Unknown { why, retry_after: None }, now)
            }
        }
    }

    /// Of an event that was made just now nobody else took anything away: where MISP counted fewer than it was
    /// sent, its rows cannot be as expected.
    fn is_contradicted(&self) -> bool {
        self.outbox.making == Making::Done && self.misp.miscounted
    }

    /// Whether rows hold nothing that a list of values is needed for.
    fn are_known(&self, rows: &[Row]) -> bool {
        let foreign = self.event.head().foreign.iter().map(|(_, row)| row.uuid);
        let ours = self.event.attributes().values().map(|known| known.attribute.uuid);
        let known: BTreeSet<AttributeUuid> = ours.chain(foreign).collect();
        rows.iter().all(|row| known.contains(&row.uuid)) && !self.bring_colours(rows)
    }

    fn on_created(
        &mut self,
        body: Body,
        answer: &EventAnswer,
        book: &mut DestinationRecord,
    ) -> Phase {
        self.outbox.making = Making::Done;
        self.event.impact = Impact::Certain;
        self.misp.is_proven = true;
        let proven_up_to = Some(answer.timestamp).filter(|shown| self.can_be(*shown));
        let orgc = self.manners.org;
        let head = self.event.head_mut();
        // Whatever is edited from now on is edited later.
        head.seen = Seen { orgc, proven_up_to, ..Seen::default() };
        head.presence = Presence::Present;
        head.tags = EventTags::default();
        self.event.change(None, ChangeKind::Sent);
        self.take_metadata(answer);
        self.taken_quietly(body, answer.attribute_count);
        self.learn_tags(&answer.tags, book);
        self.see_tags(&answer.tags, book);
        Phase::Open
    }

    fn on_quiet(&mut self, body: Body, answer: &EventAnswer, book: &DestinationRecord) -> Phase {
        self.see_publishing(answer);
        self.event.impact = Impact::Certain;
        self.take_metadata(answer);
        self.taken_quietly(body, answer.attribute_count);
        self.see_tags(&answer.tags, book);
        Phase::Open
    }

    /// The request was taken. MISP's count of what is there is a hint at what of it was dropped: what somebody added
    /// meanwhile may make up for it.
    fn taken_quietly(&mut self, body: Body, counted: Option<u64>) {
        self.event.await_proof(body);
        self.misp.miscounted = counted.is_some_and(|counted| counted != self.event.live_rows());
    }

    /// The timestamp guards the next edit of the event's fields. One that stands behind somebody else's edit
    /// guards nothing: without it the fields are compared first.
    pub(super) fn take_metadata(&mut self, answer: &EventAnswer) {
        self.misp.seen = true;
        let can_be = self.can_be(answer.timestamp);
        let head = self.event.head_mut();
        let as_known = FieldEdit::between(&head.fields, &fields_of(answer)).is_none();
        head.seen.orgc = answer.orgc.or(head.seen.orgc);
        head.misp_id = Some(answer.id);
        head.timestamp = (as_known && can_be).then_some(answer.timestamp);
        head.published = Some(answer.published);
        head.seen.not_before = Some(answer.timestamp).filter(|_| can_be).or(head.seen.not_before);
        head.seen.fields_at = head.timestamp.or(head.seen.fields_at);
    }

    fn on_loud(
        &mut self,
        body: Body,
        answers: &[AttributeAnswer],
        book: &mut DestinationRecord,
    ) -> Phase {
        let mut order = self.event.next_order();
        let numbers = answers.iter().filter_map(AttributeAnswer::number);
        let is_lower = self.learn_numbers(numbers, book);
        for key in body {
            let uuid = self.event.attribute(key).map(|known| known.attribute.uuid);
            let answer = answers.iter().find(|answer| Some(answer.uuid) == uuid);
            match answer.map_or(AttributeResult::Unmentioned, |answer| answer.result.clone()) {
                AttributeResult::Saved { timestamp, tags, .. } if self.dates(key, timestamp) => {
                    self.event.place(key, order, timestamp);
                    order += 1;
                    self.event.impact = Impact::Certain;
                    self.event.set_standing(key, Standing::Sent);
                    self.see_own_colour(key, Shown::Names(&tags), book);
                }
                AttributeResult::Refused(words) => self.reject(key, words),
                result => {
                    if matches!(result, AttributeResult::Saved { .. }) {
                        self.event.moved_perhaps();
                    }
                    self.event.disputed.insert(key, result);
                }
            }
        }
        if self.event.impact == Impact::Certain {
            // The echo does not say which second.
            self.moved_by_us();
        }
        let is_clear = self.event.disputed.is_empty() && !is_lower;
        if is_clear { Phase::Open } else { Phase::Look(Look::Listing) }
    }

    pub(super) fn reject(&mut self, key: AttributeUuid, words: Box<str>) {
        let version = self.manners.version.clone();
        self.event.set_standing(key, Standing::Rejected { words, version });
    }

    /// MISP holds what it is expected to hold: nothing came in between, and what it took before is there.
    pub(super) fn on_proven(&mut self) -> Phase {
        self.misp.is_proven = true;
        self.lacks_nothing();
        for key in std::mem::take(&mut self.event.unproven) {
            self.event.set_standing(key, Standing::Sent);
        }
        self.note_proof(&rows::expected(self.event()));
        Phase::Open
    }

    /// MISP holds exactly these rows.
    pub(super) fn note_proof(&mut self, rows: &[Row]) {
        let newest = rows.iter().map(|row| row.timestamp).max();
        if newest.is_some() && self.event.head().seen.proven_up_to != newest {
            self.event.head_mut().seen.proven_up_to = newest;
        }
    }

    /// MISP's list of this event, where it is not the expected one.
    pub(super) fn on_rows(&mut self, rows: &[Row]) -> Phase {
        self.take_rows(rows);
        self.settle_pending();
        self.misp.is_proven = true;
        Phase::Open
    }

    /// The same in place of a proof: where what was appended stands elsewhere, that is how this MISP is, and not
    /// what became of the event since.
    pub(super) fn on_rows_in_proof(&mut self, rows: &[Row]) -> Phase {
        let before = self.event.head().seen.reordered;
        let phase = self.on_rows(rows);
        self.misp.misplaced |= self.event.head().seen.reordered > before;
        phase
    }
}

/// Whether MISP itself answered a body.
const fn gets_through(reply: &Reply) -> bool {
    matches!(
        reply,
        Reply::Event(_) | Reply::Attributes(_) | Reply::EventExists | Reply::Refused { .. }
    )
}
