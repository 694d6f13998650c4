//! A daemon that goes on: two feeds, one by HTTP, and three destinations, of which one is slow and one is dead, with an edit at
//! each turn. Seconds by itself; an hour with `DAEMON_MINUTES=60`, which prints what it took meanwhile.

use std::collections::BTreeSet;

use misp_trickle::sandbox::eclecticiq::Strategy;
use misp_trickle_testing::{
    dataset::{Dataset, event},
    proxy::{Passed, Proxy},
};
use uuid::Uuid;

use super::*;
use crate::platform::Served;

/// Bytes a second that the slow destination takes and gives.
const SLOW: u64 = 3_000;
/// Most bytes that a server says to a connection that it closes.
const GOODBYE: u64 = 120;
/// Questions that are asked beside it, and the longest that each took.
const QUESTIONS: [&str; 3] = ["status", "log", "why"];

/// Events and their values.
type Values = BTreeSet<(Uuid, String)>;

/// What a feed's dataset is, and all that was ever in it.
#[derive(Default)]
struct Edited {
    set: Dataset,
    /// Incidents of a feed are its own.
    from: u16,
    ever: Values,
}

impl Edited {
    fn edit(&mut self, turn: u16) -> String {
        let number = self.from + turn % 5;
        let incident = self.set.incident(number).title(&format!("Incident {number}, turn {turn}"));
        for value in 0..1 + turn % 4 {
            let value = format!("{value}.turn-{turn}.of-{number}.example");
            incident.observe("domain", &value);
            self.ever.insert((event(number), value));
        }
        fs::read_to_string(self.set.write()).unwrap()
    }
}

fn values(sandbox: &Sandbox) -> Vec<(Uuid, String)> {
    let misp = sandbox.misp.lock().unwrap();
    let events = misp.events();
    let of = |uuid| misp.attributes(uuid).into_iter().map(move |row| (uuid, row.value.to_string()));
    let rows = events.iter().flat_map(|event| of(event.uuid));
    rows.map(|(event, value)| (event.to_string().parse().unwrap(), value)).collect()
}

/// Resident memory in MB; 0 where the system does not tell.
fn memory(daemon: &Daemon) -> u64 {
    let pid = daemon.child.as_ref().unwrap().id();
    let told = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0) / 1_024
}

fn span() -> Duration {
    let minutes = std::env::var("DAEMON_MINUTES").map(|minutes| minutes.parse::<u64>().unwrap());
    minutes.map_or(Duration::from_secs(12), |minutes| Duration::from_secs(60 * minutes))
}

/// Runs at a destination do not overlap.
fn one_at_a_time(place: &Place, destination: &str) -> usize {
    let log = place.json(&["log", "-n", "100000", "--destination", destination]);
    let time = |run: &Value, key| run[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let mut spans: Vec<(jiff::Timestamp, jiff::Timestamp)> = log["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (time(run, "begun"), time(run, "ended")))
        .collect();
    spans.sort();
    for pair in spans.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{destination}: {pair:?}");
    }
    spans.len()
}

#[test]
fn nothing_is_missed_nothing_overlaps_and_what_it_counts_is_what_passes() {
    let (main, slow) = (Sandbox::start(), Sandbox::start());
    let platform = Served::start(Strategy::Replace, DAY_2);
    let meters = [Proxy::before(main.address), Proxy::slow(slow.address, SLOW)];
    let place = platform.place(&main);
    place.configure("[source]", "[feeds.web.source]");
    place.configure(&main.url(), &format!("http://{}", meters[0].address));
    add(&place, "slow", &format!("http://{}", meters[1].address));
    add(&place, "dead", "http://127.0.0.1:1");
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let drop = "\n[feeds.drop.source]\nkind = \"folder\"\npath = \"drop\"\nquiet = \"1s\"\n";
    place.write("misp-trickle.toml", &(text + drop));
    place.configure("every = \"15m\"", "every = \"2s\"");
    place.configure("# metrics = \"127.0.0.1:9184\"", "metrics = \"127.0.0.1:0\"");
    fs::create_dir(place.path("drop")).unwrap();
    let mut feeds = [Edited::default(), Edited { from: 100, ..Edited::default() }];
    let (begun, span) = (Instant::now(), span());
    let (mut turn, mut took, mut memories) = (0, [Duration::ZERO; 3], Vec::new());
    let mut daemon = None;
    while begun.elapsed() < span || turn < 2 {
        platform.put(&feeds[0].edit(turn));
        // A name that is not read, until it is whole.
        place.write("drop/day.json.part", &feeds[1].edit(turn));
        fs::rename(place.path("drop/day.json.part"), place.path("drop/day.json")).unwrap();
        // As the unit has it.
        let mut command = place.command(&["run"]);
        command.env("MALLOC_ARENA_MAX", "2");
        let daemon = daemon.get_or_insert_with(|| Daemon::with(&mut command, place.folder()));
        turn += 1;
        thread::sleep(Duration::from_secs(if span > LONG { 20 } else { 2 }));
        let known = &feeds[0].ever.first().unwrap().1;
        for (which, question) in QUESTIONS.into_iter().enumerate() {
            let asked = Instant::now();
            let arguments = [question, known];
            let seen = place.run(&arguments[..if question == "why" { 2 } else { 1 }]);
            assert!(matches!(seen.code, 0 | 1), "{question}: {}", seen.all());
            took[which] = took[which].max(asked.elapsed());
        }
        memories.push(memory(daemon));
    }
    let daemon = daemon.unwrap();
    let wanted: Values = feeds.iter().flat_map(|feed| feed.ever.clone()).collect();
    for (name, sandbox) in [("main", &main), ("slow", &slow)] {
        until_within(LONG * 6, name, || values(sandbox).len() >= wanted.len());
        let held = values(sandbox);
        assert_eq!(held.len(), wanted.len(), "{name}: something is there twice");
        assert!(held.into_iter().collect::<Values>() == wanted, "{name}");
    }
    let counted = |to: &str| {
        let sum = |metric: &str| -> f64 {
            let of = |feed| daemon.metric(metric, &format!("feed=\"{feed}\",destination=\"{to}\""));
            of("web") + of("drop")
        };
        let [up, down] =
            ["sent", "received"].map(|way| sum(&format!("misp_trickle_{way}_bytes_total")) as u64);
        Passed { connections: 0, up, down }
    };
    for (meter, to) in meters.iter().zip(["main", "slow"]) {
        until(&format!("{to}: {:?} of {:?}", counted(to), meter.passed()), || {
            let (counted, passed) = (counted(to), meter.passed());
            // To a connection that it closes as nothing comes a server may say 408, which is no answer to anything.
            let unasked = GOODBYE * passed.connections as u64;
            counted.up == passed.up
                && (counted.down..=counted.down + unasked).contains(&passed.down)
        });
    }
    let dead = ["web", "drop"].map(|feed| format!("feed=\"{feed}\",destination=\"dead\""));
    until_within(LONG * 3, "the dead one fails", || {
        dead.iter().all(|route| daemon.metric("misp_trickle_failures", route) >= 1.0)
    });
    let took_to_end = daemon.end();
    let runs = ["main", "slow", "dead"].map(|to| one_at_a_time(&place, to));
    let log = place.json(&["log", "-n", "100000", "--destination", "dead"]);
    for run in log["runs"].as_array().unwrap() {
        assert!(matches!(run["outcome"].as_str(), Some("failed" | "interrupted")), "{run}");
    }
    place.run(&["check"]).code(0);
    let [status, log, why] = took;
    println!(
        "{turn} turns, {} values, runs at main, slow and dead {runs:?}, {} and {} bytes; \
         status {status:?}, log {log:?}, why {why:?} at most; memory {} MB at first, {} at most, {} last; ended in {took_to_end:?}",
        wanted.len(),
        meters[0].passed().bytes(),
        meters[1].passed().bytes(),
        memories[0],
        memories.iter().max().unwrap(),
        memories[memories.len() - 1],
    );
    if span > LONG * 15 {
        let most = |part: &[u64]| part.iter().copied().max().unwrap();
        let third = memories.len() / 3;
        let (before, after) = (most(&memories[third..2 * third]), most(&memories[2 * third..]));
        assert!(after <= before + before / 8, "memory grows: {memories:?}");
    }
}
