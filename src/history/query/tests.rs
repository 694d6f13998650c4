//! The questions, asked of a short history.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{Change, ChangeKind, Clearance},
    model::{DestinationName, RunNumber, Tlp},
    plan::{
        BlockedReason, ExposedReason, FeedSet, KnownEvent, Presence, Publishing, Standing,
        TagStanding,
    },
};

use super::{
    testing::{MapLedger, digest, event_uuid, head, known, ledger, main_destination, uuid_of},
    *,
};

fn all() -> RunFilter {
    RunFilter::default()
}

fn only(destination: &str) -> RunFilter {
    RunFilter { destination: Some(DestinationName::new(destination)), feed: None }
}

fn number(text: &str, filter: &RunFilter) -> u64 {
    select_run(&ledger(), text, filter).unwrap_or_else(|error| panic!("{text}: {error}")).number.0
}

#[test]
fn runs_are_named_as_in_git_and_by_number() {
    for (text, wanted) in [
        ("@", 4),
        ("@-", 3),
        ("@-0", 4),
        ("@-3", 1),
        ("2", 2),
        ("aaaa1", 1),
        ("AAAA2", 2),
        ("bbbb", 4),
        ("0000", 3),
        ("00001234", 3),
    ] {
        assert_eq!(number(text, &all()), wanted, "{text}");
    }
    assert_eq!(number("@-", &only("main")), 2);
    let id = ledger().runs().unwrap()[0].id.to_string();
    assert_eq!(number(&id, &all()), 4);
}

#[test]
fn what_names_no_run_is_told_apart() {
    let ask = |text: &str| select_run(&ledger(), text, &all()).unwrap_err();
    assert!(matches!(ask("@-4"), QueryError::NoSuchRun { .. }));
    assert!(matches!(ask("9"), QueryError::NoSuchRun { .. }));
    assert!(matches!(ask("bbb"), QueryError::NoSuchRun { .. }), "too short for the start of an id");
    for text in ["", "@@", "@+", "@-x", "@--", "@--1", "latest", "aaaa-1", "@-99999999999999999999"]
    {
        assert!(matches!(ask(text), QueryError::NotARun { .. }), "{text}");
    }
    let ambiguous = ask("aaaa").to_string();
    assert!(ambiguous.contains("aaaa11000000 (run 1)"), "{ambiguous}");
    assert!(ambiguous.contains("aaaa22000000 (run 2)"), "{ambiguous}");
    let of = |destination| select_run(&ledger(), "@", &only(destination)).unwrap_err().to_string();
    let near = of("mian");
    assert!(near.contains("no run to a destination \"mian\""), "{near}");
    assert!(near.contains("did you mean \"main\"?"), "{near}");
    assert!(of("nowhere").contains("it knows those of "), "{}", of("nowhere"));
    let begun = ask("0").to_string();
    assert!(begun.contains("0 is the point before the first run"), "{begun}");
    let empty = select_run(&MapLedger::default(), "@", &all()).unwrap_err().to_string();
    assert!(empty.contains("misp-trickle sync"), "{empty}");
}

#[test]
fn log_is_newest_first_and_filtered_before_it_is_cut() {
    let numbers = |filter: &RunFilter, limit| {
        log(&ledger(), filter, limit).unwrap().iter().map(|run| run.number.0).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&all(), None), [4, 3, 2, 1]);
    assert_eq!(numbers(&only("main"), Some(2)), [4, 2]);
    assert_eq!(numbers(&only("nowhere"), None), [0; 0]);
}

#[test]
fn show_keeps_the_order_and_adds_values() {
    let ledger = ledger();
    let shown = show(&ledger, select_run(&ledger, "2", &all()).unwrap()).unwrap();
    let [event] = &shown.events[..] else { panic!("one event: {shown:?}") };
    assert_eq!(event.title.as_deref(), Some("Phishing wave"));
    let values: Vec<&str> =
        event.attributes.iter().map(|it| it.content.as_ref().unwrap().1.as_str()).collect();
    assert_eq!(
        values,
        ["new.example", "old.example", "back.example", "gone.example", "red.example"]
    );
    assert_eq!(event.attributes[1].instead.as_ref().unwrap().as_str(), "new.example");
    assert_eq!(
        event.counts().into_iter().collect::<Vec<_>>(),
        [("retired", 2), ("sent", 2), ("superseded", 1)]
    );
}

/// The net changes as (value, word).
fn net(from: &str, to: &str) -> Vec<(String, &'static str)> {
    let ledger = ledger();
    let to = select_run(&ledger, to, &all()).unwrap();
    let from = select_base(&ledger, from, &only("main")).unwrap();
    let found = diff(&ledger, &from, &to, usize::MAX).unwrap();
    let mut changes: Vec<(String, &'static str)> = found
        .events
        .iter()
        .flat_map(|event| {
            let own = event.own.iter().map(|kind| (String::new(), Phrase::from(kind).word));
            let attributes = event.attributes.iter().map(|it| {
                let value = it.content.as_ref().unwrap().1.to_string();
                (value, Phrase::from(&it.kind).word)
            });
            own.chain(attributes).collect::<Vec<_>>()
        })
        .collect();
    changes.sort();
    changes
}

fn pairs(list: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    list.iter().map(|(value, word)| ((*value).to_owned(), *word)).collect()
}

#[test]
fn diff_folds_what_was_undone() {
    let whole = pairs(&[
        ("", "sent"),
        ("", "tagged"),
        ("back.example", "sent"),
        ("bad.example", "rejected"),
        ("gone.example", "adopted"),
        ("gone.example", "retired"),
        ("new.example", "sent"),
        ("old.example", "sent"),
        ("old.example", "superseded"),
        ("red.example", "exposed"),
        ("red.example", "sent"),
    ]);
    assert_eq!(net("0", "@"), whole);
    assert_eq!(net("@-3", "@"), whole, "one step behind the oldest of three is the beginning");
    assert_eq!(
        net("1", "@"),
        pairs(&[
            ("", "tagged"),
            ("gone.example", "retired"),
            ("new.example", "sent"),
            ("old.example", "superseded"),
            ("red.example", "exposed"),
            ("red.example", "sent"),
        ])
    );
    assert_eq!(
        net("@-", "@"),
        pairs(&[("", "tagged"), ("back.example", "returned"), ("red.example", "exposed")])
    );
    assert_eq!(net("@", "@"), []);
}

#[test]
fn diff_refuses_what_makes_no_sense() {
    let ledger = ledger();
    let run = |text: &str| select_run(&ledger, text, &all()).unwrap();
    let base = |text: &str| Selected::Run(Box::new(run(text)));
    let backwards = diff(&ledger, &base("4"), &run("1"), usize::MAX).unwrap_err();
    assert!(matches!(backwards, QueryError::Backwards { from: 4, to: 1 }));
    let apart = diff(&ledger, &base("3"), &run("4"), usize::MAX).unwrap_err();
    assert!(matches!(apart, QueryError::Apart { from: 3, to: 4, .. }));
}

fn ask(text: &str) -> Why {
    why(&ledger(), &main_destination(), text, 3, Depth::Words).unwrap()
}

fn attribute(text: &str) -> (AttributeAnswer, usize) {
    let found = ask(text);
    match &found.answers[..] {
        [Answer::Attribute(it), ..] => ((**it).clone(), found.answers.len()),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn why_finds_a_value_however_it_is_written() {
    let uuid = uuid_of("old.example").to_string();
    for (text, found_by) in [
        ("old.example", FoundBy::Value),
        (" old.example ", FoundBy::Value),
        ("old[.]example", FoundBy::Value),
        ("old dot example", FoundBy::SourceValue),
        (uuid.as_str(), FoundBy::Uuid),
        ("OLD.EXAM", FoundBy::Part),
    ] {
        let (answer, count) = attribute(text);
        assert_eq!((answer.found_by, count), (found_by, 1), "{text}");
        assert_eq!(answer.known.attribute.uuid, uuid_of("old.example"));
    }
}

#[test]
fn why_tells_the_whole_story() {
    let (old, _) = attribute("old.example");
    let (by, value) = old.superseded_by.unwrap();
    assert_eq!((by, value.unwrap().as_str()), (uuid_of("new.example"), "new.example"));
    assert_eq!(
        old.history,
        [
            (RunNumber(1), ChangeKind::Sent),
            (RunNumber(2), ChangeKind::Superseded(uuid_of("new.example")))
        ]
    );
    assert_eq!(old.wanted_by, []);
    let (new, _) = attribute("new.example");
    assert_eq!(new.supersedes[0].1.as_str(), "old.example");
    assert_eq!(new.wanted_by.len(), 1);
}

#[test]
fn why_finds_an_event_by_uuid_beginning_incident_and_alias() {
    for (text, found_by) in [
        ("13cb1207-0674-4a54-a999-df5ff8e35c1a", FoundBy::Uuid),
        ("13CB1207-0674-4A54-A999-DF5FF8E35C1A", FoundBy::Uuid),
        ("incident--13cb1207-0674-4a54-a999-df5ff8e35c1a", FoundBy::Incident),
        ("5f5f5f5f-0000-4000-8000-000000000002", FoundBy::Incident),
        ("13cb1207-06", FoundBy::UuidPrefix),
        ("13CB", FoundBy::UuidPrefix),
    ] {
        let found = ask(text);
        let [Answer::Event(it)] = &found.answers[..] else { panic!("{text}: {found:?}") };
        assert_eq!((it.found_by, it.event.uuid), (found_by, event_uuid()), "{text}");
        assert_eq!(it.standings["sent"], 4);
        assert_eq!(it.history.len(), 2);
    }
}

#[test]
fn why_counts_what_it_does_not_tell() {
    let found = ask("example");
    assert_eq!((found.answers.len(), found.more), (3, 3));
    for nothing in ["unknown.example", "exa", "", "13c"] {
        let found = ask(nothing);
        assert_eq!((found.answers.len(), found.more), (0, 0), "{nothing:?}");
    }
}

#[test]
fn status_counts_each_attribute_once() {
    let found = status(&ledger(), &main_destination()).unwrap();
    assert_eq!(found.last_run.unwrap().number.0, 4);
    assert_eq!(found.events["present"], 1);
    assert_eq!(found.attributes.values().sum::<u64>(), 6);
    assert_eq!((found.retired, found.superseded, found.drifted, found.unsettled), (1, 1, 1, 0));
    let [exposure] = &found.exposed[..] else { panic!("{:?}", found.exposed) };
    assert_eq!(exposure.why, ExposedReason::MarkedLater(Tlp::Red));
    assert_eq!(exposure.attribute.as_ref().unwrap().0, uuid_of("red.example"));
}

#[test]
fn an_exposure_that_ended_is_told_no_more() {
    let mut ledger = ledger();
    let of_last = ledger.changes.values_mut().last().unwrap();
    let ended = ChangeKind::ExposureEnded("MISP shows it with its tag now".into());
    let exposed = of_last.iter().find(|change| matches!(change.kind, ChangeKind::Exposed(_)));
    let ended = Change { kind: ended, ..exposed.unwrap().clone() };
    of_last.push(ended);
    assert!(status(&ledger, &main_destination()).unwrap().exposed.is_empty());
}

/// Of one event with all that may be asked of somebody: what overview, status and `why` ask.
fn asked_of(event: KnownEvent) -> (BTreeSet<TaskKind>, bool, Vec<Remedy>) {
    let mut ledger = ledger();
    ledger.events = BTreeMap::from([((main_destination(), event.head.uuid), event)]);
    let destination = main_destination();
    let memory = &mut Memory::default();
    let overview = overview(&ledger, &destination, Clearance::ALL, memory).unwrap();
    let status = status(&ledger, &destination).unwrap();
    let asks = !status.refused_tags.is_empty() || !status.unpublished.is_empty();
    let remedies =
        why(&ledger, &destination, &event_uuid().to_string(), 50, Depth::Words).unwrap().answers;
    let remedies = remedies.into_iter().flat_map(|answer| match answer {
        Answer::Event(it) => it.remedies,
        Answer::Attribute(it) => it.remedies,
        _ => Vec::new(),
    });
    (overview.tasks.iter().map(|task| task.kind).collect(), asks, remedies.collect())
}

#[test]
fn what_nobody_wants_any_more_is_asked_of_nobody() {
    let rejected = Standing::Rejected { words: "no".into(), version: "2.5.1".into() };
    let mut exposed = known("exposed.example", Standing::Sent);
    exposed.exposed = Some(ExposedReason::MarkedLater(Tlp::Red));
    let all = [
        known("rejected.example", rejected),
        known("blocked.example", Standing::Blocked(BlockedReason::UuidTaken)),
        known("held.example", Standing::Held),
        exposed,
    ];
    let mut event = KnownEvent {
        head: head(),
        attributes: all.into_iter().map(|it| (it.attribute.uuid, it)).collect(),
    };
    let terms = digest("terms");
    event.head.tags.set("x", TagStanding::Refused { why: "no".into(), terms });
    event.head.publishing = Publishing::WaitsForRight;
    let mut foreign = event.clone();
    foreign.head.presence = Presence::Blocked(BlockedReason::EventHidden);
    let wanted = [TaskKind::Exposed, TaskKind::Rejected, TaskKind::Blocked, TaskKind::Held];
    let (tasks, asks, _) = asked_of(event.clone());
    let with = [TaskKind::TagMissing, TaskKind::Unpublished];
    assert_eq!((tasks, asks), (wanted.into_iter().chain(with).collect(), true));
    // What is exposed stands in MISP, wanted or not.
    let exposed = BTreeSet::from([TaskKind::Exposed]);
    for (mut event, event_remedy) in [(event, Remedy::Stays), (foreign, Remedy::Return)] {
        event.head.feeds.values_mut().for_each(|feed| feed.gone = true);
        for known in event.attributes.values_mut() {
            known.wanted = FeedSet::default();
        }
        let (tasks, asks, remedies) = asked_of(event);
        assert_eq!((tasks, asks), (exposed.clone(), false));
        assert!(remedies.contains(&event_remedy), "{remedies:?}");
        assert!(!remedies.contains(&Remedy::OtherKey), "{remedies:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_answered(text in "@?-?[0-9a-fA-F@\\-]{0,8}|\\PC{0,12}") {
        if let Ok(run) = select_run(&ledger(), &text, &all()) {
            let (id, digits) = (run.id.to_string(), text.to_ascii_lowercase());
            let by_number = digits.parse() == Ok(run.number.0);
            assert!(text.starts_with('@') || by_number || id.starts_with(&digits), "{text}");
        }
        let found = ask(&text);
        assert!(found.answers.len() <= 3);
    }
}
