//! Limits on the bytes of a run.

use std::collections::BTreeSet;

use misp_trickle::delivery::Concurrency;
use misp_trickle_testing::dice::Dice;
use serde_json::json;

use super::*;

/// Many small events, and one of very many attributes.
fn small_and_large() -> Dataset {
    let mut set = Dataset::default();
    for number in 0..60_u16 {
        for value in 0..12 {
            let value = format!("{value}.of-{number}.example");
            set.incident(number).title(&format!("Incident {number}")).observe("domain", &value);
        }
    }
    for number in 0..1_500_u64 {
        let hash = blake3::hash(&number.to_le_bytes()).to_string();
        set.incident(7).observe("hash-sha256", &hash);
    }
    set
}

/// Each run stays below its limit by the meter, and the next one goes on until all is there, once.
#[test]
fn a_run_takes_as_many_bytes_as_it_may_and_the_next_goes_on() {
    for (encoding, publish, most) in [
        (Encoding::Plain, Publish::Never, 60_000),
        (Encoding::Gzip, Publish::Always, 40_000),
        (Encoding::Brotli, Publish::Never, 20_000),
    ] {
        let mut line = Line::new(None, encoding, Duration::from_secs(30));
        line.job.settings.publish = publish;
        line.job.max_transfer = Some(most);
        let (mut set, mut runs, mut full, mut published) = (small_and_large(), 0, 0, 0);
        loop {
            runs += 1;
            let (before, held) = (line.proxy.passed(), line.held());
            let summary = line.run(&mut set);
            let bytes = line.proxy.passed().since(before).bytes();
            assert!(bytes < most, "run {runs} took {bytes} of {most} bytes");
            full += u64::from(bytes > most / 2);
            if summary.ending == Ending::Done {
                break;
            }
            assert_eq!(summary.ending, Ending::OutOfBytes, "{:?}", summary.run.notes);
            let shown = line.published();
            assert!(line.held() > held || shown > published, "run {runs} got nowhere");
            published = shown;
        }
        assert_eq!(line.held(), 60 * 12 + 1_500);
        assert!(3 < runs && runs < 60, "{runs} runs");
        assert!(full > runs / 2, "{full} of {runs} runs took more than half of what they might");
    }
}

/// What an analyst does in MISP.
fn analyst(line: &Line, path: &str) {
    ask_as(line, "sync", path, b"{}".to_vec());
}

fn ask_as(line: &Line, who: &str, path: &str, body: Vec<u8>) {
    let keys = Keys::demo("metered");
    let key = keys.get(who).unwrap();
    let json = "application/json";
    let headers = [("Authorization", key), ("Accept", json), ("Content-Type", json)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let (method, path) = ("POST".to_owned(), path.to_owned());
    let request = Request { method, path, headers, body };
    let reply = line.misp.lock().unwrap().handle(&request, SystemClock.now().seconds());
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
}

/// All that a ledger has to look at anew: it was restored, or damaged.
fn distrust(ledger: &mut MemoryLedger, name: &DestinationName) {
    let events = ledger.heads(name).unwrap().into_iter().map(|mut head| {
        head.unproven = true;
        head.feeds.values_mut().for_each(|feed| feed.settled = false);
        EventUpdate::of(head)
    });
    let commit = Commit { events: events.collect(), ..Commit::default() };
    ledger.commit(name, RunNumber(1), commit).unwrap();
}

/// Lists after trouble are weighed as well: of a store that came back older, and of events whose rows differ.
#[test]
fn a_run_that_has_to_look_again_keeps_to_its_limit() {
    for (is_older, do_differ) in [(true, false), (false, true), (true, true)] {
        look_again(is_older, do_differ, None);
    }
}

/// And pages, where MISP runs out of memory over more rows than it is given.
#[test]
fn a_run_that_has_to_look_again_in_pages_keeps_to_its_limit() {
    for (is_older, do_differ, rows) in [(true, false, 30), (false, true, 15), (true, true, 15)] {
        look_again(is_older, do_differ, Some(rows));
    }
}

fn look_again(is_older: bool, do_differ: bool, memory_rows: Option<usize>) {
    const MOST: u64 = 30_000;
    let events = if memory_rows.is_some() { 12 } else { 60_u16 };
    let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
    line.job.settings.publish = Publish::Never;
    let mut set = Dataset::default();
    for number in 0..events {
        for value in 0..40 {
            let value = format!("{value}.of-{number}.{}.example", "long".repeat(12));
            set.incident(number).title(&format!("Incident {number}")).observe("domain", &value);
        }
    }
    line.deliver(&mut set);
    let earlier = line.ledger.clone();
    for number in 0..events {
        let value = format!("more.of-{number}.example");
        set.incident(number).observe("domain", &value);
    }
    if is_older {
        line.deliver(&mut set);
        line.ledger = earlier;
        let name = line.job.destination.clone();
        distrust(&mut line.ledger, &name);
    }
    if do_differ {
        for number in 0..events {
            let attributes = line.misp.lock().unwrap().attributes(event(number));
            analyst(&line, &format!("/attributes/delete/{}", attributes[0].uuid));
        }
    }
    line.misp.lock().unwrap().set_up(Setup { memory_rows, ..Setup::default() });
    line.job.max_transfer = Some(MOST);
    let (mut runs, mut full) = (0, 0);
    loop {
        runs += 1;
        let before = line.proxy.passed();
        let summary = line.run(&mut set);
        let bytes = line.proxy.passed().since(before).bytes();
        assert!(bytes < MOST, "run {runs} took {bytes} bytes: {is_older}, {do_differ}");
        full += u64::from(bytes > MOST / 2);
        if summary.ending == Ending::Done {
            break;
        }
        assert_eq!(summary.ending, Ending::OutOfBytes, "{:?}", summary.run.notes);
        assert!(runs < 100, "it gets nowhere");
    }
    let events = usize::from(events);
    let deleted = if do_differ { events } else { 0 };
    let misp = line.misp.lock().unwrap();
    let all = misp.events().into_iter().flat_map(|it| misp.attributes(it.uuid));
    assert_eq!(all.filter(|it| !it.deleted).count(), events * 41 - deleted);
    let is_cheap = memory_rows.is_none();
    assert!(
        !is_cheap || full > runs / 2,
        "{full} of {runs} runs took more than half of what they might"
    );
}

/// However little a run may take, one chunk goes.
#[test]
fn a_limit_that_is_too_small_for_anything_lets_each_run_get_somewhere() {
    let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
    line.job.max_transfer = Some(1);
    let mut set = hashes(3);
    let mut endings = Vec::new();
    for run in 1..=8 {
        let ending = line.run(&mut set).ending;
        let events = line.misp.lock().unwrap().events().len();
        assert!(events + line.held() >= run, "run {run}: {events} events, {}", line.held());
        endings.push(ending);
        if line.held() == 3 {
            break;
        }
    }
    assert!(endings.contains(&Ending::OutOfBytes), "{endings:?}");
    line.deliver(&mut set);
    assert_eq!(line.held(), 3);
}

/// Events, of which MISP holds some attributes each, and more are to follow.
struct Growing {
    events: u16,
    title: String,
    tags: usize,
    held: u32,
    more: u32,
}

impl Growing {
    /// Has each run take so many bytes at most, until all is there; each gets somewhere. The bytes of each run.
    fn grow(&self, concurrency: usize, most: u64) -> Vec<u64> {
        let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
        line.job.settings.publish = Publish::Never;
        line.job.concurrency = Concurrency::Fixed(concurrency);
        let mut set = Dataset::default();
        for number in 0..self.events {
            set.incident(number).title(&format!("{number} {}", self.title));
            for tag in 0..self.tags {
                set.incident(number).tag(&format!("misp-galaxy:a-tag-of-some-length-{tag}"));
            }
        }
        self.observe(&mut set, 0..self.held);
        line.deliver(&mut set);
        self.observe(&mut set, self.held..self.held + self.more);
        line.job.max_transfer = Some(most);
        let mut runs = Vec::new();
        loop {
            let (before, held) = (line.proxy.passed(), line.held());
            let ending = line.run(&mut set).ending;
            runs.push(line.proxy.passed().since(before).bytes());
            assert!(line.held() > held || ending == Ending::Done, "{most}: {runs:?}");
            if ending == Ending::Done {
                assert_eq!(line.held() as u32, u32::from(self.events) * (self.held + self.more));
                return runs;
            }
        }
    }

    fn observe(&self, set: &mut Dataset, values: std::ops::Range<u32>) {
        for number in 0..self.events {
            for value in values.clone() {
                set.incident(number).observe("domain", &format!("{value}.of-{number}.example"));
            }
        }
    }
}

/// More events wait for the guard of what they get than a run may ask about: some of them are asked about.
#[test]
fn a_run_that_cannot_ask_about_all_events_asks_about_some() {
    let set = Growing { events: 60, title: "Incident".to_owned(), tags: 0, held: 40, more: 10 };
    for most in [24_000, 40_000] {
        let runs = set.grow(2, most);
        assert!(runs.iter().all(|bytes| *bytes < most), "{most}: {runs:?}");
    }
}

/// Where not even one event fits, the first of them gets somewhere in each run, although it has to be asked about before.
#[test]
fn an_event_that_is_larger_than_a_limit_gets_somewhere() {
    let set = Growing { events: 4, title: "t".repeat(30_000), tags: 0, held: 10, more: 3 };
    for concurrency in [2, 16] {
        set.grow(concurrency, 60_000);
    }
}

/// An answer to an append shows the event's title and tags, of each of the requests under way.
#[test]
fn long_titles_and_many_tags_are_weighed_with_what_is_appended() {
    let set = Growing { events: 40, title: "t".repeat(4_000), tags: 30, held: 10, more: 20 };
    let runs = set.grow(16, 60_000);
    assert!(runs.iter().all(|bytes| *bytes < 60_000), "{runs:?}");
}

/// Lives that are drawn; more of them on demand.
fn seeds() -> u64 {
    std::env::var("PACE_SEEDS").map_or(15, |seeds| seeds.parse().unwrap())
}

/// Whatever events there are, however much was to be looked at again, and however little a run may take: each gets nearer to
/// the end.
#[test]
fn each_run_under_any_limit_gets_nearer_to_the_end() {
    for seed in 0..seeds() {
        let mut dice = Dice::apart(seed, "limits");
        let events = 2 + dice.below(5) as u16;
        let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
        line.job.concurrency = Concurrency::Fixed([1, 2, 4, 16][dice.below(4) as usize]);
        line.job.settings.publish =
            [Publish::Never, Publish::Keep, Publish::Always][dice.below(3) as usize];
        let mut set = Dataset::default();
        for number in 0..events {
            let title = [10, 4_000, 30_000][dice.below(3) as usize];
            set.incident(number).title(&format!("{number} {}", "t".repeat(title)));
            for value in 0..[1, 40, 200][dice.below(3) as usize] {
                set.incident(number).observe("domain", &format!("{value}.of-{number}.example"));
            }
        }
        line.deliver(&mut set);
        let (is_doubted, do_differ) = (dice.chance(50), dice.chance(50));
        if is_doubted {
            let name = line.job.destination.clone();
            distrust(&mut line.ledger, &name);
        }
        for number in 0..events {
            if do_differ && dice.chance(50) {
                let attributes = line.misp.lock().unwrap().attributes(event(number));
                analyst(&line, &format!("/attributes/delete/{}", attributes[0].uuid));
            }
            for value in 0..dice.below(4) {
                set.incident(number)
                    .observe("domain", &format!("more-{value}.of-{number}.example"));
            }
        }
        let memory_rows = dice.chance(30).then_some(20);
        line.misp.lock().unwrap().set_up(Setup { memory_rows, ..Setup::default() });
        let most = [1, 2_000, 8_000, 20_000, 60_000][dice.below(5) as usize];
        line.job.max_transfer = Some(most);
        let runs = (1..=60).find(|_| line.run(&mut set).ending == Ending::Done);
        assert!(runs.is_some(), "seed {seed}: it gets nowhere with {most} bytes");
    }
}

/// A key that may see more looks for what was hidden, and keeps to the limit: what does not fit has its turn later.
#[test]
fn a_run_that_looks_for_hidden_events_keeps_to_its_limit() {
    const MOST: u64 = 8_000;
    let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
    let mut set = Dataset::default();
    for number in 0..200 {
        let uuid = event(number).to_string();
        let json = json!({"Event": {"uuid": uuid, "info": "theirs", "distribution": "0"}});
        ask_as(&line, "admin", "/events/add", json.to_string().into_bytes());
        set.incident(number).observe("domain", &format!("{number}.example"));
    }
    let blocked = line.run(&mut set).run.tally.events.blocked;
    assert_eq!(blocked, 200);
    let name = line.job.destination.clone();
    let record = line.ledger.destination(&name).unwrap().unwrap();
    let another = DestinationRecord { user: None, ..record };
    let commit = Commit { destination: Some(another), ..Commit::default() };
    line.ledger.commit(&name, RunNumber(1), commit).unwrap();
    line.job.max_transfer = Some(MOST);
    set.incident(200).observe("domain", "200.example");
    let mut notes = Vec::new();
    for run in 1..=3 {
        let before = line.proxy.passed();
        notes.extend(line.run(&mut set).run.notes);
        let bytes = line.proxy.passed().since(before).bytes();
        assert!(bytes < MOST, "run {run} took {bytes} bytes");
    }
    assert_eq!(line.held(), 1, "{notes:?}");
    let told = notes.iter().any(|note| note.contains("were not looked for"));
    assert!(told, "{notes:?}");
}

/// What is too large to be looked at under a limit is told, and keeps none of the others from it.
#[test]
fn an_event_that_is_too_large_to_be_looked_at_is_told() {
    let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
    line.job.verify_every = Some(Duration::ZERO);
    let mut set = Dataset::default();
    set.incident(0).observe("domain", "a.example").observe("domain", "b.example");
    for value in 0..400 {
        set.incident(1).observe("domain", &format!("{value}.example"));
    }
    line.deliver(&mut set);
    let attributes = line.misp.lock().unwrap().attributes(event(0));
    analyst(&line, &format!("/attributes/delete/{}", attributes[0].uuid));
    line.job.max_transfer = Some(40_000);
    let mut notes = Vec::new();
    for run in 0..4 {
        set.incident(0).observe("domain", &format!("more-{run}.example"));
        notes.extend(line.run(&mut set).run.notes);
    }
    let says = |words: &str| notes.iter().any(|note| note.contains(words));
    let large = format!("event {}: whether its 400 rows are still there", event(1));
    assert!(says(&large), "{notes:?}");
    assert!(says(&format!("event {} is not as it was left", event(0))), "{notes:?}");
}

/// The program says it as it says a deadline.
#[test]
fn a_run_that_took_what_it_may_is_told() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    let told = ["max_transfer is used up; the next `sync` goes on from here"];
    place.run(&["sync", "--max-transfer", "6k"]).code(3).says(&told);
    place.configure("max_transfer = \"none\"", "max_transfer = \"7k\"");
    let mut runs = 0;
    while sandbox.attributes() < program::ATTRIBUTES {
        runs += 1;
        let seen = place.run(&["sync", "--json"]);
        assert!([0, 3].contains(&seen.code), "{}", seen.all());
        assert!(runs < 20, "{}", seen.all());
    }
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), program::ATTRIBUTES);
}

/// Of what cannot be looked at one is named and passed over in a run, however much it plans; the next goes on behind it.
#[test]
fn what_is_too_large_to_be_looked_at_is_passed_over_once_a_run() {
    let mut line = Line::new(None, Encoding::Plain, Duration::from_secs(30));
    line.job.verify_every = Some(Duration::ZERO);
    let mut set = Dataset::default();
    for number in 0..4 {
        for value in 0..400 {
            set.incident(number).observe("domain", &format!("{value}.{number}.example"));
        }
    }
    for number in 4..8 {
        set.incident(number).observe("domain", &format!("{number}.example"));
    }
    line.deliver(&mut set);
    line.job.max_transfer = Some(60_000);
    let mut named = BTreeSet::new();
    for run in 0..3 {
        for number in 4..8 {
            set.incident(number).observe("domain", &format!("{run}.{number}.example"));
        }
        let notes = line.run(&mut set).run.notes;
        let passed: Vec<_> =
            notes.iter().filter(|it| it.contains("rows are still there")).collect();
        assert!(passed.len() <= 1, "run {run}: {notes:?}");
        named.extend(passed.into_iter().cloned());
    }
    assert!(named.len() > 1, "the next goes on behind the one before: {named:?}");
}
