//! The canonical form of an entity, and digests of entities and incident graphs.
//!
//! A digest covers what a mapping could read and nothing else: neither platform id nor the time of the
//! version count, so that a touch that changes nothing else changes no digest.

use crate::model::{
    Context, Digest, Encoder, Timestamp,
    limits::{EVENT_DATE_SECONDS_END, EVENT_DATE_SECONDS_MIN},
};

use super::{Direction, Entity, Incident, Maliciousness, Observable, WhyUnusable};

const DAY_SECONDS: i64 = 86_400;
/// Days since 1970 on which the clocks of Unix, spreadsheets and Windows begin.
const CLOCK_ZERO_DAYS: [i64; 3] = [0, -25_567, -134_774];

impl Entity {
    /// The time whose day an event from this entity is dated by: the estimated start, else when it was
    /// created, else the time of this version. Times that are no date of a MISP event are passed over, and those
    /// that sources write for "unknown" and "never": the years 1 and 9999, and the zeros of clocks.
    #[must_use]
    pub fn dated(&self) -> Option<Timestamp> {
        let usable = |time: &Timestamp| {
            let day = time.seconds().div_euclid(DAY_SECONDS);
            (EVENT_DATE_SECONDS_MIN..EVENT_DATE_SECONDS_END).contains(&time.seconds())
                && !CLOCK_ZERO_DAYS.contains(&day)
        };
        [self.start, self.created, self.modified].into_iter().flatten().find(usable)
    }
}

/// Sorts all that has no order of its own and drops doubles. Digest and mapping rely on it.
pub(super) fn canonicalise(entity: &mut Entity) {
    for texts in [&mut entity.tags, &mut entity.references, &mut entity.external_ids] {
        texts.sort_unstable();
        texts.dedup();
    }
    entity.observables.sort_unstable();
    // Of one that several readers find the first is kept.
    entity.observables.dedup_by(|next, one| next.says_the_same(one));
    entity.unusable.sort_unstable();
    entity.unusable.dedup();
}

/// Whether an entity becomes an event: only then its date counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dated {
    Yes,
    No,
}

/// Digests entities in canonical form. Setting up the context costs more than a small entity: one of
/// these serves a whole dataset.
pub(super) struct EntityDigester(Encoder);

impl EntityDigester {
    pub(super) fn new() -> Self {
        Self(Encoder::new(Context::Entity))
    }

    /// Digest of one entity.
    pub(super) fn digest(&self, entity: &Entity, dated: Dated) -> Digest {
        encode(self.0.clone(), entity, dated)
    }
}

fn encode(mut encoder: Encoder, entity: &Entity, dated: Dated) -> Digest {
    let time = |encoder: &mut Encoder, time: Timestamp| {
        encoder.i64(time.micros());
    };
    let day = entity.dated().filter(|_| dated == Dated::Yes);
    encoder
        .text(&entity.kind)
        .text(&entity.title)
        .option(entity.start, time)
        .option(entity.end, time)
        .option(day, |encoder, day| {
            encoder.i64(day.seconds().div_euclid(DAY_SECONDS));
        })
        .option(entity.tlp, |encoder, tlp| {
            encoder.text(tlp.name());
        })
        .option(entity.reliability, |encoder, letter| {
            encoder.u64(u64::from(letter));
        })
        .option(entity.status.as_ref(), |encoder, status| {
            encoder.text(status);
        });
    for texts in [&entity.tags, &entity.references, &entity.external_ids] {
        encoder.list(texts.iter(), |encoder, text| {
            encoder.text(text);
        });
    }
    observables(&mut encoder, &entity.observables);
    encoder.list(entity.unusable.iter(), |encoder, unusable| {
        encoder.text(&unusable.kind).text(&unusable.value);
        match &unusable.why {
            WhyUnusable::PatternSyntax(offset, wanted) => {
                encoder.u64(1).u64(*offset as u64).text(wanted);
            }
            WhyUnusable::PathNotMapped => {
                encoder.u64(2);
            }
            WhyUnusable::Enrichment => {
                encoder.u64(3);
            }
            WhyUnusable::NotWhole => {
                encoder.u64(4);
            }
        }
    });
    // Not where it adds nothing: digests of old, without it, stay what they are.
    if let Some(part) = entity.partly.filter(|_| entity.partly > entity.tlp) {
        encoder.text("partly").text(part.name());
    }
    // Only where there is one, for the same reason.
    if let Some(name) = &entity.name {
        encoder.text("name").text(name);
    }
    encoder.finish()
}

/// Observables come sorted by kind, so each kind is written once.
fn observables(encoder: &mut Encoder, observables: &[Observable]) {
    for same_kind in observables.chunk_by(|one, next| one.kind == next.kind) {
        encoder.text(&same_kind[0].kind).list(same_kind.iter(), |encoder, observable| {
            encoder.text(&observable.value).u64(flags(observable));
        });
    }
    // No kind has a list of none: this ends the list of kinds.
    encoder.text("").u64(0);
}

fn flags(observable: &Observable) -> u64 {
    let maliciousness = match observable.maliciousness {
        Maliciousness::Unknown => 0,
        Maliciousness::Safe => 1,
        Maliciousness::Low => 2,
        Maliciousness::Medium => 3,
        Maliciousness::High => 4,
    };
    u64::from(observable.links.bits()) << 8
        | maliciousness << 1
        | u64::from(observable.context_only)
}

/// Digest of an incident graph, from the digests of its entities.
pub(super) fn of_graph(incident: &Incident<'_>, own: &Digest, members: &[&Digest]) -> Digest {
    let mut encoder = Encoder::new(Context::IncidentGraph);
    encoder.text(incident.root.as_str()).digest(own);
    encoder.list(incident.members.iter().zip(members), |encoder, (member, digest)| {
        encoder.text(member.root.as_str()).digest(digest);
        encoder.list(member.relations.iter(), |encoder, via| {
            encoder.text(&via.kind).flag(via.direction == Direction::Outgoing);
        });
        encoder
            .option(member.path.tlp, |encoder, tlp| {
                encoder.text(tlp.name());
            })
            .flag(member.path.unmarked)
            .flag(member.bystander);
    });
    encoder.finish()
}
