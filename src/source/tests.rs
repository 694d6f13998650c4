//! Tests of sources on files made for them.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Cursor, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tempfile::TempDir;

use super::{Reader, SourceError, SourceSpec, digest, open, read};
use crate::{
    format::Format,
    model::{Context, Encoder},
};

fn package(title: &str) -> Vec<u8> {
    format!(r#"{{"entities":[{{"id":"{title}","data":{{"type":"ttp","title":"{title}"}}}}]}}"#)
        .into()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn file(folder: &TempDir, name: &str) -> SourceSpec {
    SourceSpec::File(folder.path().join(name))
}

fn titles(spec: &SourceSpec) -> Vec<String> {
    let (facts, _) = read(spec, Format::Auto).unwrap();
    facts.entities.iter().map(|entity| entity.title.to_string()).collect()
}

#[test]
fn plain_and_packed_files_are_read_alike() {
    let (one, two) = (package("one"), package("two"));
    let folder = folder(&[
        ("plain", &[&one[..], &two[..]].concat()),
        ("members", &[gzip(&one), gzip(&two)].concat()),
        ("frames", &[zstd(&one), zstd(&two)].concat()),
        ("skippable", &[b"\x5d\x2a\x4d\x18\x02\0\0\0hi", &zstd(&one)[..], &zstd(&two)].concat()),
    ]);
    for name in ["plain", "members", "frames", "skippable"] {
        let spec = file(&folder, name);
        assert_eq!(titles(&spec), ["one", "two"], "{name}");
        let raw = fs::read(folder.path().join(name)).unwrap();
        let expected = Encoder::new(Context::Source).raw(&raw).finish();
        assert_eq!(digest(&spec).unwrap(), Some(expected), "{name}");
        assert_eq!(read(&spec, Format::Auto).unwrap().1, expected, "{name}");
    }
}

#[test]
fn a_folder_gives_its_datasets_in_the_order_of_their_names() {
    let folder = folder(&[
        ("b.json", &package("b")),
        ("a.JSON.gz", &gzip(&package("a"))),
        ("c.ndjson.zst", &zstd(&package("c"))),
        ("notes.txt", b"no"),
        (".hidden.json", b"no"),
        ("d.json.part", b"no"),
        ("e.tar.gz", b"no"),
    ]);
    let spec = SourceSpec::Folder(folder.path().to_owned());
    assert_eq!(titles(&spec), ["a", "b", "c"]);
    let before = digest(&spec).unwrap().unwrap();
    let (facts, read_as) = read(&spec, Format::Auto).unwrap();
    assert_eq!(read_as, before);
    let [told] = &facts.issues[..] else { panic!("{:?}", facts.issues) };
    assert!(told.what.contains("e.tar.gz") && told.what.contains("rename"), "{told}");
    assert!(!told.what.contains(".hidden"), "{told}");
    fs::rename(folder.path().join("b.json"), folder.path().join("z.json")).unwrap();
    assert_ne!(digest(&spec).unwrap().unwrap(), before);
}

#[test]
fn what_goes_between_a_look_and_the_reading_is_told() {
    let folder = folder(&[("a.json", &package("a")), ("b.json", &package("b"))]);
    let spec = SourceSpec::Folder(folder.path().to_owned());
    let whole = digest(&spec).unwrap();
    let parts = open(&spec).unwrap();
    fs::remove_file(folder.path().join("b.json")).unwrap();
    let opened: Vec<_> = parts.iter().map(|part| part.reader().map(drop)).collect();
    let [Ok(()), Err(error @ SourceError::Unopened(_))] = &opened[..] else { panic!("{opened:?}") };
    assert!(error.to_string().contains("b.json: was there a moment ago and is gone"), "{error}");
    assert_ne!(digest(&spec).unwrap(), whole);
}

#[test]
fn errors_name_the_path_and_the_cure() {
    let folder = folder(&[("day.json", b"{\"a\":1}"), ("cut", &gzip(&package("one"))[..30])]);
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let message = |spec: &SourceSpec| read(spec, Format::Auto).unwrap_err().to_string();
    for (spec, path, cure) in [
        (SourceSpec::File(path("absent")), path("absent"), "check the path"),
        (SourceSpec::Folder(path("absent")), path("absent"), "check the path"),
        (SourceSpec::File(path("")), path(""), "kind = \"folder\""),
        (SourceSpec::Folder(path("day.json")), path("day.json"), "kind = \"file\""),
        (SourceSpec::File(path("day.json")), path("day.json"), "`format` setting"),
        (SourceSpec::File(path("cut")), path("cut"), "fetch or export it again"),
    ] {
        let message = message(&spec);
        assert!(message.contains(&*path.to_string_lossy()), "{message}");
        assert!(message.contains(cure), "{message}");
    }
    let empty = tempfile::tempdir().unwrap();
    let message = message(&SourceSpec::Folder(empty.path().to_owned()));
    assert!(
        message.contains("has no dataset in it: no file name there ends in .json"),
        "{message}"
    );
}

#[test]
fn damaged_packing_is_an_error() {
    let text = "x".repeat(10_000);
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        let mut whole = Vec::new();
        unpack(&packed, 1 << 20).read_to_end(&mut whole).unwrap();
        assert_eq!(whole, text.as_bytes());
        let error = unpack(&packed[..packed.len() - 1], 1 << 20).read_to_end(&mut Vec::new());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn what_unpacks_to_too_much_is_stopped() {
    for packed in [gzip(&vec![b' '; 100_000]), zstd(&vec![b' '; 100_000])] {
        assert_eq!(io::copy(&mut unpack(&packed, 100_000), &mut io::sink()).unwrap(), 100_000);
        let error = io::copy(&mut unpack(&packed, 99_999), &mut io::sink()).unwrap_err();
        let [part] = open(&SourceSpec::Stdin).unwrap().try_into().unwrap();
        let error = part.unreadable(error);
        assert!(matches!(error, SourceError::TooLarge { bytes_max: 99_999, .. }), "{error}");
    }
    assert_eq!(io::copy(&mut unpack(b"plain", 1), &mut io::sink()).unwrap(), 5);
}

#[test]
fn the_digest_is_of_all_bytes_even_of_those_not_decoded() {
    for bytes in [&b"plain text"[..], b"", b"x", &gzip(b"packed")] {
        let mut reader = unpack(bytes, 100);
        reader.read_exact(&mut vec![0; bytes.len().min(1)]).unwrap();
        let expected = Encoder::new(Context::Source).raw(bytes).finish();
        assert_eq!(reader.finish().unwrap(), expected);
    }
}

#[test]
fn a_real_dataset_is_read_without_loss() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/eset-day1.json");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let spec = SourceSpec::File(path.clone());
    let (facts, read_digest) = read(&spec, Format::Auto).unwrap();
    assert_eq!(digest(&spec).unwrap(), Some(read_digest));
    assert_eq!((facts.issues, facts.skipped), (vec![], 0));
    let mut kinds = BTreeMap::<&str, usize>::new();
    for entity in &facts.entities {
        *kinds.entry(&entity.kind).or_default() += 1;
    }
    let expected = [("incident", 30), ("indicator", 428), ("threat-actor", 6), ("ttp", 4)];
    assert_eq!(kinds, BTreeMap::from(expected));
    assert_eq!(facts.relations.len(), 447);
    assert_eq!(facts.relations.iter().filter(|relation| relation.update_of).count(), 2);
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let extracts = |object: &Value| object["extracts"].as_array().map_or(0, Vec::len);
    assert_eq!(
        facts.entities.iter().map(|entity| entity.observables.len()).sum::<usize>(),
        document["entities"].as_array().unwrap().iter().map(extracts).sum::<usize>(),
    );
}

#[test]
fn what_can_be_read_only_once_has_no_digest_beforehand() {
    assert_eq!(digest(&SourceSpec::Stdin).unwrap(), None);
    let null = Path::new("/dev/null");
    if null.exists() {
        assert_eq!(digest(&SourceSpec::File(null.to_owned())).unwrap(), None);
    }
}

fn unpack(bytes: &[u8], bytes_max: u64) -> Reader {
    Reader::with_limit(Box::new(Cursor::new(bytes.to_vec())), bytes_max).unwrap()
}
