//! Whether MISP holds what the ledger says, and what becomes of it where it does not: over the sandbox, in
//! process where only effects count, behind HTTP where bytes do.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, dead_code)]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use misp_trickle::{
    agent::{self, Ending, Sample, Silent, Summary, Verified},
    delivery::{
        Call, Exchange, Reply, Trouble, Wire,
        verify::{Drift, There},
    },
    history::{Ledger, MemoryLedger},
    plan::Standing,
    remote::{Encoding, Remote},
    sandbox::{Release, Setup, serve},
    source::SourceSpec,
};
use misp_trickle_testing::{direct::direct_access, world};
use tempfile::TempDir;
use uuid::Uuid;
use world::World;

fn uuid(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

fn incident(number: usize) -> Uuid {
    uuid(&format!("incident-{number}"))
}

/// A dataset: so many domains for each incident.
fn dataset(folder: &Path, domains: &[usize]) -> PathBuf {
    let mut entities = Vec::new();
    for (number, count) in domains.iter().enumerate() {
        let (incident, indicator) = (incident(number), uuid(&format!("indicator-{number}")));
        entities.push(format!(
            r#"{{"id":"{incident}","data":{{"id":"{{https://x.example}}incident-{incident}","type":"incident","title":"Incident {number}","timestamp":"2024-05-14T11:00:00+00:00"}},"meta":{{"tlp_color":"GREEN"}}}}"#
        ));
        let mut extracts = String::new();
        for value in 0..*count {
            let comma = if value == 0 { "" } else { "," };
            write!(extracts, r#"{comma}{{"kind":"domain","value":"v{value}.i{number}.example.org","meta":{{"classification":"bad","confidence":"high"}}}}"#).unwrap();
        }
        entities.push(format!(
            r#"{{"id":"{indicator}","data":{{"id":"{{https://x.example}}indicator-{indicator}","type":"indicator","title":"Indicator","timestamp":"2024-05-14T11:00:00+00:00"}},"meta":{{"tlp_color":"GREEN"}},"extracts":[{extracts}]}}"#
        ));
        entities.push(format!(
            r#"{{"data":{{"type":"relation","key":"related","source":"{indicator}","target":"{incident}"}}}}"#
        ));
    }
    let package = format!(
        r#"{{"content-type":"urn:eclecticiq.com:json:1.0","entities":[{}]}}"#,
        entities.join(",")
    );
    let path = folder.join("dataset.json");
    std::fs::write(&path, package).unwrap();
    path
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Verifies over HTTP, so that every byte of both directions counts, headers included.
fn verify_by_http(world: &World) -> Verified {
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(runtime.spawn(serve(listener, world.misp.clone())));
    let timeout = Duration::from_secs(60);
    let access = direct_access(&url, &world.wire.key, Encoding::Plain, timeout);
    let remote = Remote::new(&access).unwrap();
    let options = world.verify_options(Sample::All);
    let found = agent::verify(&options, &world.ledger, &remote, &agent::SystemClock);
    runtime.block_on(found).unwrap()
}

fn verify(world: &World, sample: Sample) -> Verified {
    let options = world.verify_options(sample);
    let found = agent::verify(&options, &world.ledger, &*world.wire, &*world.clock);
    runtime().block_on(found).unwrap()
}

fn bytes(verified: &Verified) -> u64 {
    verified.tally.bytes_sent + verified.tally.bytes_received
}

/// An analyst's request.
fn analyst(world: &World, path: &str) {
    world.clock.advance(30);
    let key = world.keys.get("orgadmin").unwrap().to_owned();
    let (status, body) = world.wire.raw(&key, "POST", path, "{}");
    assert_eq!(status, 200, "{path}: {body}");
    world.clock.advance(30);
}

fn attribute(world: &World, number: usize, at: usize) -> misp_trickle::sandbox::AttributeView {
    world.misp.lock().unwrap().attributes(incident(number)).remove(at)
}

/// A world with these datasets delivered.
fn delivered(domains: &[usize]) -> (World, TempDir, PathBuf) {
    delivered_to(Setup::default(), "sync", domains)
}

fn delivered_to(setup: Setup, role: &str, domains: &[usize]) -> (World, TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = dataset(folder.path(), domains);
    let mut world = World::new(role);
    world.misp.lock().unwrap().set_up(setup);
    let admin = world.keys.get("admin").unwrap().to_owned();
    world.wire.raw(&admin, "POST", "/tags/add", r#"{"name":"tlp:green"}"#);
    assert_eq!(world.sync(&path).ending, Ending::Done);
    (world, folder, path)
}

fn standing(world: &World, number: usize, value: &str) -> Standing {
    let event = misp_trickle::model::EventUuid::new(incident(number));
    let event = world.ledger.event(&world.job.destination, event).unwrap().unwrap();
    let mut all = event.attributes.values();
    all.find(|known| known.attribute.value.as_str() == value).unwrap().standing.clone()
}

#[test]
fn fifty_events_are_proven_for_seven_kilobytes() {
    let (world, _folder, _path) = delivered(&[1_000; 50]);
    let found = verify_by_http(&world);
    println!("50 undrifted events: {} bytes, {} requests", bytes(&found), found.tally.requests);
    assert_eq!((found.events, found.proven, found.present), (50, 50, 50_000));
    assert!(bytes(&found) < 7_000, "{} bytes", bytes(&found));

    let deleted = attribute(&world, 31, 500);
    analyst(&world, &format!("/attributes/delete/{}", deleted.uuid));
    let found = verify_by_http(&world);
    println!("one soft-deleted: {} bytes, {} requests", bytes(&found), found.tally.requests);
    assert_eq!((found.proven, found.present), (49, 49_999));
    let difference = &found.findings[0].differences[0];
    assert_eq!((&*difference.value, difference.drift), (&*deleted.value, Drift::Deleted));
    assert_eq!((found.findings.len(), found.findings[0].differences.len()), (1, 1));
    assert!(bytes(&found) < 70_000, "{} bytes", bytes(&found));

    let gone = attribute(&world, 12, 3);
    analyst(&world, &format!("/attributes/delete/{}/1", gone.uuid));
    let found = verify_by_http(&world);
    println!("and one hard-deleted: {} bytes, {} requests", bytes(&found), found.tally.requests);
    assert_eq!((found.proven, found.present), (48, 49_998));
    let missing = found.findings.iter().flat_map(|finding| &finding.differences);
    assert!(
        missing
            .into_iter()
            .any(|one| one.value == gone.value.as_str().into() && one.drift == Drift::Missing)
    );
    assert!(bytes(&found) < 80_000, "{} bytes", bytes(&found));
}

#[test]
fn one_event_of_any_size_costs_two_kilobytes() {
    let (world, _folder, _path) = delivered(&[3_000]);
    let one = verify_by_http(&world);
    assert_eq!(one.present, 3_000);
    // Half of it is the question whether a 304 counts.
    assert!(bytes(&one) < 2_300, "{} bytes in {} requests", bytes(&one), one.tally.requests);
}

#[test]
fn verifying_changes_nothing() {
    let (world, _folder, _path) = delivered(&[5, 60, 0]);
    let uuid = attribute(&world, 1, 7).uuid;
    analyst(&world, &format!("/attributes/delete/{uuid}"));
    analyst(&world, &format!("/events/delete/{}", incident(2)));
    let before = format!("{:?}", world.ledger);
    let writes = world.misp.lock().unwrap().events().len();
    let found = verify(&world, Sample::All);
    assert!(found.has_drifted());
    let absent: Vec<_> = found.findings.iter().filter(|one| one.there == There::No).collect();
    assert_eq!(absent.len(), 1);
    assert_eq!(absent[0].event.uuid(), incident(2));
    assert_eq!(format!("{:?}", world.ledger), before);
    assert_eq!(world.misp.lock().unwrap().events().len(), writes);
}

#[test]
fn a_sample_is_the_same_for_the_same_seed() {
    let (world, _folder, _path) = delivered(&[1; 20]);
    assert_eq!(verify(&world, Sample::Events(3)).events, 3);
    assert_eq!(verify(&world, Sample::Percent(12)).events, 3);
    assert_eq!(verify(&world, Sample::Percent(100)).events, 20);
    let uuid = attribute(&world, 4, 0).uuid;
    analyst(&world, &format!("/attributes/delete/{uuid}"));
    let once = verify(&world, Sample::Events(7));
    assert_eq!(verify(&world, Sample::Events(7)), once);
}

#[test]
fn drift_is_reconciled_by_a_run_that_sends_anyway() {
    let (mut world, folder, _path) = delivered(&[60, 60, 3, 0]);
    world.job.verify_every = Some(Duration::from_secs(3_600));
    let deleted: Vec<_> = [0, 1, 2].map(|number| attribute(&world, number, 1)).into();
    for each in &deleted {
        analyst(&world, &format!("/attributes/delete/{}", each.uuid));
    }
    // Nothing to send: no request, and nothing is learned.
    let before = world.requests();
    world.sync(&dataset(folder.path(), &[60, 60, 3, 0]));
    assert_eq!(world.requests(), before);
    let summary = world.sync(&dataset(folder.path(), &[60, 61, 3, 0]));
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    for (number, each) in deleted.iter().enumerate() {
        assert_eq!(standing(&world, number, &each.value), Standing::Declined, "{number}");
    }
    let tally = &summary.run.tally;
    assert_eq!(tally.events.unchanged + tally.events.updated, 4, "{tally:?}");
    let attributes = &tally.attributes;
    assert_eq!((attributes.planned, attributes.sent, attributes.declined), (124, 1, 3));
    assert!(!verify(&world, Sample::All).has_drifted());
    // It was just done: the next run does not ask again.
    let before = world.requests();
    world.sync(&dataset(folder.path(), &[60, 61, 4, 0]));
    assert_eq!(world.requests() - before, 1);
}

#[test]
fn what_misp_lost_is_sent_again_by_a_run_that_sends_anyway() {
    let (mut world, folder, _path) = delivered(&[4, 60, 3, 5]);
    world.job.verify_every = Some(Duration::from_secs(3_600));
    for number in [0, 3] {
        analyst(&world, &format!("/events/delete/{}", incident(number)));
    }
    world.misp.lock().unwrap().set_blocklist([]);
    let summary = world.sync(&dataset(folder.path(), &[4, 60, 4, 5]));
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    assert_eq!(summary.run.tally.events.created, 2);
    let found = verify(&world, Sample::All);
    assert!(!found.has_drifted(), "{found:?}");
    assert_eq!(found.present, 73);
}

/// Everything that MISP holds; a write would show in it.
fn held(world: &World) -> String {
    let misp = world.misp.lock().unwrap();
    let events = misp.events();
    let attributes: Vec<_> = events.iter().map(|event| misp.attributes(event.uuid)).collect();
    format!("{events:?} {attributes:?}")
}

#[test]
fn a_lost_store_is_filled_without_a_write() {
    let (mut world, folder, path) = delivered(&[2_500; 4]);
    let deleted = attribute(&world, 1, 7);
    analyst(&world, &format!("/attributes/delete/{}", deleted.uuid));
    world.ledger = MemoryLedger::default();
    let before = held(&world);
    let summary = world.adopt(&path);
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    assert_eq!(summary.run.tally.attributes.adopted, 9_999);
    assert_eq!(standing(&world, 1, &deleted.value), Standing::Declined);
    let requests = world.requests();
    let summary = world.sync(&path);
    assert_eq!((summary.ending, world.requests()), (Ending::Done, requests));
    assert_eq!(held(&world), before);
    let found = verify(&world, Sample::All);
    assert_eq!((found.present, found.has_drifted()), (9_999, false));
    // What is new goes, and nothing else.
    let summary = world.sync(&dataset(folder.path(), &[2_500, 2_500, 2_500, 2_501]));
    assert_eq!((summary.run.tally.attributes.sent, world.requests() - requests > 1), (1, true));
}

#[test]
fn adopting_leaves_what_is_missing_to_the_next_run() {
    let (mut world, folder, _path) = delivered(&[3, 3]);
    world.ledger = MemoryLedger::default();
    let path = dataset(folder.path(), &[5, 3, 2]);
    let before = held(&world);
    let summary = world.adopt(&path);
    assert_eq!(summary.run.tally.attributes.pending, 4);
    assert_eq!(held(&world), before);
    let summary = world.sync(&path);
    assert_eq!(summary.ending, Ending::Done);
    assert_eq!((summary.run.tally.attributes.sent, summary.run.tally.events.created), (4, 1));
    assert_eq!(verify(&world, Sample::All).present, 10);
}

#[test]
fn what_left_the_dataset_before_adopting_is_retired_by_the_next_run() {
    let (mut world, folder, _path) = delivered(&[4, 2]);
    let path = dataset(folder.path(), &[1, 2]);
    let before = held(&world);
    world.adopt(&path);
    let requests = world.requests();
    let tally = world.sync(&path).run.tally.attributes;
    assert_eq!((tally.retired, tally.unchanged), (3, 3), "{tally:?}");
    assert_eq!((world.requests(), held(&world)), (requests, before));
}

#[test]
fn a_misp_that_lost_everything_gets_it_all_again() {
    let (mut world, _folder, path) = delivered(&[3, 0, 4]);
    let declined = attribute(&world, 0, 1);
    analyst(&world, &format!("/attributes/delete/{}", declined.uuid));
    world.job.verify_every = Some(Duration::ZERO);
    let path = dataset(path.parent().unwrap(), &[3, 0, 5]);
    world.sync(&path);
    let empty = World::new("sync");
    let admin = empty.keys.get("admin").unwrap().to_owned();
    empty.wire.raw(&admin, "POST", "/tags/add", r#"{"name":"tlp:green"}"#);
    (world.misp, world.wire) = (empty.misp.clone(), empty.wire.clone());
    assert_eq!(agent::resend(&mut world.ledger, &world.job.destination).unwrap(), 3);
    let summary = world.sync(&path);
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    assert_eq!(summary.run.tally.events.created, 3);
    assert_eq!(verify(&world, Sample::All).present, 7);
    assert_eq!(standing(&world, 0, &declined.value), Standing::Declined);
}

/// Answers nothing useful the first few times.
struct Sleepy {
    inner: Arc<world::LocalWire>,
    naps: AtomicU32,
}

impl Wire for Sleepy {
    async fn exchange(&self, call: &Call) -> Exchange {
        let napping =
            self.naps.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if napping.is_err() {
            return self.inner.exchange(call).await;
        }
        let why = "HTTP 503".into();
        let reply = Reply::Trouble(Trouble::NoEffect { why, retry_after: None });
        Exchange {
            reply,
            requests: 1,
            bytes_sent: 1,
            bytes_received: 1,
            bytes_beside: 0,
            date: None,
        }
    }
}

fn sync_with(naps: u32) -> Result<Summary, agent::AgentError> {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new("sync");
    world.job.source = SourceSpec::File(dataset(folder.path(), &[1]));
    let wire = Arc::new(Sleepy { inner: world.wire.clone(), naps: naps.into() });
    let interrupt = AtomicBool::new(false);
    let clock = agent::SystemClock;
    let run = agent::sync(&world.job, &mut world.ledger, wire, &clock, &Silent, &interrupt);
    runtime().block_on(run)
}

#[test]
fn a_misp_that_is_down_for_a_moment_is_waited_for() {
    assert!(sync_with(4).is_ok());
    assert!(matches!(sync_with(5), Err(agent::AgentError::Learn(_))));
}

/// A MISP 2.5.19 with this limit on restSearch.
fn later(search_limit: usize) -> Setup {
    Setup { release: Release::V2_5_19, search_limit, ..Setup::default() }
}

#[test]
fn a_limit_on_searches_makes_nothing_missing() {
    for (domains, requests_max) in [(vec![3; 30], 12), (vec![60; 30], 15)] {
        let (world, _folder, _path) = delivered_to(later(10), "publisher", &domains);
        let found = verify_by_http(&world);
        println!("limit 10: {} bytes, {} requests", bytes(&found), found.tally.requests);
        assert_eq!((found.events, found.proven), (30, 30), "{} findings", found.findings.len());
        assert_eq!(found.extras, 0);
        assert!(found.tally.requests <= requests_max, "{}", found.tally.requests);
    }
}

#[test]
fn an_emptied_event_and_a_lost_one_are_found_behind_a_limit() {
    let (world, _folder, _path) = delivered_to(later(10), "publisher", &[3; 30]);
    for _ in 0..3 {
        let uuid = attribute(&world, 4, 0).uuid;
        analyst(&world, &format!("/attributes/delete/{uuid}/1"));
    }
    analyst(&world, &format!("/events/delete/{}", incident(27)));
    let found = verify_by_http(&world);
    let drifted: Vec<Uuid> = found
        .findings
        .iter()
        .filter(|finding| !finding.is_proven())
        .map(|finding| finding.event.uuid())
        .collect();
    assert_eq!(drifted.len(), 2, "{drifted:?}");
    assert!(drifted.contains(&incident(4)) && drifted.contains(&incident(27)));
    assert_eq!(found.proven, 28);
}

#[test]
fn deletions_are_as_cheap_to_find_without_the_right_to_synchronise() {
    let [with_sync, found] = ["sync", "publisher"].map(|role| {
        let (world, _folder, _path) = delivered_to(later(0), role, &[400; 12]);
        for number in [1, 4, 7, 10] {
            for at in [5, 6] {
                let uuid = attribute(&world, number, at).uuid;
                analyst(&world, &format!("/attributes/delete/{uuid}"));
            }
        }
        verify_by_http(&world)
    });
    println!("sync: {} bytes, publisher: {} bytes", bytes(&with_sync), bytes(&found));
    let deleted = |verified: &Verified| {
        let all = verified.findings.iter().flat_map(|finding| &finding.differences);
        all.filter(|one| one.drift == Drift::Deleted).count()
    };
    assert_eq!((deleted(&with_sync), deleted(&found)), (8, 8));
    assert!(found.tally.requests <= with_sync.tally.requests + 1, "{}", found.tally.requests);
    assert!(bytes(&found) < bytes(&with_sync) + 2_000, "{} bytes", bytes(&found));
}
