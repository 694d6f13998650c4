//! Mirrors on a real disk.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use misp_trickle::{
    agent::{self, Dataset, Silent},
    format::Format,
    mirror::{
        Bookmark, Files as _, Mirror, MirrorError, PackWriter, Pulled, Source, SourceIdentity,
    },
    model::{EntityKey, FeedName, Timestamp},
    store::{MirrorFolder, OpenMode, Owner, Store},
};
use misp_trickle_testing::world::World;
use serde_json::json;

struct Once;

impl Source for Once {
    type Error = MirrorError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, Self::Error> {
        let source = SourceIdentity::new("test");
        let mut pack = if since.is_none() { into.whole(&source)? } else { into.delta(&source)? };
        let id = if since.is_none() { 1 } else { 2 };
        let text = format!(r#"{{"type":"incident","id":"incident--{id}","name":"{id}"}}"#);
        pack.document("page", Format::Stix21, text.as_bytes())?;
        pack.end(&Bookmark::new(&id.to_string()))
    }
}

/// Has nothing, and says so.
struct Empty;

impl Source for Empty {
    type Error = MirrorError;

    async fn pull(
        &mut self,
        _: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, Self::Error> {
        into.whole(&SourceIdentity::new("other"))?.end(&Bookmark::new("x"))
    }
}

fn owner() -> Owner {
    let (host, command) = ("here".to_owned(), "test".to_owned());
    Owner { pid: std::process::id(), host, command, now: Timestamp::from_seconds(1_750_000_000) }
}

/// What the program says of a store, as JSON.
fn said(store: &std::path::Path, verb: &str) -> serde_json::Value {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
    let output = command.args([verb, "--json", "--store"]).arg(store).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it says JSON")
}

#[tokio::test]
async fn check_repair_and_gc_know_mirrors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let world = World::new("sync");
    let files = MirrorFolder::of(&path, &world.job.feed);
    let mut store = Store::create(&path, owner()).unwrap();
    let mut other = Mirror::new(Arc::new(files.clone()), SourceIdentity::new("other"));
    other.pull(&mut Empty).await.unwrap().0.unwrap();
    let mut mirror = Mirror::new(Arc::new(files.clone()), SourceIdentity::new("test"));
    for _ in 0..2 {
        mirror.pull(&mut Once).await.unwrap().0.unwrap();
    }
    drop(store);
    assert_eq!(said(&path, "gc")["mirror_packs_removed"], 0, "nothing was delivered yet");
    store = Store::open(&path, OpenMode::ReadWrite, owner(), Duration::ZERO).unwrap();
    let dataset = Dataset::mirrored(mirror.clone(), mirror.fold().unwrap());
    let (wire, interrupt) = (world.wire.clone(), AtomicBool::new(false));
    let clock = &*world.clock;
    agent::sync_from(&world.job, &dataset, &mut store, wire, clock, &Silent, &interrupt)
        .await
        .unwrap();
    drop(store);
    let mirrors = &said(&path, "check")["mirrors"][0];
    assert_eq!((&mirrors["name"], &mirrors["source"]), (&json!("main"), &json!("test")));
    assert_eq!((&mirrors["packs"], &mirrors["objects"]), (&json!(2), &json!(2)));
    assert_eq!((&mirrors["behind"], &mirrors["packs_of_others"]), (&json!(false), &json!(1)));
    assert_eq!(said(&path, "gc")["mirror_packs_removed"], 1);
    assert_eq!(said(&path, "gc")["mirror_packs_removed"], 0);
    assert_eq!(said(&path, "repair")["mirror_packs_removed"], json!([]));
    let damaged = path.join("mirror/main/000003.jsonl.zst");
    fs::write(&damaged, "damaged").unwrap();
    let mirrors = &said(&path, "check")["mirrors"][0];
    assert_eq!((&mirrors["behind"], &mirrors["packs"]), (&json!(true), &json!(1)));
    let what = mirrors["packs_damaged"][0].as_str().unwrap();
    assert!(what.starts_with("000003.jsonl.zst: "), "{what}");
    let removed = json!(["main/000002.jsonl.zst", "main/000003.jsonl.zst"]);
    assert_eq!(said(&path, "repair")["mirror_packs_removed"], removed);
    assert!(mirror.fold().unwrap().is_empty() && !damaged.exists());
    mirror.pull(&mut Once).await.unwrap().0.unwrap();
    assert!(mirror.fold().unwrap().is_whole());
}

#[tokio::test]
async fn a_mirror_lives_in_private_files() {
    let store = tempfile::tempdir().unwrap();
    let feed = FeedName::new("main");
    let folder = MirrorFolder::of(store.path(), &feed);
    assert_eq!(folder.names().unwrap(), Vec::<String>::new());
    assert!(MirrorFolder::all(store.path()).unwrap().is_empty());
    let mut mirror = Mirror::new(Arc::new(folder.clone()), SourceIdentity::new("test"));
    for _ in 0..2 {
        mirror.pull(&mut Once).await.unwrap().0.unwrap();
    }
    let mut names = folder.names().unwrap();
    names.sort();
    assert_eq!(names, ["000001.jsonl.zst", "000002.jsonl.zst"]);
    let fold = mirror.fold().unwrap();
    let facts = mirror.facts(&fold).unwrap();
    let keys: Vec<_> = facts.entities.iter().map(|entity| entity.key.clone()).collect();
    assert_eq!(keys, ["incident--1", "incident--2"].map(EntityKey::whole));
    assert!(folder.bytes_on_disk().unwrap() > 0);
    let [(name, _)] = MirrorFolder::all(store.path()).unwrap().try_into().unwrap();
    assert_eq!(name, "main");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.path().join("mirror/main")), 0o700);
        assert_eq!(mode(store.path().join("mirror/main/000001.jsonl.zst")), 0o600);
    }
    let compacted = mirror.compact(&fold).unwrap();
    assert_eq!(
        (compacted.objects(), folder.names().unwrap()),
        (2, vec!["000003.jsonl.zst".into()])
    );
    // A file that is gone on with is cut off behind what is kept.
    folder.write("x", 0).unwrap().write_all(b"abcdef").unwrap();
    folder.write("x", 3).unwrap().write_all(b"g").unwrap();
    let mut text = String::new();
    folder.read("x").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "abcg");
    folder.remove("x").unwrap();
    folder.remove("x").unwrap();
}
