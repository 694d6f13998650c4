//! What policy, markings and tags keep back.

use super::*;

#[test]
fn a_new_tag_goes_once_and_a_relaxed_tlp_never() {
    let mut world = World::new();
    let mut wanted = desired(Vec::new());
    let known = world.deliver(&wanted, None);
    wanted.fields.tags = vec!["tlp:clear".into(), "x:y".into()];
    let plan = world.plan(&wanted, Some(known.clone()));
    assert_eq!(plan.tags, [Box::from("x:y")]);
    wanted.fields.tags = vec!["tlp:amber".into()];
    assert_eq!(world.plan(&wanted, Some(known)).tags, [Box::from("tlp:amber")]);
}

#[test]
fn a_colour_that_was_left_out_by_choice_goes_with_the_next_write_or_once_accepted() {
    let mut world = World::new();
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    wanted.fields.tags.clear();
    let known = world.deliver(&wanted, None);
    wanted.fields.tags = vec!["tlp:green".into()];
    let plan = world.plan(&wanted, Some(known.clone()));
    assert!(plan.late_colour && !plan.needs_misp() && !plan.lacks_a_tag());
    assert_eq!(plan.tally.exposed, 0);

    world.accepted = true;
    let plan = world.plan(&wanted, Some(known.clone()));
    assert_eq!(plan.tags, [Box::from("tlp:green")]);
    world.accepted = false;

    wanted.attributes.push(attribute("domain", "b.example"));
    let plan = world.plan(&wanted, Some(known.clone()));
    assert_eq!((plan.tags, plan.send.len()), (vec![Box::from("tlp:green")], 1));
    wanted.attributes.pop();

    // A marking that is new is never put off.
    wanted.marking = Marking::of(Some(Tlp::Amber));
    wanted.fields.tags = vec!["tlp:amber".into()];
    world.policy.allow_tlp.insert(Tlp::Amber);
    let plan = world.plan(&wanted, Some(known));
    assert_eq!(plan.tags, [Box::from("tlp:amber")]);
}

#[test]
fn what_policy_denies_is_withheld_and_goes_when_it_allows() {
    let mut world = World::new();
    let mut red = attribute("domain", "red.example");
    red.marking = Marking::of(Some(Tlp::Red));
    let wanted = desired(vec![attribute("domain", "green.example"), red.clone()]);
    let plan = world.plan(&wanted, None);
    assert_eq!((plan.tally.pending, plan.tally.withheld), (1, 1));
    let known = delivered(plan);
    world.policy.allow_tlp.insert(Tlp::Red);
    let plan = world.plan(&wanted, Some(known));
    assert_eq!(plan.send, [red.attribute.uuid]);
    assert_eq!(plan.tally.unchanged, 1);
}

#[test]
fn a_denied_incident_sends_not_even_its_event() {
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    wanted.marking = Marking::of(None);
    let plan = World::new().plan(&wanted, None);
    assert!(!plan.needs_misp());
    assert_eq!(plan.refusal, Some(Refusal::Withheld(WithheldReason::Unmarked)));
    assert_eq!(plan.tally.withheld, 1);
}

#[test]
fn what_was_sent_and_is_denied_now_is_exposed() {
    let mut world = World::new();
    let known = world.deliver(&desired(vec![attribute("domain", "a.example")]), None);
    let mut red = attribute("domain", "a.example");
    red.marking = Marking::of(Some(Tlp::Red));
    let plan = world.plan(&desired(vec![red]), Some(known));
    assert!(!plan.needs_misp());
    assert_eq!(plan.tally.exposed, 1);
    assert!(matches!(plan.changes[0].kind, ChangeKind::Exposed(_)));
}

#[test]
fn a_marking_that_cannot_be_carried_withholds() {
    let mut world = World::new();
    world.destination.permissions.clear();
    world.destination.tags.insert("tlp:green".into(), TagFact::Usable("tlp:green".into()));
    let mut marked = attribute("domain", "a.example");
    marked.attribute.tags = vec!["tlp:clear".into()];
    let plan = world.plan(&desired(vec![marked]), None);
    assert!(plan.create, "the event's own tag is there");
    assert_eq!(plan.tally.withheld, 1);
    world.destination.tags.clear();
    let plan = world.plan(&desired(vec![attribute("domain", "a.example")]), None);
    let refusal = Refusal::Withheld(WithheldReason::MarkingCannotBeCarried);
    assert_eq!(plan.refusal, Some(refusal));
}

#[test]
fn what_may_have_been_sent_keeps_its_bytes_while_policy_holds_it_back() {
    let world = World::new();
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    let sent = world.plan(&wanted, None).event;
    let key = wanted.attributes[0].attribute.uuid;
    wanted.attributes[0].marking = Marking::of(Some(Tlp::Red));
    wanted.attributes[0].attribute.comment = "another".into();
    let withheld = world.plan(&wanted, Some(sent.clone())).event;
    assert!(matches!(withheld.attributes[&key].standing, Standing::Withheld(_)));
    let again = world.plan(&wanted, Some(withheld)).event;
    wanted.attributes[0].marking = GREEN;
    let plan = world.plan(&wanted, Some(again));
    assert_eq!(plan.send, [key]);
    let (first, second) = (&sent.attributes[&key], &plan.event.attributes[&key]);
    assert_eq!(first.attribute, second.attribute);
    assert_eq!(first.timestamp, second.timestamp);
}

#[test]
fn what_is_marked_stricter_since_it_may_have_been_sent_goes_so_once_misp_was_looked_at() {
    let mut world = World::new();
    world.policy.allow_tlp.insert(Tlp::Red);
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    let sent = world.plan(&wanted, None).event;
    let key = wanted.attributes[0].attribute.uuid;
    wanted.attributes[0].marking = Marking::of(Some(Tlp::Red));
    wanted.attributes[0].attribute.tags = vec!["tlp:red".into()];
    let plan = world.plan(&wanted, Some(sent.clone()));
    assert_eq!(plan.send, [key]);
    assert!(plan.event.head.unproven, "MISP has to be looked at");
    assert_eq!(plan.remarked[&key], wanted.attributes[0]);
    assert_eq!(plan.event.attributes[&key].attribute, sent.attributes[&key].attribute);

    // A freer marking is no reason to send other bytes.
    wanted.attributes[0].attribute.tags = vec!["tlp:clear".into()];
    assert!(world.plan(&wanted, Some(sent)).remarked.is_empty());
}

#[test]
fn what_may_have_been_sent_under_a_colour_that_misp_does_not_take_goes_under_its_new_one() {
    let mut world = World::new();
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    wanted.attributes[0].attribute.tags = vec!["tlp:amber".into()];
    let sent = world.plan(&wanted, None).event;
    world.destination.tags.insert("tlp:amber".into(), TagFact::OfAnotherOrg);
    let key = wanted.attributes[0].attribute.uuid;
    let withheld = world.plan(&wanted, Some(sent));
    assert!(withheld.lacks_a_tag() && withheld.send.is_empty());

    wanted.attributes[0].attribute.tags.clear();
    let plan = world.plan(&wanted, Some(withheld.event));
    assert_eq!((plan.send.as_slice(), &plan.remarked[&key]), (&[key][..], &wanted.attributes[0]));
    assert!(plan.event.head.unproven, "MISP has to be looked at");
}
