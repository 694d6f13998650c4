//! What a conversation asks next, and what goes into a request.

use crate::{
    delivery::{
        Call, NewEvent, TimedAttribute,
        cost::{self, Circumstances, Way},
        rows,
    },
    misp::Attribute,
    model::{AttributeUuid, Timestamp},
    plan::{DestinationRecord, Presence, Publish, has_own_colour, strictest_of},
};

use super::{
    Conversation, Look, Making, Phase, Purpose, Request, Verdict, Want, Why,
    fields::apply_edit,
    knowledge::WasPublished,
    outbox::{Outbox, Turn, take_from},
};

/// So many attributes of a queue decide how it goes: more than any request brings.
const DECIDING: usize = 10_000;

/// What a decision rests on beside the event itself.
#[derive(Debug, Clone, Copy)]
pub(in crate::delivery) struct Around<'a> {
    /// How much any request may bring now.
    pub(in crate::delivery) room: Room,
    /// Rows of other events will be asked for, too.
    pub(in crate::delivery) in_company: bool,
    /// What is known of the MISP.
    pub(in crate::delivery) book: &'a DestinationRecord,
}

/// How much a request may bring; one attribute always may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::delivery) struct Room {
    /// Most attributes.
    pub(in crate::delivery) most: usize,
    /// Most bytes, of the request and its answer.
    pub(in crate::delivery) bytes: u64,
}

impl Conversation {
    /// What to do next.
    pub(in crate::delivery) fn next(&mut self, now: Timestamp, around: Around<'_>) -> Want {
        if !self.is_over()
            && let Some(until) = self.retry.rest(now)
        {
            return Want::Wait(until);
        }
        match std::mem::replace(&mut self.phase, Phase::Open) {
            Phase::Open => self.decide(around),
            Phase::Look(look) => self.look(look, around.book),
            phase @ Phase::Asked(_) => {
                self.phase = phase;
                Want::Answer
            }
            Phase::Over(verdict) => self.over(verdict),
        }
    }

    pub(super) fn look(&mut self, look: Look, book: &DestinationRecord) -> Want {
        let event = self.uuid();
        match look {
            Look::Metadata(_) => self.ask(Request::Look(look), Call::Metadata(event)),
            Look::Owner(..) => self.ask(Request::Look(look), Call::WhichEvents(vec![event])),
            Look::Count => self.ask(Request::Look(look), Call::CountOf(event)),
            Look::Rows if rows::lists_any(self.event()) && !self.goes_by_time(book) => {
                self.ask_for_rows(Request::Look(look))
            }
            // A list of nothing costs no more than a question about it.
            Look::Rows | Look::Listing => {
                self.ask(Request::Look(Look::Listing), Call::Listing(event))
            }
        }
    }

    fn decide(&mut self, around: Around<'_>) -> Want {
        let book = around.book;
        match self.event.head().presence {
            Presence::Absent if self.retry.surrender.is_some() => self.give_up(),
            Presence::Absent if self.outbox.making.is_open() => {
                if self.is_refused_a_colour(book) {
                    self.misp.covered = false;
                    self.withhold(|_, _| true);
                    return self.end(Verdict::Finished);
                }
                self.add_event(around)
            }
            Presence::Present if self.manners.only_looks => self.end(Verdict::Finished),
            Presence::Present => self.go_on(around),
            Presence::Absent | Presence::Declined | Presence::Blocked(_) => {
                self.end(Verdict::Finished)
            }
        }
    }

    /// What remains to be done for an event that is there: fields, appends, proof, tags, publishing.
    fn go_on(&mut self, around: Around<'_>) -> Want {
        let (book, outbox) = (around.book, &mut self.outbox);
        let will_attach = !outbox.tags.is_empty() || !outbox.without_colour.is_empty();
        let will_write = !outbox.queue.is_empty() || outbox.edit.is_some() || will_attach;
        let keeps = self.manners.settings.publish == Publish::Keep;
        let is_unseen = matches!(self.misp.was_published, WasPublished::Believed(_));
        if keeps && will_write && is_unseen && outbox.making != Making::Done {
            return self.look(Look::Metadata(Why::Unknown), book);
        }
        if will_write {
            self.owe_publishing();
        }
        if let Some(edit) = &mut self.outbox.edit {
            let Some(timestamp) = edit.compared.take().or(self.event.head().timestamp) else {
                return self.look(Look::Metadata(Why::Unknown), book);
            };
            let (event, edit) = (self.event.uuid(), edit.fields.clone());
            let call = Call::EditFields { event, edit, timestamp: timestamp.saturating_add(1) };
            return self.ask(Request::Fields, call);
        }
        if self.attaches_unseen() {
            return self.look(Look::Metadata(Why::Unknown), book);
        }
        if let Some(want) = self.ask_about_tags(book).or_else(|| self.ask_for_own_colours(book)) {
            return want;
        }
        self.withhold_refused_colours(book);
        if !self.outbox.queue.is_empty() && self.retry.surrender.is_none() {
            return self.append(around);
        }
        if !self.event.unproven.is_empty() {
            if self.goes_by_time(book) {
                return self.ask_by_time(Purpose::Proof);
            }
            return self.ask_for_rows(Request::Rows(Purpose::Proof));
        }
        self.ask_to_publish(book).unwrap_or_else(|| self.give_up())
    }

    /// Ends; not well, if it surrendered.
    fn give_up(&mut self) -> Want {
        let surrender = self.retry.surrender.take();
        self.end(surrender.map_or(Verdict::Finished, Verdict::GaveUp))
    }

    fn add_event(&mut self, Around { room, book, .. }: Around<'_>) -> Want {
        let is_bare = self.outbox.making == Making::Bare || self.proves_by_event(book).is_some();
        let room = Room { most: if is_bare { 0 } else { room.most }, ..room };
        let (keys, attributes) = self.take_chunk(room, Way::Quiet, |_, it| !needs_echo(it, book));
        self.owe_publishing();
        let edit = self.outbox.edit.take();
        let head = self.event.head_mut();
        if let Some(edit) = edit {
            apply_edit(&mut head.fields, edit.fields);
        }
        head.unproven = true;
        let new = NewEvent {
            uuid: head.uuid,
            fields: head.fields.clone(),
            settings: self.manners.settings.clone(),
            attributes,
        };
        self.ask(Request::Create(keys), Call::AddEvent(Box::new(new)))
    }

    fn append(&mut self, around: Around<'_>) -> Want {
        let (event, book) = (self.uuid(), around.book);
        if self.stands_there_already() {
            return self.ask(Request::Listing, Call::Listing(event));
        }
        let way = self.way(around);
        if way == Way::Quiet && !self.misp.is_proven {
            if !rows::lists_any(self.event()) {
                return self.ask(Request::Listing, Call::Listing(event));
            }
            if self.goes_by_time(book) {
                return self.ask_by_time(Purpose::Guard);
            }
            return self.ask_for_rows(Request::Rows(Purpose::Guard));
        }
        self.event.head_mut().unproven = true;
        let room = around.room;
        match way {
            Way::Quiet => {
                let foreseen = self.foresees_tags(book);
                let (keys, attributes) =
                    self.take_chunk(room, way, |is_loud, it| !goes_loudly(is_loud, foreseen, it));
                self.ask(Request::Quiet(keys), Call::AppendQuietly { event, attributes })
            }
            Way::Loud => {
                // Of a colour that this key never showed to be taken one goes alone, and the rest once the echo
                // shows the tag.
                let alone = Room { most: 1, ..room };
                let (mut keys, mut attributes) =
                    self.take_chunk(alone, way, |_, it| needs_echo(it, book));
                if keys.is_empty() {
                    (keys, attributes) = self.take_chunk(room, way, |_, _| true);
                }
                self.ask(Request::Loud(keys), Call::AppendLoudly { event, attributes })
            }
        }
    }

    /// Whether somebody else, another agent, sent before what is to be sent now. The rows would be as expected,
    /// and a quiet request would overwrite what an analyst made of it.
    fn stands_there_already(&self) -> bool {
        // What was never in MISP stands under its own UUID.
        let foreign = self.event.head().foreign.iter().map(|(_, row)| row.uuid);
        let mut known = foreign.filter(|uuid| self.event.attribute(*uuid).is_some());
        known.any(|uuid| self.outbox.queue.contains(&uuid))
    }

    /// One that needs its echo goes first and alone; with what it shows, the rest may go together. Of a long queue the
    /// beginning decides, as a quiet way only gets cheaper by what is behind it.
    fn way(&self, Around { in_company, book, .. }: Around<'_>) -> Way {
        let foreseen = self.foresees_tags(book);
        if self.may_need_echo(book) && self.queued().any(|(_, it)| needs_echo(it, book)) {
            return Way::Loud;
        }
        let mut quiet = (0, 0);
        for (key, attribute) in self.queued().take(DECIDING) {
            if !goes_loudly(self.outbox.loud.contains(&key), foreseen, attribute) {
                quiet = (quiet.0 + 1, quiet.1 + cost::text_of(attribute));
            }
        }
        let (count, text) = quiet;
        if self.misp.is_foreign || count == 0 {
            return Way::Loud;
        }
        let guarded = self.misp.is_proven;
        cost::cheaper(count, text, self.text_of_tags(), Circumstances { guarded, in_company })
    }

    /// The attributes of the queue.
    pub(super) fn queued(&self) -> impl Iterator<Item = (AttributeUuid, &Attribute)> {
        let known = |key: &AttributeUuid| Some((*key, &self.event.attribute(*key)?.attribute));
        self.outbox.queue.iter().filter_map(known)
    }

    /// Moves the next attributes from the queue into the request: those that fit, by whether they have to be sent by
    /// attributes/add.
    fn take_chunk(
        &mut self,
        room: Room,
        way: Way,
        fits: impl Fn(bool, &Attribute) -> bool,
    ) -> (Vec<AttributeUuid>, Vec<TimedAttribute>) {
        debug_assert!(self.outbox.remarked.is_empty(), "MISP is looked at before anything goes");
        let mut bytes = room.bytes.saturating_sub(self.cost_of_write());
        let Outbox { queue, loud, .. } = &mut self.outbox;
        let fits = |key: AttributeUuid| {
            let known = self.event.attribute(key);
            known.is_some_and(|known| fits(loud.contains(&key), &known.attribute))
        };
        let was_tried = |key: AttributeUuid| self.retry.tried.contains(&key);
        let new_first = queue.iter().any(|key| fits(*key) && !was_tried(*key));
        let most = room.most.min(self.retry.suspect.most());
        let mut taken = 0;
        let keys = take_from(queue, most, |key| {
            if !fits(key) || (new_first && was_tried(key)) {
                return Turn::Later;
            }
            let attribute = self.event.attribute(key).map(|known| &known.attribute);
            let cost = attribute.map_or(0, |attribute| cost_of(attribute, way));
            // Where one does not fit, those behind it wait with it.
            if taken > 0 && cost > bytes {
                return Turn::Full;
            }
            bytes = bytes.saturating_sub(cost);
            taken += 1;
            Turn::Now
        });
        let attributes = self.event.body_of(&keys, self.manners.misp_now);
        (keys, attributes)
    }

    /// Bytes that the next call may take if it is as small as can be.
    pub(in crate::delivery) fn least(&self) -> u64 {
        match self.phase {
            Phase::Look(Look::Listing | Look::Rows) => self.cost_of_listing(),
            _ => {
                let next = self.queued().next().map_or(0, |(_, next)| cost_of(next, Way::Loud));
                self.cost_of_write() + next
            }
        }
    }

    /// Most bytes of a call about the event and of its answer, where MISP answers as foreseen.
    pub(in crate::delivery) fn most_of(&self, call: &Call) -> u64 {
        match call {
            Call::Listing(_) => self.cost_of_listing(),
            Call::RowsSince { .. } | Call::ChangedRows { .. } => {
                cost::of_rows(1, self.rows_in_doubt())
            }
            Call::Metadata(_) | Call::Publish(_) | Call::AttachTag { .. } => self.cost_of_write(),
            Call::AppendQuietly { .. } | Call::AppendLoudly { .. } | Call::EditFields { .. } => {
                cost::most_of(call) + self.cost_of_texts()
            }
            Call::Plain(call) => self.most_of(call),
            _ => cost::most_of(call),
        }
    }

    /// Rows with which MISP may answer a question about them: none once it proved what the event holds, and took what was
    /// sent since as foreseen. Then it is asked by their tag, which somebody would have to outrun.
    pub(in crate::delivery) fn rows_in_doubt(&self) -> u64 {
        let misp = &self.misp;
        match misp.is_proven && !misp.miscounted && !misp.misplaced && !misp.moved {
            true => 0,
            false => (self.event.attributes().len() + self.event.head().foreign.len()) as u64,
        }
    }

    /// Most bytes of a list of what the event is known to hold.
    fn cost_of_listing(&self) -> u64 {
        let foreign = self.event.head().foreign.len() as u64;
        let ours = self.event.attributes().values();
        cost::of_listing(foreign) + ours.map(|it| cost::of_listed(&it.attribute)).sum::<u64>()
    }

    /// Most bytes of a request that writes to the event and of its answer, attributes aside.
    fn cost_of_write(&self) -> u64 {
        cost::of_write(0, 0) + self.cost_of_texts()
    }

    /// What the event's own texts add to that.
    fn cost_of_texts(&self) -> u64 {
        cost::of_texts(self.event.head().fields.info.len() as u64, self.text_of_tags())
    }

    pub(super) fn ask(&mut self, request: Request, call: Call) -> Want {
        self.begun = true;
        self.phase = Phase::Asked(request);
        Want::Call(call)
    }

    fn ask_for_rows(&mut self, request: Request) -> Want {
        self.begun = true;
        self.phase = Phase::Asked(request);
        Want::Rows
    }

    /// Ends with nothing left that MISP may have taken unnoticed.
    fn end(&mut self, verdict: Verdict) -> Want {
        self.take_back_what_is_owed();
        if self.event.unproven.is_empty() && self.event.head().unproven {
            self.event.head_mut().unproven = false;
        }
        self.over(verdict)
    }

    fn over(&mut self, verdict: Verdict) -> Want {
        self.phase = Phase::Over(verdict);
        Want::End
    }
}

/// Whether an attribute has a colour of its own that MISP never showed to be taken from this key: such a one goes by
/// attributes/add, whose echo shows its tags.
pub(super) fn needs_echo(attribute: &Attribute, book: &DestinationRecord) -> bool {
    strictest_of(&attribute.tags).is_some_and(|colour| !book.has_proven(colour))
}

/// Whether an attribute goes by attributes/add: MISP is to say what is wrong with it; or it has a colour of its own,
/// in an event that others were at, so that the tags cannot be foreseen that would prove it.
fn goes_loudly(is_loud: bool, foreseen: bool, attribute: &Attribute) -> bool {
    is_loud || (!foreseen && has_own_colour(attribute))
}

/// Most bytes that an attribute may take in a request and its answer.
fn cost_of(attribute: &Attribute, way: Way) -> u64 {
    let echo = if way == Way::Loud { cost::of_echo(attribute) } else { 0 };
    cost::of_sent(attribute) + echo
}
