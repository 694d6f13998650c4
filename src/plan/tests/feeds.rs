//! What feeds do to an event that several have.

use super::*;
use crate::model::{Digest, FeedName, Reader};

fn wants(place: u8, gone: bool) -> FeedHead {
    let nothing = Digest::from_bytes([0; 32]);
    FeedHead {
        graph: nothing,
        rules: nothing,
        reader: Reader::NOW,
        policy: nothing,
        settled: true,
        gone,
        place: Some(place),
        marking: Some(GREEN),
        attributes: AttributeTally::default(),
        mapping: MappingTally::default(),
    }
}

#[test]
fn who_does_not_want_an_event_does_not_own_its_fields() {
    let mut world = World::new();
    let names = ["a", "b", "c"].map(FeedName::new);
    world.destination.feeds = names.to_vec();
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    let mut known = world.deliver(&wanted, None);
    let [a, b, _] = names;
    known.head.feeds = [(a, wants(0, true)), (b, wants(1, false))].into();
    let terms = |feed| Terms {
        feed,
        ..Terms::of_first_run(
            &world.policy,
            &world.settings,
            &world.destination,
            Timestamp::from_seconds(1_700_000_000),
        )
    };
    let mut looked_at = diff_gone(known.clone(), &terms(2)).event;
    assert_eq!(looked_at.head.owner, 0, "it is not its to take");
    // A release let it.
    looked_at.head.owner = 2;
    wanted.fields.info = "Flow".into();
    let plan = diff(&wanted, Some(looked_at), &BTreeSet::new(), &terms(1));
    assert_eq!((plan.event.head.owner, plan.fields.is_some()), (1, true));
}
