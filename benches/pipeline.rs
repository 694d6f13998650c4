//! The core, stage by stage, in attributes per second on one core.
//!
//! `cargo bench --bench pipeline`. The dataset is made up; `decode/limit` reads the same bytes with
//! `serde_json` and keeps nothing, which no decoder can beat.

#[path = "support/dataset.rs"]
mod dataset;

use std::{collections::BTreeSet, hint::black_box, time::Duration};

use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
};

use dataset::{Size, eclecticiq};
use misp_trickle::{
    format::{self, Format},
    graph::{Aliases, Facts, Graph, Incident, Options},
    mapper::{self, Rules},
    misp::{Attribute, DesiredEvent, event_uuid},
    model::{RunNumber, Symbol, Timestamp, Tlp},
    plan::{
        self, DestinationRecord, EventSettings, EventTag, KnownEvent, Policy, Presence, Retire,
        Standing, TagStanding, Terms, Unmarked,
    },
};

const SIZE: Size = Size { incidents: 100, observables: 200 };
const NOW: i64 = 1_720_000_000;

fn facts(bytes: &[u8]) -> Facts {
    format::decode(bytes, &Symbol::new("bench"), Format::Auto).expect("the dataset is sound")
}

fn graph(bytes: &[u8]) -> Graph {
    Graph::build(facts(bytes), &Aliases::default(), &Options::default())
}

fn map(incident: &Incident<'_>, rules: &Rules) -> DesiredEvent {
    mapper::map(incident, event_uuid(incident.root), rules, Timestamp::from_seconds(NOW)).event
}

/// A group that counts attributes.
fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
) -> BenchmarkGroup<'c, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(SIZE.attributes()));
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    group
}

fn decode(criterion: &mut Criterion) {
    let bytes = eclecticiq(SIZE);
    let mut group = group(criterion, "decode");
    group.bench_function("eclecticiq", |bencher| bencher.iter(|| facts(black_box(&bytes))));
    group.bench_function("limit", |bencher| {
        bencher.iter(|| serde_json::from_slice::<serde::de::IgnoredAny>(black_box(&bytes)));
    });
    group.finish();
}

fn build(criterion: &mut Criterion) {
    let bytes = eclecticiq(SIZE);
    let mut group = group(criterion, "graph");
    group.bench_function("build", |bencher| {
        let build = |facts| Graph::build(facts, &Aliases::default(), &Options::default());
        bencher.iter_batched(|| facts(&bytes), build, BatchSize::LargeInput);
    });
    let built = graph(&bytes);
    group.bench_function("incidents", |bencher| {
        bencher.iter(|| built.incidents().map(|incident| incident.digest).collect::<Vec<_>>());
    });
    group.finish();
}

fn mapping(criterion: &mut Criterion) {
    let built = graph(&eclecticiq(SIZE));
    let incidents: Vec<_> = built.incidents().collect();
    let rules = Rules::standard();
    let events: Vec<_> = incidents.iter().map(|incident| map(incident, &rules)).collect();
    let mapped: usize = events.iter().map(|event| event.attributes.len()).sum();
    assert_eq!(mapped as u64, SIZE.attributes(), "every observable is an attribute of its own");
    let mut group = group(criterion, "map");
    group.bench_function("default_profile", |bencher| {
        bencher.iter(|| {
            let events = incidents.iter().map(|incident| map(black_box(incident), &rules));
            events.map(|event| event.attributes.len()).sum::<usize>()
        });
    });
    group.finish();
}

fn digest(criterion: &mut Criterion) {
    let rules = Rules::standard();
    let built = graph(&eclecticiq(SIZE));
    let attributes: Vec<Attribute> = built
        .incidents()
        .flat_map(|incident| map(&incident, &rules).attributes)
        .map(|desired| desired.attribute)
        .collect();
    let mut group = group(criterion, "digest");
    group.bench_function("attributes", |bencher| {
        bencher.iter(|| attributes.iter().map(Attribute::digest).max());
    });
    group.finish();
}

fn planning(criterion: &mut Criterion) {
    let rules = Rules::standard();
    let built = graph(&eclecticiq(SIZE));
    let events: Vec<DesiredEvent> =
        built.incidents().map(|incident| map(&incident, &rules)).collect();
    let policy = Policy { allow_tlp: [Tlp::Green].into(), unmarked: Unmarked::Deny };
    let settings = EventSettings::default();
    let mut destination = DestinationRecord::default();
    destination.permissions.insert("perm_tag_editor".to_owned());
    let terms = Terms {
        policy: &policy,
        settings: &settings,
        destination: &destination,
        feed: 0,
        retire: Retire::Yes,
        misp_now: NOW,
        run: RunNumber(1),
        accepted: false,
    };
    let plan = |event: &DesiredEvent, known| plan::diff(event, known, &BTreeSet::new(), &terms);
    let known: Vec<KnownEvent> =
        events.iter().map(|event| delivered(plan(event, None).event)).collect();
    let mut group = group(criterion, "plan");
    group.bench_function("all_new", |bencher| {
        bencher.iter(|| events.iter().map(|event| plan(event, None).send.len()).sum::<usize>());
    });
    group.bench_function("all_known", |bencher| {
        let compare = |known: Vec<KnownEvent>| {
            let sent = events.iter().zip(known).map(|(event, known)| plan(event, Some(known)));
            let sent: usize = sent.map(|plan| plan.send.len()).sum();
            assert_eq!(sent, 0, "nothing changed");
        };
        bencher.iter_batched(|| known.clone(), compare, BatchSize::LargeInput);
    });
    group.finish();
}

/// The event as the ledger has it once MISP confirmed all of it.
fn delivered(mut event: KnownEvent) -> KnownEvent {
    event.head.presence = Presence::Present;
    let shown = |name: &str| EventTag { name: name.into(), standing: TagStanding::Shown };
    event.head.tags = event.head.fields.tags.iter().map(|name| shown(name)).collect();
    for known in event.attributes.values_mut() {
        known.standing = Standing::Sent;
    }
    event
}

criterion_group!(benches, decode, build, mapping, digest, planning);
criterion_main!(benches);
