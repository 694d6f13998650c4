//! Whether MISP was restored from a backup that does not have all that it proved. What it lacks then was taken out by nobody.
//!
//! Whatever is written to an event moves its time, so the time tells only before that. Where nobody looks first, the answer
//! to the write has to tell: a field edit is taken only if nobody changed the event since, and its answer shows what MISP
//! holds; attributes/add names the numbers of what it stored, which are those of a counter that only a backup takes back.
//! A tag has no such answer, so the event is looked at before. None of it is a proof, as numbers of a cluster's nodes
//! overlap and others count, too: a list of the event decides.

use std::collections::BTreeSet;

use crate::{
    delivery::{EventAnswer, Reply, rows},
    misp::EventFields,
    model::AttributeUuid,
    plan::{
        DestinationRecord, FieldEdit, KnownAttribute, Presence, TagStanding, surely_come, tag_key,
    },
};

use super::super::{
    Conversation, Edit, Impact, Verdict,
    fields::{apply_edit, fields_of},
};

impl Conversation {
    /// Whether MISP showed the event as it was before what it proved since, and no list told better yet.
    pub(in crate::delivery::conversation) const fn went_back(&self) -> bool {
        self.event.head().seen.went_back
    }

    /// From now on, in later runs too, a list has to show that nothing is lacking.
    pub(in crate::delivery::conversation) fn suspect_a_backup(&mut self) {
        let head = self.event.head_mut();
        (head.seen.went_back, head.unproven) = (true, true);
    }

    /// What was known stays so until a list shows whether anything is lacking. `is_older`: its fields are the backup's.
    pub(in crate::delivery::conversation) fn put_off(
        &mut self,
        answer: &EventAnswer,
        is_older: bool,
    ) {
        self.misp.seen = true;
        self.misp.put_off = Some((Box::new(answer.clone()), is_older));
    }

    /// A write of ours moved the event, to a time that MISP did not tell.
    pub(in crate::delivery::conversation) fn moved_by_us(&mut self) {
        self.event.moved_by_us(surely_come(self.manners.misp_now));
    }

    /// Whether anything showed in this conversation that the event is not of a backup.
    const fn was_looked_at(&self) -> bool {
        self.misp.seen || self.misp.is_proven
    }

    /// Whether the event is looked at before a tag is attached, whose answer tells nothing.
    pub(in crate::delivery::conversation) fn attaches_unseen(&self) -> bool {
        let attaches = !self.outbox.tags.is_empty() || !self.outbox.without_colour.is_empty();
        attaches && !self.was_looked_at() && self.event.impact != Impact::Certain
    }

    /// Whether an edit that MISP takes only if nobody changed the event since is answered with less than it had then. To be
    /// asked before anything of the answer is taken over.
    pub(in crate::delivery::conversation) fn edits_a_backup(
        &mut self,
        edit: &FieldEdit,
        answer: &EventAnswer,
    ) -> bool {
        if self.was_looked_at() {
            return false;
        }
        let there = fields_of(answer);
        let drift = FieldEdit::between(&self.event.head().fields, &there).unwrap_or_default();
        let is_other = (drift.info.is_some() && edit.info.is_none())
            || (drift.date.is_some() && edit.date.is_none())
            || (drift.analysis.is_some() && edit.analysis.is_none());
        is_other || self.counts_less(answer)
    }

    fn counts_less(&mut self, answer: &EventAnswer) -> bool {
        answer.attribute_count.is_some_and(|counted| counted < self.event.live_rows())
    }

    /// A time at which MISP counted fewer attributes than are known guards nothing.
    pub(in crate::delivery::conversation) fn doubt_time(&mut self, answer: &EventAnswer) {
        let head = self.event.head();
        if head.presence == Presence::Present
            && head.timestamp.is_some()
            && self.counts_less(answer)
        {
            self.event.head_mut().timestamp = None;
        }
    }

    /// Takes in the numbers that MISP gave to attributes of one request. Whether they are lower than one that it had given
    /// before the request was sent.
    pub(in crate::delivery::conversation) fn learn_numbers(
        &mut self,
        numbers: impl Iterator<Item = u64>,
        book: &mut DestinationRecord,
    ) -> bool {
        let range = numbers.fold(None, |range: Option<(u64, u64)>, number| {
            Some(range.map_or((number, number), |(low, high)| (low.min(number), high.max(number))))
        });
        let Some((lowest, highest)) = range else { return false };
        let is_lower = self.event.head().seen.numbered.is_some_and(|known| lowest <= known);
        if is_lower {
            self.suspect_a_backup();
        }
        // From here it is counted on.
        book.numbered = match is_lower {
            true => Some(highest),
            false => book.numbered.max(Some(highest)),
        };
        self.event.head_mut().seen.numbered = book.numbered;
        is_lower
    }

    /// What is added later to an event that is proven gets higher numbers than all that were given until now.
    pub(in crate::delivery::conversation) fn note_number(&mut self, book: &DestinationRecord) {
        let head = self.event.head();
        let is_whole = self.misp.is_proven && !head.seen.went_back;
        if is_whole && head.presence == Presence::Present && book.numbered > head.seen.numbered {
            self.event.head_mut().seen.numbered = book.numbered;
        }
    }

    /// Whether MISP lists nothing, or not all that it proved. An event that is gone lists as one that is empty, and a MISP
    /// that was restored from a backup lists what it had: before anything that we delivered is taken for deleted, MISP has
    /// to show the event itself.
    pub(in crate::delivery::conversation) fn lists_less(&self, reply: &Reply) -> bool {
        let Some(listed) = listed(reply) else { return false };
        (listed.is_empty() && rows::lists_any(self.event()))
            || self.proved().any(is_missed(&listed))
    }

    /// How many attributes MISP proved once, and how many of them it does not list.
    pub(in crate::delivery::conversation) fn went_back_by(&self, reply: &Reply) -> Verdict {
        let listed = listed(reply).unwrap_or_default();
        let lacking = self.proved().filter(|known| is_missed(&listed)(known)).count() as u64;
        Verdict::WentBack { lacking, of: self.proved().count() as u64 }
    }

    /// What MISP proved to hold.
    fn proved(&self) -> impl Iterator<Item = &KnownAttribute> {
        let is_proved =
            |known: &&KnownAttribute| known.order.is_some() && known.standing.is_in_misp();
        self.event.attributes().values().filter(is_proved)
    }

    /// MISP lists all that it proved once. Where it shows the event as older all the same, its time guards no edit.
    pub(in crate::delivery::conversation) fn lacks_nothing(&mut self) {
        if self.went_back() {
            let head = self.event.head_mut();
            (head.seen.went_back, head.seen.not_before, head.timestamp) = (false, None, None);
        }
    }

    /// Whether MISP shows fields of a time before they were as known: they are a backup's. Later ones are somebody's decision.
    pub(in crate::delivery::conversation) fn shows_older_fields(
        &self,
        answer: &EventAnswer,
    ) -> bool {
        self.event.head().seen.fields_at.is_some_and(|at| answer.timestamp < at)
    }

    /// Once nothing is lacking of an event that is of a backup, fields and tags that the backup does not have go again.
    pub(in crate::delivery::conversation) fn take_what_was_put_off(
        &mut self,
        book: &DestinationRecord,
    ) {
        if self.went_back() || self.event.head().presence != Presence::Present {
            return;
        }
        let Some((answer, is_older)) = self.misp.put_off.take() else { return };
        match is_older {
            true => self.take_older_fields(&answer),
            false => self.leave_overruled_fields(&answer),
        }
        self.take_metadata(&answer);
        self.see_tags(&answer.tags, book);
    }

    fn take_older_fields(&mut self, answer: &EventAnswer) {
        let head = self.event.head_mut();
        let mut wanted = head.fields.clone();
        let tags = std::mem::take(&mut head.fields.tags);
        head.fields = EventFields { tags, ..fields_of(answer) };
        let there: BTreeSet<Box<str>> = answer.tags.iter().map(|tag| tag_key(tag)).collect();
        head.tags.retain(|tag| {
            tag.standing != TagStanding::Shown || there.contains(&tag_key(&tag.name))
        });
        let takes_edits = !self.misp.is_foreign && !head.is_left();
        if let Some(Edit { fields, .. }) = self.outbox.edit.take() {
            apply_edit(&mut wanted, fields);
        }
        let edit = FieldEdit::between(&self.event.head().fields, &wanted);
        let compared = Some(answer.timestamp);
        self.outbox.edit = edit.filter(|_| takes_edits).map(|fields| Edit { fields, compared });
    }
}

/// What a reply lists, if it is a list.
fn listed(reply: &Reply) -> Option<BTreeSet<AttributeUuid>> {
    Some(match reply {
        Reply::Rows(rows) => rows.iter().map(|row| row.uuid).collect(),
        Reply::TaggedRows(rows) => rows.iter().map(|tagged| tagged.row.uuid).collect(),
        Reply::Listing(listed) => listed.iter().map(|each| each.row.uuid).collect(),
        _ => return None,
    })
}

fn is_missed(listed: &BTreeSet<AttributeUuid>) -> impl Fn(&KnownAttribute) -> bool {
    |known| !listed.contains(&known.attribute.uuid)
}
