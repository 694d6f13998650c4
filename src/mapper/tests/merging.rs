//! Equal values, their markings and tags.

use super::*;
use crate::misp::Dated;

#[test]
fn equal_values_become_one_attribute() {
    let first = Entity {
        title: "Zeta".into(),
        observables: vec![observable("domain", "example.org")],
        start: Some(Timestamp::from_seconds(200)),
        end: Some(Timestamp::from_seconds(2_000_000)),
        tlp: Some(Tlp::Green),
        ..entity("indicator", 2)
    };
    let second = Entity {
        title: "Alpha".into(),
        observables: vec![bad("domain", " example.org ")],
        start: Some(Timestamp::from_seconds(100)),
        tlp: Some(Tlp::Amber),
        ..entity("indicator", 3)
    };
    let incident = Entity { tlp: Some(Tlp::Clear), ..entity("incident", 1) };
    let mapped = mapped(vec![first, incident, second]);
    let desired = only(&mapped);
    assert!(desired.attribute.to_ids);
    assert_eq!(&*desired.attribute.comment, "Alpha; Zeta");
    assert_eq!(desired.attribute.first_seen, Some(Timestamp::from_seconds(100)));
    assert_eq!(desired.attribute.last_seen, Some(Timestamp::from_seconds(2_000_000)));
    assert_eq!(desired.marking, Marking { tlp: Some(Tlp::Amber), unmarked: false });
    assert_eq!(desired.attribute.tags, ["tlp:amber".into()]);
    let sources: Vec<_> = desired.sources.iter().map(|source| source.entity.clone()).collect();
    assert_eq!(sources, [key(2), key(3)]);
    assert_eq!(desired.sources[1].raw.as_deref(), Some(" example.org "));
    assert_eq!((mapped.tally.mapped, mapped.tally.merged), (1, 1));
}

#[test]
fn what_was_impacted_never_detects_whoever_says_so() {
    let host = || Entity {
        observables: vec![observable("ipv4", "198.51.100.7")],
        ..entity("ipv4-addr", 3)
    };
    let indicator =
        Entity { observables: vec![bad("ipv4", "198.51.100.7")], ..entity("indicator", 2) };
    let to_ids = |kind: &str| {
        let entities = vec![entity("incident", 1), indicator.clone(), host()];
        let links = vec![relation("related-to", 1, 2), relation(kind, 1, 3)];
        let graph = Graph::build(facts(entities, links), &Aliases::default(), &Options::default());
        let mapped = map(&graph.incidents().next().unwrap(), &Rules::standard(), NOW);
        only(&mapped).attribute.to_ids
    };
    assert!(to_ids("related-to"));
    for kind in ["impacted_refs", "impacts", "host_vm_ref", "installed_software_refs"] {
        assert!(!to_ids(kind), "{kind}");
    }
}

#[test]
fn one_unmarked_source_leaves_the_attribute_unmarked() {
    let mut entities = holding(vec![bad("domain", "example.org")]);
    entities[0].tlp = Some(Tlp::Green);
    let mapped = mapped(entities);
    let marking = Marking { tlp: Some(Tlp::Green), unmarked: true };
    assert_eq!(only(&mapped).marking, marking);
    assert_eq!(mapped.event.marking, Marking::of(Some(Tlp::Green)));
    assert!(only(&mapped).attribute.tags.is_empty());
}

#[test]
fn entities_on_the_way_count_in_the_marking() {
    let held = Entity {
        observables: vec![bad("domain", "example.org")],
        tlp: Some(Tlp::Green),
        ..entity("indicator", 3)
    };
    let entities = vec![
        Entity { tlp: Some(Tlp::Clear), ..entity("incident", 1) },
        Entity { tlp: Some(Tlp::Red), ..entity("ttp", 2) },
        held,
    ];
    let links = vec![relation("x", 1, 2), relation("x", 3, 2)];
    let options = Options { depth: 2, ..Options::default() };
    let graph = Graph::build(facts(entities, links), &Aliases::default(), &options);
    let mapped = map(&graph.incidents().next().unwrap(), &Rules::standard(), NOW);
    assert_eq!(only(&mapped).marking, Marking { tlp: Some(Tlp::Red), unmarked: false });
    assert_eq!(only(&mapped).attribute.tags, ["tlp:red".into()]);
}

#[test]
fn tags_follow_the_setting() {
    let tagged = |include_tags| {
        let mut entities = holding(vec![bad("domain", "example.org")]);
        entities[0] = Entity {
            tlp: Some(Tlp::Clear),
            reliability: Some('B'),
            tags: ["ESET", "IDS", "misp-galaxy:tool=\"x\"", "TLP:Clear", "eset"]
                .map(Into::into)
                .into(),
            ..entity("incident", 1)
        };
        entities[1].tlp = Some(Tlp::Red);
        entities[1].tags = ["ESET", "c2", "IDS", "TLP:GREEN"].map(Into::into).into();
        let settings = Settings { include_tags, ..Rules::standard().settings() };
        let rules = Rules::standard().with_settings(settings);
        let mapped = mapped_via("x", entities, &rules);
        let attribute = only(&mapped).attribute.clone();
        (mapped.event.fields.tags, attribute.tags, attribute.comment)
    };
    let of_event = ["ESET", "admiralty-scale:source-reliability=\"b\"", "tlp:clear"];
    let (event, attribute, comment) = tagged(IncludeTags::Event);
    assert_eq!(event, of_event.map(Into::into));
    assert_eq!(attribute, ["tlp:red".into()]);
    assert_eq!(&*comment, "indicator 2");
    let (event, attribute, _) = tagged(IncludeTags::All);
    assert_eq!(event, of_event.map(Into::into));
    assert_eq!(attribute, ["c2".into(), "tlp:red".into()]);
    let (event, attribute, comment) = tagged(IncludeTags::None);
    assert_eq!(event, ["tlp:clear".into()]);
    assert_eq!(attribute, ["tlp:red".into()]);
    assert_eq!(&*comment, "indicator 2");
}

#[test]
fn the_day_of_an_incident_without_a_time_is_the_earliest_of_what_is_shown_with_it() {
    let member = |number: u8, tlp: Option<Tlp>, day: &str| Entity {
        start: Timestamp::parse(day).ok(),
        tlp,
        ..entity("indicator", number)
    };
    let event = |incident: Tlp| {
        let members = [
            member(2, Some(Tlp::Green), "2024-05-14"),
            member(3, None, "2024-05-12"),
            member(4, Some(Tlp::Red), "2024-05-10"),
            member(5, None, "9999-01-01"),
            member(6, None, "0001-01-01"),
        ];
        let incident = Entity { tlp: Some(incident), ..entity("incident", 1) };
        let event = mapped([vec![incident], members.into()].concat()).event;
        assert_eq!(event.dated, Dated::StandIn);
        event.fields.date.to_string()
    };
    assert_eq!(event(Tlp::Green), "2024-05-12", "the red one's day is not told");
    assert_eq!(event(Tlp::Red), "2024-05-10");
}

#[test]
fn event_fields_come_from_the_incident() {
    let event = |change: fn(&mut Entity)| {
        let mut incident = entity("incident", 1);
        change(&mut incident);
        mapped(vec![incident]).event
    };
    let plain = event(|_| {});
    assert_eq!(plain.uuid.to_string(), key(1).as_str());
    assert_eq!(&*plain.fields.info, "incident 1");
    let today = (NOW.day(), Dated::StandIn);
    assert_eq!((plain.fields.date.to_string(), plain.dated), today);
    assert_eq!((plain.fields.analysis, plain.create), (0, true));
    let folded = event(|incident| incident.title = " a \n\t b\u{1f600} ".into());
    assert_eq!(&*folded.fields.info, "a b?");
    let untitled = event(|incident| incident.title = " \n".into());
    assert_eq!(*untitled.fields.info, format!("Incident {}", key(1)));
    let dated =
        event(|incident| incident.start = Timestamp::parse("2024-05-14T23:30:00-02:00").ok());
    assert_eq!(&*dated.fields.date, "2024-05-15");
    assert_eq!(dated.dated, Dated::Itself);
    for never in ["0001-01-01", "1970-01-01T00:00:00Z", "9999-12-30", "1601-01-01", "1599-12-31"] {
        let start = Timestamp::parse(never).ok();
        let event = mapped(vec![Entity { start, ..entity("incident", 1) }]).event;
        assert_eq!((event.fields.date.to_string(), event.dated), today, "{never}");
    }
    let analysed = |status: &str, analysis: u8, create: bool| {
        let incident = Entity { status: Some(Symbol::new(status)), ..entity("incident", 1) };
        let event = mapped(vec![incident]).event;
        assert_eq!((event.fields.analysis, event.create), (analysis, create), "{status}");
    };
    analysed("New", 0, true);
    analysed("Open", 1, true);
    analysed("Containment Achieved", 1, true);
    analysed("Closed", 2, true);
    analysed("rejected", 2, false);
    analysed("Deleted", 2, false);
}

#[test]
fn a_tag_of_tlp_is_a_marking() {
    for (tlp, tag, then) in [
        (Some(Tlp::Clear), "TLP: Red", Tlp::Red),
        (Some(Tlp::Amber), "tlp:green", Tlp::Amber),
        (None, "tlp=\"amber+strict\"", Tlp::AmberStrict),
        (Some(Tlp::Green), "tlp:unclear", Tlp::Red),
    ] {
        for place in [0, 1] {
            let mut entities = holding(vec![bad("domain", "example.org")]);
            entities[1 - place].tlp = Some(Tlp::Clear);
            entities[place].tlp = tlp;
            entities[place].tags = vec![tag.into(), "red".into(), "tlp:ex:chr".into()];
            let mapped = mapped(entities);
            let marking = Marking::of(Some(then));
            assert_eq!(only(&mapped).marking, marking, "{tag}");
            let shown = if place == 0 { then } else { Tlp::Clear };
            assert_eq!(mapped.event.marking, Marking::of(Some(shown)), "{tag}");
            let tags = mapped.event.fields.tags.iter();
            let tags: Vec<_> = tags.filter_map(|tag| Tlp::of_tag(tag)).collect();
            assert_eq!(tags, [shown], "{tag}");
        }
    }
}
