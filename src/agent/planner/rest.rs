//! What of an event a run has to look at again although nothing changed: the one rule, and the terms under which a whole
//! source may be passed by it.

use crate::{
    model::{Context, Digest, Encoder, Reader},
    plan::{
        AttributeTally, Awaits, BlockedReason, DestinationRecord, KnownEvent, OnForeign, Presence,
        Standing, WithheldReason,
    },
};

use super::Job;

/// What is looked at again, the most last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::agent) enum Rest {
    /// Nothing: an equal skip key next time means no work at all.
    #[default]
    Settled,
    /// What MISP keeps from this key, once it is asked anew who that is.
    Waits,
    /// Something, by each run.
    Open,
}

impl Rest {
    /// Of an event as a run leaves it.
    pub(in crate::agent) fn of(
        event: &KnownEvent,
        tally: &AttributeTally,
        on_foreign: OnForeign,
    ) -> Self {
        if tally.pending > 0 || tally.held > 0 || event.head.unproven {
            return Self::Open;
        }
        let blocked = |why| Self::of_blocked(why, &event.head.presence, on_foreign);
        let wanted = event.attributes.values().filter(|known| !known.wanted.is_empty());
        let attributes = wanted.map(|known| match &known.standing {
            Standing::Withheld(WithheldReason::MarkingCannotBeCarried) => Self::Open,
            Standing::Blocked(why) => blocked(why),
            _ => Self::Settled,
        });
        let own = match &event.head.presence {
            Presence::Blocked(why) => blocked(why),
            _ => Self::Settled,
        };
        attributes.fold(own, Self::max)
    }

    /// Of what is blocked for this reason. Where MISP may end the block and each run is to tell of it, each run looks at
    /// it; where MISP may end it and nobody is told, the run that asks anew who the key is. Else no run has to: what the
    /// dataset may end is looked at when the dataset changes.
    fn of_blocked(why: &BlockedReason, presence: &Presence, on_foreign: OnForeign) -> Self {
        match why.awaits() {
            Awaits::Nothing | Awaits::Dataset => Self::Settled,
            Awaits::Misp if why.is_told(presence, on_foreign) => Self::Open,
            Awaits::Misp => Self::Waits,
        }
    }
}

/// See [`Planner::policy`](super::Planner::policy).
pub(in crate::agent) fn policy_of(job: &Job, record: &DestinationRecord) -> Digest {
    let reader = u64::from(Reader::NOW.number());
    let mut encoder = Encoder::new(Context::Policy);
    encoder.digest(&job.policy_fingerprint()).text(&record.version).u64(reader).finish()
}

/// The same, and whether the tags that were looked for may be used: what a shortcut over a whole source depends on, and
/// where something waits for MISP, who asked when. Where a release that kept no losses left a cursor, the source is read
/// once more for them.
pub(in crate::agent) fn cursor_policy(
    job: &Job,
    record: &DestinationRecord,
    waits: bool,
) -> Digest {
    let (policy, tags) = (policy_of(job, record), record.all_tag_terms());
    let mut encoder = Encoder::new(Context::Policy);
    encoder.text("cursor, losses kept").digest(&policy).digest(&tags);
    if waits {
        encoder.text("something waits for MISP").digest(&record.sight_terms());
    }
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use crate::model::OrgUuid;

    use super::*;

    /// Each reason, of an event that was never delivered to and of one that was, where events of others are left alone and
    /// where they are appended to. A new reason finds its row here, or this does not compile.
    #[test]
    fn each_reason_for_a_block_says_what_is_looked_at_again() {
        let owner = OrgUuid::new(uuid::Uuid::from_u128(2));
        for why in BlockedReason::each(owner) {
            let rest = |presence: &Presence| {
                let of = |on_foreign| Rest::of_blocked(&why, presence, on_foreign);
                [of(OnForeign::Block), of(OnForeign::Append)]
            };
            let (absent, present) = match &why {
                BlockedReason::OwnedBy(_) | BlockedReason::AppendNeedsAdmin(_) => {
                    ([Rest::Waits, Rest::Open], [Rest::Open; 2])
                }
                BlockedReason::OwnerUnknown(_) => ([Rest::Open; 2], [Rest::Open; 2]),
                BlockedReason::EventHidden => ([Rest::Waits; 2], [Rest::Waits; 2]),
                BlockedReason::IncidentNotAccepted
                | BlockedReason::UuidTaken
                | BlockedReason::Other(_) => ([Rest::Settled; 2], [Rest::Settled; 2]),
            };
            assert_eq!(rest(&Presence::Blocked(why.clone())), absent, "{why}");
            assert_eq!(rest(&Presence::Present), present, "{why}");
        }
    }
}
