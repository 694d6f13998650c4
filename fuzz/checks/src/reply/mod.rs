//! Answers of a server that lies. Whatever comes back, nothing panics, and nothing is called sent that no
//! answer has shown: an echo or a row with its UUID, or a 304 to a question that named it.

mod liar;
mod reading;

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use uuid::Uuid;

use misp_trickle::{
    misp::{Dated, DesiredEvent, EventFields},
    model::{EntityKey, EventUuid, Marking, RunNumber, Tlp},
    plan::{EventPlan, Policy, Presence, Publish, Retire, Terms, Unmarked, diff},
};

use super::{
    dataset::many,
    delivery::driver::{Drive, Known},
    fixtures::{destination, settings},
    plan::attribute,
};
use liar::Liar;

/// Reads answers made of the bytes, alone and in the course of a conversation.
///
/// # Panics
/// If an answer is read as more than it says, or something is claimed that no answer has shown.
pub fn misp_reply(data: &[u8]) {
    let mut input = Unstructured::new(data);
    // The bytes may end at any time; what was seen until then was checked.
    if let Ok(true) = input.arbitrary() {
        reading::alone(&mut input).ok();
    } else {
        conversations(&mut input).ok();
    }
}

fn event(number: u8) -> EventUuid {
    EventUuid::new(Uuid::from_u128(0x3000_0000_0000_4000_8000_0000_0000_0000 | u128::from(number)))
}

fn fields(title: &str) -> EventFields {
    EventFields {
        info: title.into(),
        date: "2024-05-14".into(),
        analysis: 0,
        tags: vec!["tlp:green".into()],
    }
}

/// Whole conversations with the liar, run after run.
fn conversations(input: &mut Unstructured<'_>) -> Result<()> {
    let mut known = Known::default();
    let mut liar = Liar::default();
    let publish = *input.choose(&[Publish::Never, Publish::Keep, Publish::Always])?;
    let settings = settings(publish);
    let policy = Policy { allow_tlp: Tlp::ALL.into(), unmarked: Unmarked::Allow };
    let destination = destination();
    for run in 1..=3 {
        let terms = Terms {
            policy: &policy,
            settings: &settings,
            destination: &destination,
            feed: 0,
            retire: Retire::Yes,
            misp_now: 1_700_000_000,
            run: RunNumber(run),
            accepted: false,
        };
        let mut plans = Vec::new();
        for number in 0..input.int_in_range(1..=2_u8)? {
            let desired = desired(input, event(number))?;
            let before = known.0.get(&desired.uuid).cloned();
            plans.push(diff(&desired, before, &BTreeSet::new(), &terms));
        }
        plans.retain(EventPlan::needs_misp);
        let drive = Drive {
            settings: settings.clone(),
            concurrency: 2,
            chunk_max: input.int_in_range(1..=8)?,
            run,
            misp_now: terms.misp_now,
            dies_at: None,
            stops_at: None,
        };
        let ended = drive.run(plans, &mut known, &mut liar, input);
        claims(&known, &liar);
        ended?;
    }
    Ok(())
}

fn desired(input: &mut Unstructured<'_>, uuid: EventUuid) -> Result<DesiredEvent> {
    let mut attributes = many(input, 8, |input| attribute(input, uuid))?;
    for each in &mut attributes {
        each.marking = Marking::of(Some(Tlp::Green));
        each.attribute.tags.clear();
    }
    Ok(DesiredEvent {
        uuid,
        root: EntityKey::of("incident"),
        fields: fields(input.choose(&["Ebb", "Ebb", "Flow"])?),
        dated: Dated::Itself,
        marking: Marking::of(Some(Tlp::Green)),
        create: true,
        attributes,
    })
}

/// Every claim has an answer behind it.
fn claims(known: &Known, liar: &Liar) {
    for known in known.0.values() {
        let claims_event = known.head.presence == Presence::Present;
        assert!(!claims_event || liar.events.contains(&known.head.uuid), "{:?}", known.head);
        for known in known.attributes.values().filter(|known| known.standing.is_in_misp()) {
            let shown = liar.shown.contains(&known.attribute.uuid);
            assert!(shown, "no answer has shown {known:?}");
        }
    }
}
