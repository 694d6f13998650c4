//! What an attribute takes on disk, and how long the ledger takes. Times are printed, not asserted: a
//! busy machine is no defect.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    history::{
        Change, ChangeKind, Commit, EventUpdate, KnownLoss, Ledger, Loss, LossOf, LossPlace,
        PlaceLosses, RunRecord,
        query::{Depth, why},
    },
    misp::{Attribute, AttributeType, Category, Source, Value, attribute_uuid},
    model::{DestinationName, EntityKey, EventUuid, FeedName, Marking, RunNumber, Symbol, Tlp},
    plan::{DestinationRecord, EventHead, FeedSet, KnownAttribute, Said, Standing},
};

use super::{
    super::{Kind, OpenMode, Store},
    folder::{open, owner},
    script::{Dice, head, run},
};

/// Whether attributes share their source and comment, or each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    Shared,
    OwnEach,
}

fn sha256(dice: &mut Dice, event: EventUuid, sources: Sources) -> KnownAttribute {
    let kind = AttributeType::named("sha256").unwrap();
    let value: String = (0..4).map(|_| format!("{:016x}", dice.number())).collect();
    let value = Value::stored(&value);
    let entity = match sources {
        Sources::Shared => Uuid::from_u64_pair(1, 2),
        Sources::OwnEach => Uuid::from_u64_pair(dice.number(), dice.number()),
    };
    KnownAttribute {
        attribute: Attribute {
            uuid: attribute_uuid(event, kind, &value),
            kind,
            category: Category::named("Payload delivery").unwrap(),
            value,
            to_ids: true,
            comment: match sources {
                Sources::Shared => "Campaign".into(),
                Sources::OwnEach => format!("Sample {}", dice.below(1_000_000)).into(),
            },
            first_seen: None,
            last_seen: None,
            tags: Vec::new(),
        },
        marking: Marking::of(Some(Tlp::Green)),
        said: Said::default(),
        sources: vec![Source {
            entity: EntityKey::of(&entity.to_string()),
            kind: Symbol::new("hash-sha256"),
            rule: Symbol::new("observable.hash"),
            raw: None,
        }],
        standing: Standing::Pending,
        wanted: FeedSet(1),
        superseded_by: None,
        overruled: false,
        noted: None,
        exposed: None,
        timestamp: Some(1_700_000_000),
        order: None,
        since: RunNumber(1),
    }
}

fn destination() -> DestinationName {
    DestinationName::new("main")
}

fn plain_head(event: EventUuid) -> EventHead {
    let mut dice = Dice(event.uuid().as_u64_pair().1);
    EventHead { foreign: Vec::new(), ..head(&mut dice, event) }
}

/// A first push as it goes: in each commit the outcome of one chunk and the intent of the next.
fn push(store: &mut Store, event: EventUuid, attributes: &[KnownAttribute]) -> Vec<Duration> {
    let (mut sent, mut times) = (Vec::<KnownAttribute>::new(), Vec::new());
    let mut chunks: Vec<Vec<KnownAttribute>> =
        attributes.chunks(1000).map(<[KnownAttribute]>::to_vec).collect();
    chunks.push(Vec::new());
    for (order, next) in chunks.into_iter().enumerate() {
        let changes = sent.iter().map(|known| Change {
            event,
            attribute: Some(known.attribute.uuid),
            kind: ChangeKind::Sent,
        });
        let changes = changes.collect();
        let attributes = [sent, next.clone()].concat();
        let events = vec![EventUpdate { head: plain_head(event), attributes, changes }];
        let begun = Instant::now();
        let commit = Commit { events, ..Commit::default() };
        store.commit(&destination(), RunNumber(1), commit).unwrap();
        times.push(begun.elapsed());
        sent = next;
        for (place, known) in (order * 1000..).zip(&mut sent) {
            known.standing = Standing::Sent;
            known.order = u32::try_from(place).ok();
        }
    }
    times
}

fn pushed(count: u64, events: u64, sources: Sources) -> (tempfile::TempDir, Vec<Duration>) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("state"), owner(1)).unwrap();
    let mut dice = Dice(3);
    let first = run(&mut dice, RunNumber(1), &destination());
    let commit = Commit { run: Some(first), ..Commit::default() };
    store.commit(&destination(), RunNumber(1), commit).unwrap();
    let mut times = Vec::new();
    for event in 0..events {
        let event = EventUuid::new(Uuid::from_u64_pair(event << 40, 1));
        let mut attributes: Vec<KnownAttribute> =
            (0..count / events).map(|_| sha256(&mut dice, event, sources)).collect();
        attributes.sort_by_key(|known| known.attribute.uuid);
        times.extend(push(&mut store, event, &attributes));
    }
    (folder, times)
}

/// Bytes per attribute: what the engine was given, and what its files take.
fn bytes_per_attribute(folder: &tempfile::TempDir, count: u64) -> (u64, u64) {
    let store = open(&folder.path().join("state")).unwrap();
    let stats = store.stats().unwrap();
    for (kind, stats) in &stats.kinds {
        println!("  {}: {} records, {} bytes", kind.name(), stats.records, stats.bytes);
    }
    println!("  on disk: {} bytes, {} each", stats.bytes_on_disk, stats.bytes_on_disk / count);
    let given: u64 = stats.kinds.values().map(|stats| stats.bytes).sum();
    (given / count, stats.bytes_on_disk / count)
}

/// The budget is 200 bytes on disk, 12 of them for the index. The engine frees space when it has time, so the bound on its files is
/// wide here; what it is given is exact.
#[test]
fn an_attribute_takes_little_on_disk() {
    let (folder, _) = pushed(20_000, 1, Sources::Shared);
    let (given, on_disk) = bytes_per_attribute(&folder, 20_000);
    assert!(given < 70, "{given}");
    assert!(on_disk < 400, "{on_disk}");
}

#[test]
fn a_change_to_one_attribute_rewrites_one_bucket() {
    let (folder, _) = pushed(20_000, 1, Sources::Shared);
    let mut store = open(&folder.path().join("state")).unwrap();
    let before = store.stats().unwrap();
    let event = EventUuid::new(Uuid::from_u64_pair(0, 1));
    let mut known = store.event(&destination(), event).unwrap().unwrap();
    assert_eq!(known.attributes.len(), 20_000);
    let (_, mut changed) = known.attributes.pop_first().unwrap();
    changed.overruled = true;
    let mut overlay = store.read();
    let key = crate::store::record::keys::head(&destination(), event);
    let update = EventUpdate { attributes: vec![changed], ..EventUpdate::of(known.head) };
    crate::store::event::layout::put(&mut overlay, key, update).unwrap();
    let writes = overlay.into_writes();
    let objects = writes.keys().filter(|key| Kind::of(key) == Some(Kind::Object));
    assert!(objects.count() <= 6, "a bucket and an index node, each old and new");
    let bytes: usize = writes.values().flatten().map(Vec::len).sum();
    assert!(bytes < 20_000, "{bytes}");
    store.write(writes).unwrap();
    let after = store.stats().unwrap();
    assert_eq!(after.kinds[&Kind::Object].records, before.kinds[&Kind::Object].records);
}

/// `cargo test --lib --config profile.dev.opt-level=3 budgets -- --ignored --nocapture`
#[test]
#[ignore = "prints numbers for a person to read; takes a minute"]
fn budgets() {
    for (count, events, sources) in [
        (100_000, 1, Sources::Shared),
        (100_000, 1, Sources::OwnEach),
        (200_000, 200, Sources::OwnEach),
        (1_000_000, 10, Sources::Shared),
    ] {
        println!("{count} attributes in {events} events, sources {sources:?}");
        let (folder, mut times) = pushed(count, events, sources);
        let path = folder.path().join("state");
        times.sort();
        println!("  commit of 1000: median {:?}, worst {:?}", times[times.len() / 2], times.last());
        bytes_per_attribute(&folder, count);
        for what in ["again", "a third time"] {
            let begun = Instant::now();
            let store = Store::open(&path, OpenMode::ReadOnly, owner(1), Duration::ZERO).unwrap();
            println!("  opened {what}: {:?}", begun.elapsed());
            let event = EventUuid::new(Uuid::from_u64_pair(0, 1));
            let begun = Instant::now();
            let known = store.event(&destination(), event).unwrap().unwrap();
            println!("  {} attributes read: {:?}", known.attributes.len(), begun.elapsed());
            let begun = Instant::now();
            drop(store);
            println!("  closed: {:?}", begun.elapsed());
        }
    }
}

/// See [`budgets`]: `why` in a store of a million attributes and ten thousand runs, with as many losses as a large
/// dataset has.
#[test]
#[ignore = "prints numbers for a person to read; takes minutes"]
fn why_budget() {
    let scale = std::env::var("WHY_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let (events, each, runs, losses) = (100 * scale, 100, 100 * scale, 2_000 * scale);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = Store::create(&path, owner(1)).unwrap();
    let mut dice = Dice(5);
    let known = DestinationRecord { feeds: vec![FeedName::new("main")], ..Default::default() };
    let commit = Commit { destination: Some(known), ..Commit::default() };
    store.commit(&destination(), RunNumber(1), commit).unwrap();
    let uuid = |number: u64| EventUuid::new(Uuid::from_u64_pair(1 << 40 | number, 1));
    let mut last = None;
    let begun = Instant::now();
    for number in 0..events {
        let event = uuid(number);
        let attributes: Vec<KnownAttribute> =
            (0..each).map(|_| sha256(&mut dice, event, Sources::OwnEach)).collect();
        last = attributes.last().cloned();
        let changes = attributes.iter().map(|known| {
            let attribute = Some(known.attribute.uuid);
            Change { event, attribute, kind: ChangeKind::Sent }
        });
        let changes = changes.collect();
        let events = vec![EventUpdate { head: plain_head(event), attributes, changes }];
        let commit = Commit { events, ..Commit::default() };
        store.commit(&destination(), RunNumber(1), commit).unwrap();
    }
    println!("{events} events of {each} attributes written: {:?}", begun.elapsed());
    let begun = Instant::now();
    for number in 1..=runs {
        let number = RunNumber(number);
        let record = RunRecord { notes: Vec::new(), ..run(&mut dice, number, &destination()) };
        let event = uuid(number.0 % events);
        let changes = vec![Change { event, attribute: None, kind: ChangeKind::Published }];
        let update = EventUpdate { changes, ..EventUpdate::of(plain_head(event)) };
        let commit = Commit { events: vec![update], run: Some(record), ..Commit::default() };
        store.commit(&destination(), number, commit).unwrap();
    }
    println!("{runs} runs written: {:?}", begun.elapsed());
    let before: u64 = store.stats().unwrap().kinds.values().map(|kind| kind.bytes).sum();
    let mut buckets = BTreeMap::<LossPlace, PlaceLosses>::new();
    for number in 0..losses {
        let value = format!("{}.lost-{number}.example", dice.below(1_000_000));
        let loss = Loss {
            entity: EntityKey::of(&Uuid::from_u64_pair(8, dice.number()).to_string()),
            kind: Symbol::new("domain"),
            value: value.as_str().into(),
            reason: Symbol::new("not_linked"),
            detail: None,
            rule: None,
        };
        let place = LossPlace { feed: 0, of: LossOf::unlinked(&loss.entity, &value) };
        buckets.entry(place).or_default().known.push(KnownLoss {
            loss,
            since: RunNumber(1),
            until: None,
            ended: None,
        });
    }
    let some = buckets.values().next().unwrap().known[0].loss.value.clone();
    buckets.values_mut().for_each(|it| it.known.sort_by(|one, next| one.loss.cmp(&next.loss)));
    let begun = Instant::now();
    let mut all = buckets.into_iter().peekable();
    while all.peek().is_some() {
        let losses = all.by_ref().take(300).collect();
        let commit = Commit { losses, ..Commit::default() };
        store.commit(&destination(), RunNumber(1), commit).unwrap();
    }
    println!("{losses} losses written: {:?}", begun.elapsed());
    let after: u64 = store.stats().unwrap().kinds.values().map(|kind| kind.bytes).sum();
    println!("  {} bytes each, the index among them", (after - before) / losses);
    drop(store);
    println!("{events} events, {runs} runs:");
    bytes_per_attribute(&folder, events * each);
    let store = open(&path).unwrap();
    let last = last.unwrap();
    let uuid = last.attribute.uuid.to_string();
    let value = last.attribute.value.as_str();
    let entity = last.sources[0].entity.to_string();
    let (lost, begin) = (some.split('.').nth(1).unwrap(), &value[..16]);
    let nothing = ["nothing.example.org", "Nothing happened", "0123456789ab"];
    for text in [value, &uuid, &entity, &some, begin, lost].into_iter().chain(nothing) {
        for what in ["first", "again"] {
            let begun = Instant::now();
            let found = why(&store, &destination(), text, 20, Depth::Words).unwrap();
            println!("  {what} {text}: {} found, {:?}", found.answers.len(), begun.elapsed());
            assert_eq!(found.answers.len(), usize::from(!nothing.contains(&text)));
        }
    }
}

/// See [`budgets`].
#[test]
#[ignore = "prints numbers for a person to read"]
fn heads_budget() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("state"), owner(1)).unwrap();
    let uuids = (0..3000).map(|n| EventUuid::new(Uuid::from_u64_pair(n << 40, 1)));
    let update = |uuid| EventUpdate::of(plain_head(uuid));
    let commit = Commit { events: uuids.map(update).collect(), ..Commit::default() };
    let begun = Instant::now();
    store.commit(&destination(), RunNumber(1), commit).unwrap();
    println!("3000 heads written: {:?}", begun.elapsed());
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(store.heads(&destination()).unwrap().len(), 3000);
        println!("3000 heads read: {:?}", begun.elapsed());
    }
}

/// See [`budgets`].
#[test]
#[ignore = "prints numbers for a person to read"]
fn aliases_budget() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("state"), owner(1)).unwrap();
    let mut dice = Dice(1);
    let mut entity =
        || EntityKey::of(&Uuid::from_u64_pair(dice.number(), dice.number()).to_string());
    let aliases = (0..100_000).map(|_| (entity(), entity())).collect();
    let begun = Instant::now();
    let commit = Commit { aliases, ..Commit::default() };
    store.commit(&destination(), RunNumber(1), commit).unwrap();
    println!("100000 aliases written: {:?}", begun.elapsed());
    println!("  on disk: {} bytes", store.stats().unwrap().bytes_on_disk);
    let begun = Instant::now();
    assert_eq!(store.aliases().unwrap().len(), 100_000);
    println!("100000 aliases read: {:?}", begun.elapsed());
}
