//! Ten MISPs as slow as real ones, served from one reading of one source: how long that takes beside one of them alone.
//!
//! `cargo bench --bench fleet`. The sandboxes share the machine with the agent, and wait as long as was measured of a
//! MISP (`FLEET_FASTER` times less, 2 without it). The source is a pipe: who would read it twice would wait for ever.
//! `FLEET_OBSERVABLES` of each of a hundred incidents instead of 1,000 look at less.

#![allow(missing_docs, clippy::print_stdout)]

#[path = "support/dataset.rs"]
mod dataset;

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use dataset::{Size, eclecticiq};
use misp_trickle::{
    agent::{self, Clock, Dataset, Ending, Job, LedgerHandle, Silent, SystemClock},
    model::DestinationName,
    remote::{Encoding, Remote},
    sandbox::{self, Keys, Misp, Slowness},
    source::SourceSpec,
    store::{Owner, Store},
};
use misp_trickle_testing::{direct::direct_access, world::open_job};
use tokio::{net::TcpListener, runtime::Runtime};

const INCIDENTS: u32 = 100;
const DESTINATIONS: usize = 10;
/// So many times as long as one alone they may take together.
const MOST: f64 = 1.3;

fn main() {
    let faster = std::env::var("FLEET_FASTER").map_or(2.0, |text| text.parse().expect("a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let observables =
        std::env::var("FLEET_OBSERVABLES").map_or(1_000, |text| text.parse().expect("a number"));
    let size = Size { incidents: INCIDENTS, observables };
    let bytes = Arc::new(eclecticiq(size));
    let rate = |took: Duration, destinations: usize| {
        size.attributes() as f64 * destinations as f64 / took.as_secs_f64()
    };
    let alone = deliver(&runtime, &bytes, size, 1, faster);
    println!("one alone: {:.1} s, {:.0} attributes/s", alone.as_secs_f64(), rate(alone, 1));
    let together = deliver(&runtime, &bytes, size, DESTINATIONS, faster);
    let times = together.as_secs_f64() / alone.as_secs_f64();
    println!(
        "{DESTINATIONS} together: {:.1} s, {:.0} attributes/s, {times:.2} times as long; the MISPs are {faster} times \
         faster than measured ones",
        together.as_secs_f64(),
        rate(together, DESTINATIONS),
    );
    assert!(times <= MOST, "{times} times as long as one alone");
}

/// Delivers the dataset to so many fresh MISPs at once, from one reading.
fn deliver(
    runtime: &Runtime,
    bytes: &Arc<Vec<u8>>,
    size: Size,
    destinations: usize,
    faster: f64,
) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("dataset.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let (written, path) = (bytes.clone(), pipe.clone());
    let writer = thread::spawn(move || fs::write(path, &*written));
    let ledger = LedgerHandle::new(store(&folder.path().join("state")));
    let misps: Vec<_> = (0..destinations).map(|number| misp(runtime, number, faster)).collect();
    let (dataset, begun) = (Dataset::default(), Instant::now());
    thread::scope(|scope| {
        for (number, (url, remote)) in misps.iter().enumerate() {
            let (mut ledger, dataset, pipe) = (ledger.clone(), &dataset, pipe.clone());
            scope.spawn(move || {
                let job = Job {
                    destination: DestinationName::new(&format!("misp-{number}")),
                    url: url.clone(),
                    source: SourceSpec::File(pipe),
                    ..open_job()
                };
                let (interrupt, clock) = (AtomicBool::new(false), SystemClock);
                let run = agent::sync_from(
                    &job,
                    dataset,
                    &mut ledger,
                    remote.clone(),
                    &clock,
                    &Silent,
                    &interrupt,
                );
                let summary = runtime.block_on(run).expect("a run");
                assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
                assert_eq!(summary.run.tally.attributes.sent, size.attributes());
            });
        }
    });
    let took = begun.elapsed();
    writer.join().expect("it ended").expect("all was read, once");
    took
}

fn store(path: &Path) -> Store {
    let owner = Owner {
        pid: std::process::id(),
        host: "bench".to_owned(),
        command: "bench".to_owned(),
        now: SystemClock.now(),
    };
    Store::create(path, owner).expect("a new store")
}

/// A MISP that listens, and the way there.
fn misp(runtime: &Runtime, number: usize, faster: f64) -> (String, Arc<Remote>) {
    let keys = Keys::demo(&format!("fleet {number}"));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("a bound port"));
    let misp = Arc::new(Mutex::new(Misp::new(&url, keys.clone())));
    runtime.spawn(sandbox::serve_slowly(listener, misp, Slowness::new(faster)));
    let key = keys.get("sync").expect("a role of the sandbox");
    let access = direct_access(&url, key, Encoding::Gzip, Duration::from_secs(120));
    (url, Arc::new(Remote::new(&access).expect("a client")))
}
