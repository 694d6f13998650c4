//! Markings of copies, of links, and of what is defined somewhere or nowhere in a source.

use super::*;
use crate::model::MarkingId;

const GREEN: Option<Tlp> = Some(Tlp::Green);
const RED: Option<Tlp> = Some(Tlp::Red);

fn marked(number: u8, tlp: Option<Tlp>) -> Entity {
    Entity { tlp, ..entity("indicator", number) }
}

/// The marking of the only member of the only incident.
fn member_marking(graph: &Graph) -> Marking {
    let incidents: Vec<Incident<'_>> = graph.incidents().collect();
    assert_eq!((incidents.len(), incidents[0].members.len()), (1, 1));
    let member = &incidents[0].members[0];
    member.path.and(member.entity.marking())
}

fn linked(versions: Vec<Entity>, updates: Vec<Relation>) -> Graph {
    let incident = Entity { tlp: GREEN, ..entity("incident", 1) };
    let relations = updates.into_iter().chain([relation("x", 1, 2)]).collect();
    graph([incident].into_iter().chain(versions).collect(), relations)
}

#[test]
fn copies_that_tie_take_the_strictest_marking() {
    let at = |seconds: Option<i64>, tlp| Entity {
        modified: seconds.map(Timestamp::from_seconds),
        ..marked(2, tlp)
    };
    let green = Marking { tlp: GREEN, unmarked: false };
    let red = Marking { tlp: RED, unmarked: false };
    let half = |tlp| Marking { tlp, unmarked: true };
    for (versions, then) in [
        // The same time.
        (vec![at(Some(5), GREEN), at(Some(5), RED)], red),
        (vec![at(Some(5), GREEN), at(Some(5), GREEN), at(Some(5), None)], half(GREEN)),
        (vec![at(Some(5), None), at(Some(5), RED)], half(RED)),
        (vec![at(Some(5), None), at(Some(5), None)], half(None)),
        // No time at all, on one or on both.
        (vec![at(None, GREEN), at(None, RED)], red),
        (vec![at(Some(5), GREEN), at(None, RED)], red),
        (vec![at(Some(5), RED), at(None, GREEN)], red),
        (vec![at(Some(5), GREEN), at(None, None)], half(GREEN)),
        // An older version has no say.
        (vec![at(Some(5), GREEN), at(Some(4), RED)], green),
        (vec![at(Some(5), GREEN), at(Some(5), GREEN)], green),
        (vec![at(Some(5), GREEN), at(Some(5), GREEN), at(Some(4), None)], green),
    ] {
        for turn in 0..versions.len() {
            let mut versions = versions.clone();
            versions.rotate_left(turn);
            assert_eq!(member_marking(&linked(versions.clone(), vec![])), then, "{versions:?}");
        }
    }
}

#[test]
fn an_update_frees_only_where_its_time_is_later_or_that_of_the_older_is_not_known() {
    let version = |number: u8, seconds: Option<i64>, tlp| Entity {
        modified: seconds.map(Timestamp::from_seconds),
        ..marked(number, tlp)
    };
    for (older, newer, then) in [
        (version(2, Some(4), RED), version(3, None, GREEN), RED),
        (version(2, None, RED), version(3, None, GREEN), RED),
        (version(2, None, RED), version(3, Some(4), GREEN), GREEN),
        (version(2, Some(4), RED), version(3, Some(5), GREEN), GREEN),
        // The time is the same: the update says which came first, and not that it is freer.
        (version(2, Some(4), RED), version(3, Some(4), GREEN), RED),
        (version(2, Some(4), GREEN), version(3, Some(4), RED), RED),
    ] {
        let graph = linked(vec![older, newer], vec![update(3, 2)]);
        assert_eq!(member_marking(&graph).tlp, then);
    }
}

#[test]
fn copies_change_no_digest_where_they_change_no_marking() {
    let digest = |versions: Vec<Entity>| only_digest(&linked(versions, vec![]));
    let once = digest(vec![marked(2, GREEN)]);
    assert_eq!(once, digest(vec![marked(2, GREEN), marked(2, GREEN)]));
    assert_ne!(once, digest(vec![marked(2, GREEN), marked(2, RED)]));
    let part = |partly| Entity { partly, ..marked(2, GREEN) };
    assert_eq!(once, digest(vec![part(Some(Tlp::Clear))]));
    assert_ne!(once, digest(vec![part(RED)]));
    assert_ne!(digest(vec![part(RED)]), digest(vec![marked(2, RED)]));
}

#[test]
fn a_part_makes_the_whole_stricter_and_never_marked() {
    let part = |tlp, partly| Entity { partly, ..marked(2, tlp) };
    for (tlp, partly, strictest) in
        [(None, GREEN, GREEN), (GREEN, RED, RED), (RED, GREEN, RED), (None, None, None)]
    {
        let marking = member_marking(&linked(vec![part(tlp, partly)], vec![]));
        assert_eq!(marking, Marking { tlp: strictest, unmarked: tlp.is_none() });
    }
}

#[test]
fn a_link_marks_what_is_reached_through_it() {
    let link = |source, target, tlp| Relation { tlp, ..relation("x", source, target) };
    let walk = |links: Vec<Relation>| {
        let entities = vec![entity("incident", 1), marked(2, GREEN), marked(3, GREEN)];
        deep(entities, links, 2)
    };
    let paths = |graph: &Graph| -> Vec<Marking> {
        let incident = graph.incidents().next().expect("there is one");
        incident.members.iter().map(|member| member.path).collect()
    };
    let says = |tlp| Marking { tlp, unmarked: false };
    for (links, near, far) in [
        (vec![link(1, 2, None), link(2, 3, None)], None, GREEN),
        (vec![link(1, 2, RED), link(2, 3, None)], RED, RED),
        (vec![link(2, 1, RED), link(2, 3, None)], RED, RED),
        (vec![link(1, 2, None), link(2, 3, RED)], None, RED),
        (vec![link(1, 2, None), link(3, 2, RED), link(2, 3, GREEN)], None, RED),
        // Of two links all count, of one kind as well as of two.
        (vec![link(1, 2, GREEN), link(1, 2, RED), link(1, 2, None), link(2, 3, None)], RED, RED),
        (
            vec![link(1, 2, GREEN), link(2, 3, None), link(2, 3, Some(Tlp::Amber))],
            GREEN,
            Some(Tlp::Amber),
        ),
    ] {
        for links in [links.clone(), links.iter().rev().cloned().collect()] {
            assert_eq!(paths(&walk(links.clone())), [says(near), says(far)], "{links:?}");
        }
    }
    let digests = [None, GREEN, RED].map(|tlp| only_digest(&walk(vec![link(1, 2, tlp)])));
    assert!(digests[0] != digests[1] && digests[1] != digests[2]);
}

#[test]
fn a_marking_is_defined_anywhere_in_the_source_or_red() {
    let id = |name: &str| MarkingId::of(&format!("marking-definition--{name}"));
    let uses = |name: &str| {
        let mut part = facts(vec![entity("indicator", 2)], vec![relation("x", 1, 2)]);
        let mark = part.markings.named(id(name));
        let both = part.markings.together([mark, mark]).expect("there is one");
        part.markings.mark(0, both, Extent::Whole);
        let green = part.markings.colour(Tlp::Green);
        part.relations[0].mark = part.markings.together([mark, green]);
        part
    };
    let defines = |name: &str, tlp| {
        let mut part = facts(vec![entity("incident", 1)], vec![]);
        part.markings.define(id(name), tlp);
        part
    };
    let said = Said::from([(id("b"), Some(Tlp::Amber)), (id("c"), None), (id("d"), GREEN)]);
    for (used, defined, tlp, warnings) in [
        ("a", defines("a", GREEN), GREEN, vec![]),
        ("a", defines("a", None), None, vec![]),
        ("A", defines("a", RED), RED, vec![]),
        ("a", defines("b", GREEN), RED, vec!["marking-definition--a is defined nowhere"]),
        ("b", defines("x", None), Some(Tlp::Amber), vec![]),
        ("c", defines("x", None), None, vec![]),
        (
            "d",
            defines("d", RED),
            RED,
            vec!["marking-definition--d is said to be a marking of TLP green and of red"],
        ),
        ("e828b379-4e03-4974-9ac4-e53a884c97c1", defines("x", None), RED, vec![]),
    ] {
        for turned in [false, true] {
            let mut all = Facts::default();
            let (one, other) = (uses(used), defines("unused", None));
            let defined = Facts {
                markings: defined.markings.clone(),
                ..facts(vec![entity("incident", 1)], vec![])
            };
            all.extend(other);
            let parts = if turned { [one, defined] } else { [defined, one] };
            parts.into_iter().for_each(|part| all.extend(part));
            let found = all.settle(&said);
            assert_eq!(found.len(), warnings.len(), "{found:?}");
            assert!(found.iter().zip(&warnings).all(|(text, begin)| text.starts_with(begin)));
            let marked =
                all.entities.iter().find(|entity| entity.key == key(2)).expect("it is there");
            assert_eq!(marked.tlp, tlp, "{used}");
            assert_eq!(all.relations[0].tlp, tlp.max(GREEN), "{used}");
            let before = format!("{all:?}");
            assert_eq!(all.settle(&said), [""; 0]);
            assert_eq!(format!("{all:?}"), before, "settled twice");
        }
    }
}

#[test]
fn contradictions_are_told_and_of_very_many_the_first() {
    let tagged = |number: u8| Entity { tags: vec!["TLP:RED".into()], ..marked(number, GREEN) };
    let graph = graph((0..=255).map(tagged).collect(), vec![]);
    let warnings = graph.warnings();
    assert_eq!(warnings.len(), 101);
    assert!(warnings[0].starts_with("a tag of {https://eiq.example.org}indicator-"));
    assert!(warnings[0].ends_with(" says TLP red, and its marking green; taken as red"));
    assert_eq!(warnings[100], "and 156 more contradictions between markings");
}
