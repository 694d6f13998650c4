//! How long pages take of a store with 2,000 runs and 100,000 attributes, while runs deliver as many again each:
//! `cargo test --test it web_pace -- --ignored --nocapture`, with `PAGES_PROGRAM` for a program that was built to be fast.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails or says so by it")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use misp_trickle::{
    history::{Commit, Ledger, Outcome},
    model::{DestinationName, Digest, RunNumber, Timestamp},
    store::{OpenMode, Owner, Store},
};
use misp_trickle_testing::program::{Place, Sandbox, binary, seen};

use crate::{daemon::Daemon, web::Browser};

#[path = "../../benches/support/dataset.rs"]
mod dataset;

const RUNS: u64 = 2_000;
const SIZE: dataset::Size = dataset::Size { incidents: 100, observables: 1_000 };
/// So many times each page is asked for.
const TIMES: usize = 60;
/// So many runs deliver meanwhile: of fewer than 200 times the slowest of all would be the hundredth part.
const TURNS: usize = 4;
const FIRST_PAGE: Duration = Duration::from_millis(50);
const ANY_PAGE: Duration = Duration::from_millis(200);

fn program() -> PathBuf {
    env::var_os("PAGES_PROGRAM").map_or_else(binary, Into::into)
}

fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    place.clean(&mut command).args(arguments);
    command
}

/// A dataset that was delivered, and a history of two months that goes before.
fn place(sandbox: &Sandbox) -> Place {
    let place = sandbox.place();
    place.configure("every = \"15m\"", "every = \"none\"");
    place.configure("[serve]", "[serve]\nweb = \"127.0.0.1:0\"");
    fs::write(place.path("day.json"), dataset::eclecticiq(SIZE)).unwrap();
    seen(&mut command(&place, &["sync", "--quiet"])).code(0);
    let now = Timestamp::parse("2026-12-01T12:00:00Z").unwrap();
    let (host, it) = ("test".to_owned(), "web_pace".to_owned());
    let owner = Owner { pid: std::process::id(), host, command: it, now };
    let mut store =
        Store::open(&place.path("state"), OpenMode::ReadWrite, owner, Duration::ZERO).unwrap();
    let (destination, first) =
        (DestinationName::new("main"), store.run(RunNumber(1)).unwrap().unwrap());
    let begun = first.begun;
    for number in 2..=RUNS {
        let mut run = first.clone();
        run.number = RunNumber(number);
        run.id = Digest::plain(&number.to_le_bytes());
        run.begun = begun.plus_seconds(i64::try_from(number).unwrap() * 2);
        run.ended = Some(run.begun.plus_seconds(1));
        if number % 50 == 0 {
            (run.outcome, run.notes) = (Outcome::Failed, vec!["nobody answers".to_owned()]);
        }
        store
            .commit(&destination, run.number, Commit { run: Some(run), ..Commit::default() })
            .unwrap();
    }
    drop(store);
    place
}

#[test]
#[ignore = "a measurement"]
fn pages_come_soon_while_a_run_delivers() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let store = place.json(&["status"]);
    println!("{} attributes: {}", SIZE.attributes(), store["destinations"][0]["attributes"]);
    let kinds = &place.json(&["check"])["kinds"];
    let bytes = |kind: &str| kinds[kind]["bytes"].as_u64().unwrap() / SIZE.attributes();
    println!("bytes each: {} of the index, {} of events", bytes("index_pages"), bytes("objects"));
    let daemon = Daemon::with(&mut command(&place, &["run"]), place.folder());
    let browser = Browser::by(&place.json(&["web"]));
    let event = browser.page("/events").split("href=\"/events/").nth(1).unwrap()[..36].to_owned();
    let page = browser.page(&format!("/events/{event}"));
    let value = page.split("/value?q=").nth(2).unwrap()[..36].to_owned();
    let paths = [
        "/".to_owned(),
        "/status.json".to_owned(),
        "/runs".to_owned(),
        "/runs?outcome=failed".to_owned(),
        "/runs?before=100".to_owned(),
        "/runs/1".to_owned(),
        "/runs/1999".to_owned(),
        "/events".to_owned(),
        "/events?standing=blocked".to_owned(),
        format!("/events/{event}"),
        format!("/value?q={value}"),
        "/value?q=nothing.example.org".to_owned(),
        "/value?q=Intrusion+7".to_owned(),
        "/value?q=intrusion".to_owned(),
        "/value?q=invoice-12".to_owned(),
        "/value?q=0123456789ab".to_owned(),
        "/diff?to=1999".to_owned(),
        "/faults".to_owned(),
    ];
    let alone = measured(&browser, &paths, TIMES);
    let mut during = BTreeMap::<String, Vec<Duration>>::new();
    for turn in 1..=TURNS {
        // As many events again.
        let more = String::from_utf8(dataset::eclecticiq(SIZE)).unwrap();
        let more = more.replace("-4000-8000-", &format!("-4000-9{turn}00-"));
        let more = ["host-", "invoice-"]
            .iter()
            .fold(more, |more, name| more.replace(name, &format!("more{turn}-")));
        place.write("day.json", &more);
        let mut sync = command(&place, &["sync", "--quiet"]).spawn().unwrap();
        while sync.try_wait().unwrap().is_none() {
            for (path, took) in measured(&browser, &paths, 1) {
                during.entry(path).or_default().extend(took);
            }
        }
        assert_eq!(sync.wait().unwrap().code(), Some(0));
    }
    println!(
        "{:34} {:>8} {:>8} {:>8}   alone: {:>6} {:>6}",
        "ms", "median", "p99", "most", "median", "p99"
    );
    let mut late = Vec::new();
    for path in &paths {
        let (busy, quiet) = (&mut during.get_mut(path).unwrap(), &mut alone[path].clone());
        busy.sort_unstable();
        quiet.sort_unstable();
        let p99 = at(busy, 0.99);
        println!(
            "{path:34.34} {:8.1} {:8.1} {:8.1}          {:6.1} {:6.1}  ({} times)",
            millis(at(busy, 0.5)),
            millis(p99),
            millis(at(busy, 1.0)),
            millis(at(quiet, 0.5)),
            millis(at(quiet, 0.99)),
            busy.len(),
        );
        let most = if path == "/" { FIRST_PAGE } else { ANY_PAGE };
        late.extend((p99 > most).then(|| format!("{path}: {p99:?}")));
    }
    daemon.end();
    assert!(late.is_empty() || env::var_os("PAGES_PROGRAM").is_none(), "{late:?}");
}

fn measured(browser: &Browser, paths: &[String], times: usize) -> BTreeMap<String, Vec<Duration>> {
    let mut each = BTreeMap::<String, Vec<Duration>>::new();
    for _ in 0..times {
        for path in paths {
            let begun = Instant::now();
            browser.page(path);
            each.entry(path.clone()).or_default().push(begun.elapsed());
        }
    }
    each
}

/// So many of a hundred took no longer.
fn at(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share).ceil() as usize]
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
