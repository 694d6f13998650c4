//! An outgoing feed of a platform, pulled into a mirror: what comes to it is what one whole read of the dataset gives.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use misp_trickle::{
    format::{self, Format},
    graph::{self, Aliases, Facts, Graph},
    http::{Connection, Proxy},
    mapper::{Rules, map},
    mirror::{Basis, Fold, Mirror, Pulled, memory::MemoryFiles},
    misp::event_uuid,
    model::{Backoff, Secret, Symbol, Timestamp},
    sandbox::eclecticiq::{
        Command, Dataset, Fault, Links, Paths, Platform, Setup, Strategy as Packaged, TOKEN,
        Trouble, serve,
    },
    source::{
        eiq_feed::{EiqFeed, FeedError, Look, Reach, Strategy},
        peer::{Access, Peer, PeerError, Rests, Wrong},
    },
};
use misp_trickle_testing::program;
use program::{Place, Sandbox};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

/// What happens while somebody rests.
type Meanwhile = Arc<Mutex<Vec<Command>>>;

/// A client that does not wait, and remembers how long it would have.
#[derive(Clone, Debug)]
struct Hurried {
    rests: Arc<Mutex<Vec<Duration>>>,
    platform: Arc<Mutex<Platform>>,
    meanwhile: Meanwhile,
}

impl Rests for Hurried {
    async fn rest(&self, span: Duration) {
        self.rests.lock().unwrap().push(span);
        for command in self.meanwhile.lock().unwrap().drain(..) {
            self.platform.lock().unwrap().control(command, now()).unwrap();
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

struct World {
    runtime: Runtime,
    platform: Arc<Mutex<Platform>>,
    url: String,
    files: MemoryFiles,
    rests: Arc<Mutex<Vec<Duration>>>,
    meanwhile: Meanwhile,
    reach: Reach,
    token: &'static str,
    timeout: Duration,
    tries_max: u32,
    requests: u64,
    notes: Vec<String>,
}

impl World {
    fn new(setup: Setup, elements: &[Value]) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let platform = Platform::new("https://ic.example", setup, dataset(elements), now());
        let platform = Arc::new(Mutex::new(platform));
        drop(runtime.spawn(serve(listener, platform.clone())));
        Self {
            runtime,
            platform,
            url,
            files: MemoryFiles::default(),
            rests: Arc::default(),
            meanwhile: Arc::default(),
            reach: Reach::Token(None),
            token: TOKEN,
            timeout: Duration::from_secs(20),
            tries_max: 5,
            requests: 0,
            notes: Vec::new(),
        }
    }

    fn with(strategy: Packaged, elements: &[Value]) -> Self {
        let block_elements = 3.try_into().ok();
        Self::new(Setup { block_elements, ..Setup::new(12, strategy) }, elements)
    }

    fn access(&self) -> Access {
        Access {
            connection: Connection {
                url: self.url.parse().unwrap(),
                headers: Vec::new(),
                verify_tls: true,
                ca_bundle: None,
                identity: None,
                proxy: Proxy::Direct,
                timeout: self.timeout,
            },
            token: Some(Secret::new(self.token.to_owned())),
            backoff: Backoff { base_ms: 1_000, max_ms: 60_000, tries_max: self.tries_max, seed: 7 },
            name: "the platform",
        }
    }

    fn time(&self) -> Hurried {
        Hurried {
            rests: self.rests.clone(),
            platform: self.platform.clone(),
            meanwhile: self.meanwhile.clone(),
        }
    }

    fn feed(&self) -> EiqFeed<Hurried> {
        EiqFeed::with_time(&self.access(), 12, self.reach, self.time()).unwrap()
    }

    fn mirror(&self) -> Mirror {
        Mirror::new(Arc::new(self.files.clone()), self.feed().identity())
    }

    /// One pull of a process of its own.
    fn pull(&mut self) -> (Result<Pulled, FeedError>, Fold) {
        let mut feed = self.feed();
        let (mut mirror, traffic) = (self.mirror(), feed.traffic());
        let (pulled, fold) = self.runtime.block_on(mirror.pull(&mut feed)).unwrap();
        self.requests = traffic.requests();
        self.notes = feed.notes().to_vec();
        let shown = format!("{feed:?} {:?} {pulled:?}", self.notes);
        assert!(!shown.contains(TOKEN), "{shown}");
        if let Err(error) = &pulled {
            assert!(!error.to_string().contains(TOKEN), "{error}");
        }
        (pulled, fold)
    }

    fn pulled(&mut self) -> (Pulled, Fold) {
        let (pulled, fold) = self.pull();
        (pulled.unwrap(), fold)
    }

    fn fault(&mut self) -> String {
        self.pull().0.unwrap_err().to_string()
    }

    fn put(&self, elements: &[Value]) {
        self.platform.lock().unwrap().replace(dataset(elements), now());
    }

    fn command(&self, command: Value) {
        let command = serde_json::from_value(command).unwrap();
        self.platform.lock().unwrap().control(command, now()).unwrap();
    }

    fn trouble(&self, path: &str, after: u32, times: u32, trouble: Trouble) {
        let fault = Command::Fault(Fault { path: path.to_owned(), after, times, trouble });
        self.platform.lock().unwrap().control(fault, now()).unwrap();
    }

    /// What the mirror comes to.
    fn told(&self, fold: &Fold) -> BTreeSet<String> {
        told(self.mirror().facts(fold).unwrap())
    }

    fn rests(&self) -> Vec<u64> {
        self.rests.lock().unwrap().drain(..).map(|rest| rest.as_secs()).collect()
    }
}

/// Events of a dataset.
fn told(facts: Facts) -> BTreeSet<String> {
    let graph = Graph::build(facts, &Aliases::default(), &graph::Options::default());
    let (rules, now) = (Rules::standard(), Timestamp::from_seconds(1_796_000_000));
    let events = graph.incidents().map(|incident| {
        format!("{:?}", map(&incident, event_uuid(incident.root), &rules, now).event)
    });
    events.collect()
}

/// Events of one whole read.
fn read(elements: &[Value]) -> BTreeSet<String> {
    let text = package(elements);
    told(format::decode(text.as_bytes(), &Symbol::new("x"), Format::Auto).unwrap())
}

fn id(kind: u8, number: usize) -> String {
    format!("7c1e0000-0000-4000-80{kind:02}-{number:012}")
}

/// An incident, an indicator with domains, and the relation of the two.
fn incident(number: usize, second: usize, domains: usize) -> Vec<Value> {
    let extracts = (0..domains).map(|domain| {
        json!({"kind": "domain", "value": format!("d{domain}.i{number}.example"),
            "meta": {"classification": "bad", "confidence": "high"}})
    });
    let time = format!("2026-11-18T10:00:{second:02}.000000+00:00");
    let data = |kind: u8, name: &str| {
        json!({"id": format!("{{https://ic.example/}}{name}-{}", id(kind, number)), "type": name,
            "title": format!("{name} {number} at {second}"), "timestamp": time})
    };
    vec![
        json!({"id": id(1, number), "data": data(1, "incident"), "meta": {"tlp_color": "GREEN"}}),
        json!({"id": id(2, number), "data": data(2, "indicator"), "meta": {"tlp_color": "GREEN"},
            "extracts": extracts.collect::<Vec<_>>()}),
        json!({"id": id(3, number), "data": {"type": "relation", "key": "indicators",
            "source": id(1, number), "target": id(2, number)}, "meta": {}}),
    ]
}

/// Incidents, of which each goes into a content block of its own.
fn day(numbers: impl IntoIterator<Item = usize>, second: usize, domains: usize) -> Vec<Value> {
    numbers.into_iter().flat_map(|number| incident(number, second, domains)).collect()
}

fn package(elements: &[Value]) -> String {
    json!({"content-type": "urn:eclecticiq.com:json:2.0", "entities": elements}).to_string()
}

fn dataset(elements: &[Value]) -> Dataset {
    Dataset::read(package(elements).as_bytes()).unwrap()
}

const BLOCKS: &str = "/content-blocks/";

#[test]
fn a_feed_that_replaces_is_taken_whole_and_what_left_is_absent() {
    let first = day(0..4, 1, 2);
    let mut world = World::with(Packaged::Replace, &first);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests, fold.packs()), (Pulled::Whole, 7, 1));
    assert!(fold.is_whole());
    assert_eq!(world.told(&fold), read(&first));
    // Nothing moved: the document alone says so.
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
    let second = [day(1..3, 1, 2), day(3..6, 2, 4)].concat();
    world.put(&second);
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    assert!(fold.is_whole());
    assert_eq!(world.told(&fold), read(&second));
    // A dataset that is empty is one, too.
    world.put(&[]);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.objects(), fold.is_whole()), (Pulled::Whole, 0, true));
    assert_eq!(world.notes, [""; 0]);
}

#[test]
fn a_feed_that_appends_is_gone_on_with_after_the_last_block() {
    let first = day(0..3, 1, 2);
    let mut world = World::with(Packaged::Append, &first);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests, fold.packs()), (Pulled::Delta, 6, 3));
    assert_eq!((fold.basis(), fold.is_whole()), (Basis::Partial, false));
    assert_eq!(world.told(&fold), read(&first));
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
    // A run without anything new leaves no block.
    world.command(json!({"do": "package"}));
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 2));
    let second = [day(0..2, 1, 2), day(2..5, 2, 3)].concat();
    world.put(&second);
    let (pulled, fold) = world.pulled();
    // Two whole incidents and one whose relation is as it was.
    assert_eq!((pulled, world.requests, fold.packs()), (Pulled::Delta, 6, 6));
    assert_eq!(world.told(&fold), read(&second));
    // What left the dataset is never told.
    world.put(&day(0..1, 1, 2));
    assert_eq!(world.pulled().0, Pulled::Unchanged);
}

#[test]
fn blocks_are_in_the_order_of_their_numbers_wherever_links_lead() {
    let first = day(0..12, 1, 1);
    let setup = Setup::new(12, Packaged::Append);
    let setup = Setup { links: Links::Urls, block_elements: 3.try_into().ok(), ..setup };
    let mut world = World::new(setup, &first);
    assert_eq!((world.pulled().0, world.requests), (Pulled::Delta, 3 + 12));
    world.put(&[first, day(12..13, 1, 1)].concat());
    let (pulled, fold) = world.pulled();
    // After block 12 comes 13 alone; in the order of texts 9 was the last.
    assert_eq!((pulled, world.requests), (Pulled::Delta, 3 + 1));
    assert_eq!(world.told(&fold), read(&day(0..13, 1, 1)));
}

#[test]
fn a_feed_whose_last_block_is_gone_is_read_again() {
    let first = day(0..3, 1, 1);
    let mut world = World::with(Packaged::Append, &first);
    world.pulled();
    world.put(&day(0..5, 1, 1));
    world.command(json!({"do": "purge", "blocks": [3]}));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests), (Pulled::Delta, 3 + 4));
    assert!(world.notes[0].contains("all are read again"), "{:?}", world.notes);
    assert_eq!(world.told(&fold), read(&day(0..5, 1, 1)));
}

#[test]
fn a_feed_that_was_made_anew_is_another_source() {
    for (from_one, strategy, last) in [
        (false, Packaged::Append, 4),
        (true, Packaged::Append, 4),
        (true, Packaged::Replace, 4),
        // As many blocks, with the numbers that the old feed had.
        (true, Packaged::Append, 5),
        (true, Packaged::Replace, 5),
    ] {
        let mut world = World::with(strategy, &day(0..3, 1, 1));
        world.pulled();
        let second = day(2..last, 2, 1);
        world.command(json!({"do": "hold"}));
        world.put(&second);
        world.command(json!({"do": "recreate", "from_one": from_one}));
        let (pulled, fold) = world.pulled();
        assert_ne!(pulled, Pulled::Unchanged);
        assert_eq!(world.told(&fold), read(&second), "{strategy:?}");
        assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
    }
}

#[test]
fn nothing_is_taken_of_a_run_that_did_not_end_well() {
    let (first, second) = (day(0..2, 1, 1), day(0..5, 2, 1));
    for strategy in [Packaged::Replace, Packaged::Append] {
        let mut world = World::with(strategy, &first);
        let (_, before) = world.pulled();
        world.command(json!({"do": "hold"}));
        world.put(&second);
        world.command(json!({"do": "begin"}));
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.digest()), (Pulled::Unchanged, before.digest()));
        assert_eq!(
            world.notes,
            [
                "feed 12: its packaging status is RUNNING, not SUCCESS: nothing is taken of it for now"
            ]
        );
        world.command(json!({"do": "fail"}));
        assert_eq!(world.pulled().0, Pulled::Unchanged);
        assert!(world.notes[0].contains("FAILURE"), "{:?}", world.notes);
        world.command(json!({"do": "package"}));
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), read(&second));
    }
}

#[test]
fn what_moves_while_it_is_read_is_read_anew() {
    for (path, paths) in [
        ("/api/v2/outgoing-feeds", Paths::Both),
        ("/private/outgoing-feeds", Paths::Private),
        ("/runs/latest", Paths::Both),
        ("/runs/latest", Paths::Private),
    ] {
        let first = day(0..3, 1, 1);
        let setup =
            Setup { block_elements: 3.try_into().ok(), ..Setup::new(12, Packaged::Replace) };
        let mut world = World::new(Setup { paths, ..setup }, &first);
        world.command(json!({"do": "hold"}));
        let second = day(1..5, 2, 1);
        world.put(&second);
        world.trouble(path, 0, 1, Trouble::Run);
        let (pulled, fold) = world.pulled();
        assert_eq!(pulled, Pulled::Whole);
        assert_eq!(world.told(&fold), read(&second), "{path}");
        assert!(fold.is_whole());
    }
}

#[test]
fn the_listed_blocks_are_taken_whatever_moves_later() {
    let first = day(0..3, 1, 1);
    let mut world = World::with(Packaged::Replace, &first);
    // Two runs are kept, so the blocks of the listed one can still be had.
    world.trouble(BLOCKS, 1, 1, Trouble::Run);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests), (Pulled::Whole, 6));
    assert_eq!(world.told(&fold), read(&first));
    // Three runs meanwhile: they are gone, and it begins anew.
    let mut world = World::with(Packaged::Replace, &first);
    world.trouble(BLOCKS, 0, 2, Trouble::Run);
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    assert!(world.requests > 6, "{}", world.requests);
    assert_eq!(world.told(&fold), read(&first));
}

#[test]
fn a_block_that_is_gone_makes_it_begin_anew_three_times() {
    let first = day(0..3, 1, 1);
    for strategy in [Packaged::Replace, Packaged::Append] {
        let mut world = World::with(strategy, &first);
        world.trouble(BLOCKS, 1, 1, Trouble::Status(404));
        world.trouble(BLOCKS, 1, 1, Trouble::Status(410));
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), read(&first));
        assert_eq!(world.notes, [""; 0]);
    }
    let mut world = World::with(Packaged::Replace, &first);
    world.command(json!({"do": "purge", "blocks": [2], "listed": true}));
    let (pulled, fold) = world.pull();
    let error = pulled.unwrap_err();
    assert!(matches!(error, FeedError::Restless { .. }), "{error}");
    assert!(
        error.to_string().contains("content-blocks/2: HTTP 404: No content block 2"),
        "{error}"
    );
    assert!(fold.is_empty());
    // What appends has no newer run in which it stands: the rest goes on.
    let mut world = World::with(Packaged::Append, &first);
    world.command(json!({"do": "purge", "blocks": [2], "listed": true}));
    let (_, fold) = world.pulled();
    assert_eq!(world.told(&fold), read(&[day(0..1, 1, 1), day(2..3, 1, 1)].concat()));
    assert!(world.notes[0].contains("content block 2 cannot be read"), "{:?}", world.notes);
}

#[test]
fn a_damaged_block_of_a_feed_that_replaces_lets_nothing_count_as_gone() {
    let first = day(0..4, 1, 1);
    let mut world = World::with(Packaged::Replace, &first);
    world.pulled();
    let second = [day(1..3, 1, 1), day(3..5, 2, 2)].concat();
    world.put(&second);
    let page = Trouble::Page("<html><title>Maintenance</title></html>".to_owned());
    // The second block, in whichever of the tries.
    world.trouble("content-blocks/6", 0, 9, page);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole(), fold.damaged().len()), (Pulled::Delta, false, 1));
    assert!(fold.damaged()[0].document.contains("feed 12 block 6"), "{:?}", fold.damaged());
    assert!(world.notes[0].contains("content block 6 cannot be read"), "{:?}", world.notes);
    // The first day is there yet, and what came of the second.
    let both = [day(0..3, 1, 1), day(3..5, 2, 2)].concat();
    assert_eq!(world.told(&fold), read(&both));
    // As long as it stands, that block alone is asked for.
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests), (Pulled::Unchanged, 4));
    assert!(!fold.is_whole());
    assert!(world.notes[0].contains("content block 6 still cannot be read"), "{:?}", world.notes);
    world.command(json!({"do": "clear"}));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole()), (Pulled::Whole, true));
    assert_eq!(world.told(&fold), read(&second));
}

#[test]
fn a_damaged_block_of_a_feed_that_appends_is_read_with_all_behind_it() {
    let first = day(0..4, 1, 1);
    let mut world = World::with(Packaged::Append, &first);
    world.trouble("content-blocks/2", 0, 2, Trouble::Page("no".to_owned()));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.damaged().len()), (Pulled::Delta, 1));
    assert_eq!(world.told(&fold), read(&[day(0..1, 1, 1), day(2..4, 1, 1)].concat()));
    // It stands, and what is new comes all the same.
    world.put(&day(0..5, 1, 1));
    let (_, fold) = world.pulled();
    assert_eq!((fold.damaged().len(), world.requests), (1, 5));
    // It is sound again: with all behind it, in the order of their numbers.
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.damaged().len(), world.requests), (Pulled::Delta, 0, 3 + 1 + 4));
    assert_eq!(world.told(&fold), read(&day(0..5, 1, 1)));
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
}

#[test]
fn a_damaged_object_is_told_with_feed_block_and_place() {
    let elements = [day(0..1, 1, 1), vec![json!(7)], day(1..2, 1, 1)].concat();
    let mut world = World::with(Packaged::Replace, &elements);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole()), (Pulled::Whole, false));
    let [damage] = fold.damaged() else { panic!("{:?}", fold.damaged()) };
    let shown = damage.to_string();
    assert!(shown.starts_with("feed 12 block 2#/entities/0: "), "{shown}");
    assert_eq!(world.told(&fold), read(&day(0..2, 1, 1)));
}

#[test]
fn what_cannot_be_delivered_is_refused_with_words() {
    let elements = day(0..1, 1, 1);
    let mut world = World::with(Packaged::Diff, &elements);
    let error = world.fault();
    assert!(error.contains("DIFF") && error.contains("REPLACE"), "{error}");
    let mut world = World::with(Packaged::Append, &elements);
    world.reach = Reach::Token(Some(Strategy::Replace));
    let error = world.fault();
    assert!(error.contains("is append, and the configuration says replace"), "{error}");
    world.reach = Reach::Token(Some(Strategy::Append));
    assert_eq!(world.pulled().0, Pulled::Delta);
}

#[test]
fn the_right_or_object_that_is_missing_is_named() {
    let elements = day(0..1, 1, 1);
    let mut world = World::with(Packaged::Replace, &elements);
    world.token = "another-token";
    let error = world.fault();
    assert!(error.contains("HTTP 401") && error.contains("make a new API token"), "{error}");
    assert!(!error.contains("another-token"), "{error}");
    world.token = TOKEN;
    world.command(json!({"do": "permit", "permissions": ["read entities"]}));
    let error = world.fault();
    assert!(error.contains("HTTP 403") && error.contains("`read outgoing-feeds`"), "{error}");
    let setup = Setup { feed: 13, ..Setup::new(12, Packaged::Replace) };
    let mut world = World::new(setup, &elements);
    let error = world.pull().0.unwrap_err();
    assert!(matches!(error, FeedError::NoFeed { feed: 12, .. }), "{error}");
    assert!(error.to_string().contains("there is no outgoing feed 12"), "{error}");
    assert_eq!(world.rests(), [0; 0], "nothing of this is tried again");
}

#[test]
fn a_platform_without_the_public_api_has_the_document_too() {
    let elements = day(0..3, 1, 1);
    for strategy in [Packaged::Replace, Packaged::Append] {
        let setup = Setup { paths: Paths::Private, ..Setup::new(12, strategy) };
        let mut world = World::new(setup, &elements);
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), read(&elements));
        // Nobody says when the last run was, so the list is asked for.
        assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 3));
    }
}

#[test]
fn a_public_feed_counts_once_its_list_stood_still() {
    let elements = day(0..4, 1, 1);
    let setup = Setup { block_elements: 3.try_into().ok(), ..Setup::new(12, Packaged::Replace) };
    let mut world = World::new(Setup { is_public: true, ..setup }, &elements);
    world.reach = Reach::Public(Strategy::Replace);
    // That no token is sent shows in that a wrong one does no harm.
    world.token = "another-token";
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.rests()), (Pulled::Whole, vec![30]));
    assert_eq!(world.told(&fold), read(&elements));
    assert_eq!((world.pulled().0, world.requests, world.rests()), (Pulled::Unchanged, 1, vec![]));
    // Half of a run is in the list when it is first asked for.
    let second = day(1..6, 2, 1);
    world.command(json!({"do": "hold"}));
    world.put(&second);
    world.command(json!({"do": "begin"}));
    world.meanwhile.lock().unwrap().push(Command::Finish);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.rests()), (Pulled::Whole, vec![30, 30]));
    assert_eq!(world.told(&fold), read(&second));
}

#[test]
fn bundles_are_taken_like_packages() {
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "incident", "id": "incident--7c1e0000-0000-4000-8000-000000000001", "name": "One",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "labels": ["tlp:green"]},
        {"type": "indicator", "id": "indicator--7c1e0000-0000-4000-8000-000000000002", "name": "Two",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "labels": ["tlp:green"],
            "pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix"},
        {"type": "relationship", "id": "relationship--7c1e0000-0000-4000-8000-000000000003",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z",
            "relationship_type": "related-to",
            "source_ref": "incident--7c1e0000-0000-4000-8000-000000000001",
            "target_ref": "indicator--7c1e0000-0000-4000-8000-000000000002"},
    ]})
    .to_string();
    let mut world = World::with(Packaged::Replace, &[]);
    let stix = Dataset::read(bundle.as_bytes()).unwrap();
    world.platform.lock().unwrap().replace(stix, now());
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    let whole = format::decode(bundle.as_bytes(), &Symbol::new("x"), Format::Stix21).unwrap();
    assert_eq!(world.told(&fold), told(whole));
    assert_eq!(world.told(&fold).len(), 1);
}

#[test]
fn a_list_without_blocks_says_nothing() {
    for strategy in [Packaged::Replace, Packaged::Append] {
        let mut world = World::with(strategy, &day(0..2, 1, 1));
        let (_, before) = world.pulled();
        world.command(json!({"do": "package"}));
        world.command(json!({"do": "purge"}));
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.digest()), (Pulled::Unchanged, before.digest()));
        assert!(world.notes[0].contains("no content block is listed"), "{:?}", world.notes);
    }
}

#[test]
fn a_platform_that_wants_rest_gets_it_within_bounds() {
    let elements = day(0..1, 1, 1);
    let mut world = World::with(Packaged::Replace, &elements);
    world.trouble("", 0, 1, Trouble::Busy("40".to_owned()));
    world.trouble("", 1, 2, Trouble::Status(503));
    assert_eq!(world.pulled().0, Pulled::Whole);
    let rests = world.rests();
    assert!(
        rests.len() == 3 && rests[0] == 40 && rests[1..].iter().all(|rest| *rest <= 2),
        "{rests:?}"
    );
    let mut world = World::with(Packaged::Replace, &elements);
    world.trouble("", 0, 9, Trouble::Busy("86400".to_owned()));
    let error = world.fault();
    assert!(error.contains("left alone for 86400 s"), "{error}");
    assert_eq!((world.requests, world.rests()), (1, vec![]));
    // Never more than is granted in all.
    world.command(json!({"do": "clear"}));
    world.trouble("", 0, 9, Trouble::Busy("400".to_owned()));
    assert!(world.fault().contains("left alone for 1200 s"));
    assert_eq!(world.rests(), [400, 400]);
    world.command(json!({"do": "clear"}));
    world.trouble("", 0, 99, Trouble::Status(502));
    let error = world.fault();
    assert!(error.contains("HTTP 502: This was asked for; asked 5 times"), "{error}");
    assert_eq!(world.requests, 5);
}

#[test]
fn a_lost_link_costs_only_the_block_under_way() {
    for strategy in [Packaged::Replace, Packaged::Append] {
        let first = day(0..5, 1, 3);
        let mut world = World::with(strategy, &first);
        // Once is not told.
        world.trouble(BLOCKS, 0, 1, Trouble::Cut(100));
        world.trouble(BLOCKS, 2, 99, Trouble::Cut(100));
        let error = world.fault();
        assert!(
            error.contains("the connection broke before the whole answer was there"),
            "{error}"
        );
        world.command(json!({"do": "clear"}));
        let (_, fold) = world.pulled();
        // Two of five were taken before it broke.
        assert_eq!(world.requests, 3 + 3, "{strategy:?}");
        assert_eq!(world.told(&fold), read(&first));
        assert_eq!(fold.is_whole(), strategy == Packaged::Replace);
    }
}

#[test]
fn what_was_taken_of_a_run_is_not_gone_on_with_in_another() {
    for recreated in [false, true] {
        let mut world = World::with(Packaged::Replace, &day(0..4, 1, 1));
        world.trouble(BLOCKS, 2, 99, Trouble::Status(503));
        assert!(world.fault().contains("HTTP 503"));
        world.command(json!({"do": "clear"}));
        world.command(json!({"do": "hold"}));
        let second = day(2..6, 2, 2);
        world.put(&second);
        match recreated {
            true => world.command(json!({"do": "recreate", "from_one": true})),
            false => world.command(json!({"do": "package"})),
        }
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, world.requests), (Pulled::Whole, 3 + 4));
        assert_eq!(world.told(&fold), read(&second));
    }
}

#[test]
fn a_pull_that_dies_anywhere_is_made_good_by_the_next() {
    for strategy in [Packaged::Replace, Packaged::Append] {
        let (first, second) = (day(0..3, 1, 1), [day(0..2, 1, 1), day(2..5, 2, 2)].concat());
        for steps in 0.. {
            let mut world = World::with(strategy, &first);
            world.pulled();
            world.put(&second);
            world.files.die_after(steps);
            let mut feed = world.feed();
            let died = world.runtime.block_on(world.mirror().pull(&mut feed));
            let has_died = !matches!(died, Ok((Ok(_), _)));
            let mut seed = steps;
            world.files.restart(&mut |below| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(seed >> 33).unwrap() % below
            });
            let (_, fold) = world.pulled();
            assert_eq!(world.told(&fold), read(&second), "{strategy:?} after {steps}");
            if !has_died {
                break;
            }
        }
    }
}

#[test]
fn what_drips_or_says_nothing_is_given_up() {
    let mut world = World::with(Packaged::Replace, &day(0..1, 1, 9));
    (world.timeout, world.tries_max) = (Duration::from_secs(1), 1);
    world.trouble(BLOCKS, 0, 9, Trouble::Slow(20));
    let error = world.fault();
    assert!(error.contains("fewer than 100 bytes a second come"), "{error}");
    world.command(json!({"do": "clear"}));
    world.trouble("", 0, 1, Trouble::Silent);
    let error = world.fault();
    assert!(error.contains("within 1 s; asked 1 times; if the platform is only slow"), "{error}");
    world.command(json!({"do": "clear"}));
    // Slow, and longer under way than the time-out: it comes, and is waited for.
    world.trouble(BLOCKS, 0, 1, Trouble::Slow(1_000));
    assert_eq!(world.pulled().0, Pulled::Whole);
}

#[test]
fn no_redirect_is_followed_but_for_a_slash() {
    let world = World::with(Packaged::Replace, &day(0..1, 1, 1));
    let peer = Peer::new(&world.access(), world.time()).unwrap();
    let get = |path: &str| world.runtime.block_on(peer.get(path, 10_000));
    assert!(get("private/outgoing-feed-download/12").unwrap().bytes() > 20);
    for to in [
        "https://elsewhere.example/private/outgoing-feeds/12/",
        "http://127.0.0.1:1/login",
        "/private/outgoing-feeds/13/",
    ] {
        world.trouble("", 0, 1, Trouble::Redirect(to.to_owned()));
        match get("private/outgoing-feeds/12") {
            Err(PeerError { wrong: Wrong::Redirected { to: shown }, .. }) => {
                assert!(shown.ends_with(to), "{shown}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
    // One to another port is asked for where the token may go.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = format!("http://{}/private/outgoing-feeds/12/", elsewhere.local_addr().unwrap());
    world.trouble("", 0, 1, Trouble::Redirect(to));
    assert!(get("private/outgoing-feeds/12").unwrap().bytes() > 20);
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // One that goes round in circles ends.
    world.trouble("", 0, 9, Trouble::Redirect("/private/outgoing-feeds/12//".to_owned()));
    let round = get("private/outgoing-feeds/12/");
    assert!(matches!(round, Err(PeerError { wrong: Wrong::Redirected { .. }, .. })), "{round:?}");
    // Longer than is read.
    world.command(json!({"do": "clear"}));
    let long = world.runtime.block_on(peer.get("private/outgoing-feeds/12", 10));
    assert!(matches!(long, Err(PeerError { wrong: Wrong::TooLarge { bytes_max: 10 }, .. })));
}

#[test]
fn a_platform_that_repeats_the_token_does_not_bring_it_into_a_message() {
    let mut world = World::with(Packaged::Replace, &day(0..1, 1, 1));
    for page in [
        format!("<html><title>{TOKEN}</title>"),
        format!("{{\"data\": {{\"content_type\": \"{TOKEN}\"}}}}"),
        format!("{{\"data\": {{\"content_type\": \"\\u0064{}\"}}}}", &TOKEN[1..]),
    ] {
        world.trouble("/outgoing-feeds/", 0, 2, Trouble::Page(page));
        let error = world.fault();
        assert!(error.contains("(the key)"), "{error}");
        world.command(json!({"do": "clear"}));
    }
    let list = format!("{{\"data\": {{\"content_blocks\": [\"/x/{TOKEN}\"]}}}}");
    world.trouble("/runs/latest", 0, 1, Trouble::Page(list));
    let error = world.fault();
    assert!(error.contains("\"/x/(the key)\" is no link to a content block"), "{error}");
}

#[test]
fn each_step_of_an_examination_has_its_fault() {
    let elements = day(0..2, 1, 1);
    let mut world = World::with(Packaged::Replace, &elements);
    let looks = |world: &World| -> Vec<String> {
        let looks = world.runtime.block_on(world.feed().examine());
        let told = |look| match look {
            Look::Good(what) => what,
            Look::Odd(what, _) => format!("? {what}"),
            Look::Bad(error) => format!("! {error}"),
        };
        looks.into_iter().map(told).collect()
    };
    let good = looks(&world);
    assert_eq!(good.len(), 6, "{good:#?}");
    assert_eq!(
        good[1..4],
        [
            "the token is taken",
            "feed 12 \"Outgoing feed 12\" may be read",
            "its content type is urn:eclecticiq.com:json:2.0",
        ]
    );
    assert!(good[0].ends_with(" answers"), "{good:#?}");
    assert!(good[4].starts_with("its packaging status is SUCCESS"), "{good:#?}");
    assert!(good[5].starts_with("2 content blocks are listed; number 2 has "), "{good:#?}");
    world.trouble(BLOCKS, 0, 1, Trouble::Page("<html>".to_owned()));
    assert!(looks(&world)[5].contains("number 2 cannot be read"));
    world.command(json!({"do": "begin"}));
    assert!(looks(&world)[4].starts_with("? its packaging status is RUNNING"));
    world.command(json!({"do": "fail"}));
    world.command(json!({"do": "purge"}));
    assert!(looks(&world)[5].starts_with("? it has no content block"));
    world.command(json!({"do": "permit", "permissions": []}));
    let refused = looks(&world);
    assert!(
        refused.len() == 3 && refused[2].starts_with("! ") && refused[2].contains("403"),
        "{refused:#?}"
    );
    world.token = "another-token";
    let refused = looks(&world);
    assert!(refused.len() == 2 && refused[1].contains("401"), "{refused:#?}");
    world.url = "http://127.0.0.1:1/".to_owned();
    let away = looks(&world);
    assert!(away.len() == 1 && away[0].contains("check `url`, the network"), "{away:#?}");
    let setup =
        Setup { is_public: true, permissions: [].into(), ..Setup::new(12, Packaged::Append) };
    let mut public = World::new(setup, &elements);
    public.reach = Reach::Public(Strategy::Append);
    assert_eq!(looks(&public).len(), 3);
}

/// A configuration whose source is the feed.
fn place(world: &World, sandbox: &Sandbox, lines: &str) -> Place {
    let place = sandbox.place();
    place.configure("path = \"day.json\"", &format!("url = {:?}\nfeed = 12\n{lines} #", world.url));
    place.configure("kind = \"file\"", "kind = \"eiq-feed\"");
    place.configure("format = \"auto\"", "#");
    place.configure("update_strategy = \"replace\"", "update_strategy = \"auto\"");
    place
}

#[test]
fn doctor_proves_a_feed_step_by_step() {
    let sandbox = Sandbox::start();
    let world = World::with(Packaged::Replace, &day(0..2, 1, 1));
    let place = place(&world, &sandbox, "token_env = \"EIQ_TOKEN\"");
    let run =
        |token: &str, verb: &str| place.run_in(&[("EIQ_TOKEN", token)], &[verb]).hides(&[token]);
    run(TOKEN, "doctor").says(&[
        "feed main: the token is taken",
        "feed main: feed 12 \"Outgoing feed 12\" may be read",
        "its content type is urn:eclecticiq.com:json:2.0",
        "its packaging status is SUCCESS",
        "2 content blocks are listed",
    ]);
    run("another-token", "doctor").code(4).says(&[
        "feed main: http",
        "HTTP 401",
        "make a new API token",
    ]);
    let config = run(TOKEN, "config").code(0).all();
    assert!(config.contains("token_env = \"EIQ_TOKEN\"") && config.contains("kind = \"eiq-feed\""));
    place
        .run(&["doctor"])
        .says(&["feeds.main", "no token from the environment variable EIQ_TOKEN"]);
    world.command(json!({"do": "permit", "permissions": []}));
    run(TOKEN, "doctor").code(4).says(&["HTTP 403", "`read outgoing-feeds`"]);
    place.configure("feed = 12", "feed = 13");
    world.command(json!({"do": "permit", "permissions": ["read outgoing-feeds"]}));
    run(TOKEN, "doctor").code(1).says(&["there is no outgoing feed 13"]);
    place.configure(&world.url, "http://127.0.0.1:1");
    run(TOKEN, "doctor").code(5).says(&["check `url`, the network, and that the platform runs"]);
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// The next day of a dataset: incidents come and change, and go where that is told.
fn next_day(
    before: &[(usize, usize, usize)],
    chance: &mut Chance,
    forgets: bool,
) -> Vec<(usize, usize, usize)> {
    let mut day: Vec<_> =
        before.iter().copied().filter(|_| !forgets || chance.below(4) > 0).collect();
    for (_, second, domains) in &mut day {
        if chance.below(3) == 0 {
            (*second, *domains) = (*second + 1, *domains + chance.below(2));
        }
    }
    let next = before.iter().map(|(number, ..)| number + 1).max().unwrap_or(0);
    day.extend((next..next + chance.below(3)).map(|number| (number, 1, 1)));
    day
}

fn elements_of(day: &[(usize, usize, usize)]) -> Vec<Value> {
    day.iter().flat_map(|(number, second, domains)| incident(*number, *second, *domains)).collect()
}

fn some_trouble(chance: &mut Chance) -> Trouble {
    match chance.below(6) {
        0 => Trouble::Status([404, 410, 500, 503][chance.below(4)]),
        1 => Trouble::Cut(chance.below(400)),
        2 => Trouble::Page("<html>Log in</html>".to_owned()),
        3 => Trouble::Busy("1".to_owned()),
        _ => Trouble::Run,
    }
}

/// Whatever happens while it is read: what the mirror holds for whole is a state that the dataset had, and once the
/// platform is steady both are the same.
#[test]
fn whatever_happens_a_steady_feed_comes_to_what_one_whole_read_gives() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let strategy = [Packaged::Replace, Packaged::Append][chance.below(2)];
        let forgets = strategy == Packaged::Replace;
        let mut day = vec![(0, 1, 1), (1, 1, 1)];
        let links = [Links::Paths, Links::Urls][chance.below(2)];
        let paths = [Paths::Both, Paths::Private][chance.below(2)];
        let block_elements = (1 + chance.below(5)).try_into().ok();
        let setup = Setup { links, paths, block_elements, ..Setup::new(12, strategy) };
        let mut world = World::new(setup, &elements_of(&day));
        let mut states = vec![read(&elements_of(&day))];
        for _ in 0..12 {
            match chance.below(6) {
                0 => {
                    day = next_day(&day, &mut chance, forgets);
                    states.push(read(&elements_of(&day)));
                    world.put(&elements_of(&day));
                }
                1 => {
                    let what = ["begin", "package"][chance.below(2)];
                    world.command(json!({"do": what}));
                }
                2 => {
                    let path =
                        ["", BLOCKS, "outgoing-feeds/", "outgoing-feed-download/"][chance.below(4)];
                    let times = 1 + u32::try_from(chance.below(8)).unwrap();
                    let after = u32::try_from(chance.below(4)).unwrap();
                    let trouble = some_trouble(&mut chance);
                    world.trouble(path, after, times, trouble);
                }
                3 if forgets => {
                    world.command(json!({"do": "recreate", "from_one": chance.below(2) == 0}));
                }
                _ => {
                    let (_, fold) = world.pull();
                    if fold.is_whole() {
                        assert!(states.contains(&world.told(&fold)), "seed {seed}");
                    }
                }
            }
        }
        world.command(json!({"do": "clear"}));
        world.command(json!({"do": "package"}));
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), states[states.len() - 1], "seed {seed}");
        assert_eq!(fold.damaged(), [], "seed {seed}");
        assert_eq!(fold.is_whole(), forgets, "seed {seed}");
        assert_eq!(world.pulled().0, Pulled::Unchanged, "seed {seed}");
    }
}
