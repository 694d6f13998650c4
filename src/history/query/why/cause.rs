//! What keeps something back, and whose marking it is, as far as the ledger knows.

use std::collections::BTreeSet;

use crate::{
    model::{EntityKey, Marking},
    plan::{
        BlockedReason, EventHead, KnownAttribute, KnownEvent, Presence, Standing, WithheldReason,
    },
};

/// Why policy keeps something back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Why: of an attribute of a withheld event, why the event is.
    pub why: WithheldReason,
    /// The marking that policy denies.
    pub marking: Marking,
    /// The entities that are marked so, or what links them to the incident: of several that hold a value those that
    /// are known to be, else all of them.
    pub entities: Vec<EntityKey>,
}

impl Withheld {
    /// Why an event is withheld.
    fn event(head: &EventHead, why: WithheldReason) -> Self {
        Self { why, marking: head.marking, entities: vec![head.root.clone()] }
    }

    /// Why an attribute is.
    pub(super) fn attribute(event: &KnownEvent, known: &KnownAttribute) -> Option<Self> {
        match known.standing {
            Standing::Withheld(WithheldReason::Incident) => {
                Some(Self::event(&event.head, of_marking(event.head.marking)))
            }
            Standing::Withheld(why) => {
                let marking = known.marking;
                Some(Self { why, marking, entities: marked_so(event, known) })
            }
            _ => None,
        }
    }
}

/// What keeps all of an absent event back: its attributes tell it, where it has any.
pub(super) fn of_absent(event: &KnownEvent) -> (Option<Withheld>, Option<BlockedReason>) {
    let head = &event.head;
    if head.presence != Presence::Absent || head.unproven {
        return (None, None);
    }
    let wanted = event.attributes.values().filter(|known| !known.wanted.is_empty());
    let mut standings: Vec<&Standing> = wanted.map(|known| &known.standing).collect();
    standings.dedup();
    match standings[..] {
        [Standing::Withheld(WithheldReason::MarkingCannotBeCarried)] => {
            (Some(Withheld::event(head, WithheldReason::MarkingCannotBeCarried)), None)
        }
        [Standing::Withheld(WithheldReason::Incident)] => {
            (Some(Withheld::event(head, of_marking(head.marking))), None)
        }
        [Standing::Blocked(why)] => (None, Some(why.clone())),
        // Of what policy lets go an event is made, whether it has attributes or not.
        [] if head.feeds.values().any(|feed| !feed.gone && feed.settled) => {
            (Some(Withheld::event(head, of_marking(head.marking))), None)
        }
        _ => (None, None),
    }
}

/// Why policy denies a marking that it does deny.
fn of_marking(marking: Marking) -> WithheldReason {
    marking.tlp.map_or(WithheldReason::Unmarked, WithheldReason::Tlp)
}

/// The sources of an attribute that are marked as it is: an attribute that one entity alone gives has the marking of
/// that entity.
fn marked_so(event: &KnownEvent, known: &KnownAttribute) -> Vec<EntityKey> {
    let all: BTreeSet<&EntityKey> = known.sources.iter().map(|source| &source.entity).collect();
    let marks = |entity: &EntityKey| {
        event.attributes.values().any(|other| {
            other.marking == known.marking && other.sources.iter().all(|it| it.entity == *entity)
        })
    };
    let known_to: Vec<EntityKey> = all.iter().copied().filter(|it| marks(it)).cloned().collect();
    if known_to.is_empty() { all.into_iter().cloned().collect() } else { known_to }
}
