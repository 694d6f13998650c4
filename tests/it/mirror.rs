//! Mirrors on a real disk.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
    sync::Arc,
};

use misp_trickle::{
    format::Format,
    mirror::{
        Bookmark, Files as _, Mirror, MirrorError, PackWriter, Pulled, Source, SourceIdentity,
    },
    model::{EntityKey, FeedName},
    store::MirrorFolder,
};

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
