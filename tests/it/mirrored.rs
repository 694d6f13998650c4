//! What was kept of a source, delivered: the same as a file of all of it would be; what is retired, and what waits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use misp_trickle::{
    agent::{Dataset, Input, Removals, Summary, preview_of},
    format::Format,
    graph::{Aliases, Coverage},
    history::{Ledger as _, Outcome, query},
    mirror::{
        Bookmark, Fold, Mirror, MirrorError, PackWriter, Pulled, Source, SourceIdentity,
        memory::MemoryFiles,
    },
    plan::Presence,
};

use misp_trickle_testing::world;
use world::{World, wait};

fn incident(id: u8) -> String {
    format!(
        r#"{{"type":"incident","id":"incident--00000000-0000-4000-8000-0000000000{id:02x}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","name":"incident {id}"}}"#
    )
}

fn indicator_id(id: u8) -> String {
    format!("indicator--00000000-0000-4000-8000-0000000001{id:02x}")
}

/// An indicator of an incident, with its link.
fn indicator(id: u8, incident: u8) -> String {
    let own = indicator_id(id);
    format!(
        r#"{{"type":"indicator","id":"{own}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","name":"i","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","pattern":"[domain-name:value = 'd{id}.example']"}},
        {{"type":"relationship","id":"relationship--00000000-0000-4000-8000-0000000002{id:02x}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","relationship_type":"indicates","source_ref":"{own}","target_ref":"incident--00000000-0000-4000-8000-0000000000{incident:02x}"}}"#
    )
}

fn bundle(objects: &[String]) -> String {
    format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, objects.join(","))
}

/// Incidents, each with an indicator.
fn incidents(ids: std::ops::Range<u8>) -> Vec<String> {
    ids.flat_map(|id| [incident(id), indicator(id, id)]).collect()
}

/// What a pull brings.
enum Brings {
    Whole(String),
    Changes(String, Vec<String>),
}

impl Source for Brings {
    type Error = MirrorError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, MirrorError> {
        let last = since.map_or(0, |since| since.as_str().parse::<u64>().unwrap());
        let (text, removed) = match self {
            Self::Whole(text) => (text.clone(), Vec::new()),
            Self::Changes(text, removed) => (text.clone(), std::mem::take(removed)),
        };
        let mut pack = match self {
            Self::Whole(_) => into.whole(&source())?,
            Self::Changes(..) => into.delta(&source())?,
        };
        for id in removed {
            pack.remove(&id, Format::Stix21)?;
        }
        pack.document(&format!("text {last}"), Format::Stix21, text.as_bytes())?;
        pack.end(&Bookmark::new(&(last + 1).to_string()))
    }
}

fn source() -> SourceIdentity {
    SourceIdentity::new("test").with("feed", "1")
}

/// A feed that is kept in memory, and its destination.
struct Kept {
    files: MemoryFiles,
    world: World,
}

impl Kept {
    fn new() -> Self {
        Self { files: MemoryFiles::default(), world: World::new("sync") }
    }

    fn mirror(&self) -> Mirror {
        Mirror::new(Arc::new(self.files.clone()), source())
    }

    fn fold(&self) -> Fold {
        self.mirror().fold().unwrap()
    }

    fn pull(&self, mut brings: Brings) {
        wait(self.mirror().pull(&mut brings)).unwrap().0.unwrap();
    }

    fn sync(&mut self) -> Summary {
        self.world.sync_from(&Dataset::mirrored(self.mirror(), self.fold()))
    }

    fn accept(&mut self) -> Summary {
        self.world.job.removals = Removals::Accept;
        let summary = self.sync();
        self.world.job.removals = Removals::Hold;
        summary
    }

    fn pull_and_sync(&mut self, brings: Brings) -> Summary {
        self.pull(brings);
        self.sync()
    }

    /// Events and attributes of the feed that have not left.
    fn wanted(&self) -> (usize, usize) {
        let heads = self.world.ledger.heads(&self.world.job.destination).unwrap();
        let feed = &self.world.job.feed;
        let there = heads.iter().filter(|head| {
            assert_eq!(head.presence, Presence::Present);
            head.feeds.get(feed).is_some_and(|feed| !feed.gone)
        });
        let attributes = heads.iter().map(|head| {
            let event = self.world.ledger.event(&self.world.job.destination, head.uuid);
            let event = event.unwrap().unwrap();
            event.attributes.values().filter(|known| !known.wanted.is_empty()).count()
        });
        (there.count(), attributes.sum())
    }

    fn file(&self, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day.json");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    /// Why removals wait, by the newest run, by `plan` and by `status`.
    fn waits(&self, summary: &Summary) -> Option<String> {
        let is_it = |note: &&String| note.starts_with("removals wait: ");
        let waits = summary.run.notes.iter().find(is_it).cloned();
        let (mirror, fold, job) = (self.mirror(), self.fold(), &self.world.job);
        let aliases = Aliases(self.world.ledger.aliases().unwrap());
        let input = Input::mirrored(&mirror, &fold, &aliases, &job.graph, None).unwrap();
        let preview = preview_of(job, &self.world.ledger, &*self.world.clock, &input).unwrap();
        assert_eq!(preview.notes.iter().find(is_it), waits.as_ref());
        let status = query::status(&self.world.ledger, &job.destination).unwrap();
        let told = status.removals_wait.first().map(|(_, why)| format!("removals wait: {why}"));
        assert_eq!(told, waits);
        waits
    }
}

#[test]
fn what_was_kept_is_delivered_as_a_file_of_it_is() {
    let mut kept = Kept::new();
    let all = incidents(0..5);
    kept.pull(Brings::Whole(bundle(&all[..6])));
    kept.pull(Brings::Changes(bundle(&all[6..]), Vec::new()));
    let summary = kept.sync();
    let mut other = World::new("sync");
    let (_folder, path) = kept.file(&bundle(&all));
    let of_file = other.sync(&path);
    assert_eq!(summary.run.tally.events, of_file.run.tally.events);
    assert_eq!(summary.run.tally.attributes, of_file.run.tally.attributes);
    assert_eq!(summary.run.source, "test feed=1");
    assert_eq!(summary.run.source_digest, Some(kept.fold().digest()));
    let requests = kept.world.requests();
    let again = kept.sync();
    assert_eq!((again.run.tally.events.unchanged, kept.world.requests()), (5, requests));
    assert_eq!(again.run.tally.requests, 0);
}

#[test]
fn what_a_whole_mirror_lacks_is_retired() {
    let mut kept = Kept::new();
    kept.pull_and_sync(Brings::Whole(bundle(&incidents(0..5))));
    assert_eq!(kept.wanted(), (5, 5));
    let gone = vec![indicator_id(3), incident_id(4)];
    let summary = kept.pull_and_sync(Brings::Changes(bundle(&[]), gone));
    assert_eq!((kept.wanted(), kept.waits(&summary)), ((4, 3), None));
    assert_eq!(summary.run.tally.attributes.retired, 2);
}

fn incident_id(id: u8) -> String {
    format!("incident--00000000-0000-4000-8000-0000000000{id:02x}")
}

#[test]
fn of_a_part_only_what_the_source_said_is_gone_is_retired() {
    let mut kept = Kept::new();
    kept.pull_and_sync(Brings::Changes(bundle(&incidents(0..5)), Vec::new()));
    assert_eq!(kept.wanted(), (5, 5));
    // The mirror is lost, and the next one has less: nobody said that the rest is gone.
    for name in misp_trickle::mirror::Files::names(&kept.files).unwrap() {
        if name.ends_with(".zst") {
            kept.files.spoil(&name, None);
        }
    }
    let summary = kept.pull_and_sync(Brings::Changes(bundle(&incidents(0..4)), Vec::new()));
    assert_eq!((kept.wanted(), summary.run.outcome), ((5, 5), Outcome::Done));
    let settled = kept.sync();
    assert_eq!(settled.run.tally.requests, 0);
    let gone = vec![indicator_id(3), incident_id(2), incident_id(4)];
    let summary = kept.pull_and_sync(Brings::Changes(bundle(&[]), gone));
    assert_eq!((kept.wanted(), kept.waits(&summary)), ((3, 2), None));
    // What is whole again retires the rest, although no incident changed.
    kept.pull_and_sync(Brings::Whole(bundle(&[incidents(0..1), vec![incident(3)]].concat())));
    assert_eq!(kept.wanted(), (2, 1));
}

#[test]
fn what_is_damaged_retires_nothing_and_what_is_missing_neither() {
    let mut kept = Kept::new();
    kept.pull_and_sync(Brings::Whole(bundle(&incidents(0..5))));
    let bad = r#"{"type":"relationship","id":"relationship--x"}"#.to_owned();
    let damaged = [incidents(0..3), vec![bad]].concat();
    let summary = kept.pull_and_sync(Brings::Whole(bundle(&damaged)));
    assert_eq!((kept.wanted(), summary.run.outcome), ((5, 5), Outcome::Partial));
    let whole = kept.pull_and_sync(Brings::Whole(bundle(&incidents(0..3))));
    assert_eq!((kept.wanted(), whole.run.outcome), ((3, 3), Outcome::Done));
    kept.pull(Brings::Changes(bundle(&incidents(3..6)), Vec::new()));
    kept.pull_and_sync(Brings::Changes(bundle(&incidents(6..7)), Vec::new()));
    assert_eq!(kept.wanted(), (7, 7));
    let names = misp_trickle::mirror::Files::names(&kept.files).unwrap();
    let last = names.iter().rfind(|name| name.starts_with("00")).unwrap();
    kept.files.spoil(last, Some(b"damaged".to_vec()));
    let summary = kept.sync();
    let why = "a part of what was kept of the source is lost: nothing is retired until";
    assert!(summary.run.notes.iter().any(|note| note.starts_with(why)), "{:?}", summary.run.notes);
    assert_eq!(kept.wanted(), (7, 7));
    // Nothing else changed since, and what was left behind is retired all the same.
    kept.pull_and_sync(Brings::Whole(bundle(&[incidents(0..2), vec![incident(2)]].concat())));
    assert_eq!(kept.wanted(), (3, 2));
}

#[test]
fn the_removals_of_a_mirror_that_takes_the_place_of_a_file_wait() {
    let mut kept = Kept::new();
    let (_folder, path) = kept.file(&bundle(&incidents(0..5)));
    kept.world.sync(&path);
    for round in 0..2 {
        let summary = kept.pull_and_sync(Brings::Whole(bundle(&incidents(1..6))));
        let waits = kept.waits(&summary).unwrap();
        assert!(waits.contains("came from another source"), "{waits}");
        assert!(waits.ends_with("then run `sync --accept-removals`"), "{waits}");
        assert_eq!(kept.wanted(), (6, 6), "all else goes on, in round {round}");
    }
    let accepted = kept.accept();
    assert_eq!((kept.wanted(), kept.waits(&accepted)), ((5, 5), None));
    let summary = kept.pull_and_sync(Brings::Whole(bundle(&incidents(2..6))));
    assert_eq!((kept.wanted(), kept.waits(&summary)), ((4, 4), None));
    // A mirror that was lost begins anew.
    kept.files = MemoryFiles::default();
    let summary = kept.pull_and_sync(Brings::Whole(bundle(&incidents(3..6))));
    assert!(kept.waits(&summary).is_some());
    assert_eq!(kept.wanted(), (4, 4));
    // A file has no beginning: of few removals it asks nobody.
    let (_folder, path) = kept.file(&bundle(&incidents(5..6)));
    kept.world.sync(&path);
    assert_eq!(kept.wanted(), (1, 1));
}

#[test]
fn very_many_removals_at_once_wait() {
    let mut kept = Kept::new();
    kept.pull_and_sync(Brings::Whole(bundle(&incidents(0..51))));
    let few = kept.pull_and_sync(Brings::Whole(bundle(&incidents(10..51))));
    assert_eq!((kept.wanted(), kept.waits(&few)), ((41, 41), None), "ten may always leave");
    let many = kept.pull_and_sync(Brings::Whole(bundle(&incidents(21..51))));
    assert_eq!(kept.wanted(), (41, 41));
    let waits = kept.waits(&many).unwrap();
    assert!(
        waits.starts_with("removals wait: 11 of 41 incidents would be retired at once"),
        "{waits}"
    );
    // An attribute that was left behind meanwhile leaves with the rest, although its incident is as it was.
    let all = [incidents(21..50), vec![incident(50)]].concat();
    kept.pull_and_sync(Brings::Whole(bundle(&all)));
    assert_eq!(kept.wanted(), (41, 41));
    let accepted = kept.accept();
    assert_eq!((kept.wanted(), kept.waits(&accepted)), ((30, 29), None));
    let gone = (25..40).map(incident_id).collect();
    let said = kept.pull_and_sync(Brings::Changes(bundle(&[]), gone));
    assert!(kept.waits(&said).unwrap().contains("15 of 30"));
    let (mirror, fold) = (kept.mirror(), kept.fold());
    assert_eq!(fold.coverage(), Coverage::Whole);
    assert_eq!(mirror.facts(&fold).unwrap().coverage, Coverage::Whole);
}
