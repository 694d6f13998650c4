//! Whose the TLP tags are: an administrator gives them to others, and back.

use misp_trickle::model::Tlp;

use crate::{dice::Dice, world::World};

/// So long what a MISP said of its tags is relied on, and longer.
const DAYS: i64 = 2 * 86_400;
const YEAR: i64 = 365 * 86_400;
/// The administrator's organisation, and the administrator: the agents are of another.
const OTHERS: [&str; 2] = [r#"{"org_id":"1"}"#, r#"{"user_id":"1"}"#];
const NOBODYS: &str = r#"{"org_id":"0","user_id":"0"}"#;

/// A colour is given to others, or all are given back; perhaps so long ago that agents ask again.
pub(crate) fn change(world: &World, colours: &[Tlp], dice: &mut Dice) {
    match (dice.below(3), dice.pick(colours)) {
        (0, Some(colour)) => give(world, *colour, OTHERS[dice.below(2) as usize]),
        (1, _) => give_back(world),
        _ => {}
    }
    if dice.chance(30) {
        world.clock.advance(DAYS);
    }
}

/// All may use all colours again, and what was known of them is old, also by a clock that was set back.
pub(crate) fn give_back(world: &World) {
    Tlp::ALL.into_iter().for_each(|colour| give(world, colour, NOBODYS));
    world.clock.advance(YEAR);
}

fn give(world: &World, colour: Tlp, owner: &str) {
    let admin = world.keys.get("admin").unwrap();
    let asked = format!("[\"{}\"]", colour.tag());
    let (_, found) = world.wire.raw(admin, "POST", "/tags/search", &asked);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let id = found[0]["Tag"]["id"].as_str().unwrap();
    let (status, answer) = world.wire.raw(admin, "POST", &format!("/tags/edit/{id}"), owner);
    assert_eq!(status, 200, "{answer}");
}
