//! What would change an answer: the steps that somebody may take, and the one table of their words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    history::KnownLoss,
    model::Tlp,
    plan::{
        BlockedReason, EventHead, ExposedReason, KnownAttribute, Presence, Standing, WithheldReason,
    },
};

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
    /// The dataset holds it again.
    Return,
    /// Somebody restores it in MISP.
    Restore,
    /// Another rule.
    Rule,
    /// A relation to an incident, or an event for what belongs to none.
    Link,
    /// The source says it in another way.
    MendSource,
    /// Nothing does.
    Nothing,
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
            Self::Return => "the dataset holds it again; what is in MISP stays there",
            Self::Restore => {
                "somebody restores it in MISP: an analyst took it out there, and it is never sent again"
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
        })
    }
}

/// What would change how an attribute stands. `withheld`: why policy keeps it back, if it does.
pub(super) fn of_attribute(
    known: &KnownAttribute,
    withheld: Option<WithheldReason>,
) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = known.exposed.iter().cloned().map(Remedy::ByHand).collect();
    let is_left = known.wanted.is_empty() && known.superseded_by.is_none();
    let of_standing = match &known.standing {
        Standing::Declined => Remedy::Restore,
        _ if known.superseded_by.is_some() => Remedy::Nothing,
        _ if is_left => Remedy::Return,
        Standing::Pending => Remedy::NextRun,
        Standing::Sent | Standing::Adopted if known.overruled => Remedy::Restore,
        Standing::Sent | Standing::Adopted => Remedy::InPlace,
        Standing::Rejected { .. } => Remedy::OtherValue,
        Standing::Withheld(why) => of_withheld(withheld.unwrap_or(*why)),
        Standing::Held => Remedy::AcceptMapping,
        Standing::Blocked(why) => of_blocked(why),
    };
    if remedies.is_empty() || of_standing != Remedy::InPlace {
        remedies.push(of_standing);
    }
    remedies
}

/// What would change how an event stands. `withheld`: why policy keeps it back, if it does.
/// `blocked`: why it is not made otherwise.
pub(super) fn of_event(
    head: &EventHead,
    withheld: Option<WithheldReason>,
    blocked: Option<&BlockedReason>,
) -> Vec<Remedy> {
    let is_left = head.feeds.values().all(|feed| feed.gone);
    vec![match &head.presence {
        Presence::Declined => Remedy::Restore,
        Presence::Blocked(why) => of_blocked(why),
        _ if is_left => Remedy::Return,
        Presence::Present => Remedy::InPlace,
        Presence::Absent => match (withheld, blocked) {
            (Some(why), _) => of_withheld(why),
            (None, Some(why)) => of_blocked(why),
            (None, None) => Remedy::NextRun,
        },
    }]
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

const fn of_withheld(why: WithheldReason) -> Remedy {
    match why {
        WithheldReason::Tlp(tlp) => Remedy::AllowTlp(tlp),
        WithheldReason::Unmarked => Remedy::Mark,
        WithheldReason::Incident => Remedy::NextRun,
        WithheldReason::MarkingCannotBeCarried => Remedy::TakeTag,
    }
}

const fn of_blocked(why: &BlockedReason) -> Remedy {
    match why {
        BlockedReason::IncidentNotAccepted => Remedy::AcceptIncident,
        BlockedReason::OwnedBy(_) => Remedy::AppendToForeign,
        BlockedReason::AppendNeedsAdmin(_) | BlockedReason::EventHidden => Remedy::OtherKey,
        BlockedReason::OwnerUnknown(_) => Remedy::OtherMisp,
        BlockedReason::UuidTaken | BlockedReason::Other(_) => Remedy::Nothing,
    }
}
