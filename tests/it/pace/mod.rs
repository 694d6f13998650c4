//! Limits on bytes a second and on bytes of a run, measured outside the product by a proxy that counts every byte of both directions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod transfer;

use std::{
    num::NonZeroU64,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use dataset::{Dataset, event};
use misp_trickle::{
    agent::{self, Clock, Ending, Job, Silent, Summary, SystemClock},
    delivery::{Call, Exchange, Reply, TimedAttribute, Wire},
    history::{Commit, EventUpdate, Ledger, MemoryLedger},
    misp::{Attribute, AttributeType, Value},
    model::{DestinationName, EventUuid, RunNumber},
    plan::{DestinationRecord, Publish},
    remote::{Encoding, Limiter, Pace, Remote},
    sandbox::{Keys, Misp, Request, Setup},
    source::SourceSpec,
};
use misp_trickle_testing::{dataset, metered::Metered, program, proxy, world};
use program::Sandbox;
use proxy::Proxy;
use tokio::runtime::Runtime;
use world::{LocalWire, World, open_job, wait};

/// So long the limit is measured; the figure that is promised is one of a minute.
fn seconds() -> u64 {
    std::env::var("PACE_SECONDS").map_or(4, |seconds| seconds.parse().unwrap())
}

/// The real client at a pace, a meter, and the sandbox behind HTTP.
struct Line {
    runtime: Runtime,
    misp: Arc<Mutex<Misp>>,
    proxy: Proxy,
    remote: Arc<Remote>,
    ledger: MemoryLedger,
    job: Job,
}

impl Line {
    fn new(rate: Option<u64>, encoding: Encoding, timeout: Duration) -> Self {
        let Metered { runtime, misp, proxy, url, access, .. } = Metered::start(encoding, timeout);
        let limiter = rate.map(|rate| Arc::new(Limiter::new(NonZeroU64::new(rate).unwrap())));
        let pace = Pace::of(limiter);
        let remote = runtime.block_on(async { Remote::new(&access).unwrap().paced(pace) });
        let job = Job { url, ..open_job() };
        let ledger = MemoryLedger::default();
        Self { runtime, misp, proxy, remote: Arc::new(remote), ledger, job }
    }

    fn run(&mut self, set: &mut Dataset) -> Summary {
        self.job.source = SourceSpec::File(set.write());
        let (interrupt, wire, clock) = (AtomicBool::new(false), self.remote.clone(), SystemClock);
        let run = agent::sync(&self.job, &mut self.ledger, wire, &clock, &Silent, &interrupt);
        self.runtime.block_on(run).unwrap()
    }

    fn deliver(&mut self, set: &mut Dataset) {
        let summary = self.run(set);
        assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    }

    fn published(&self) -> usize {
        self.misp.lock().unwrap().events().iter().filter(|event| event.published).count()
    }

    /// Attributes that MISP holds: a value that was sent twice would count twice.
    fn held(&self) -> usize {
        let misp = self.misp.lock().unwrap();
        misp.events().iter().map(|it| misp.attributes(it.uuid).len()).sum()
    }
}

/// Events of a thousand hashes each.
fn hashes(count: u64) -> Dataset {
    let mut set = Dataset::default();
    for number in 0..count {
        let incident = set.incident(1 + u16::try_from(number / 1_000).unwrap());
        incident.observe("hash-sha256", &blake3::hash(&number.to_le_bytes()).to_string());
    }
    set
}

/// Looks at a meter again and again, until what is meant by `work` is done.
fn watch(proxy: &Proxy, work: impl FnOnce()) -> Vec<(Duration, u64)> {
    let (begun, done) = (Instant::now(), AtomicBool::new(false));
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = vec![(Duration::ZERO, 0)];
            while !done.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(20));
                seen.push((begun.elapsed(), proxy.passed().bytes()));
            }
            seen
        });
        work();
        done.store(true, Ordering::SeqCst);
        watching.join().unwrap()
    })
}

/// A delivery keeps to its limit over each window, and uses it.
#[test]
fn a_delivery_takes_as_many_bytes_a_second_as_it_may_and_no_more() {
    const RATE: u64 = 64 * 1_024;
    let seconds = seconds();
    let is_campaign = seconds >= 60;
    let mut line = Line::new(Some(RATE), Encoding::Plain, Duration::from_secs(300));
    // A hash takes 180 bytes.
    let count = RATE * (seconds + 2) / 180;
    let mut set = hashes(count);
    let proxy = line.proxy.clone();
    let seen = watch(&proxy, || line.deliver(&mut set));
    let window = Duration::from_secs(if is_campaign { 60 } else { 2 });
    let mut rates = Vec::new();
    for (place, (begins, before)) in seen.iter().enumerate() {
        // Where a machine is busy nobody looks for a while: what passed by then counts with the time by then.
        let Some((ends, after)) = seen[place..].iter().find(|(at, _)| *at >= *begins + window)
        else {
            break;
        };
        let allowed = RATE as f64 * (*ends - *begins).as_secs_f64();
        rates.push((after - before) as f64 / allowed);
    }
    let most = rates.iter().copied().fold(0.0, f64::max);
    let least = rates.iter().copied().fold(f64::MAX, f64::min);
    println!("{} windows of {window:?}: {least:.4} to {most:.4} of the limit", rates.len());
    assert!(rates.len() > 10, "{rates:?}");
    if is_campaign {
        assert!(0.95 < least && most < 1.05, "{least} to {most}");
    } else {
        // What was saved of a second, and a piece: a machine that is slow may pass less.
        assert!(most < 1.6, "{most}");
        let (took, bytes) = seen.last().unwrap();
        let at_least = *bytes as f64 / RATE as f64 - 1.2;
        assert!(took.as_secs_f64() > at_least, "{bytes} bytes in {took:?}");
    }
    assert_eq!(line.held() as u64, count);
}

/// Hashes of the first event, as they are sent.
fn body(count: u64) -> Vec<TimedAttribute> {
    let kind = AttributeType::named("sha256").unwrap();
    let attribute = |number: u64| {
        let value = Value::stored(&blake3::hash(&number.to_le_bytes()).to_string());
        let attribute = Attribute::plain(EventUuid::new(event(1)), kind, value);
        TimedAttribute { attribute, timestamp: 1_700_000_000 }
    };
    (1_000..1_000 + count).map(attribute).collect()
}

/// What our own pace takes of a request's time is no silence of MISP's.
#[test]
fn a_request_may_take_longer_than_its_time_out_at_our_own_pace() {
    const RATE: u64 = 64 * 1_024;
    let mut line = Line::new(Some(RATE), Encoding::Plain, Duration::from_secs(1));
    line.deliver(&mut hashes(1));
    let call = Call::AppendLoudly { event: EventUuid::new(event(1)), attributes: body(300) };
    let (begun, before) = (Instant::now(), line.proxy.passed().bytes());
    let exchange = line.runtime.block_on(line.remote.exchange(&call));
    let (took, bytes) = (begun.elapsed(), line.proxy.passed().bytes() - before);
    assert!(matches!(exchange.reply, Reply::Attributes(_)), "{:?}", exchange.reply);
    assert!(took > Duration::from_secs(2), "{took:?}");
    assert!(bytes as f64 / RATE as f64 - 1.2 < took.as_secs_f64(), "{bytes} bytes in {took:?}");
}

/// Keeps what each write and its answer weighed, headers aside.
struct Weighing(Arc<LocalWire>, Mutex<Vec<u64>>);

impl Wire for Weighing {
    async fn exchange(&self, call: &Call) -> Exchange {
        let exchange = self.0.exchange(call).await;
        if call.writes() {
            self.1.lock().unwrap().push(exchange.bytes_sent + exchange.bytes_received);
        }
        exchange
    }
}

/// At a limit a request takes half of its time-out, however long its values are.
#[test]
fn requests_are_as_small_as_a_limit_wants_them() {
    const MOST: u64 = 20_000;
    let mut world = World::new("sync");
    world.job.request_bytes_max = Some(MOST);
    let mut set = hashes(300);
    for number in 0..100 {
        let long = format!("{number}.{}.example", "long.".repeat(40));
        set.incident(1).observe("domain", &long);
    }
    // One alone goes, whatever it takes.
    set.incident(1).observe("uri", &format!("https://example/{}", "x".repeat(30_000)));
    let wire = Arc::new(Weighing(world.wire.clone(), Mutex::default()));
    world.job.source = SourceSpec::File(set.write());
    let interrupt = AtomicBool::new(false);
    let (clock, ledger) = (&*world.clock, &mut world.ledger);
    let run = agent::sync(&world.job, ledger, wire.clone(), clock, &Silent, &interrupt);
    let summary = wait(run).unwrap();
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    assert_eq!(summary.run.tally.attributes.sent, 401);
    let bodies = wire.1.lock().unwrap();
    let large: Vec<_> = bodies.iter().filter(|bytes| **bytes > MOST).collect();
    assert!(large.len() == 1 && *large[0] < 32_000, "{bodies:?}");
    assert!(bodies.len() < 20, "{bodies:?}");
}

/// `bwlimit` is of a destination, `--bwlimit` of the process: two destinations share it.
#[test]
fn a_limit_of_the_process_is_shared_by_its_destinations() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let meters = [Proxy::before(one.address), Proxy::before(other.address)];
    let url = |meter: &Proxy| format!("http://{}", meter.address);
    let place = program::Place::at(&url(&meters[0]), &one.key("sync"));
    let file = std::fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let second = format!(
        "\n[destinations.other]\nurl = {:?}\napi_key_env = \"OTHER_KEY\"\nbwlimit = \"6k\"\n",
        url(&meters[1])
    );
    std::fs::write(place.path("misp-trickle.toml"), file + &second).unwrap();
    let key = other.key("sync");
    let passed = || meters.each_ref().map(|meter| meter.passed().bytes());
    let run = |arguments: &[&str]| {
        let (begun, before) = (Instant::now(), passed());
        place.run_in(&[("OTHER_KEY", &key)], arguments).code(0);
        let after = passed();
        (begun.elapsed().as_secs_f64(), after[0] - before[0], after[1] - before[1])
    };
    let (took, one, two) = run(&["sync", "--bwlimit", "8k"]);
    assert!((one + two) as f64 / 8_192.0 - 1.2 < took, "{one} and {two} bytes in {took} s");
    assert!(one.min(two) as f64 / 8_192.0 + 1.2 < took, "alone each would have taken less");
    place.write("day.json", program::DAY_2);
    let (took, _, limited) = run(&["sync"]);
    assert!(limited > 3_000, "{limited}");
    assert!(limited as f64 / 6_144.0 - 1.2 < took, "{limited} bytes in {took} s");
    place.run(&["sync", "--bwlimit", "1"]).code(2).says(&["less than 1024 bytes a second"]);
}
