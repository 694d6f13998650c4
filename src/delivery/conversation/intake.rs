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

use super::{Asked, Conversation, Ground, Look, Verdict, fields::fields_of, shown::Shown};

impl Conversation {
    /// Takes in the answer to what was asked last.
    pub(in crate::delivery) fn on_reply(
        &mut self,
        reply: Reply,
        now: Timestamp,
        book: &mut DestinationRecord,
    ) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        self.stands_back = false;
        match &reply {
            Reply::Trouble(_) if asked.writes() => self.setbacks += 1,
            Reply::Trouble(_) => {}
            _ => self.tries = 0,
        }
        if asked.delivers() && gets_through(&reply) {
            self.setbacks = 0;
            self.suspect.taken(&self.flight);
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

    /// Whether the rows asked for are known to be right, when they were asked for several events at
    /// once: a mismatch says nothing about a single one.
    pub(in crate::delivery) fn on_rows_of_many(&mut self, proven: bool) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        if proven {
            (self.tries, self.stands_back) = (0, false);
            match asked {
                Asked::Guard => self.on_as_expected(),
                _ if self.is_contradicted() => self.look = Some(Look::Listing),
                _ => self.on_proven(),
            }
        }
    }

    /// Of an event that was made just now nobody else took anything away: where MISP counted fewer than it was
    /// sent, its rows cannot be as expected.
    const fn is_contradicted(&self) -> bool {
        self.created && self.miscounted
    }

    /// MISP holds what it is expected to hold: nothing came in between, and what it took before is there.
    pub(super) fn on_as_expected(&mut self) {
        self.look = None;
        self.on_proven();
    }

    /// Whether rows hold nothing that a list of values is needed for.
    fn are_known(&self, rows: &[Row]) -> bool {
        let foreign = self.event.head.foreign.iter().map(|(_, row)| row.uuid);
        let ours = self.event.attributes.values().map(|known| known.attribute.uuid);
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
        nothing && rows::next_order(&self.event) > 0 && !self.seen
    }

    fn on_created(&mut self, answer: &EventAnswer, book: &mut DestinationRecord) {
        self.created = true;
        self.wrote = true;
        self.ground = Ground::Proven;
        let head = &mut self.event.head;
        // Whatever is edited from now on is edited later.
        head.seen =
            Seen { orgc: self.manners.org, proven_up_to: Some(answer.timestamp), reordered: 0 };
        head.presence = Presence::Present;
        head.tags = EventTags::default();
        self.change(None, ChangeKind::Sent);
        self.take_metadata(answer);
        self.taken_quietly(answer.attribute_count);
        self.learn_tags(&answer.tags, book);
        self.see_tags(&answer.tags, book);
    }

    fn on_quiet(&mut self, answer: &EventAnswer, book: &DestinationRecord) {
        self.see_publishing(answer);
        self.wrote = true;
        self.take_metadata(answer);
        self.taken_quietly(answer.attribute_count);
        self.see_tags(&answer.tags, book);
    }

    /// The request was taken; what of it was dropped is not known yet. MISP's count of what is there is a hint: what
    /// somebody added meanwhile may make up for what was dropped.
    fn taken_quietly(&mut self, counted: Option<u64>) {
        let orders = rows::next_order(&self.event)..;
        for (order, key) in orders.zip(std::mem::take(&mut self.flight)) {
            let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
            known.order = Some(order);
            self.unproven.push(key);
        }
        let live = rows::expected(&self.event).iter().filter(|row| !row.deleted).count() as u64;
        self.miscounted = counted.is_some_and(|counted| counted != live);
    }

    /// The timestamp guards the next edit of the event's fields. One that stands behind somebody else's edit
    /// guards nothing: without it the fields are compared first.
    pub(super) fn take_metadata(&mut self, answer: &EventAnswer) {
        self.seen = true;
        let head = &mut self.event.head;
        let as_known = FieldEdit::between(&head.fields, &fields_of(answer)).is_none();
        head.seen.orgc = answer.orgc.or(head.seen.orgc);
        head.misp_id = Some(answer.id);
        head.timestamp = as_known.then_some(answer.timestamp);
        head.published = Some(answer.published);
        self.head_dirty = true;
    }

    fn on_loud(&mut self, answers: &[AttributeAnswer], book: &mut DestinationRecord) {
        let mut order = rows::next_order(&self.event);
        let flight = std::mem::take(&mut self.flight);
        for key in flight {
            let uuid = self.event.attributes[&key].attribute.uuid;
            let answer = answers.iter().find(|answer| answer.uuid == uuid);
            match answer.map(|answer| &answer.result) {
                Some(AttributeResult::Saved { timestamp, tags }) => {
                    let known =
                        self.event.attributes.get_mut(&key).expect("keys come from the event");
                    known.order = Some(order);
                    known.timestamp = Some(*timestamp);
                    order += 1;
                    self.wrote = true;
                    self.stand(key, Standing::Sent);
                    self.see_own_colour(key, Shown::Names(tags), book);
                }
                Some(AttributeResult::Refused(words)) => self.reject(key, words.clone()),
                Some(result) => {
                    self.disputed.insert(key, result.clone());
                }
                None => {
                    self.disputed.insert(key, AttributeResult::Unmentioned);
                }
            }
        }
        if self.wrote {
            // The event's timestamp is the server's now; the echo does not say which second.
            self.event.head.timestamp = None;
            self.event.head.published = Some(false);
            self.head_dirty = true;
        }
        if !self.disputed.is_empty() {
            self.look = Some(Look::Listing);
        }
    }

    pub(super) fn reject(&mut self, key: AttributeUuid, words: Box<str>) {
        let version = self.manners.version.clone();
        self.stand(key, Standing::Rejected { words, version });
    }

    fn on_proven(&mut self) {
        self.ground = Ground::Proven;
        for key in std::mem::take(&mut self.unproven) {
            self.stand(key, Standing::Sent);
        }
        self.note_proof(&rows::expected(&self.event));
    }

    /// MISP holds exactly these rows.
    pub(super) fn note_proof(&mut self, rows: &[Row]) {
        let newest = rows.iter().map(|row| row.timestamp).max();
        let seen = &mut self.event.head.seen;
        if newest.is_some() && seen.proven_up_to != newest {
            seen.proven_up_to = newest;
            self.head_dirty = true;
        }
    }

    /// MISP's list of this event, where it is not the expected one.
    pub(super) fn on_rows(&mut self, rows: &[Row]) {
        self.take_rows(rows);
        self.settle_pending();
        self.ground = Ground::Proven;
    }

    /// The same in place of a proof: where what was appended stands elsewhere, that is how this MISP is, and not
    /// what became of the event since.
    pub(super) fn on_rows_in_proof(&mut self, rows: &[Row]) {
        let before = self.event.head.seen.reordered;
        self.on_rows(rows);
        self.misplaced |= self.event.head.seen.reordered > before;
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
        self.was_published.get_or_insert(answer.published);
        self.take_metadata(answer);
        if self.event.head.presence == Presence::Absent {
            self.found(answer);
        } else if self.checked_rights {
            let why = "MISP refuses to let this key write to the event".into();
            self.verdict = Some(Verdict::GaveUp(why));
        } else {
            self.leave_overruled_fields(answer);
        }
        if self.foreign_event {
            self.edit = None;
            self.wanted_tags.retain(|tag| Tlp::of_tag(tag).is_some());
        }
        if self.event.head.presence == Presence::Present {
            self.see_tags(&answer.tags, book);
        }
    }

    /// An event that we took for absent is there: made by a lost request of ours, or by another agent.
    fn found(&mut self, answer: &EventAnswer) {
        // Where nothing was to be created, it was found by looking for it.
        self.created = self.create && !self.exists;
        self.create = false;
        let head = &mut self.event.head;
        head.presence = Presence::Present;
        let theirs = fields_of(answer);
        let drift = FieldEdit::between(&head.fields, &theirs);
        if self.created {
            head.tags = EventTags::default();
        } else {
            // Whoever made the event decided about its tags. But nothing goes out under a freer colour than the
            // incident's.
            for tag in self.wanted_tags.iter().filter(|tag| Tlp::of_tag(tag).is_none()) {
                if head.tags.standing(tag).is_none() {
                    head.tags.set(tag, TagStanding::Removed);
                }
            }
        }
        self.look = Some(Look::Listing);
        self.change(None, if self.created { ChangeKind::Sent } else { ChangeKind::Adopted });
        if let Some(drift) = drift {
            let what = format!("MISP holds {}", drift.describe());
            self.change(None, ChangeKind::Drifted(what.into()));
        }
    }

    fn on_absent(&mut self) {
        match self.event.head.presence {
            Presence::Absent if self.exists => {
                self.block(&BlockedReason::EventHidden);
            }
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
        if self.event.head.presence == Presence::Present {
            self.verdict = Some(Verdict::Finished);
            self.head_dirty = true;
            self.tags.clear();
        } else {
            self.shut(Presence::Blocked(why.clone()));
        }
        self.notes.push(format!("event {}: {why}", self.uuid()));
        self.change(None, ChangeKind::Blocked(why.clone()));
        self.unsend();
        for key in std::mem::take(&mut self.queue) {
            self.stand(key, Standing::Blocked(why.clone()));
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
