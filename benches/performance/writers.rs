//! A first delivery to MISPs that are slow, beside the same bodies sent by so many plain writers.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use crate::{
    dataset::{Size, eclecticiq},
    section::{Claim, Section, Table},
};
use misp_trickle::{
    agent::{self, Ending, Job, Silent, SystemClock},
    delivery::{Call, Concurrency, Exchange, Reply, Wire},
    history::MemoryLedger,
    model::EventUuid,
    remote::{Encoding, Remote},
    sandbox::{self, Keys, Misp, Slowness},
    source::SourceSpec,
};
use misp_trickle_testing::{direct::direct_access, world::open_job};

/// The MISPs are so many times as fast as a real one, so that the bench ends.
const FASTER: f64 = 4.0;
/// Cores of the MISPs.
const CORES: [u32; 2] = [2, 4];
/// Plain writers that send the same.
const WRITERS: [usize; 4] = [1, 2, 4, 8];
/// The best of them is to be no more than so many times as fast, and may be so many times now.
const GOAL: f64 = 1.0 / 0.95;
const MOST: f64 = 2.5;
const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) fn measure(measures: bool) -> Section {
    let mut section = Section::new(
        "writers",
        "A first delivery, and how many requests at once",
        &[
            "A sandbox that takes as long as a MISP 2.5.1 was measured to, four times faster; one with two cores, as measured, \
             and one that has four. *plain writers* send the recorded bodies again, each event by one of them, and ask \
             nothing. All pack by gzip, so that the machine of the bench is no limit. *first* is a delivery with `concurrency = \"auto\"` to a MISP that the store knows nothing of, *later* \
             one of as many new events to the same MISP.",
        ],
    );
    let size = if measures {
        Size { incidents: 120, observables: 500 }
    } else {
        Size { incidents: 4, observables: 5 }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    for cores in CORES {
        of_cores(&mut section, &runtime, cores, size);
    }
    section
}

fn of_cores(section: &mut Section, runtime: &Runtime, cores: u32, size: Size) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dataset.json");
    let mut rows = Vec::new();
    let mut told = |name: String, took: Duration| {
        let rate = size.attributes() as f64 / took.as_secs_f64();
        rows.push(vec![name, format!("{:.1}", took.as_secs_f64()), format!("{rate:.0}")]);
        rate
    };
    let (url, remote) = misp(runtime, cores);
    let wire = Arc::new(Recording { remote, calls: Mutex::default() });
    let source = SourceSpec::File(path.clone());
    let job = Job { url, source, concurrency: Concurrency::Auto, ..open_job() };
    let mut ledger = MemoryLedger::default();
    let mut deliver = |incidents| {
        let dataset = eclecticiq(Size { incidents, ..size });
        fs::write(&path, dataset).expect("the dataset is written");
        let (interrupt, begun) = (AtomicBool::new(false), Instant::now());
        let run = agent::sync(&job, &mut ledger, wire.clone(), &SystemClock, &Silent, &interrupt);
        let summary = runtime.block_on(run).expect("a run");
        let took = begun.elapsed();
        assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
        assert_eq!(summary.run.tally.attributes.sent, size.attributes());
        (took, std::mem::take(&mut *wire.calls.lock().expect("nobody panicked")))
    };
    let (took, _) = deliver(size.incidents);
    told("misp-trickle, first".to_owned(), took);
    let (took, calls) = deliver(2 * size.incidents);
    let ours = told("misp-trickle, later".to_owned(), took);
    let mut best: f64 = 0.0;
    for writers in WRITERS {
        let took = replay(runtime, cores, &calls, writers);
        best = best.max(told(format!("plain writers: {writers}"), took));
    }
    section.tables.push(Table {
        caption: format!("{} attributes to a MISP of {cores} cores", size.attributes()),
        columns: ["sender", "seconds", "attributes a second"].map(str::to_owned).to_vec(),
        rows,
    });
    section.claims.push(Claim {
        what: format!("the best of the plain writers, in times of a delivery: {cores} cores"),
        measured: best / ours,
        most: MOST,
        goal: Some(GOAL),
        limit: "plain writers with the same bodies: 1".to_owned(),
    });
}

/// Sends the bodies again, by so many writers: one takes the next event and sends all of it.
fn replay(runtime: &Runtime, cores: u32, calls: &[Call], writers: usize) -> Duration {
    let mut events: BTreeMap<EventUuid, Vec<Call>> = BTreeMap::new();
    for call in calls {
        if let Some(event) = written(call) {
            events.entry(event).or_default().push(call.clone());
        }
    }
    let events = Arc::new(Mutex::new(events.into_values().collect::<VecDeque<_>>()));
    let (_, remote) = misp(runtime, cores);
    let begun = Instant::now();
    runtime.block_on(async {
        let mut all = JoinSet::new();
        for _ in 0..writers {
            let (events, remote) = (events.clone(), remote.clone());
            all.spawn(async move {
                loop {
                    let next = events.lock().expect("nobody panicked").pop_front();
                    let Some(calls) = next else { return };
                    for call in calls {
                        let reply = remote.exchange(&call).await.reply;
                        assert!(!matches!(reply, Reply::Trouble(_)), "{reply:?}");
                    }
                }
            });
        }
        while let Some(ended) = all.join_next().await {
            ended.expect("a writer sends all it took");
        }
    });
    begun.elapsed()
}

/// The event to which a call adds attributes.
fn written(call: &Call) -> Option<EventUuid> {
    match call {
        Call::AddEvent(new) => Some(new.uuid),
        Call::AppendQuietly { event, .. } | Call::AppendLoudly { event, .. } => Some(*event),
        Call::Plain(call) => written(call),
        _ => None,
    }
}

/// A fresh MISP that listens, and the way there.
fn misp(runtime: &Runtime, cores: u32) -> (String, Arc<Remote>) {
    let keys = Keys::demo("writers");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("a bound port"));
    let misp = Arc::new(Mutex::new(Misp::new(&url, keys.clone())));
    let slowness = Slowness::new(FASTER).of_cores(cores);
    runtime.spawn(sandbox::serve_slowly(listener, misp, slowness));
    let key = keys.get("sync").expect("a role of the sandbox");
    let access = direct_access(&url, key, Encoding::Gzip, TIMEOUT);
    (url, Arc::new(Remote::new(&access).expect("a client")))
}

/// Takes down all calls that write.
struct Recording {
    remote: Arc<Remote>,
    calls: Mutex<Vec<Call>>,
}

impl Wire for Recording {
    async fn exchange(&self, call: &Call) -> Exchange {
        if call.writes() {
            self.calls.lock().expect("nobody panicked").push(call.clone());
        }
        self.remote.exchange(call).await
    }

    fn encodings(&self, names: &[String]) {
        self.remote.encodings(names);
    }

    fn key_mark(&self) -> Option<u64> {
        self.remote.key_mark()
    }

    fn tries_tags(&self, tries: bool) {
        self.remote.tries_tags(tries);
    }

    fn refuses_packed(&self) -> bool {
        self.remote.refuses_packed()
    }
}
