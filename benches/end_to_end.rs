//! The shell: the store on a disk, and whole runs over HTTP into the sandbox, in attributes per second.
//!
//! `cargo bench --bench end_to_end`. The sandbox shares the machine with the agent, so a first push is
//! slower here than the agent alone is.

#[path = "support/dataset.rs"]
mod dataset;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

use dataset::{Size, eclecticiq};
use misp_trickle::{
    agent::{self, Clock, Ending, Job, Silent, Summary, SystemClock},
    delivery::Backoff,
    history::{Commit, EventUpdate, Ledger},
    model::RunNumber,
    plan::KnownEvent,
    remote::{Access, Encoding, Remote},
    sandbox::{self, Keys, Misp},
    source::SourceSpec,
    store::{Owner, Store},
};
use misp_trickle_testing::{direct::direct_access, world::open_job};

const SIZE: Size = Size { incidents: 20, observables: 250 };

/// A sandbox behind HTTP and an agent with a store of its own.
struct Bench {
    runtime: Runtime,
    remote: Arc<Remote>,
    store: Store,
    job: Job,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the store");
        let source = folder.path().join("dataset.json");
        fs::write(&source, eclecticiq(SIZE)).expect("the dataset is written");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let keys = Keys::demo("bench");
        let listener =
            runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port of this machine");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let misp = Arc::new(Mutex::new(Misp::new(&url, keys.clone())));
        runtime.spawn(sandbox::serve(listener, misp));
        let remote = Remote::new(&access(&url, &keys)).expect("a client");
        let store = open(&folder.path().join("state"));
        Self { runtime, remote: Arc::new(remote), store, job: job(url, source), folder }
    }

    fn sync(&mut self) -> Summary {
        let interrupt = AtomicBool::new(false);
        let run = agent::sync(
            &self.job,
            &mut self.store,
            self.remote.clone(),
            &SystemClock,
            &Silent,
            &interrupt,
        );
        let summary = self.runtime.block_on(run).expect("a run");
        assert_eq!(summary.ending, Ending::Done);
        summary
    }

    /// Another file of equal content in its meaning, so that no shortcut over its bytes is taken.
    fn touch(&self) {
        let source = self.folder.path().join("dataset.json");
        let mut bytes = fs::read(&source).expect("the dataset is there");
        bytes.push(b'\n');
        fs::write(&source, bytes).expect("the dataset is written");
    }
}

fn open(path: &Path) -> Store {
    let owner = Owner {
        pid: std::process::id(),
        host: "bench".to_owned(),
        command: "bench".to_owned(),
        now: SystemClock.now(),
    };
    Store::create(path, owner).expect("a new store")
}

fn access(url: &str, keys: &Keys) -> Access {
    let key = keys.get("sync").expect("a role of the sandbox");
    direct_access(url, key, Encoding::Gzip, Duration::from_secs(30))
}

fn job(url: String, source: PathBuf) -> Job {
    Job {
        url,
        source: SourceSpec::File(source),
        backoff: Backoff { base_ms: 100, max_ms: 1_000, tries_max: 5, seed: 1 },
        ..open_job()
    }
}

fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    attributes: u64,
) -> BenchmarkGroup<'c, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(attributes));
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(3));
    group
}

/// One durable commit of an event with all its attributes, and reading it back.
fn store(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    bench.sync();
    let destination = bench.job.destination.clone();
    let heads = bench.store.heads(&destination).expect("the heads");
    let event =
        bench.store.event(&destination, heads[0].uuid).expect("an event").expect("is there");
    let mut group = group(criterion, "store", SIZE.observables.into());
    let (_folder, mut fresh) = empty_store();
    let mut run = 0;
    group.bench_function("commit", |bencher| {
        bencher.iter_batched(
            || update(&event),
            |commit| {
                run += 1;
                fresh.commit(&destination, RunNumber(run), commit).expect("a commit");
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| bench.store.event(&destination, event.head.uuid).expect("an event"));
    });
    group.finish();
}

fn empty_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder for the store");
    let store = open(&folder.path().join("state"));
    (folder, store)
}

fn update(event: &KnownEvent) -> Commit {
    Commit { events: vec![EventUpdate::whole(event.clone())], ..Commit::default() }
}

/// Whole runs: everything new, and nothing changed.
fn sync(criterion: &mut Criterion) {
    let mut group = group(criterion, "sync", SIZE.attributes());
    group.bench_function("first_push", |bencher| {
        let push = |mut bench: Bench| {
            let summary = bench.sync();
            assert_eq!(summary.run.tally.attributes.sent, SIZE.attributes());
            bench
        };
        bencher.iter_batched(Bench::new, push, BatchSize::PerIteration);
    });
    let mut bench = Bench::new();
    bench.sync();
    group.bench_function("nothing_changed", |bencher| {
        bencher.iter(|| {
            bench.touch();
            let summary = bench.sync();
            assert_eq!(summary.run.tally.requests, 0);
        });
    });
    group.finish();
}

criterion_group!(benches, store, sync);
criterion_main!(benches);
