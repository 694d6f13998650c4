//! The canonical encoding of a plan, for the digest of a saved one. Times that a plan only passes on
//! are left out: planning the same a minute later is the same plan.

use crate::{
    misp::EventFields,
    model::{Context, Digest, Encoder},
};

use super::{EventPlan, FieldEdit};

impl EventPlan {
    /// Feeds all that the plan would do.
    fn encode(&self, encoder: &mut Encoder) {
        let text = |encoder: &mut Encoder, text: &str| {
            encoder.text(text);
        };
        encoder.bytes(self.event.head.uuid.uuid().as_bytes()).flag(self.create);
        encoder.flag(self.refusal.is_some());
        if self.create {
            // What is created is all there is: no other part of the plan says its fields and tags.
            let EventFields { info, date, analysis, tags } = &self.event.head.fields;
            encoder.text(info).text(date).u64((*analysis).into());
            encode_tags(encoder, tags);
            encode_tags(encoder, &self.wanted_tags);
        }
        encoder.option(self.fields.as_ref(), |encoder, edit: &FieldEdit| {
            encoder.option(edit.info.as_deref(), text).option(edit.date.as_deref(), text);
            encoder.option(edit.analysis, |encoder, analysis| {
                encoder.u64(analysis.into());
            });
        });
        encode_tags(encoder, &self.tags);
        encoder.list(self.colours.iter(), |encoder, (uuid, colour)| {
            encoder.bytes(uuid.uuid().as_bytes()).text(colour);
        });
        encoder.flag(self.publish).flag(self.unpublishes);
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

fn encode_tags(encoder: &mut Encoder, tags: &[Box<str>]) {
    encoder.list(tags.iter(), |encoder, tag| {
        encoder.text(tag);
    });
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        misp::{Dated, DesiredEvent},
        model::{EntityKey, EventUuid, Marking, RunNumber, Tlp},
        plan::{DestinationRecord, EventSettings, Policy, Retire, Terms, Unmarked, diff},
    };

    const EVENT: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";

    /// An event that is to be made.
    fn plan() -> EventPlan {
        let uuid: EventUuid = EVENT.parse().expect("it is one");
        let fields = EventFields {
            info: "Ebb".into(),
            date: "2024-05-14".into(),
            analysis: 1,
            tags: vec!["tlp:green".into()],
        };
        let marking = Marking { tlp: Some(Tlp::Green), unmarked: false };
        let root = EntityKey::of(EVENT);
        let (dated, attributes) = (Dated::Itself, Vec::new());
        let desired = DesiredEvent { uuid, root, fields, dated, marking, create: true, attributes };
        let settings = EventSettings::default();
        let terms = Terms {
            policy: &Policy { allow_tlp: [Tlp::Green].into(), unmarked: Unmarked::Deny },
            settings: &settings,
            destination: &DestinationRecord::default(),
            feed: 0,
            retire: Retire::Yes,
            misp_now: 1_700_000_000,
            run: RunNumber(1),
            accepted: false,
        };
        diff(&desired, None, &BTreeSet::new(), &terms)
    }

    fn digest_with(change: impl FnOnce(&mut EventPlan)) -> Digest {
        let mut plan = plan();
        plan.create = true;
        change(&mut plan);
        digest_of_plans([&plan].into_iter())
    }

    #[test]
    fn whatever_would_go_is_in_the_digest() {
        let amber = || Box::<str>::from("tlp:amber");
        let attribute = crate::model::AttributeUuid::new(uuid::Uuid::from_u128(7));
        let mut all = vec![
            digest_with(|_| ()),
            digest_with(|plan| plan.wanted_tags = vec![amber()]),
            digest_with(|plan| plan.event.head.fields.tags = vec![amber()]),
            digest_with(|plan| plan.event.head.fields.info = "Flow".into()),
            digest_with(|plan| plan.event.head.fields.date = "2024-05-15".into()),
            digest_with(|plan| plan.event.head.fields.analysis = 2),
            digest_with(|plan| plan.colours = vec![(attribute, amber())]),
            digest_with(|plan| plan.colours = vec![(attribute, "tlp:green".into())]),
            digest_with(|plan| plan.unpublishes = true),
            digest_with(|plan| plan.publish = true),
            digest_with(|plan| plan.create = false),
        ];
        let number = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), number);
    }
}
