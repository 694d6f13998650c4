//! The canonical encoding of a plan, for the digest of a saved one. Times that a plan only passes on
//! are left out: planning the same a minute later is the same plan.

use crate::model::{Context, Digest, Encoder};

use super::{EventPlan, FieldEdit};

impl EventPlan {
    /// Feeds all that the plan would do.
    fn encode(&self, encoder: &mut Encoder) {
        let text = |encoder: &mut Encoder, text: &str| {
            encoder.text(text);
        };
        encoder.bytes(self.event.head.uuid.uuid().as_bytes()).flag(self.create);
        encoder.flag(self.refusal.is_some());
        encoder.option(self.fields.as_ref(), |encoder, edit: &FieldEdit| {
            encoder.option(edit.info.as_deref(), text).option(edit.date.as_deref(), text);
            encoder.option(edit.analysis, |encoder, analysis| {
                encoder.u64(analysis.into());
            });
        });
        encoder.list(self.tags.iter(), |encoder, tag| {
            encoder.text(tag);
        });
        encoder.flag(self.publish);
        encoder.list(self.send.iter(), |encoder, uuid| {
            let remarked = self.remarked.get(uuid).map(|desired| &desired.attribute);
            let attribute = remarked.unwrap_or(&self.event.attributes[uuid].attribute);
            encoder.digest(&attribute.digest());
        });
        encoder.list(self.changes.iter(), |encoder, change| {
            encoder.option(change.attribute, |encoder, uuid| {
                encoder.bytes(uuid.uuid().as_bytes());
            });
            encoder.text(change.kind.word()).option(change.kind.detail().as_deref(), text);
        });
    }
}

/// Digest of a plan as a whole: a saved plan is carried out only if planning anew gives the same.
#[must_use]
pub fn digest_of_plans<'a>(plans: impl Iterator<Item = &'a EventPlan>) -> Digest {
    let mut encoder = Encoder::new(Context::Plan);
    for plan in plans {
        plan.encode(&mut encoder);
    }
    encoder.finish()
}
