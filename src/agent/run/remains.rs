//! What a run leaves: what the next has to look at again, and what a person has to know at its end.

use std::collections::BTreeSet;

use crate::{
    model::EventUuid,
    plan::{AttributeTally, BlockedReason, EventHead, KnownEvent, OnForeign, Refusal},
};

use super::super::planner::{Planner, Rest};

/// Events in the note about those that nobody is said to own.
const NAMED_MAX: usize = 20;
/// Examples in the warning that something is exposed.
const EXPOSED_EXAMPLES_MAX: usize = 3;

/// What a run leaves.
#[derive(Debug, Default)]
pub(super) struct Remains {
    pub(super) shortfall: Shortfall,
    /// What has to be looked at again, even if the source stays as it is.
    rest: Rest,
    /// Events of which no answer says whose they are.
    unowned: BTreeSet<EventUuid>,
    /// The first of what is exposed, in words.
    exposed: Vec<String>,
    /// Events of which something waits until somebody accepts it.
    pub(super) held_back: u64,
}

/// What keeps a run from having done all, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Shortfall {
    #[default]
    None,
    /// Something waits for a TLP tag that MISP does not take.
    LacksTag,
    /// MISP refused something, or something was given up for this run.
    Refused,
}

impl Remains {
    pub(super) fn fall_short(&mut self, by: Shortfall) {
        self.shortfall = self.shortfall.max(by);
    }

    /// One part of the run is settled, or has to be looked at again.
    pub(super) fn settle(&mut self, is_settled: bool) {
        self.leave(if is_settled { Rest::Settled } else { Rest::Open });
    }

    /// The same of an event.
    pub(super) fn leave(&mut self, rest: Rest) {
        self.rest = self.rest.max(rest);
    }

    pub(super) const fn rest(&self) -> Rest {
        self.rest
    }

    /// Takes note of why nothing is written to an event.
    pub(super) fn refuse(
        &mut self,
        head: &EventHead,
        refusal: Option<&Refusal>,
        on_foreign: OnForeign,
    ) {
        let Some(Refusal::Blocked(why)) = refusal else { return };
        let unowned = matches!(why, BlockedReason::OwnerUnknown(_));
        self.unowned.extend(unowned.then_some(head.uuid));
        if why.is_told(&head.presence, on_foreign) {
            self.fall_short(Shortfall::Refused);
            self.settle(false);
        }
    }

    /// Keeps the first examples of what is exposed for the end of the run.
    pub(super) fn expose(&mut self, event: &KnownEvent, tally: &AttributeTally) {
        if tally.exposed == 0 {
            return;
        }
        let room = EXPOSED_EXAMPLES_MAX.saturating_sub(self.exposed.len());
        let exposed = event.attributes.values().filter(|known| known.exposed.is_some());
        self.exposed.extend(exposed.take(room).map(|known| {
            let (attribute, info) = (&known.attribute, &event.head.fields.info);
            let advice = known.exposed.as_ref().map(ToString::to_string).unwrap_or_default();
            let shorten = |text: &str| text.chars().take(80).collect::<String>();
            let (value, title) = (shorten(attribute.value.as_str()), shorten(info));
            format!("{} {value:?} in {title:?}: {advice}", attribute.kind)
        }));
    }

    /// Warns of what is exposed.
    pub(super) fn exposed_note(&self, count: u64) -> Option<String> {
        let lead = if self.exposed.is_empty() { "" } else { ": " };
        let examples = self.exposed.join("; ");
        (count > 0).then(|| {
            format!(
                "exposed: {count} attributes are in MISP although they must not be there as they are; `status` names \
                 them all{lead}{examples}"
            )
        })
    }

    /// Names the events that nothing is written to as nobody says whose they are.
    pub(super) fn unowned_note(&self, planner: &Planner<'_>) -> Option<String> {
        let count = self.unowned.len();
        let title = |event| planner.head(event).map(|head| head.fields.info.as_ref());
        let named = self.unowned.iter().take(NAMED_MAX);
        let named = named.map(|event| format!("{event} {:?}", title(*event).unwrap_or_default()));
        let named = named.collect::<Vec<_>>().join(", ");
        (count > 0).then(|| {
            format!(
                "unowned: {count} events are there, no answer of MISP says whose they are, and nothing is written to \
                 them: {named}"
            )
        })
    }
}
