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
    /// Why: of an attribute of a withheld event, why the event is. Several, where the ledger leaves open for which of them
    /// policy denies the marking.
    pub why: Vec<WithheldReason>,
    /// The marking that policy denies.
    pub marking: Marking,
    /// The entities that are marked so: of several that hold a value those that are known to be, else all of them.
    pub entities: Vec<EntityKey>,
    /// Whose marking it is.
    pub whose: Whose,
}

/// Whose marking keeps something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// That of the incident, which the entity is.
    Incident,
    /// That of the entities, or of what links them to the incident: of both the ledger keeps the strictest.
    EntityOrWay,
}

impl Withheld {
    /// Why an event is withheld.
    fn event(head: &EventHead, why: Vec<WithheldReason>) -> Self {
        let (marking, entities) = (head.marking, vec![head.root.clone()]);
        Self { why, marking, entities, whose: Whose::Incident }
    }

    /// Why an attribute is.
    pub(super) fn attribute(event: &KnownEvent, known: &KnownAttribute) -> Option<Self> {
        match known.standing {
            Standing::Withheld(WithheldReason::Incident) => {
                Some(Self::event(&event.head, of_marking(event.head.marking)))
            }
            Standing::Withheld(why) => {
                let (marking, entities) = (known.marking, marked_so(event, known));
                let is_incident = entities.iter().all(|it| it.may_be(&event.head.root));
                let whose = if is_incident { Whose::Incident } else { Whose::EntityOrWay };
                Some(Self { why: vec![why], marking, entities, whose })
            }
            _ => None,
        }
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        let why: Vec<String> = self.why.iter().map(ToString::to_string).collect();
        why.join(", or ")
    }

    /// What stands between the marking and the entities, in words.
    #[must_use]
    pub const fn marked_by(&self) -> &'static str {
        match self.whose {
            Whose::Incident => "by",
            Whose::EntityOrWay => "by, or on the way from the incident to,",
        }
    }
}

/// What keeps all of an absent event back: its attributes tell it. Of one that has none the ledger does not keep it.
pub(super) fn of_absent(event: &KnownEvent) -> (Option<Withheld>, Option<BlockedReason>) {
    let head = &event.head;
    if head.presence != Presence::Absent || head.unproven {
        return (None, None);
    }
    let wanted = event.attributes.values().filter(|known| !known.wanted.is_empty());
    let mut standings: Vec<&Standing> = wanted.map(|known| &known.standing).collect();
    standings.dedup();
    match standings[..] {
        [Standing::Withheld(why @ WithheldReason::MarkingCannotBeCarried)] => {
            (Some(Withheld::event(head, vec![*why])), None)
        }
        [Standing::Withheld(WithheldReason::Incident)] => {
            (Some(Withheld::event(head, of_marking(head.marking))), None)
        }
        [Standing::Blocked(why)] => (None, Some(why.clone())),
        _ => (None, None),
    }
}

/// For what policy may deny a marking that it does deny.
fn of_marking(marking: Marking) -> Vec<WithheldReason> {
    WithheldReason::of_marking(marking).collect()
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
