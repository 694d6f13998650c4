//! The event's own fields: whose they are, and what of an edit goes on.

use crate::{
    delivery::EventAnswer,
    misp::EventFields,
    plan::{ChangeKind, DestinationRecord, FieldEdit},
};

use super::{Conversation, Edit, Impact};

impl Conversation {
    pub(super) fn on_fields(&mut self, answer: &EventAnswer, book: &DestinationRecord) {
        self.see_publishing(answer);
        self.event.impact = Impact::Certain;
        if let Some(Edit { fields, .. }) = self.outbox.edit.take() {
            self.event.change(None, ChangeKind::Updated(fields.describe().into()));
            apply_edit(&mut self.event.head_mut().fields, fields);
        }
        self.take_metadata(answer);
        self.see_tags(&answer.tags, book);
    }

    /// Takes out of a field edit what MISP has already, and what somebody else changed since we last
    /// knew the event. Either counts as settled: it is not tried again before the dataset changes it anew.
    pub(super) fn leave_overruled_fields(&mut self, answer: &EventAnswer) {
        let Some(Edit { fields: edit, .. }) = self.outbox.edit.take() else { return };
        let known = &self.event.head().fields;
        let info = Side::of(&known.info, &answer.info, edit.info.as_ref());
        let date = Side::of(&known.date, &answer.date, edit.date.as_ref());
        let analysis = Side::of(&known.analysis, &answer.analysis, edit.analysis.as_ref());
        if [info, date, analysis].contains(&Side::Theirs) {
            self.event.change(None, ChangeKind::Overruled);
        }
        let FieldEdit { info: new_info, date: new_date, analysis: new_analysis } = edit;
        let (ours, settled) = (|side| side == Side::Ours, |side| side != Side::Ours);
        let left = FieldEdit {
            info: new_info.clone().filter(|_| settled(info)),
            date: new_date.clone().filter(|_| settled(date)),
            analysis: new_analysis.filter(|_| settled(analysis)),
        };
        let edit = FieldEdit {
            info: new_info.filter(|_| ours(info)),
            date: new_date.filter(|_| ours(date)),
            analysis: new_analysis.filter(|_| ours(analysis)),
        };
        if left != FieldEdit::default() {
            apply_edit(&mut self.event.head_mut().fields, left);
            self.take_metadata(answer);
        }
        self.outbox.edit = (edit != FieldEdit::default())
            .then_some(Edit { fields: edit, compared: Some(answer.timestamp) });
    }
}

/// Whose a field of the event is now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Nobody touched it: the edit may go on.
    Ours,
    /// It is as the edit wants it, perhaps by an edit of ours whose answer was lost.
    Same,
    /// Somebody else changed it.
    Theirs,
}

impl Side {
    fn of<T: PartialEq>(known: &T, there: &T, wanted: Option<&T>) -> Self {
        match wanted {
            None => Self::Ours,
            Some(wanted) if wanted == there => Self::Same,
            Some(_) if known == there => Self::Ours,
            Some(_) => Self::Theirs,
        }
    }
}

pub(super) fn fields_of(answer: &EventAnswer) -> EventFields {
    EventFields {
        info: answer.info.clone(),
        date: answer.date.clone(),
        analysis: answer.analysis,
        tags: answer.tags.clone(),
    }
}

fn apply_edit(fields: &mut EventFields, edit: FieldEdit) {
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
