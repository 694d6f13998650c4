//! What no incident reaches.

use super::*;

fn rest() -> Options {
    let rest = Rest { root: EntityKey::of("the rest"), title: "Rest".into(), tlp: Tlp::Green };
    Options { rest: Some(rest), ..Options::default() }
}

fn rest_members(graph: &Graph) -> Vec<EntityKey> {
    let rest = graph.incidents().last().filter(|it| it.entity.kind.as_str() == "rest");
    rest.map(|it| it.members.iter().map(|member| member.root.clone()).collect()).unwrap_or_default()
}

#[test]
fn the_rest_has_what_no_incident_reaches_here_or_elsewhere() {
    let entities =
        || vec![entity("incident", 1), entity("indicator", 2), entity("ttp", 3), entity("ttp", 4)];
    for (links, expected) in [
        (vec![], vec![2, 3, 4]),
        (vec![relation("x", 1, 2)], vec![3, 4]),
        (vec![relation("x", 3, 4)], vec![2, 3, 4]),
        (vec![relation("x", 2, 99)], vec![3, 4]),
        (vec![relation("x", 99, 2), relation("x", 2, 3)], vec![3, 4]),
        (vec![relation("x", 99, 2), relation("x", 1, 2)], vec![3, 4]),
        (vec![Relation { removed: Some(Reader::FIRST), ..relation("x", 2, 99) }], vec![2, 3, 4]),
    ] {
        let graph = Graph::build(facts(entities(), links.clone()), &Aliases::default(), &rest());
        let expected: Vec<EntityKey> = expected.into_iter().map(key).collect();
        assert_eq!(rest_members(&graph), expected, "{links:?}");
        assert_eq!(graph.incident_count(), 2);
        let ordered =
            graph.incidents_in(graph.order_by(|root| root.as_str().len())).map(|it| it.digest);
        let mut ordered: Vec<_> = ordered.collect();
        let mut all: Vec<_> = graph.incidents().map(|it| it.digest).collect();
        ordered.sort();
        all.sort();
        assert_eq!(ordered, all, "every order has it");
        let why = graph.why(&expected[0]).membership;
        assert_eq!(why, Membership::Member(vec![&EntityKey::of("the rest")]));
        let without =
            Graph::build(facts(entities(), links), &Aliases::default(), &Options::default());
        assert_eq!((without.incident_count(), without.rest_root()), (1, None));
    }
    // Two steps away from an incident elsewhere is within its reach, too, where the depth says so.
    let links = vec![relation("x", 99, 2), relation("x", 2, 3), relation("x", 3, 4)];
    let deep = Options { depth: 2, ..rest() };
    let graph = Graph::build(facts(entities(), links), &Aliases::default(), &deep);
    assert_eq!(rest_members(&graph), [key(4)]);
}

#[test]
fn an_end_outside_whose_type_is_no_incident_keeps_nothing_out() {
    let mut seen = entity("indicator", 2);
    seen.observables = vec![observable("ipv4", "198.51.100.1")];
    let to = |end: &str| Relation { target: EntityKey::of(end), ..relation("x", 2, 3) };
    let incident = "incident--not-here";
    for (ends, is_in) in [
        (&["malware--not-here"][..], true),
        (&["report--not-here"], true),
        (&["identity--not-here", "x509-certificate--not-here"], true),
        (&[incident], false),
        (&["malware--not-here", incident], false),
        (&["case-incident--not-here"], false),
        (&["x-of-tomorrow--not-here"], false),
        (&["no type at all"], false),
    ] {
        let links = ends.iter().map(|end| to(end)).collect();
        let graph = Graph::build(facts(vec![seen.clone()], links), &Aliases::default(), &rest());
        assert_eq!(!rest_members(&graph).is_empty(), is_in, "{ends:?}");
        assert_eq!(graph.warnings().is_empty(), is_in, "what stays out is told");
        assert_eq!(graph.unlinked().count(), usize::from(!is_in), "and counted");
    }
    let reports = Options { roots: vec!["incident".into(), "report".into()], ..rest() };
    let links = vec![to("report--not-here")];
    let graph = Graph::build(facts(vec![seen], links), &Aliases::default(), &reports);
    assert!(rest_members(&graph).is_empty(), "a report is an incident there");
}

#[test]
fn nothing_is_no_rest_and_an_incident_that_was_taken_back_gives_it_nothing() {
    let gone = Entity { removed: true, ..entity("incident", 1) };
    let links = vec![relation("x", 1, 2)];
    let alone = facts(vec![gone, entity("indicator", 2)], links);
    let graph = Graph::build(alone, &Aliases::default(), &rest());
    assert_eq!((graph.incident_count(), graph.rest_root()), (0, None));
}
