//! Stores of each older reader, over datasets in which only this one finds something: an upgrade alone sends nothing.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use misp_trickle::{
    agent::{self, Dataset, Ending, Observer, Phase, Progress},
    history::{Commit, Cursor, EventUpdate, Ledger},
    mapper::Rules,
    model::{Reader, Tlp},
    plan::{MappingChange, Policy},
};
use misp_trickle_testing::world::{World, wait};

const U: &str = "-0000-4000-8000-000000000000";

/// What a dataset holds that was sent, the same as only this reader reads it, and what that gives then.
struct Form {
    sent: String,
    is: String,
    new: &'static [&'static str],
}

/// Lets the store say that an older reader planned all events last, by the rules of its release.
fn as_planned_by(world: &mut World, reader: Reader) {
    let text = Rules::standard().to_toml().replacen("format = 2", "format = 1", 1);
    let rules = Rules::from_toml(&text).unwrap();
    let destination = world.job.destination.clone();
    let mut heads = world.ledger.heads(&destination).unwrap();
    for feed in heads.iter_mut().flat_map(|head| head.feeds.values_mut()) {
        (feed.reader, feed.rules) = (reader, rules.fingerprint());
    }
    let events = heads.into_iter().map(EventUpdate::of).collect();
    let rules = Some((rules.fingerprint(), text));
    let run = world.ledger.last_run().unwrap();
    let commit = Commit { events, rules, ..Commit::default() };
    world.ledger.commit(&destination, run, commit).unwrap();
}

/// The values in MISP, sorted.
fn values(world: &World) -> Vec<String> {
    let event = format!("00000001{U}").parse().unwrap();
    let all = world.misp.lock().unwrap().attributes(event);
    let mut values: Vec<String> = all.into_iter().map(|it| it.value).collect();
    values.sort();
    values
}

fn assert_held(form: &Form, reader: Reader) {
    let mut world = World::new("sync");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.json");
    fs::write(&path, &form.sent).unwrap();
    let summary = world.sync(&path);
    assert!(summary.run.tally.attributes.sent > 0, "{:?}", summary.run.notes);
    let before = values(&world);
    as_planned_by(&mut world, reader);
    fs::write(&path, &form.is).unwrap();
    for run in 0..2 {
        let requests = world.requests();
        let summary = world.sync(&path);
        let (tally, notes) = (summary.run.tally.attributes, &summary.run.notes);
        assert_eq!(world.requests(), requests, "{reader:?}, run {run}: {} {notes:?}", form.is);
        let found = (tally.sent, tally.pending, tally.exposed, tally.held);
        assert_eq!(found, (0, 0, 0, form.new.len() as u64), "{reader:?}, run {run}: {}", form.is);
        assert_eq!(values(&world), before, "{}", form.is);
    }
    world.job.mapping_change = MappingChange::Apply;
    let tally = world.sync(&path).run.tally.attributes;
    assert_eq!((tally.sent, tally.held), (form.new.len() as u64, 0), "{reader:?}: {}", form.is);
    for new in form.new {
        assert!(values(&world).contains(&(*new).to_owned()), "{new}: {:?}", values(&world));
    }
}

fn assert_all_held(forms: &[Form]) {
    for form in forms {
        for reader in [Reader::FIRST, Reader::SECOND] {
            assert_held(form, reader);
        }
    }
}

/// A bundle of an incident, an indicator that is linked to it, and more.
fn bundle(more: &str) -> String {
    let object = |kind: &str, number: u8, rest: &str| {
        format!(
            r#"{{"type":"{kind}","id":"{kind}--{number:08}{U}","created":"2024-05-14T11:00:00.000Z",{rest}}}"#
        )
    };
    let incident = object("incident", 1, r#""name":"incident 1""#);
    let indicator = object("indicator", 2, r#""pattern":"[domain-name:value = 'base.example']""#);
    let link = link("indicator", 2);
    format!(r#"{{"type":"bundle","objects":[{incident},{indicator},{link}{more}]}}"#)
}

fn link(kind: &str, number: u8) -> String {
    format!(
        r#"{{"type":"relationship","id":"relationship--{number:08}{U}","relationship_type":"related-to",
            "source_ref":"{kind}--{number:08}{U}","target_ref":"incident--00000001{U}"}}"#
    )
}

/// Two bundles that differ in what one object says beside type and id.
fn objects(kind: &str, sent: &str, is: &str, new: &'static [&'static str]) -> Form {
    let of = |rest: &str| {
        let object = format!(r#"{{"type":"{kind}","id":"{kind}--00000003{U}",{rest}}}"#);
        bundle(&format!(",{object},{}", link(kind, 3)))
    };
    Form { sent: of(sent), is: of(is), new }
}

#[test]
fn what_only_this_version_reads_of_stix_waits() {
    let observed = r#"{"type":"ipv4-addr","value":"198.51.100.4"}"#;
    let more = r#"{"type":"ipv4-addr","value":"198.51.100.5"}"#;
    let versions = |first: &str, modified: &str| {
        let version = |name: &str, modified: &str, created: &str| {
            format!(
                r#"{{"type":"indicator","id":"indicator--00000003{U}","modified":"{modified}",
                    "created":"{created}T00:00:00Z","pattern":"[domain-name:value = '{name}']"}}"#
            )
        };
        let second = version("second.example", modified, "2024-01-03");
        bundle(&format!(",{first}{second},{}", link("indicator", 3)))
    };
    let first = format!(
        r#"{{"type":"indicator","id":"indicator--00000003{U}","modified":"2024-01-02T00:00:00Z",
            "created":"2024-01-01T00:00:00Z","pattern":"[domain-name:value = 'first.example']"}},"#
    );
    let other = format!(
        r#"{{"type":"url","id":"url--00000003{U}","value":"http://six.example/"}},{}"#,
        link("url", 3)
    );
    assert_all_held(&[
        objects(
            "indicator",
            r#""pattern":"[domain-name:value = 'a.example']""#,
            r#""pattern":"[domain-name:value = 'a.example'] OR [network-traffic:dst_ref.value = '198[dot]51[dot]100[dot]2']""#,
            &["198.51.100.2"],
        ),
        objects(
            "x-misp-attribute",
            r#""x_misp_type":"domain","x_misp_value":"c2.example""#,
            r#""x_misp_type":"domain|ip","x_misp_value":"c2.example|198.51.100.3""#,
            &["198.51.100.3"],
        ),
        objects(
            "domain-name",
            r#""value":"two.example""#,
            r#""value":"one.example","value":"two.example""#,
            &["one.example"],
        ),
        objects(
            "observed-data",
            &format!(r#""objects":{{"0":{observed}}}"#),
            &format!(r#""objects":[{observed},{more}]"#),
            &["198.51.100.5"],
        ),
        Form {
            sent: versions("", "2024-01-03T00:00:00Z"),
            is: versions(&first, "soon"),
            new: &["first.example"],
        },
        Form {
            sent: bundle(""),
            is: bundle("") + &format!(r#"{{"type":"bundle","Objects":[{other}]}}"#),
            new: &["http://six.example/"],
        },
    ]);
}

/// A package of an incident and an indicator with extracts, and more.
fn package(extracts: &str, more: &str) -> String {
    let entity = |number: u8, kind: &str, rest: &str| {
        format!(
            r#"{{"id":"{number:08}{U}","data":{{"type":"{kind}","title":"{kind} {number}",
                "timestamp":"2024-05-14T11:00:00Z"}},"meta":{{}},"extracts":[{rest}]}}"#
        )
    };
    let (incident, indicator) = (entity(1, "incident", ""), entity(2, "indicator", extracts));
    let base = extract("domain", "base.example");
    let indicator = indicator.replacen('[', &format!("[{base}"), 1);
    format!(r#"{{"entities":[{incident},{indicator},{}{more}]}}"#, relation(2))
}

fn relation(number: u8) -> String {
    format!(
        r#"{{"id":"{:08}{U}","data":{{"type":"relation","key":"related_incidents",
            "source":"{number:08}{U}","target":"00000001{U}"}}}}"#,
        number + 50
    )
}

fn extract(kind: &str, value: &str) -> String {
    format!(r#"{{"kind":"{kind}","value":"{value}"}}"#)
}

#[test]
fn what_only_this_version_reads_of_eclecticiq_waits() {
    let host = extract("host", "198[dot]51[dot]100[dot]6");
    let inner = |handling: &str| {
        let extract = extract("domain", "seven.example");
        format!(
            r#"{{"id":"00000003{U}","data":{{"type":"indicator","title":"x"{handling}}},"meta":{{}},
                "extracts":[{extract}]}},{}"#,
            relation(3)
        )
    };
    let handled = inner(r#","handling":[{"x":1e400}]"#);
    assert_all_held(&[
        Form {
            sent: package("", ""),
            is: package(&format!(",{host}"), ""),
            new: &["198.51.100.6"],
        },
        Form {
            sent: package("", ""),
            is: package("", &format!(",{handled}")),
            new: &["seven.example"],
        },
        Form {
            sent: package("", ""),
            is: package("", "")
                + &format!(
                    r#"{{"content-type":"urn:eclecticiq.com:json:1.0","Entities":[{}]}}"#,
                    inner("")
                ),
            new: &["seven.example"],
        },
    ]);
}

/// Whether the cursor says who read the dataset last, or a release kept it that did not write that down.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Yes,
    No,
}

/// Lets the store say that an older reader went through the whole dataset last.
fn as_read_by(world: &mut World, reader: Reader, told: Told) {
    let (feed, destination) = (world.job.feed.clone(), world.job.destination.clone());
    let cursor = world.ledger.cursor(&feed, &destination).unwrap().unwrap();
    let reader = (told == Told::Yes).then_some(reader);
    let cursor = Some((feed, Cursor { reader, ..cursor.unsettled() }));
    let run = world.ledger.last_run().unwrap();
    world.ledger.commit(&destination, run, Commit { cursor, ..Commit::default() }).unwrap();
}

/// A bundle of whose second part, an incident with an indicator, only the third reader knows.
fn with_a_second_incident(bundle: &str) -> String {
    let second =
        self::bundle("").replace("00000001-", "00000011-").replace("\"objects\"", "\"Objects\"");
    let second = second.replace("00000002-", "00000012-").replace("base.example", "new.example");
    format!("{bundle}{second}")
}

#[test]
fn an_incident_that_only_this_version_finds_waits_where_the_feed_had_no_event() {
    for (reader, told) in
        [(Reader::FIRST, Told::Yes), (Reader::SECOND, Told::Yes), (Reader::SECOND, Told::No)]
    {
        let mut world = World::new("sync");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.json");
        let nothing = r#"{"type":"bundle","objects":[]}"#;
        fs::write(&path, nothing).unwrap();
        world.sync(&path);
        as_read_by(&mut world, reader, told);
        fs::write(&path, with_a_second_incident(nothing)).unwrap();
        for run in 0..2 {
            let requests = world.requests();
            let summary = world.sync(&path);
            let context = format!("{reader:?} {told:?}, run {run}: {:?}", summary.run.notes);
            assert_eq!(summary.run.dataset.incidents, 1, "{context}");
            assert_eq!(world.requests(), requests, "{context}");
            assert_eq!(summary.run.tally.attributes.held, 1, "{context}");
        }
        world.job.mapping_change = MappingChange::Apply;
        assert_eq!(world.sync(&path).run.tally.attributes.sent, 1, "{reader:?} {told:?}");
    }
}

/// Stops a run as soon as it begins to compare.
struct Stops<'a>(&'a AtomicBool);

impl Observer for Stops<'_> {
    fn progress(&self, progress: Progress) {
        self.0.fetch_or(progress.phase == Phase::Comparing, Ordering::SeqCst);
    }

    fn note(&self, _: &str) {}
}

/// A run that ends early may have planned known events anew: they do not say any more who read the dataset before.
#[test]
fn an_incident_that_only_this_version_finds_waits_although_the_first_run_was_cut_off() {
    for told in [Told::Yes, Told::No] {
        let mut world = World::new("sync");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.json");
        fs::write(&path, bundle("")).unwrap();
        world.sync(&path);
        as_planned_by(&mut world, Reader::SECOND);
        as_read_by(&mut world, Reader::SECOND, told);
        fs::write(&path, with_a_second_incident(&bundle(""))).unwrap();
        let interrupt = AtomicBool::new(false);
        let (dataset, observer) = (Dataset::default(), Stops(&interrupt));
        let cut_off = agent::sync_from(
            &world.job,
            &dataset,
            &mut world.ledger,
            world.wire.clone(),
            &*world.clock,
            &observer,
            &interrupt,
        );
        assert_eq!(wait(cut_off).unwrap().ending, Ending::Interrupted);
        as_planned_by(&mut world, Reader::NOW);
        let requests = world.requests();
        let tally = world.sync(&path).run.tally.attributes;
        assert_eq!((tally.sent, tally.held), (0, 1), "{told:?}");
        assert_eq!(world.requests(), requests, "{told:?}");
    }
}

/// What comes later is new, whoever would have read it.
#[test]
fn an_incident_that_comes_after_the_first_whole_run_goes_out() {
    let mut world = World::new("sync");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.json");
    fs::write(&path, bundle("")).unwrap();
    world.sync(&path);
    as_planned_by(&mut world, Reader::SECOND);
    as_read_by(&mut world, Reader::SECOND, Told::Yes);
    world.sync(&path);
    fs::write(&path, with_a_second_incident(&bundle(""))).unwrap();
    assert_eq!(world.sync(&path).run.tally.attributes.sent, 1);
}

#[test]
fn what_only_the_fourth_reader_reads_waits() {
    let sent = bundle("");
    let named = |rest: &str| {
        format!(
            r#",{{"type":"indicator","id":"indicator--00000003{U}","pattern":"[domain-name:value = 'seven.example']",{rest}}},{}"#,
            link("indicator", 3)
        )
    };
    let is = bundle(&named(r#""name":"x","name":"y""#));
    let forms = [
        Form { sent, is, new: &["seven.example"] },
        objects("autonomous-system", r#""name":"x""#, r#""number":64500.0"#, &["64500"]),
        objects("file", r#""name":"x.exe""#, r#""name":"x.exe","size":1e1"#, &["10"]),
        objects(
            "indicator",
            r#""pattern":"[domain-name:value = 'a.example']""#,
            r#""pattern":"[domain-name:value = 'a.example'] OR [network-traffic:dst_port = 443.0]""#,
            &["443"],
        ),
        Form {
            sent: package("", ""),
            is: package(r#",{"kind":"asn","value":64502.0}"#, ""),
            new: &["64502"],
        },
        Form {
            sent: package("", ""),
            is: package("", "").replacen(
                r#""title""#,
                r#""references":[" http://six.example/ ","hxxp://seven.example/ http://eight.example/"],"title""#,
                1,
            ),
            new: &["http://eight.example/", "http://seven.example/", "http://six.example/"],
        },
    ];
    for form in &forms {
        for reader in [Reader::FIRST, Reader::SECOND, Reader::THIRD] {
            assert_held(form, reader);
        }
    }
}

/// What was red to an earlier reader and is none now goes out by no upgrade.
#[test]
fn what_an_earlier_reader_took_for_a_marking_holds_until_somebody_accepts_that_it_is_none() {
    let marked = |rest: &str| {
        format!(
            r#",{{"type":"indicator","id":"indicator--00000003{U}","pattern":"[domain-name:value = 'seven.example']",{rest}}},{}"#,
            link("indicator", 3)
        )
    };
    for rest in [
        r##""x_tlp":{"id":"3","name":"tlp:green","colour":"#33FF00"}"##,
        r#""x_tlp":"green","x_tlp_version":"2.0""#,
        r#""x_benchmarking":"red""#,
    ] {
        let mut world = World::new("sync");
        let unmarked = misp_trickle::plan::Unmarked::Allow;
        world.job.policy = Policy { allow_tlp: [Tlp::Green].into(), unmarked };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.json");
        fs::write(&path, bundle("")).unwrap();
        world.sync(&path);
        as_planned_by(&mut world, Reader::THIRD);
        fs::write(&path, bundle(&marked(rest))).unwrap();
        for run in 0..2 {
            let tally = world.sync(&path).run.tally.attributes;
            assert_eq!(tally.sent, 0, "{rest}, run {run}");
            assert_eq!(values(&world), ["base.example"], "{rest}, run {run}");
        }
        world.job.mapping_change = MappingChange::Apply;
        assert_eq!(world.sync(&path).run.tally.attributes.sent, 1, "{rest}");
    }
}
