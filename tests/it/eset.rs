//! Real incidents, a day and the day after: every attribute that the rules call for is in MISP and
//! nothing else, by a reading of the dataset that shares no code with the product's.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use misp_trickle::{
    agent::{Ending, Summary},
    history::{
        Ledger,
        query::{Answer, AttributeAnswer, Depth, RunFilter, Selected, diff, log, show, why},
    },
    model::{EventUuid, RunNumber, Tlp},
    plan::{ChangeKind, KnownAttribute, Standing, Unmarked},
    sandbox::{AttributeView, EventView},
};
use misp_trickle_testing::{reading, world};
use reading::{COLOURS, Colour, Incident, Key};
use serde_json::Value as Data;
use uuid::Uuid;
use world::{World, shared};

type Incidents = BTreeMap<Uuid, Incident>;
/// What MISP holds: every event with all of its attributes.
type Contents = BTreeMap<Uuid, (EventView, Vec<AttributeView>)>;

fn contents(world: &World) -> Contents {
    let misp = world.misp.lock().unwrap();
    let events = misp.events().into_iter();
    events.map(|event| (event.uuid, (event.clone(), misp.attributes(event.uuid)))).collect()
}

/// MISP holds what the filter lets through of a reading, to the last field, and nothing else.
fn assert_holds(world: &World, incidents: &Incidents, may_go: impl Fn(&BTreeSet<Colour>) -> bool) {
    let contents = contents(world);
    let wanted: BTreeSet<&Uuid> = incidents
        .iter()
        .filter(|(_, incident)| may_go(&[incident.colour].into()))
        .map(|(uuid, _)| uuid)
        .collect();
    assert_eq!(contents.keys().collect::<BTreeSet<_>>(), wanted);
    for (uuid, (event, attributes)) in &contents {
        let incident = &incidents[uuid];
        assert_eq!(event.info, incident.info);
        assert_eq!(event.date, incident.date, "{}", event.info);
        assert_eq!(event.analysis, incident.analysis, "{}", event.info);
        assert_eq!(event.tags.iter().cloned().collect::<BTreeSet<_>>(), incident.tags);
        assert_eq!((event.distribution, event.threat_level, event.published), (0, 4, false));
        assert_eq!(event.attribute_count as usize, attributes.len());
        let there: BTreeMap<_, _> = attributes.iter().map(reading::seen).collect();
        assert_eq!(there.len(), attributes.len(), "twice the same in {}", event.info);
        let mut called = reading::shapes(incident);
        called.retain(|key, _| may_go(&incident.attributes[key].colours));
        for (key, shape) in &called {
            assert_eq!(there.get(key), Some(shape), "{key:?} in {}", event.info);
        }
        assert_eq!(there.len(), called.len(), "more than called for in {}", event.info);
    }
}

fn everything(_: &BTreeSet<Colour>) -> bool {
    true
}

fn attributes_of(incidents: &Incidents) -> usize {
    incidents.values().map(|incident| incident.attributes.len()).sum()
}

/// Both days, and a world to which the first was delivered; nothing where the data is not there.
fn delivered() -> Option<(World, PathBuf, PathBuf)> {
    let (day1, day2) = (shared("eset-day1.json")?, shared("eset-day2.json")?);
    let mut world = World::new("sync");
    assert_eq!(world.sync(&day1).ending, Ending::Done);
    Some((world, day1, day2))
}

fn known(world: &World, event: Uuid) -> BTreeMap<Key, KnownAttribute> {
    let event = world.ledger.event(&world.job.destination, EventUuid::new(event)).unwrap();
    let name = |known: &KnownAttribute| {
        (known.attribute.kind.name().to_owned(), known.attribute.value.to_string())
    };
    event.unwrap().attributes.into_values().map(|known| (name(&known), known)).collect()
}

#[test]
fn the_first_day_is_delivered_whole_and_the_second_run_asks_nothing() {
    let Some((mut world, day1, _)) = delivered() else { return };
    let incidents = reading::read(&day1);
    assert_eq!(incidents.len(), 28, "the dataset has 28 incidents");
    assert_holds(&world, &incidents, everything);
    let run = log(&world.ledger, &RunFilter::default(), None).unwrap().remove(0);
    let called = attributes_of(&incidents) as u64;
    assert!(called > 1_600);
    let tally = run.tally.attributes;
    assert_eq!((tally.planned, tally.sent), (called, called));
    assert_eq!(run.tally.events.created, 28);
    let mapping = &run.dataset.mapping;
    assert_eq!(mapping.mapped, called);
    let lost: u64 = mapping.lost.values().sum();
    assert_eq!(mapping.occurrences, mapping.mapped + mapping.merged + lost);

    let (before, requests) = (contents(&world), world.requests());
    let again = world.sync(&day1);
    assert_eq!(world.requests(), requests, "nothing changed, nothing is asked");
    assert_eq!(again.ending, Ending::Done);
    assert_eq!((again.run.tally.attributes.unchanged, again.run.tally.bytes_sent), (called, 0));
    assert_eq!(contents(&world), before);
}

/// The first day with what ESET's events do not have: times that differ, ends, overridden colours.
#[test]
fn times_ends_and_overridden_colours_are_delivered() {
    let Some(day1) = shared("eset-day1.json") else { return };
    let mut dataset: Data = serde_json::from_slice(&std::fs::read(&day1).unwrap()).unwrap();
    let entities = dataset["entities"].as_array_mut().unwrap();
    let entities = entities.iter_mut().filter(|entity| entity["data"]["type"] != "relation");
    for (place, entity) in entities.enumerate() {
        let day = place % 28 + 1;
        let start = format!("2024-03-{day:02}T10:00:00.250000+00:00");
        entity["meta"]["estimated_threat_start_time"] = start.into();
        // Over, not over yet, and over before it began.
        let end =
            ["2025-01-02T00:00:00+00:00", "2031-01-02T00:00:00+00:00", "2023-01-02T00:00:00+00:00"];
        if let Some(end) = end.get(place % 5) {
            entity["meta"]["estimated_threat_end_time"] = (*end).into();
        }
        if place % 7 == 0 {
            let colour = ["RED", "GREEN", "AMBER+STRICT", "CLEAR"][place % 4];
            entity["meta"]["tlp_color_override"] = colour.into();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.json");
    std::fs::write(&path, dataset.to_string()).unwrap();
    let mut world = World::new("sync");
    assert_eq!(world.sync(&path).ending, Ending::Done);
    assert_holds(&world, &reading::read(&path), everything);
}

#[test]
fn the_same_dataset_in_another_order_is_the_same_dataset() {
    let Some((mut world, day1, _)) = delivered() else { return };
    let mut dataset: Data = serde_json::from_slice(&std::fs::read(&day1).unwrap()).unwrap();
    dataset["entities"].as_array_mut().unwrap().reverse();
    for entity in dataset["entities"].as_array_mut().unwrap() {
        if let Some(extracts) = entity["extracts"].as_array_mut() {
            extracts.reverse();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let shuffled = folder.path().join("shuffled.json");
    let text = serde_json::to_vec_pretty(&dataset).unwrap();
    assert_ne!(text, std::fs::read(&day1).unwrap());
    std::fs::write(&shuffled, text).unwrap();

    let first = log(&world.ledger, &RunFilter::default(), None).unwrap().remove(0);
    let digests = |world: &World| -> Vec<_> {
        let heads = world.ledger.heads(&world.job.destination).unwrap();
        heads.iter().map(|head| head.feeds[&world.job.feed].graph).collect()
    };
    let (before, requests, graphs) = (contents(&world), world.requests(), digests(&world));
    let summary = world.sync(&shuffled);
    assert_eq!(digests(&world), graphs);
    assert_eq!(summary.ending, Ending::Done);
    assert_eq!(world.requests(), requests);
    assert_eq!(contents(&world), before);
    assert_eq!(summary.run.dataset, first.dataset);
    let tally = summary.run.tally.attributes;
    assert_eq!(tally.unchanged, first.tally.attributes.sent);
    assert_eq!(tally.planned, tally.unchanged);
    assert_eq!(world.ledger.changes(summary.run.number).unwrap(), []);
}

/// What the maker of the second day says that it changed.
struct Expect(Data);

impl Expect {
    fn read() -> Self {
        let path = shared("eset-day2.expect.json").unwrap();
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// Incident and attribute for each row that the rules map.
    fn rows(&self, list: &str, value: &str) -> BTreeSet<(Uuid, Key)> {
        let rows = self.0[list].as_array().unwrap().iter();
        rows.filter_map(|row| Some((uuid(&row["incident"]), attribute(row, value)?))).collect()
    }

    fn incidents(&self, list: &str) -> BTreeSet<Uuid> {
        self.0[list].as_array().unwrap().iter().map(uuid).collect()
    }

    /// Incident, old and new value for each row of which the rules map both.
    fn superseded(&self) -> Vec<(Uuid, Key, Key)> {
        let rows = self.0["superseded"].as_array().unwrap().iter();
        let pair = |row: &Data| {
            Some((uuid(&row["incident"]), attribute(row, "old")?, attribute(row, "new")?))
        };
        rows.filter_map(pair).collect()
    }
}

fn uuid(text: &Data) -> Uuid {
    text.as_str().unwrap().parse().unwrap()
}

fn attribute(row: &Data, value: &str) -> Option<Key> {
    reading::key(row["kind"].as_str().unwrap(), row[value].as_str().unwrap())
}

fn keys(contents: &Contents) -> BTreeSet<(Uuid, Key)> {
    let events = contents.iter();
    events
        .flat_map(|(uuid, (_, attributes))| {
            attributes.iter().map(|it| (*uuid, reading::seen(it).0))
        })
        .collect()
}

/// The first day delivered, then the second; what MISP held in between, and what the second run said.
fn delivered_both() -> Option<(World, Contents, Summary, Incidents)> {
    let (mut world, _, day2) = delivered()?;
    let before = contents(&world);
    let summary = world.sync(&day2);
    assert_eq!(summary.ending, Ending::Done);
    Some((world, before, summary, reading::read(&day2)))
}

#[test]
fn the_second_day_appends_what_changed_and_touches_nothing_else() {
    let Some((world, before, summary, day2)) = delivered_both() else { return };
    let (after, expect) = (contents(&world), Expect::read());

    let mut appended = expect.rows("appended", "value");
    appended.extend(expect.rows("superseded", "new"));
    appended.extend(expect.rows("new_incident_observables", "value"));
    let new: BTreeSet<_> = keys(&after).difference(&keys(&before)).cloned().collect();
    let called: BTreeSet<_> = appended.difference(&keys(&before)).cloned().collect();
    assert_eq!(new, called);
    assert!(new.len() >= 40, "the second day brings something");
    assert_eq!(summary.run.tally.attributes.sent, new.len() as u64);
    assert_eq!(summary.run.tally.events.created, 2);

    // What is new or still called for is as the second day says; the rest is as it was.
    for (event, key) in &new {
        let there = after[event].1.iter().map(reading::seen).find(|(it, _)| it == key).unwrap();
        assert_eq!(there.1, day2[event].attributes[key].shape, "{key:?}");
    }
    for (uuid, (_, attributes)) in &before {
        for attribute in attributes {
            assert!(after[uuid].1.contains(attribute), "{attribute:?}");
        }
    }
    let mut may_change: BTreeSet<Uuid> = called.iter().map(|(event, _)| *event).collect();
    may_change.extend(expect.incidents("metadata_only"));
    for (uuid, (event, attributes)) in &before {
        if !may_change.contains(uuid) {
            assert_eq!(after[uuid], (event.clone(), attributes.clone()), "{}", event.info);
        }
    }
    for uuid in expect.incidents("unchanged_incidents") {
        assert_eq!(after[&uuid], before[&uuid]);
    }
    for (uuid, incident) in &day2 {
        let event = &after[uuid].0;
        assert_eq!((&event.info, &event.date), (&incident.info, &incident.date));
        let tags: BTreeSet<String> = event.tags.iter().cloned().collect();
        assert!(incident.tags.is_subset(&tags), "{}: {:?}", event.info, incident.tags);
    }
}

#[test]
fn the_ledger_supersedes_and_retires_what_left() {
    let Some((mut world, before, summary, day2)) = delivered_both() else { return };
    let expect = Expect::read();
    let pairs = expect.superseded();
    assert!(pairs.len() >= 8);
    let (mut superseded, mut retired) = (BTreeSet::new(), BTreeSet::new());
    for event in before.keys().chain(&expect.incidents("new_incidents")) {
        for (key, known) in known(&world, *event) {
            assert_eq!(known.standing, Standing::Sent, "{key:?}: nothing of ours left MISP");
            let wanted = day2[event].attributes.contains_key(&key);
            assert_eq!(known.wanted.is_empty(), !wanted, "{key:?}");
            match known.superseded_by {
                Some(_) => superseded.insert((*event, key)),
                None if !wanted => retired.insert((*event, key)),
                None => false,
            };
        }
    }
    let olds = pairs.iter().map(|(event, old, _)| (*event, old.clone())).collect::<BTreeSet<_>>();
    assert_eq!(superseded, olds);
    assert_eq!(retired, expect.rows("retired", "value"));
    let tally = summary.run.tally.attributes;
    assert_eq!((tally.superseded, tally.retired), (olds.len() as u64, retired.len() as u64));

    for (event, old, new) in &pairs {
        let left = why_attribute(&world, *event, old);
        let came = why_attribute(&world, *event, new);
        let by = left.superseded_by.expect("it was superseded");
        assert_eq!(by.1.map(|value| value.to_string()), Some(new.1.clone()));
        assert_eq!(by.0, came.known.attribute.uuid);
        assert!(left.wanted_by.is_empty() && came.wanted_by.len() == 1);
        let supersedes: Vec<String> = came.supersedes.iter().map(|it| it.1.to_string()).collect();
        assert_eq!(supersedes, std::slice::from_ref(&old.1));
        let told = [(RunNumber(1), ChangeKind::Sent), (RunNumber(2), ChangeKind::Superseded(by.0))];
        assert_eq!(left.history, told);
        assert_eq!(came.history, [(RunNumber(2), ChangeKind::Sent)]);
    }

    // A value that comes back is in MISP already.
    let (held, requests) = (contents(&world), world.requests());
    let summary = world.sync(&shared("eset-day1.json").unwrap());
    assert_eq!(world.requests(), requests);
    for (uuid, (_, attributes)) in &held {
        assert_eq!(contents(&world)[uuid].1, *attributes);
    }
    assert_eq!(summary.run.tally.attributes.sent, 0);
    let returned = world.ledger.changes(summary.run.number).unwrap();
    let returned = returned.iter().filter(|change| change.kind == ChangeKind::Returned).count();
    assert_eq!(returned, superseded.len() + retired.len());
}

fn why_attribute(world: &World, event: Uuid, key: &Key) -> AttributeAnswer {
    let found = why(&world.ledger, &world.job.destination, &key.1, 50, Depth::Words).unwrap();
    let in_event = found.answers.into_iter().find_map(|answer| match answer {
        Answer::Attribute(it)
            if it.event.uuid.uuid() == event && it.known.attribute.kind.name() == key.0 =>
        {
            Some(*it)
        }
        _ => None,
    });
    in_event.unwrap_or_else(|| panic!("nothing is known of {key:?}"))
}

#[test]
fn the_history_tells_both_days() {
    let Some((world, before, summary, day2)) = delivered_both() else { return };
    let (after, expect) = (contents(&world), Expect::read());
    let runs = log(&world.ledger, &RunFilter::default(), None).unwrap();
    assert_eq!(runs.iter().map(|run| run.number.0).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(runs[0], summary.run);

    let first = show(&world.ledger, runs[1].clone()).unwrap();
    assert_eq!(first.events.len(), before.len());
    let sent: u64 = first.events.iter().map(|event| event.counts()["sent"]).sum();
    assert_eq!(sent as usize, keys(&before).len());

    let second = show(&world.ledger, runs[0].clone()).unwrap();
    let net = diff(&world.ledger, &Selected::Run(Box::new(runs[1].clone())), &runs[0], usize::MAX)
        .unwrap();
    let whole = diff(&world.ledger, &Selected::Beginning, &runs[0], usize::MAX).unwrap();
    let appended: BTreeSet<_> = keys(&after).difference(&keys(&before)).cloned().collect();
    let sent = |events: &[misp_trickle::history::query::EventChanges]| -> BTreeSet<(Uuid, Key)> {
        let each =
            events.iter().flat_map(|event| event.attributes.iter().map(move |it| (event, it)));
        each.filter(|(_, change)| change.kind == ChangeKind::Sent)
            .map(|(event, change)| {
                let (kind, value) = change.content.clone().unwrap();
                (event.event.uuid(), (kind.name().to_owned(), value.to_string()))
            })
            .collect()
    };
    assert_eq!(sent(&second.events), appended);
    assert_eq!(sent(&net.events), appended);
    assert_eq!(sent(&whole.events), keys(&after));
    let told: BTreeSet<Uuid> = net.events.iter().map(|event| event.event.uuid()).collect();
    assert!(told.is_disjoint(&expect.incidents("unchanged_incidents")));
    let tagged = |uuid: &&Uuid| day2[uuid].tags != before[uuid].0.tags.iter().cloned().collect();
    assert!(expect.incidents("metadata_only").iter().filter(tagged).all(|it| told.contains(it)));
    for event in &net.events {
        assert_eq!(event.title.as_deref(), Some(&*after[&event.event.uuid()].0.info));
    }
}

/// Whether a policy lets something through that comes from entities of these colours.
fn allows(colours: &[&str], unmarked: bool) -> impl Fn(&BTreeSet<Colour>) -> bool {
    let allowed: Vec<String> = colours.iter().map(|&colour| colour.to_owned()).collect();
    move |all| {
        all.iter().all(|colour| match colour {
            Some(colour) => allowed.iter().any(|name| name == COLOURS[*colour]),
            None => unmarked,
        })
    }
}

fn denied(incidents: &Incidents, may_go: impl Fn(&BTreeSet<Colour>) -> bool) -> usize {
    let attributes = incidents.values().flat_map(|incident| incident.attributes.values());
    attributes.filter(|called| !may_go(&called.colours)).count()
}

#[test]
fn what_policy_withholds_goes_out_once_policy_allows_it() {
    let Some(day1) = shared("eset-day1.json") else { return };
    let incidents = reading::read(&day1);
    let total = attributes_of(&incidents);
    let mut world = World::new("sync");
    let default: &[&str] = &["clear", "green", "amber"];
    let steps = [(default, false), (&COLOURS, false), (default, true), (&COLOURS, true)];
    let mut sent_before: Contents = Contents::new();
    for (step, (colours, unmarked)) in steps.into_iter().enumerate() {
        let may_go = allows(colours, unmarked);
        world.job.policy.allow_tlp = colours.iter().map(|it| it.parse::<Tlp>().unwrap()).collect();
        world.job.policy.unmarked = if unmarked { Unmarked::Allow } else { Unmarked::Deny };
        let summary = world.sync(&day1);
        assert_eq!(summary.ending, Ending::Done, "step {step} {:#?}", summary.run);
        let tally = summary.run.tally.attributes;
        assert_eq!(tally.planned as usize, total);
        let after = contents(&world);
        for (uuid, (event, attributes)) in &sent_before {
            let there = &after[uuid];
            assert!(attributes.iter().all(|it| there.1.contains(it)), "{}", event.info);
            if there.1.len() == attributes.len() {
                assert_eq!(there.0, *event, "nothing new, nothing touched");
            }
        }
        let new = keys(&after).len() - keys(&sent_before).len();
        assert_eq!(tally.sent as usize, new, "step {step}");
        // What went out under a wider policy stays in MISP when policy narrows.
        match step {
            0 | 1 | 3 => {
                assert_holds(&world, &incidents, &may_go);
                assert_eq!(tally.withheld as usize, denied(&incidents, &may_go), "step {step}");
                assert_eq!(tally.exposed, 0);
            }
            _ => {
                let went: BTreeSet<_> = keys(&sent_before);
                let exposed = incidents.iter().flat_map(|(uuid, incident)| {
                    incident.attributes.iter().map(move |(key, it)| ((*uuid, key.clone()), it))
                });
                let exposed =
                    exposed.filter(|(key, it)| went.contains(key) && !may_go(&it.colours)).count();
                assert_eq!(tally.exposed as usize, exposed);
            }
        }
        if step < 3 {
            assert!(tally.withheld > 0 && new > 0, "step {step} tests nothing: {tally:?}");
        }
        sent_before = after;
        let requests = world.requests();
        world.sync(&day1);
        assert_eq!(world.requests(), requests, "withheld for good: nothing to ask");
    }
    assert_eq!(keys(&sent_before).len(), total);
}
