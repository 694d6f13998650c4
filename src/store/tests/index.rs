//! The index leads to all that reading everything finds, and a store without one gets it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    history::{
        Commit, EventUpdate, Leads, Ledger, LedgerError, LossOf, LossPlace, RunRecord, Term,
        query::{Answer, Depth, FoundBy, testing::known, why},
    },
    misp::attribute_uuid,
    model::{DestinationName, EventUuid, RunNumber},
    plan::{DestinationRecord, EventHead, Standing},
    store::{
        Disk, Engine, Fault, MemoryEngine, Pair, RepairMode, Repaired, Store, Visitor,
        engine::Writes,
        index::Postings,
        record::{
            decode_page, encode_page,
            envelope::{Form, encode, seal, unseal},
            keys::{self, IndexOf, Kind},
        },
    },
};

use super::{
    folder::{open, owner},
    script::{Dice, commit, destinations, events, head},
};

/// A store after so many random commits, all of them to one destination.
fn built(commits: u64) -> (Disk, Store) {
    let disk = Disk::default();
    let mut store = Store::over(Box::new(MemoryEngine::on(disk.clone()))).unwrap();
    for step in 0..commits {
        let (_, run, mut commit) = commit(&mut Dice(step), store.last_run().unwrap());
        commit.run = commit.run.map(|record| RunRecord { destination: name(), ..record });
        store.commit(&name(), run, commit).unwrap();
    }
    (disk, store)
}

fn name() -> DestinationName {
    destinations()[0].clone()
}

/// Every term of what a store holds leads there, and so do events to their changes.
fn assert_complete(store: &Store) {
    let leads = |term: u32| store.find(&name(), &[term]).unwrap().expect("there is an index");
    let words = |word| store.find_words(&name(), &[word]).unwrap().expect("there is an index");
    let (mut terms, mut parts) = (0, 0);
    for head in store.heads(&name()).unwrap() {
        let event = store.event(&name(), head.uuid).unwrap().unwrap();
        let mut all = Leads::default();
        event.attributes.values().for_each(|known| all.attribute(known));
        all.head(&head);
        for term in all.whole {
            assert!(leads(term).events.contains(&head.uuid), "{}", head.uuid);
            terms += 1;
        }
        for part in all.parts {
            assert!(words(part).events.contains(&head.uuid), "{}", head.uuid);
            parts += 1;
        }
    }
    for place in (0..2).flat_map(|feed| store.loss_places(&name(), feed).unwrap()) {
        for known in store.losses(&name(), &place).unwrap().known {
            let mut all = Leads::default();
            all.loss(&known.loss);
            for term in all.whole {
                assert!(leads_to(&leads(term), &place), "{place:?}");
                terms += 1;
            }
            for part in all.parts {
                assert!(leads_to(&words(part), &place), "{place:?}");
                parts += 1;
            }
        }
    }
    assert!(terms > 1_000 && parts > 1_000, "{terms} {parts}");
    let aliases = store.aliases().unwrap();
    assert!(aliases.len() > 2, "{}", aliases.len());
    for (alias, root) in &aliases {
        assert_eq!(store.aliases_of(alias).unwrap().get(alias), Some(root));
        let named = store.aliases_of(&alias.bare()).unwrap();
        assert_eq!(named.get(alias), Some(root), "a UUID alone may be any of its types");
    }
    let asked: BTreeSet<EventUuid> = events().into_iter().take(2).collect();
    let mut read = Vec::new();
    for run in store.runs().unwrap().iter().rev() {
        let changes = store.changes(run.number).unwrap().into_iter();
        let changes = changes.filter(|change| asked.contains(&change.event));
        read.extend(changes.map(|change| (run.number, change)));
    }
    assert!(read.len() > 100, "{}", read.len());
    assert!(store.changes_of(&name(), &asked).unwrap() == read);
}

fn leads_to(found: &crate::history::Found, place: &LossPlace) -> bool {
    match place.of {
        LossOf::Event(event) => found.events.contains(&event),
        LossOf::Unlinked(_) => found.losses.contains(place),
    }
}

#[test]
fn every_term_leads_to_what_has_it() {
    let (_, store) = built(60);
    assert_complete(&store);
    assert_eq!(store.check().unwrap().problems, []);
}

#[test]
fn a_store_without_an_index_gets_one_when_it_is_opened_to_be_written_to() {
    let (disk, mut store) = built(60);
    let mut pages = Vec::new();
    let scanned = store.engine.scan(Kind::Index.prefix(), &mut |key, _| {
        pages.push(key.to_vec());
        Ok(())
    });
    scanned.unwrap();
    assert!(pages.len() > 3, "{}", pages.len());
    // As in a store of an earlier release, but for what is left of an index that was cut off.
    store.counters = store.counters.with_index(false);
    store.write(Writes::from([(pages[1].clone(), None)])).unwrap();
    assert_eq!(store.find(&name(), &[7]).unwrap(), None, "all is read instead");
    drop(store);
    let store = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
    assert_complete(&store);
    assert_eq!(store.check().unwrap().problems, []);
}

/// As in a store of before, of which the index was made otherwise: whoever takes that for whole has to be told at once.
#[test]
fn an_index_is_none_as_soon_as_the_first_of_it_is_taken_away() {
    let (disk, store) = built(60);
    let mut old = encode(&store.counters).unwrap();
    (old.version, *old.bytes.last_mut().unwrap()) = (2, 1);
    drop(store);
    let old = seal(keys::COUNTERS, old.version, Form::Plain, &old.bytes);
    disk.spoil(keys::COUNTERS, Some(old));
    for commits in 1..4 {
        let engine = MemoryEngine::on(disk.clone()).failing_after(commits, Fault::NothingKept);
        drop(Store::over(Box::new(engine)).unwrap_err());
        let value = disk.value(keys::COUNTERS).unwrap();
        let payload = unseal(keys::COUNTERS, &value).unwrap().payload;
        assert_eq!(payload.last(), Some(&0), "after {commits} commits");
    }
    let store = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
    assert_complete(&store);
    assert_eq!(store.check().unwrap().problems, []);
}

/// A memory that counts the records of the index that are read.
struct Counting {
    memory: MemoryEngine,
    read: Arc<AtomicUsize>,
}

impl Counting {
    fn count(&self, key: &[u8]) {
        let is_page = Kind::of(key) == Some(Kind::Index);
        self.read.fetch_add(usize::from(is_page), Ordering::Relaxed);
    }
}

impl Engine for Counting {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        self.count(key);
        self.memory.get(key)
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        self.memory.scan(prefix, &mut |key, value| {
            self.count(key);
            visit(key, value)
        })
    }

    fn page(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Vec<Pair>, LedgerError> {
        let page = self.memory.page(prefix, after, max)?;
        page.iter().for_each(|(key, _)| self.count(key));
        Ok(page)
    }

    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        self.memory.last_key(prefix)
    }

    fn commit(&mut self, writes: &Writes) -> Result<(), LedgerError> {
        self.memory.commit(writes)
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        self.memory.bytes_on_disk()
    }
}

/// A store whose index has so many steps of postings, a hundred of each event, and how many of its records a look-up reads at
/// most; and how many there are.
fn records_read(steps: u64) -> (usize, usize) {
    const EACH: u64 = 10_000;
    let (disk, read) = (Disk::default(), Arc::new(AtomicUsize::new(0)));
    let engine = Counting { memory: MemoryEngine::on(disk.clone()), read: read.clone() };
    let mut store = Store::over(Box::new(engine)).unwrap();
    let term = |number: u64| Term::Number(number).fingerprint();
    let everywhere = Term::Value("everywhere").fingerprint();
    for step in 0..steps {
        let mut postings = Postings::default();
        for number in step * EACH..(step + 1) * EACH {
            let whole = vec![term(number), everywhere];
            postings.event(uuid_of(number / 100), Leads { whole, parts: Vec::new() });
        }
        store.put_postings(postings, &name()).unwrap();
    }
    let mut most = 0;
    for number in (0..steps * EACH).step_by(997) {
        let before = read.load(Ordering::Relaxed);
        let found = store.find(&name(), &[term(number)]).unwrap().unwrap();
        assert!(found.events.contains(&uuid_of(number / 100)), "{number}");
        assert!(found.events.len() < 5, "{}", found.events.len());
        most = most.max(read.load(Ordering::Relaxed) - before);
    }
    let found = store.find(&name(), &[everywhere]).unwrap().unwrap();
    assert_eq!(found.events.len() as u64, steps * EACH / 100, "what is everywhere is found so");
    assert!(found.events.iter().all(|event| event.uuid().as_u64_pair().1 < steps * EACH / 100));
    let records = disk.keys().into_iter().filter(|key| Kind::of(key) == Some(Kind::Index));
    (most, records.count())
}

#[test]
fn a_look_up_reads_a_few_pages_however_many_there_are() {
    let ((small, few), (large, many)) = (records_read(3), records_read(30));
    assert!(many > 8 * few, "{few} {many}");
    assert!(small <= 80 && large <= 80, "{small} of {few}, {large} of {many}");
}

/// The keys of the pages of a part of the index.
fn pages(store: &Store, of: IndexOf) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    let scanned = store.engine.scan(Kind::Index.prefix(), &mut |key, _| {
        pages.extend(keys::index_names(key).filter(|it| it.1 == of).map(|_| key.to_vec()));
        Ok(())
    });
    scanned.unwrap();
    pages
}

fn nothing_under(key: &[u8]) -> Vec<u8> {
    let body = encode_page(&BTreeSet::new()).unwrap();
    seal(key, body.version, Form::Plain, &body.bytes)
}

#[test]
fn check_tells_what_the_index_lacks() {
    let (disk, store) = built(60);
    for of in [IndexOf::Terms, IndexOf::Words, IndexOf::Changes, IndexOf::Aliases] {
        let key = pages(&store, of).swap_remove(0);
        let whole = disk.value(&key);
        disk.spoil(&key, Some(nothing_under(&key)));
        let problems = store.check().unwrap().problems;
        let [problem] = &problems[..] else { panic!("{of:?}: {problems:?}") };
        let told = problem.to_string();
        let cure = "entries of the index are missing, so `why` may not find what is there; \
                    `misp-trickle repair` has it made anew";
        assert!(told.starts_with("x/") && told.ends_with(cure), "{told}");
        disk.spoil(&key, whole);
        assert_eq!(store.check().unwrap().problems, []);
    }
}

#[test]
fn one_entry_of_the_index_is_missed() {
    let store = with_three();
    let key = pages(&store, IndexOf::Terms).swap_remove(0);
    let page = decode_page(&store.read().record(&key).unwrap().unwrap()).unwrap();
    let mut store = store;
    for gone in &page {
        let rest = page.iter().copied().filter(|posting| posting != gone).collect();
        let mut overlay = store.read();
        overlay.put_record(key.clone(), &encode_page(&rest).unwrap()).unwrap();
        let writes = overlay.into_writes();
        store.write(writes).unwrap();
        let problems = store.check().unwrap().problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        let told = format!("1 of {} entries", page.len());
        assert!(problems[0].what.starts_with(&told), "{problems:?}");
    }
}

#[test]
fn a_repair_has_an_index_made_anew_that_lacks_something() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = Store::create(&path, owner(1)).unwrap();
    for step in 0..60 {
        let (_, run, mut commit) = commit(&mut Dice(step), store.last_run().unwrap());
        commit.run = commit.run.map(|record| RunRecord { destination: name(), ..record });
        store.commit(&name(), run, commit).unwrap();
    }
    let key = pages(&store, IndexOf::Terms).swap_remove(0);
    store.write(Writes::from([(key.clone(), Some(nothing_under(&key)))])).unwrap();
    assert_eq!(store.check().unwrap().problems.len(), 1);
    drop(store);
    let report = Store::repair(&path, owner(1), Duration::ZERO, RepairMode::InPlace).unwrap();
    assert!(matches!(report.repaired, Repaired::Salvaged { .. }), "{report:?}");
    assert_eq!((report.lost, report.events), (vec![], vec![]));
    let store = open(&path).unwrap();
    assert_eq!(store.check().unwrap().problems, []);
    assert_complete(&store);
}

#[test]
fn a_repair_lists_no_page_of_the_index_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = Store::create(&path, owner(1)).unwrap();
    for step in 0..60 {
        let (_, run, mut commit) = commit(&mut Dice(step), store.last_run().unwrap());
        commit.run = commit.run.map(|record| RunRecord { destination: name(), ..record });
        store.commit(&name(), run, commit).unwrap();
    }
    let pages = pages(&store, IndexOf::Terms);
    let [earlier, damaged, ..] = &pages[..] else { panic!("{}", pages.len()) };
    let lost = keys::run(store.last_run().unwrap());
    // As in a store of an earlier release, of which a run cannot be read.
    store.counters = store.counters.with_index(false);
    let of_before = seal(earlier, 1, Form::Plain, &encode_page(&BTreeSet::new()).unwrap().bytes);
    let spoilt = Writes::from([
        (earlier.clone(), Some(of_before)),
        (damaged.clone(), Some(b"not what it was".to_vec())),
        (lost.clone(), Some(b"xx".to_vec())),
    ]);
    store.write(spoilt).unwrap();
    drop(store);
    let report = Store::repair(&path, owner(1), Duration::ZERO, RepairMode::InPlace).unwrap();
    let places: BTreeSet<&str> = report.lost.iter().map(|problem| &*problem.place).collect();
    assert_eq!(places, BTreeSet::from([&*keys::shown(&lost)]));
    assert_eq!(open(&path).unwrap().check().unwrap().problems, []);
}

#[test]
fn of_a_long_title_the_first_words_lead_to_it() {
    let (_, mut store) = built(0);
    let mut head = EventHead { foreign: Vec::new(), ..head(&mut Dice(1), uuid_of(1)) };
    let words: Vec<String> = (0..70).map(|number| format!("{number:02}word")).collect();
    head.fields.info = words.join(" ").into();
    let commit = Commit { events: vec![EventUpdate::of(head)], ..Commit::default() };
    store.commit(&name(), RunNumber(1), commit).unwrap();
    let found = |text: &str, depth| why(&store, &name(), text, 9, depth).unwrap().answers.len();
    assert_eq!((found("63word", Depth::Words), found("64word", Depth::Words)), (1, 0));
    assert_eq!(found("64word", Depth::Letters), 1, "whoever reads everything finds it");
}

/// A store with some events, the last of which cannot be read: whoever reads everything fails.
fn with_one_that_cannot_be_read() -> Store {
    let (disk, mut store) = built(0);
    let before = three_events(&disk, &mut store);
    let of_last = disk.keys().into_iter().filter(|key| !before.contains(key));
    let objects = of_last.filter(|key| Kind::of(key) == Some(Kind::Object));
    objects.for_each(|key| disk.spoil(&key, None));
    store
}

fn with_three() -> Store {
    let (disk, mut store) = built(0);
    three_events(&disk, &mut store);
    store
}

/// Three events; the keys that there were before the last.
fn three_events(disk: &Disk, store: &mut Store) -> Vec<Vec<u8>> {
    let mut before = Vec::new();
    for (number, title, values) in [
        (1, "Phishing wave of APT29", ["http://login.example.com/a", "198.51.100.17"]),
        (2, "Another wave", ["13b4a3d0f2e64a9b1c7d13b4a3d0f2e64a9b1c7d", "mail.example.com"]),
        (3, "Something else", ["unread.example.net", "192.0.2.1"]),
    ] {
        before = disk.keys();
        let (uuid, mut dice) = (uuid_of(number), Dice(number));
        let mut head = EventHead { foreign: Vec::new(), ..head(&mut dice, uuid) };
        head.fields.info = title.into();
        let attributes = values.map(|value| {
            let mut known = known(value, Standing::Sent);
            let attribute = &mut known.attribute;
            attribute.uuid = attribute_uuid(uuid, attribute.kind, &attribute.value);
            known
        });
        let events = vec![EventUpdate { attributes: attributes.into(), ..EventUpdate::of(head) }];
        let destination = Some(DestinationRecord::default());
        let commit = Commit { events, destination, ..Commit::default() };
        store.commit(&name(), RunNumber(1), commit).unwrap();
    }
    before
}

fn uuid_of(number: u64) -> EventUuid {
    EventUuid::new(uuid::Uuid::from_u64_pair((0x13cb_0000 + number) << 32, number))
}

#[test]
fn a_part_is_found_without_a_look_at_anything_else() {
    let store = with_one_that_cannot_be_read();
    let ask = |text: &str, depth| why(&store, &name(), text, 20, depth);
    let found = |text: &str| -> Vec<(FoundBy, EventUuid)> {
        let found = ask(text, Depth::Words).unwrap_or_else(|error| panic!("{text}: {error}"));
        let by = |answer: &Answer| match answer {
            Answer::Attribute(it) => (it.found_by, it.event.uuid),
            Answer::Event(it) => (it.found_by, it.event.uuid),
            Answer::Loss(it) => panic!("{it:?}"),
        };
        found.answers.iter().map(by).collect()
    };
    let (one, two) = (uuid_of(1), uuid_of(2));
    for (text, events) in [
        ("example.com", vec![(FoundBy::Part, one), (FoundBy::Part, two)]),
        ("hxxp://LOGIN[.]example[.]com", vec![(FoundBy::Part, one)]),
        ("13b4a3d0", vec![(FoundBy::Part, two)]),
        ("198.51.100.", vec![(FoundBy::Part, one)]),
        ("phish apt29", vec![(FoundBy::Title, one)]),
        ("WAVE", vec![(FoundBy::Title, one), (FoundBy::Title, two)]),
        ("apt", vec![]),
        ("13cb0002", vec![(FoundBy::UuidPrefix, two)]),
        ("nothing.example.org", vec![]),
        ("Nothing happened", vec![]),
        ("13b4", vec![]),
        ("198.51.100.1", vec![]),
    ] {
        assert_eq!(found(text), events, "{text}");
    }
    ask("example", Depth::Letters).unwrap_err();
}

#[test]
fn what_many_have_is_read_up_to_a_bound_and_the_rest_is_counted() {
    let (_, mut store) = built(0);
    let mut many = Vec::new();
    for number in 0..400 {
        let uuid = uuid_of(number);
        let head = EventHead { foreign: Vec::new(), ..head(&mut Dice(number), uuid) };
        let mut known = known("everywhere.example.com", Standing::Sent);
        let attribute = &mut known.attribute;
        attribute.uuid = attribute_uuid(uuid, attribute.kind, &attribute.value);
        many.push(EventUpdate { attributes: vec![known], ..EventUpdate::of(head) });
    }
    let commit = Commit { events: many, ..Commit::default() };
    store.commit(&name(), RunNumber(1), commit).unwrap();
    for text in ["everywhere.example.com", "everywhere.example"] {
        let found = why(&store, &name(), text, 20, Depth::Words).unwrap();
        assert_eq!(found.answers.len(), 20);
        assert_eq!((found.more + found.unread, found.unread > 100), (380, true), "{found:?}");
        let found = why(&store, &name(), text, 20, Depth::Letters).unwrap();
        assert_eq!((found.more, found.unread), (380, 0));
    }
}

#[test]
fn parts_of_a_run_are_all_of_it_in_order() {
    let (_, store) = built(60);
    let mut parts = 0;
    for run in store.runs().unwrap() {
        let (mut told, mut place) = (Vec::new(), None);
        loop {
            let (changes, next) = store.changes_behind(run.number, place, 20).unwrap();
            assert!(next.is_none() || (20..=275).contains(&changes.len()), "{}", changes.len());
            told.extend(changes);
            parts += 1;
            let Some(next) = next else { break };
            assert_eq!(next.to_string().parse(), Ok(next));
            place = Some(next);
        }
        assert!(told == store.changes(run.number).unwrap(), "{}", run.number);
    }
    assert!(parts > store.runs().unwrap().len(), "{parts}");
}
