//! The event's own fields: whose they are, and what of an edit goes on.

use crate::{
    delivery::EventAnswer,
    misp::EventFields,
    plan::{ChangeKind, DestinationRecord, FieldEdit},
};

use super::{Conversation, Edit, Impact, Look, Phase};

impl Conversation {
    pub(super) fn on_fields(&mut self, answer: &EventAnswer, book: &DestinationRecord) -> Phase {
        self.see_publishing(answer);
        let mut of_backup = false;
        if let Some(Edit { fields, .. }) = self.outbox.edit.take() {
            of_backup = self.edits_a_backup(&fields, answer);
            self.event.change(None, ChangeKind::Updated(fields.describe().into()));
            apply_edit(&mut self.event.head_mut().fields, fields);
        }
        if of_backup {
            self.moved_by_us();
            self.suspect_a_backup();
            self.put_off(answer, true);
            return Phase::Look(Look::Listing);
        }
        self.event.impact = Impact::Certain;
        self.take_metadata(answer);
        self.doubt_time(answer);
        self.see_tags(&answer.tags, book);
        Phase::Open
    }

    /// Takes out of a field edit what MISP has already, and what somebody else changed since we last
    /// knew the event. Either counts as settled: it is not tried again before the dataset changes it anew.
    pub(super) fn leave_overruled_fields(&mut self, answer: &EventAnswer) {
        let Some(Edit { fields: mut edit, .. }) = self.outbox.edit.take() else { return };
        let (wanted, mut known) = (edit.clone(), self.event.head().fields.clone());
        let overruled = [
            is_overruled(&mut known.info, &answer.info, &mut edit.info),
            is_overruled(&mut known.date, &answer.date, &mut edit.date),
            is_overruled(&mut known.analysis, &answer.analysis, &mut edit.analysis),
        ];
        if overruled.contains(&true) {
            self.event.change(None, ChangeKind::Overruled);
        }
        if edit != wanted {
            self.event.head_mut().fields = known;
            self.take_metadata(answer);
        }
        let compared = Some(self.guard_by(answer.timestamp));
        self.outbox.edit =
            (edit != FieldEdit::default()).then_some(Edit { fields: edit, compared });
    }
}

/// Compares what is known of a field with what is there. Where nobody touched it, the edit may go on; else it is taken
/// out. Says whether somebody else changed it: it may be as the edit wants it by an edit of ours whose answer was lost.
fn is_overruled<T: PartialEq>(known: &mut T, there: &T, wanted: &mut Option<T>) -> bool {
    let is_done = wanted.as_ref() == Some(there);
    if !is_done && known == there {
        return false;
    }
    let Some(wanted) = wanted.take() else { return false };
    *known = wanted;
    !is_done
}

pub(super) fn fields_of(answer: &EventAnswer) -> EventFields {
    EventFields {
        info: answer.info.clone(),
        date: answer.date.clone(),
        analysis: answer.analysis,
        tags: answer.tags.clone(),
    }
}

pub(super) fn apply_edit(fields: &mut EventFields, edit: FieldEdit) {
    if let Some(info) = edit.info {
        fields.info = info;
    }
    if let Some(date) = edit.date {
        fields.date = date;
    }
    if let Some(analysis) = edit.analysis {
        fields.analysis = analysis;
    }
}
