//! The whole agent over the sandbox, without HTTP: requests are encoded as for the wire, handed to the
//! sandbox, and its answers decoded as from the wire.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use misp_trickle::{
    agent::{
        self, Clock, Dataset, Job, Observer, Removals, Sample, Silent, Summary, Verified,
        VerifyOptions,
    },
    delivery::{Backoff, Call, Concurrency, Exchange, Wire},
    format::Format,
    graph,
    history::MemoryLedger,
    mapper::Rules,
    model::{DestinationName, FeedName, Timestamp, Tlp},
    plan::{EventSettings, MappingChange, Policy, Strategy, Unmarked},
    remote::{self, Answer},
    sandbox::{Keys, Misp, Reply, Request},
    source::SourceSpec,
};

/// Does the work in a runtime of its own, on this thread.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(work)
}

/// A clock that stands still unless it is moved.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn at(seconds: i64) -> Self {
        Self(AtomicI64::new(seconds))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.seconds())
    }
}

/// The sandbox as a wire.
pub struct LocalWire {
    pub misp: Arc<Mutex<Misp>>,
    pub key: String,
    pub clock: Arc<TestClock>,
    /// MISP's clock minus the agents', in seconds.
    pub skew: AtomicI64,
}

impl LocalWire {
    pub fn misp_now(&self) -> i64 {
        self.clock.seconds() + self.skew.load(Ordering::SeqCst)
    }

    /// Sends one raw request, as an analyst with a key of their own would.
    pub fn raw(&self, key: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let headers = [
            ("Authorization", key),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("User-Agent", "MISP test"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: body.as_bytes().to_vec(),
        };
        let reply = self.misp.lock().unwrap().handle(&request, self.misp_now());
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    }
}

impl LocalWire {
    fn handle(&self, call: &Call) -> (u64, Reply) {
        let encoded = remote::encode(call, true);
        let mut headers = vec![
            ("Authorization".to_owned(), self.key.clone()),
            ("Accept".to_owned(), "application/json".to_owned()),
            ("User-Agent".to_owned(), "MISP-trickle/test".to_owned()),
        ];
        if !encoded.body.is_empty() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        if let Some(etag) = encoded.if_none_match {
            headers.push(("If-None-Match".to_owned(), etag));
        }
        let bytes_sent = encoded.body.len() as u64;
        let request = Request {
            method: encoded.method.to_string(),
            path: encoded.path,
            headers,
            body: encoded.body,
        };
        (bytes_sent, self.misp.lock().unwrap().handle(&request, self.misp_now()))
    }

    /// Has a call carried out, and gives its size and the answer.
    pub fn answer(&self, call: &Call) -> (u64, Answer) {
        let (bytes_sent, reply) = self.handle(call);
        let header = |name: &str| reply.header(name).map(str::to_owned);
        let (location, etag) = (header("location"), header("etag"));
        let result_count = header("x-result-count").and_then(|count| count.parse().ok());
        let (status, body) = (reply.status, reply.body);
        (bytes_sent, Answer { status, location, etag, result_count, body, ..Answer::default() })
    }
}

impl Wire for LocalWire {
    fn key_mark(&self) -> Option<u64> {
        Some(self.key.bytes().fold(7, |mark, byte| mark * 31 % 1_000_000_007 + u64::from(byte)))
    }

    async fn exchange(&self, call: &Call) -> Exchange {
        let (bytes_sent, answer) = self.answer(call);
        Exchange {
            requests: 1,
            bytes_sent,
            bytes_received: answer.body.len() as u64,
            bytes_beside: 0,
            date: Some(Timestamp::from_seconds(self.misp_now())),
            reply: remote::decode(call, &answer),
        }
    }
}

/// One agent with a ledger of its own, before a sandbox it may share.
pub struct World {
    pub misp: Arc<Mutex<Misp>>,
    pub keys: Keys,
    pub clock: Arc<TestClock>,
    pub wire: Arc<LocalWire>,
    pub ledger: MemoryLedger,
    pub job: Job,
}

impl World {
    /// A sandbox and an agent with the key of a role, such as `sync`.
    pub fn new(role: &str) -> Self {
        let keys = Keys::demo("test");
        let misp = Arc::new(Mutex::new(Misp::new("http://misp.example", keys.clone())));
        Self::joining(misp, keys, Arc::new(TestClock::at(1_750_000_000)), role)
    }

    /// Another agent before the same sandbox.
    pub fn second(&self, role: &str) -> Self {
        Self::joining(self.misp.clone(), self.keys.clone(), self.clock.clone(), role)
    }

    fn joining(misp: Arc<Mutex<Misp>>, keys: Keys, clock: Arc<TestClock>, role: &str) -> Self {
        let key = keys.get(role).expect("a role of the sandbox").to_owned();
        let skew = AtomicI64::new(0);
        let wire = Arc::new(LocalWire { misp: misp.clone(), key, clock: clock.clone(), skew });
        Self { misp, keys, clock, wire, ledger: MemoryLedger::default(), job: open_job() }
    }

    pub fn sync(&mut self, path: &Path) -> Summary {
        self.job.source = match path.is_dir() {
            true => SourceSpec::Folder(path.to_owned()),
            false => SourceSpec::File(path.to_owned()),
        };
        self.sync_from(&Dataset::default())
    }

    /// Delivers a dataset, whatever the job's source is.
    pub fn sync_from(&mut self, dataset: &Dataset) -> Summary {
        self.sync_watched(dataset, &Silent)
    }

    /// The same with somebody who watches.
    pub fn sync_watched(&mut self, dataset: &Dataset, observer: &dyn Observer) -> Summary {
        self.clock.advance(60);
        let interrupt = AtomicBool::new(false);
        let run = agent::sync_from(
            &self.job,
            dataset,
            &mut self.ledger,
            self.wire.clone(),
            &*self.clock,
            observer,
            &interrupt,
        );
        wait(run).unwrap()
    }

    /// How all of a destination, or a sample of it, is verified.
    pub fn verify_options(&self, sample: Sample) -> VerifyOptions {
        VerifyOptions {
            destination: self.job.destination.clone(),
            url: self.job.url.clone(),
            sample,
            seed: 7,
            backoff: self.job.backoff,
            deadline: None,
        }
    }

    /// Whether MISP holds what the ledger says, all of it.
    pub fn verify(&self) -> Verified {
        let options = self.verify_options(Sample::All);
        wait(agent::verify(&options, &self.ledger, &*self.wire, &*self.clock)).unwrap()
    }

    /// Learns what MISP holds of a dataset, and sends nothing.
    pub fn adopt(&mut self, path: &Path) -> Summary {
        self.job.source = SourceSpec::File(path.to_owned());
        let interrupt = AtomicBool::new(false);
        let (wire, clock) = (self.wire.clone(), &*self.clock);
        let dataset = Dataset::default();
        let run =
            agent::adopt(&self.job, &dataset, &mut self.ledger, wire, clock, &Silent, &interrupt);
        wait(run).unwrap()
    }

    /// Somebody sets the agents' clock; MISP's stays.
    pub fn step_clock(&self, seconds: i64) {
        self.wire.skew.fetch_sub(seconds, Ordering::SeqCst);
    }

    /// Sets MISP's clock apart from the agent's.
    pub fn skew(&self, seconds: i64) {
        self.wire.skew.store(seconds, Ordering::SeqCst);
    }

    pub fn requests(&self) -> u64 {
        self.misp.lock().unwrap().counters().total()
    }
}

/// A job that sends everything: all colours, and what has none.
pub fn open_job() -> Job {
    Job {
        feed: FeedName::new("main"),
        destination: DestinationName::new("main"),
        url: "http://misp.example/".to_owned(),
        source: SourceSpec::Stdin,
        format: Format::Auto,
        graph: graph::Options::default(),
        rules: Rules::standard(),
        policy: Policy { allow_tlp: Tlp::ALL.into(), unmarked: Unmarked::Allow },
        settings: EventSettings::default(),
        strategy: Strategy::Replace,
        allow_empty: false,
        removals: Removals::Hold,
        mapping_change: MappingChange::Hold,
        concurrency: Concurrency::Fixed(2),
        chunk_max: 1_000,
        backoff: Backoff { base_ms: 1, max_ms: 5, tries_max: 5, seed: 1 },
        verify_every: None,
        deadline: None,
        request_bytes_max: None,
        max_transfer: None,
    }
}

/// A file of the shared data beside the checkout, if it is there.
pub fn shared(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {name} is not beside the checkout");
    }
    path.exists().then_some(path)
}
