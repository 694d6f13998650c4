//! What a run costs on the wire, weighed outside the product: the real client over HTTP, through a proxy
//! that counts every byte of both directions.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use dataset::{Dataset, event};
use misp_trickle::{
    agent::{self, Ending, Job, Silent, Summary, SystemClock},
    history::MemoryLedger,
    remote::{Encoding, Remote},
    sandbox::Misp,
    source::SourceSpec,
};
use misp_trickle_testing::{dataset, metered::Metered, proxy, world};
use proxy::{Passed, Proxy};
use tokio::runtime::Runtime;
use world::open_job;

/// An agent with the real client, a meter, and the sandbox behind HTTP.
struct Line {
    runtime: Runtime,
    misp: Arc<Mutex<Misp>>,
    proxy: Proxy,
    remote: Arc<Remote>,
    ledger: MemoryLedger,
    job: Job,
    set: Dataset,
}

/// A run and what the meter said of it.
struct Weighed {
    summary: Summary,
    passed: Passed,
}

impl Line {
    fn new(encoding: Encoding) -> Self {
        let Metered { runtime, misp, proxy, url, access, .. } =
            Metered::start(encoding, Duration::from_secs(30));
        let remote = runtime.block_on(async { Arc::new(Remote::new(&access).unwrap()) });
        let job = Job { url, ..open_job() };
        let (ledger, set) = (MemoryLedger::default(), Dataset::default());
        Self { runtime, misp, proxy, remote, ledger, job, set }
    }

    fn sync(&mut self) -> Weighed {
        self.job.source = SourceSpec::File(self.set.write());
        let before = self.proxy.passed();
        let interrupt = AtomicBool::new(false);
        let (wire, clock) = (self.remote.clone(), SystemClock);
        let run = agent::sync(&self.job, &mut self.ledger, wire, &clock, &Silent, &interrupt);
        let summary = self.runtime.block_on(run).unwrap();
        assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
        let passed = self.proxy.passed().since(before);
        let tally = summary.run.tally;
        println!(
            "{} requests, counted {}, weighed {passed:?}",
            tally.requests,
            own_count(&summary)
        );
        let off = passed.bytes().abs_diff(own_count(&summary));
        assert!(off * 50 <= passed.bytes(), "{off} bytes off, {passed:?}, {tally:?}");
        Weighed { summary, passed }
    }

    fn observe(&mut self, kind: &str, values: std::ops::Range<u32>) {
        for number in values {
            self.set.incident(1).observe(kind, &sha256(number));
        }
    }

    fn held(&self) -> usize {
        self.misp.lock().unwrap().attributes(event(1)).len()
    }
}

fn own_count(summary: &Summary) -> u64 {
    summary.run.tally.bytes_sent + summary.run.tally.bytes_received
}

/// Sixty-four hexadecimal digits without a pattern.
fn sha256(number: u32) -> String {
    blake3::hash(&number.to_le_bytes()).to_string()
}

/// An event of a thousand hashes.
fn delivered(encoding: Encoding) -> Line {
    let mut line = Line::new(encoding);
    line.observe("hash-sha256", 0..1_000);
    line.sync();
    assert_eq!(line.held(), 1_000);
    line
}

#[test]
fn one_attribute_more_costs_one_request_of_1480_bytes() {
    // What MISP 2.5 offers is taken: brotli. A MISP without it costs a few bytes more.
    for (encoding, most) in
        [(Encoding::Brotli, 1_480), (Encoding::Gzip, 1_510), (Encoding::Plain, 1_520)]
    {
        let mut line = delivered(encoding);
        line.observe("hash-sha256", 1_000..1_001);
        let Weighed { summary, passed } = line.sync();
        assert_eq!((summary.run.tally.requests, summary.run.tally.attributes.sent), (1, 1));
        assert!(passed.bytes() <= most, "{encoding:?} {passed:?}");
        assert!(passed.bytes() > 0 && passed.connections <= 1);
        let there = line.misp.lock().unwrap().attributes(event(1));
        assert_eq!(there.len(), 1_001);
        assert!(there.iter().any(|attribute| attribute.value == sha256(1_000)));
    }
}

#[test]
fn a_thousand_attributes_more_cost_57_000_bytes() {
    let mut line = delivered(Encoding::Brotli);
    line.observe("hash-sha256", 1_000..2_000);
    let Weighed { summary, passed } = line.sync();
    assert_eq!(summary.run.tally.attributes.sent, 1_000);
    assert!(passed.bytes() <= 57_000, "{passed:?}");
    assert_eq!(line.held(), 2_000);
}

#[test]
fn a_run_without_changes_costs_nothing_at_all() {
    let mut line = delivered(Encoding::Brotli);
    // The same bytes again, and the same content in other bytes.
    for title in ["Incident 1", "Incident  1 "] {
        line.set.incident(1).title(title);
        let Weighed { summary, passed } = line.sync();
        assert_eq!(passed, Passed::default());
        assert_eq!(summary.run.tally.requests, 0);
        assert_eq!(summary.run.tally.attributes.unchanged, 1_000);
    }
}
