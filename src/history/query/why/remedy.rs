//! What would change an answer: the steps that somebody may take, and the one table of their words.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    history::KnownLoss,
    model::Tlp,
    plan::{
        BlockedReason, EventHead, ExposedReason, KnownAttribute, KnownEvent, Presence, Publishing,
        Standing, WithheldReason,
    },
};

use super::Withheld;

/// What would change an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nothing has to: MISP has it.
    InPlace,
    /// The next run.
    NextRun,
    /// Somebody has to do something in MISP, which the reason says.
    ByHand(ExposedReason),
    /// A policy that lets this colour go, or a freer marking.
    AllowTlp(Tlp),
    /// A marking, or a policy that lets go what has none.
    Mark,
    /// A tag that MISP takes from this key.
    TakeTag,
    /// Somebody's word that what changed rules call for is wanted.
    AcceptMapping,
    /// A value, a rule or a version of MISP that is another.
    OtherValue,
    /// The source accepts its incident.
    AcceptIncident,
    /// Another key.
    OtherKey,
    /// `on_foreign`, or another key.
    AppendToForeign,
    /// Another version of MISP.
    OtherMisp,
    /// The tags that MISP did not take.
    TakeTags,
    /// The right to publish.
    PublishRight,
    /// Somebody publishes it in MISP, or the next change of it does.
    Publish,
    /// The dataset holds it again: MISP has nothing of it.
    Return,
    /// The dataset holds it again: MISP has it as it was.
    Stays,
    /// Somebody restores it in MISP.
    Restore,
    /// Another incident of the source: the whole event was deleted in MISP, which blocks it.
    OtherIncident,
    /// Somebody edits in MISP what an analyst changed there.
    Edit,
    /// Another rule.
    Rule,
    /// A relation to an incident, or an event for what belongs to none.
    Link,
    /// The source says it in another way.
    MendSource,
    /// Nothing does.
    Nothing,
    /// The ledger does not say.
    Unknown,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByHand(why) => return write!(f, "somebody acts in MISP: {why}"),
            Self::AllowTlp(tlp) => {
                return write!(
                    f,
                    "the source marks it freer, or `allow_tlp` of the destination takes {tlp:?}",
                    tlp = tlp.name()
                );
            }
            Self::InPlace => "nothing has to: MISP has it",
            Self::NextRun => "the next run of its feed goes on with it",
            Self::Mark => {
                "the source gives it a TLP marking, or the destination's policy says `unmarked = \"allow\"`"
            }
            Self::TakeTag => {
                "MISP takes its TLP tag from this key: `doctor` says what is missing; the next run then sends it"
            }
            Self::AcceptMapping => "`sync --accept-mapping` sends it; `plan` shows it before",
            Self::OtherValue => {
                "another value in the source, another rule in `rules_file`, or another version of MISP, which is \
                 tried once"
            }
            Self::AcceptIncident => "the source accepts the incident: it is rejected or deleted there",
            Self::OtherKey => "a key of the organisation that owns the event, or one that sees it",
            Self::AppendToForeign => {
                "`on_foreign = \"append\"` with a site administrator's key, or a key of the organisation that owns \
                 the event"
            }
            Self::OtherMisp => "a version of MISP that says whose the event is",
            Self::TakeTags => {
                "MISP takes the missing tags from this key: `doctor` says what it may; they are tried again once that \
                 changes"
            }
            Self::PublishRight => "a key that may publish (perm_publish): the next run then publishes it",
            Self::Publish => {
                "somebody publishes it in MISP, or the next change of it, after which it is asked for again"
            }
            Self::Return => "the dataset holds it again",
            Self::Stays => "the dataset holds it again; what is in MISP stays there",
            Self::Restore => {
                "somebody restores it in MISP: an analyst took it out there, and it is never sent again"
            }
            Self::OtherIncident => {
                "nothing in MISP: the whole event was deleted there, which keeps it on its blocklist, and nothing of it is \
                 ever sent again; an incident with another id in the source becomes an event of its own"
            }
            Self::Edit => {
                "somebody edits it in MISP: an analyst changed it there, and it is left as it is; nothing is sent over it"
            }
            Self::Rule => {
                "a rule for it in `rules_file`, or, for a kind without any, `text_fallback = true` under [mapping]"
            }
            Self::Link => {
                "a relation in the source to an incident that is in the dataset, as far away as `depth` says, or \
                 `rest = true` under [mapping], which makes an event of what belongs to none"
            }
            Self::MendSource => "the source says it in a way that is read: docs/mapping.md tells which are",
            Self::Nothing => "nothing",
            Self::Unknown => {
                "why an event without attributes is not made is not kept: the next run makes it, unless its incident is \
                 rejected or deleted in the source, policy denies its marking, MISP does not take its TLP tag, or its \
                 rules changed, which `--accept-mapping` accepts"
            }
        })
    }
}

/// What would change how an attribute stands in its event. `withheld`: why policy keeps it back, if it does.
pub(super) fn of_attribute(
    event: &EventHead,
    known: &KnownAttribute,
    withheld: Option<&Withheld>,
) -> Vec<Remedy> {
    match event.presence {
        // Nothing is there that anybody could restore or edit.
        Presence::Declined => vec![Remedy::OtherIncident],
        _ => in_its_event(known, withheld),
    }
}

fn in_its_event(known: &KnownAttribute, withheld: Option<&Withheld>) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = known.exposed.iter().cloned().map(Remedy::ByHand).collect();
    let is_left = known.wanted.is_empty() && known.superseded_by.is_none();
    match &known.standing {
        Standing::Declined => remedies.push(Remedy::Restore),
        _ if known.superseded_by.is_some() => remedies.push(Remedy::Nothing),
        Standing::Sent | Standing::Adopted if is_left => remedies.push(Remedy::Stays),
        _ if is_left => remedies.push(Remedy::Return),
        Standing::Pending => remedies.push(Remedy::NextRun),
        Standing::Sent | Standing::Adopted if known.overruled => remedies.push(Remedy::Edit),
        Standing::Sent | Standing::Adopted if remedies.is_empty() => remedies.push(Remedy::InPlace),
        Standing::Sent | Standing::Adopted => {}
        Standing::Rejected { .. } => remedies.push(Remedy::OtherValue),
        Standing::Withheld(why) => match withheld {
            Some(withheld) => remedies.extend(withheld.why.iter().map(of_withheld)),
            None => remedies.push(of_withheld(why)),
        },
        Standing::Held => remedies.push(Remedy::AcceptMapping),
        Standing::Blocked(why) => remedies.push(of_blocked(why)),
    }
    remedies
}

/// What would change how an event stands. `withheld`: why policy keeps it back, if it does.
/// `blocked`: why it is not made otherwise.
pub(super) fn of_event(
    event: &KnownEvent,
    withheld: Option<&Withheld>,
    blocked: Option<&BlockedReason>,
) -> Vec<Remedy> {
    let head = &event.head;
    let mut remedies = by_hand(event);
    match &head.presence {
        Presence::Declined => return vec![Remedy::OtherIncident],
        Presence::Present if head.is_left() => remedies.push(Remedy::Stays),
        Presence::Absent | Presence::Blocked(_) if head.is_left() => remedies.push(Remedy::Return),
        Presence::Blocked(why) => remedies.push(of_blocked(why)),
        Presence::Present => remedies.append(&mut of_present(event)),
        Presence::Absent => match (withheld, blocked) {
            (Some(withheld), _) => remedies.extend(withheld.why.iter().map(of_withheld)),
            (None, Some(why)) => remedies.push(of_blocked(why)),
            (None, None) => remedies.push(of_absent(event)),
        },
    }
    if remedies.is_empty() {
        remedies.push(Remedy::InPlace);
    }
    remedies
}

/// What somebody has to do in MISP about its attributes, each reason once.
fn by_hand(event: &KnownEvent) -> Vec<Remedy> {
    let exposed: BTreeSet<&ExposedReason> =
        event.attributes.values().filter_map(|known| known.exposed.as_ref()).collect();
    exposed.into_iter().cloned().map(Remedy::ByHand).collect()
}

/// What an event lacks that MISP has; nothing, if all of it is as it is to be.
fn of_present(event: &KnownEvent) -> Vec<Remedy> {
    let head = &event.head;
    let owes = head.publishing == Publishing::Owed;
    let lacks = [
        (owes || any_stands(event, &Standing::Pending), Remedy::NextRun),
        (any_stands(event, &Standing::Held), Remedy::AcceptMapping),
        (head.tags.refused().next().is_some(), Remedy::TakeTags),
    ];
    let lacks = lacks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, remedy)| remedy);
    lacks.chain(of_publishing(&head.publishing)).collect()
}

/// What would publish an event that a run could not publish.
pub(in crate::history::query) const fn of_publishing(publishing: &Publishing) -> Option<Remedy> {
    match publishing {
        Publishing::WaitsForRight => Some(Remedy::PublishRight),
        Publishing::Failed(_) => Some(Remedy::Publish),
        _ => None,
    }
}

/// Of an event that is not made, and which nothing that is known keeps back.
fn of_absent(event: &KnownEvent) -> Remedy {
    let head = &event.head;
    let is_empty = event.attributes.values().all(|known| known.wanted.is_empty());
    if head.unproven || any_stands(event, &Standing::Pending) {
        Remedy::NextRun
    } else if any_stands(event, &Standing::Held) {
        Remedy::AcceptMapping
    } else if is_empty {
        Remedy::Unknown
    } else {
        Remedy::NextRun
    }
}

fn any_stands(event: &KnownEvent, standing: &Standing) -> bool {
    let mut wanted = event.attributes.values().filter(|known| !known.wanted.is_empty());
    wanted.any(|known| known.standing == *standing)
}

/// What would change a loss, by the name of its reason.
pub(super) fn of_loss(known: &KnownLoss) -> Remedy {
    if known.until.is_some() {
        return Remedy::Nothing;
    }
    match known.loss.reason.as_str() {
        "no_misp_type" | "entity_kind_not_supported" => Remedy::Rule,
        "refused_by_misp" => Remedy::OtherValue,
        "not_linked" => Remedy::Link,
        _ => Remedy::MendSource,
    }
}

const fn of_withheld(why: &WithheldReason) -> Remedy {
    match why {
        WithheldReason::Tlp(tlp) => Remedy::AllowTlp(*tlp),
        WithheldReason::Unmarked => Remedy::Mark,
        WithheldReason::Incident => Remedy::NextRun,
        WithheldReason::MarkingCannotBeCarried => Remedy::TakeTag,
    }
}

/// What would lift a block.
pub(in crate::history::query) const fn of_blocked(why: &BlockedReason) -> Remedy {
    match why {
        BlockedReason::IncidentNotAccepted => Remedy::AcceptIncident,
        BlockedReason::OwnedBy(_) | BlockedReason::AppendNeedsAdmin(_) => Remedy::AppendToForeign,
        BlockedReason::EventHidden => Remedy::OtherKey,
        BlockedReason::OwnerUnknown(_) => Remedy::OtherMisp,
        BlockedReason::UuidTaken | BlockedReason::Other(_) => Remedy::Nothing,
    }
}
