//! What an answer means for the event it is about.

use std::collections::BTreeSet;

use crate::{
    delivery::{AttributeAnswer, AttributeResult, EventAnswer, Reply, Trouble, rows},
    model::{AttributeUuid, Timestamp, Tlp},
    plan::{
        BlockedReason, ChangeKind, DestinationRecord, EventTags, FieldEdit, Presence, Row, Seen,
        Standing, TagStanding,
    },
};

use super::{
    Asked, Conversation, Impact, Look, Making, Verdict,
    fields::fields_of,
    knowledge::{Ground, WasPublished},
    tags::Shown,
};

impl Conversation {
    /// Takes in the answer to what was asked last.
    pub(in crate::delivery) fn on_reply(
        &mut self,
        reply: Reply,
        now: Timestamp,
        book: &mut DestinationRecord,
    ) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        match &reply {
            Reply::Trouble(_) => self.retry.setbacks += u32::from(asked.writes()),
            _ => self.retry.answered(),
        }
        if asked.delivers() && gets_through(&reply) {
            self.retry.setbacks = 0;
            self.retry.suspect.taken(&self.flight);
        }
        match (asked, reply) {
            (_, Reply::Trouble(trouble)) => self.on_trouble(asked, &trouble, now),
            (_, Reply::Refused { why, words }) => self.on_refused(asked, why, words, book),
            (Asked::Create, Reply::Event(answer)) => self.on_created(&answer, book),
            (Asked::Create, Reply::EventExists) => {
                self.unsend();
                self.exists = true;
                self.look = Some(Look::Metadata);
            }
            (Asked::Quiet, Reply::Event(answer)) => self.on_quiet(&answer, book),
            (Asked::Loud, Reply::Attributes(answers)) => self.on_loud(&answers, book),
            (Asked::Fields, Reply::Event(answer)) => self.on_fields(&answer, book),
            (Asked::Guard, Reply::NotModified) => self.on_as_expected(),
            (Asked::Proof, Reply::NotModified) if self.is_contradicted() => {
                self.look = Some(Look::Listing);
            }
            (Asked::Proof, Reply::NotModified) => self.on_proven(),
            (Asked::Guard | Asked::Proof | Asked::Listing, reply) if self.is_doubtful(&reply) => {
                self.look = Some(Look::Existence);
            }
            (Asked::Guard, Reply::Rows(rows)) if self.look.is_some() && self.are_known(&rows) => {
                self.look = None;
                self.on_rows(&rows);
            }
            (Asked::Guard, Reply::Rows(_)) => self.look = Some(Look::Listing),
            (Asked::Proof, Reply::Rows(rows)) if self.bring_colours(&rows) => {
                self.look = Some(Look::Listing);
            }
            (Asked::Proof, Reply::Rows(rows)) => self.on_rows_in_proof(&rows),
            (Asked::Changes(purpose), Reply::RowsSince(found)) => {
                let found: Vec<Row> = found.into_iter().map(|(_, row)| row).collect();
                self.on_changes(purpose, &found);
            }
            (Asked::Live(_), Reply::Count(live)) => self.on_count(live),
            (Asked::Guard, Reply::TaggedRows(_)) => self.look = Some(Look::Listing),
            (Asked::Proof, Reply::TaggedRows(found)) => self.on_tagged_rows(&found, book),
            (Asked::OwnColour, Reply::Done) => self.on_own_colour_attached(),
            (Asked::Listing, Reply::Listing(listed)) => {
                self.look = None;
                self.reconcile(&listed, book);
            }
            (Asked::Metadata, Reply::Metadata(answer)) => self.on_metadata(answer, book),
            (Asked::Owner, Reply::WhichEvents(found)) => self.on_owner(&found, book),
            (Asked::Tag, Reply::Done) => self.on_tagged(book),
            (Asked::Tags, Reply::Tags(listed)) => self.on_tags(&listed, book),
            (Asked::Publish, Reply::Done) => self.on_publish_taken(),
            (_, reply) => {
                let why = format!("an answer of the wrong kind came: {reply:?}");
                let why = why.chars().take(200).collect::<String>().into();
                self.on_trouble(asked, &Trouble::Unknown { why, retry_after: None }, now);
            }
        }
    }

    /// The rows are as expected: so it was found when they were asked for several events at once.
    pub(in crate::delivery) fn on_rows_of_many(&mut self) {
        self.retry.answered();
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Guard => self.on_as_expected(),
            _ if self.is_contradicted() => self.look = Some(Look::Listing),
            _ => self.on_proven(),
        }
    }

    /// Of an event that was made just now nobody else took anything away: where MISP counted fewer than it was
    /// sent, its rows cannot be as expected.
    fn is_contradicted(&self) -> bool {
        self.outbox.making == Making::Done && self.misp.miscounted
    }

    /// MISP holds what it is expected to hold: nothing came in between, and what it took before is there.
    pub(super) fn on_as_expected(&mut self) {
        self.look = None;
        self.on_proven();
    }

    /// Whether rows hold nothing that a list of values is needed for.
    fn are_known(&self, rows: &[Row]) -> bool {
        let foreign = self.event.head().foreign.iter().map(|(_, row)| row.uuid);
        let ours = self.event.attributes().values().map(|known| known.attribute.uuid);
        let known: BTreeSet<AttributeUuid> = ours.chain(foreign).collect();
        rows.iter().all(|row| known.contains(&row.uuid)) && !self.bring_colours(rows)
    }

    /// An event that is gone lists as one that is empty: before all that we delivered is taken for deleted,
    /// MISP has to show the event itself.
    fn is_doubtful(&self, reply: &Reply) -> bool {
        let nothing = match reply {
            Reply::Rows(rows) => rows.is_empty(),
            Reply::TaggedRows(rows) => rows.is_empty(),
            Reply::Listing(listed) => listed.is_empty(),
            _ => false,
        };
        nothing && rows::next_order(self.event()) > 0 && !self.misp.seen
    }

    fn on_created(&mut self, answer: &EventAnswer, book: &mut DestinationRecord) {
        self.outbox.making = Making::Done;
        self.event.impact = Impact::Certain;
        self.misp.ground = Ground::Proven;
        let (orgc, proven_up_to) = (self.manners.org, Some(answer.timestamp));
        let head = self.event.head_mut();
        // Whatever is edited from now on is edited later.
        head.seen = Seen { orgc, proven_up_to, reordered: 0 };
        head.presence = Presence::Present;
        head.tags = EventTags::default();
        self.event.change(None, ChangeKind::Sent);
        self.take_metadata(answer);
        self.taken_quietly(answer.attribute_count);
        self.learn_tags(&answer.tags, book);
        self.see_tags(&answer.tags, book);
    }

    fn on_quiet(&mut self, answer: &EventAnswer, book: &DestinationRecord) {
        self.see_publishing(answer);
        self.event.impact = Impact::Certain;
        self.take_metadata(answer);
        self.taken_quietly(answer.attribute_count);
        self.see_tags(&answer.tags, book);
    }

    /// The request was taken. MISP's count of what is there is a hint at what of it was dropped: what somebody added
    /// meanwhile may make up for it.
    fn taken_quietly(&mut self, counted: Option<u64>) {
        self.event.await_proof(std::mem::take(&mut self.flight));
        self.misp.miscounted = counted.is_some_and(|counted| counted != self.event.live_rows());
    }

    /// The timestamp guards the next edit of the event's fields. One that stands behind somebody else's edit
    /// guards nothing: without it the fields are compared first.
    pub(super) fn take_metadata(&mut self, answer: &EventAnswer) {
        self.misp.seen = true;
        let head = self.event.head_mut();
        let as_known = FieldEdit::between(&head.fields, &fields_of(answer)).is_none();
        head.seen.orgc = answer.orgc.or(head.seen.orgc);
        head.misp_id = Some(answer.id);
        head.timestamp = as_known.then_some(answer.timestamp);
        head.published = Some(answer.published);
    }

    fn on_loud(&mut self, answers: &[AttributeAnswer], book: &mut DestinationRecord) {
        let mut order = rows::next_order(self.event());
        for key in std::mem::take(&mut self.flight) {
            let uuid = self.event.attribute(key).map(|known| known.attribute.uuid);
            let answer = answers.iter().find(|answer| Some(answer.uuid) == uuid);
            match answer.map_or(AttributeResult::Unmentioned, |answer| answer.result.clone()) {
                AttributeResult::Saved { timestamp, tags } => {
                    self.event.place(key, order, timestamp);
                    order += 1;
                    self.event.impact = Impact::Certain;
                    self.event.set_standing(key, Standing::Sent);
                    self.see_own_colour(key, Shown::Names(&tags), book);
                }
                AttributeResult::Refused(words) => self.reject(key, words),
                result => drop(self.event.disputed.insert(key, result)),
            }
        }
        if self.event.impact == Impact::Certain {
            // The echo does not say which second.
            self.event.moved_by_us();
        }
        if !self.event.disputed.is_empty() {
            self.look = Some(Look::Listing);
        }
    }

    pub(super) fn reject(&mut self, key: AttributeUuid, words: Box<str>) {
        let version = self.manners.version.clone();
        self.event.set_standing(key, Standing::Rejected { words, version });
    }

    fn on_proven(&mut self) {
        self.misp.ground = Ground::Proven;
        for key in std::mem::take(&mut self.event.unproven) {
            self.event.set_standing(key, Standing::Sent);
        }
        self.note_proof(&rows::expected(self.event()));
    }

    /// MISP holds exactly these rows.
    pub(super) fn note_proof(&mut self, rows: &[Row]) {
        let newest = rows.iter().map(|row| row.timestamp).max();
        if newest.is_some() && self.event.head().seen.proven_up_to != newest {
            self.event.head_mut().seen.proven_up_to = newest;
        }
    }

    /// MISP's list of this event, where it is not the expected one.
    pub(super) fn on_rows(&mut self, rows: &[Row]) {
        self.take_rows(rows);
        self.settle_pending();
        self.misp.ground = Ground::Proven;
    }

    /// The same in place of a proof: where what was appended stands elsewhere, that is how this MISP is, and not
    /// what became of the event since.
    pub(super) fn on_rows_in_proof(&mut self, rows: &[Row]) {
        let before = self.event.head().seen.reordered;
        self.on_rows(rows);
        self.misp.misplaced |= self.event.head().seen.reordered > before;
    }

    /// What MISP shows of the event, and of whoever owns it; `None` if it shows none.
    pub(super) fn on_shown(&mut self, answer: Option<&EventAnswer>, book: &DestinationRecord) {
        let Some(answer) = answer else {
            self.on_absent();
            return;
        };
        if let Some(why) = self.learn_owner(answer.orgc, book) {
            self.block(&why);
            return;
        }
        if matches!(self.misp.was_published, WasPublished::Believed(_)) {
            self.misp.was_published = WasPublished::Shown(answer.published);
        }
        self.take_metadata(answer);
        if self.event.head().presence == Presence::Absent {
            self.found(answer);
        } else if self.checked_rights {
            let why = "MISP refuses to let this key write to the event".into();
            self.verdict = Some(Verdict::GaveUp(why));
        } else {
            self.leave_overruled_fields(answer);
        }
        if self.misp.is_foreign {
            self.outbox.edit = None;
            self.outbox.wanted_tags.retain(|tag| Tlp::of_tag(tag).is_some());
        }
        if self.event.head().presence == Presence::Present {
            self.see_tags(&answer.tags, book);
        }
    }

    /// An event that we took for absent is there: made by a lost request of ours, or by another agent.
    fn found(&mut self, answer: &EventAnswer) {
        // Where nothing was to be created, it was found by looking for it.
        let is_ours = self.outbox.making.is_open() && !self.exists;
        self.outbox.making = if is_ours { Making::Done } else { Making::No };
        let head = self.event.head_mut();
        head.presence = Presence::Present;
        let drift = FieldEdit::between(&head.fields, &fields_of(answer));
        if is_ours {
            head.tags = EventTags::default();
        } else {
            // Whoever made the event decided about its tags. But nothing goes out under a freer colour than the
            // incident's.
            for tag in self.outbox.wanted_tags.iter().filter(|tag| Tlp::of_tag(tag).is_none()) {
                if head.tags.standing(tag).is_none() {
                    head.tags.set(tag, TagStanding::Removed);
                }
            }
        }
        self.look = Some(Look::Listing);
        self.event.change(None, if is_ours { ChangeKind::Sent } else { ChangeKind::Adopted });
        if let Some(drift) = drift {
            let what = format!("MISP holds {}", drift.describe());
            self.event.change(None, ChangeKind::Drifted(what.into()));
        }
    }

    fn on_absent(&mut self) {
        match self.event.head().presence {
            Presence::Absent if self.exists => self.block(&BlockedReason::EventHidden),
            Presence::Absent => {
                self.remark();
                self.retime();
            }
            Presence::Present => self.verdict = Some(Verdict::Gone),
            Presence::Declined | Presence::Blocked(_) => {}
        }
    }

    fn block(&mut self, why: &BlockedReason) {
        // What was delivered before under another key stays delivered, and may go on with that one.
        if self.event.head().presence == Presence::Present {
            self.verdict = Some(Verdict::Finished);
            self.outbox.tags.clear();
        } else {
            self.shut(Presence::Blocked(why.clone()));
        }
        self.event.note(&format!(": {why}"));
        self.event.change(None, ChangeKind::Blocked(why.clone()));
        for key in std::mem::take(&mut self.outbox.queue) {
            self.event.set_standing(key, Standing::Blocked(why.clone()));
        }
    }
}

/// Whether MISP itself answered a body.
const fn gets_through(reply: &Reply) -> bool {
    matches!(
        reply,
        Reply::Event(_) | Reply::Attributes(_) | Reply::EventExists | Reply::Refused { .. }
    )
}
