//! What one feed desires, marked as strictly as all feeds that want it do, in the plainest way.

use misp_trickle::{
    misp::DesiredEvent,
    model::{Marking, Tlp},
    plan::KnownEvent,
};

const COLOURS: [(Tlp, &str); 3] =
    [(Tlp::Green, "tlp:green"), (Tlp::Amber, "tlp:amber"), (Tlp::Red, "tlp:red")];

fn stricter(one: &mut Marking, other: Marking) {
    if other.tlp > one.tlp {
        one.tlp = other.tlp;
    }
    one.unmarked |= other.unmarked;
}

fn colour(tags: &[Box<str>]) -> Option<Tlp> {
    let has = |name: &str| tags.iter().any(|tag| **tag == *name);
    COLOURS.iter().rev().find(|(_, name)| has(name)).map(|(tlp, _)| *tlp)
}

fn paint(tags: &mut Vec<Box<str>>, tlp: Option<Tlp>) {
    tags.retain(|tag| COLOURS.iter().all(|(_, name)| **tag != **name));
    let name = COLOURS.iter().find(|(it, _)| Some(*it) == tlp).map(|(_, name)| *name);
    tags.extend(name.map(Box::from));
    tags.sort();
}

/// The event that a feed of this place and name desires, as it may go beside what other feeds say of it.
pub(super) fn together(
    desired: &DesiredEvent,
    known: Option<&KnownEvent>,
    feed: u8,
    name: &str,
) -> DesiredEvent {
    let mut event = desired.clone();
    let Some(known) = known else { return event };
    let mut others = Marking::default();
    for (other, head) in &known.head.feeds {
        if other.as_str() != name && !head.gone {
            stricter(&mut others, head.marking.unwrap_or(known.head.marking));
        }
    }
    let own = event.marking.tlp;
    stricter(&mut event.marking, others);
    if event.marking.tlp > own && event.marking.tlp > colour(&event.fields.tags) {
        paint(&mut event.fields.tags, event.marking.tlp);
    }
    let shared = known.attributes.values().any(|it| it.wanted.0 & !(1 << feed) != 0);
    for each in &mut event.attributes {
        stricter(&mut each.marking, others);
        if let Some(known) = known.attributes.get(&each.attribute.uuid) {
            for other in (0..32).filter(|other| *other != feed && known.wanted.has(*other)) {
                let said = known.said.0.iter().find(|(by, _)| *by == other);
                stricter(&mut each.marking, said.map_or(known.marking, |(_, marking)| *marking));
            }
        }
        let below = colour(&each.attribute.tags).or_else(|| colour(&event.fields.tags));
        if (shared || others != Marking::default()) && below < each.marking.tlp {
            paint(&mut each.attribute.tags, each.marking.tlp);
        }
    }
    event
}
