//! What waits until somebody accepts it: what only changed rules or a newer reader call for.

use std::collections::BTreeSet;

use crate::{
    misp::{DesiredEvent, EventFields},
    model::{AttributeUuid, Marking, Tlp},
    plan::{KnownEvent, Policy, Standing},
};

/// The event as it would be called for under the terms of last time.
pub(super) enum Before {
    /// The mapping rules are others now.
    OtherRules(DesiredEvent),
    /// The reader is a newer one now. `None`: the older one finds no such incident.
    OtherReader(Option<DesiredEvent>),
}

/// What to say of events of which something is held.
pub(in crate::agent) fn note_of(events: u64) -> Option<String> {
    (events > 0).then(|| {
        format!(
            "{events} events wait with what only changed rules or a newer version of this program call for: `plan` \
             shows it, `sync --accept-mapping` sends it"
        )
    })
}

/// What is held back.
#[derive(Default)]
pub(super) struct Holding {
    /// Attributes that were not called for before.
    pub(super) attributes: BTreeSet<AttributeUuid>,
    /// A field of the event, or a marking that is freer now, waits, too.
    pub(super) others: bool,
}

impl Holding {
    /// Finds what is new under the terms of now, and takes out of the event what must not change by them alone.
    /// Of two readings of a marking the stricter holds at once.
    pub(super) fn back(
        desired: &mut DesiredEvent,
        known: &KnownEvent,
        before: &Before,
        policy: &Policy,
    ) -> Self {
        let then = match before {
            Before::OtherRules(then) | Before::OtherReader(Some(then)) => Some(then),
            Before::OtherReader(None) => None,
        };
        let is_called_for = |uuid: &AttributeUuid| {
            let then = then.map_or(&[][..], |then| &then.attributes);
            then.binary_search_by(|it| it.attribute.uuid.cmp(uuid)).is_ok()
        };
        let is_new = |uuid: &AttributeUuid| {
            let known = known.attributes.get(uuid);
            !is_called_for(uuid) && known.is_none_or(|known| known.standing == Standing::Held)
        };
        let attributes = desired.attributes.iter().map(|each| each.attribute.uuid);
        let mut holding = Self { attributes: attributes.filter(is_new).collect(), others: false };
        if let Before::OtherReader(then) = before {
            holding.markings(desired, then.as_ref(), policy);
            holding.fields(desired, then.as_ref(), known);
        }
        holding
    }

    /// The same of an incident that never became an event: all of it waits, where the older reader finds none.
    pub(super) fn of_new(desired: &DesiredEvent, before: &Before) -> Self {
        match before {
            Before::OtherReader(None) => {
                let attributes = desired.attributes.iter().map(|each| each.attribute.uuid);
                Self { attributes: attributes.collect(), others: true }
            }
            Before::OtherReader(Some(_)) | Before::OtherRules(_) => Self::default(),
        }
    }

    fn markings(
        &mut self,
        desired: &mut DesiredEvent,
        then: Option<&DesiredEvent>,
        policy: &Policy,
    ) {
        let Some(then) = then else { return };
        let mut stricter = |now: &mut Marking, then: Marking| {
            let both = now.and(then);
            self.others |= policy.denies(both).is_some() && policy.denies(*now).is_none();
            *now = both;
        };
        stricter(&mut desired.marking, then.marking);
        for each in &mut desired.attributes {
            let uuid = &each.attribute.uuid;
            let place = then.attributes.binary_search_by(|it| it.attribute.uuid.cmp(uuid));
            if let Ok(place) = place {
                stricter(&mut each.marking, then.attributes[place].marking);
            }
        }
    }

    /// The event's fields stay as they were read before. A TLP tag that is stricter comes all the same.
    fn fields(
        &mut self,
        desired: &mut DesiredEvent,
        then: Option<&DesiredEvent>,
        known: &KnownEvent,
    ) {
        let then = then.map_or(&known.head.fields, |then| &then.fields);
        if desired.fields == *then {
            return;
        }
        let strictest =
            |fields: &EventFields| fields.tags.iter().filter_map(|tag| Tlp::of_tag(tag)).max();
        let mut fields = then.clone();
        if let Some(tlp) = strictest(&desired.fields).filter(|tlp| Some(*tlp) > strictest(then)) {
            fields.tags.retain(|tag| Tlp::of_tag(tag).is_none());
            fields.tags.push(tlp.tag().into());
            fields.tags.sort_unstable();
        }
        self.others |= fields != desired.fields;
        desired.fields = fields;
    }
}
