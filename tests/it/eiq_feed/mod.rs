//! An outgoing feed of a platform, pulled into a mirror: what comes to it is what one whole read of the dataset gives.

#![allow(clippy::unwrap_used)]

mod api;
mod chance;
mod doctor;
mod pulls;
mod troubles;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use misp_trickle::{
    format::{self, Format},
    mirror::{Basis, Fold, Mirror, Pulled, memory::MemoryFiles},
    model::{Backoff, Secret, Symbol, Timestamp},
    sandbox::eclecticiq::{
        Command, Dataset, Fault, Links, Paths, Platform, Setup, Strategy as Packaged, TOKEN,
        Trouble, serve,
    },
    source::{
        Look,
        eiq_feed::{EiqFeed, FeedError, Reach, Strategy},
        peer::{Access, Credentials, Peer, PeerError, Rests, Wrong},
    },
};
use misp_trickle_testing::{direct::direct, program, told::told};
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
            connection: direct(&self.url, self.timeout),
            credentials: Some(Credentials::Token(Secret::new(self.token.to_owned()))),
            accept: "application/json",
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
