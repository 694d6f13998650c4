//! Packs as files: their text, and what becomes of those that are damaged, missing, of a newer version or hostile.

use super::*;
use crate::model::{self, Encoder};

fn text_of(pack: &[u8]) -> String {
    String::from_utf8(zstd::decode_all(pack).unwrap()).unwrap()
}

fn three_packs() -> MemoryFiles {
    let files = MemoryFiles::default();
    let page = |name: &str, id: u8| objects(&[object(id, 1, name, "")]);
    pulls(
        &files,
        vec![
            vec![Whole, page("a", 1), End("1")],
            vec![Delta, page("b", 2), End("2")],
            vec![Delta, page("c", 3), End("3")],
        ],
    );
    files
}

#[test]
fn a_pack_is_lines_of_json() {
    let files = MemoryFiles::default();
    let object = object(1, 1, "a", "red");
    let acts = vec![Whole, objects(&[&object, "{}"]), Checkpoint("half"), Remove(2), End("all")];
    pulls(&files, vec![acts]);
    let text = text_of(&files.content("000001.jsonl.zst").unwrap());
    let mut lines: Vec<&str> = text.lines().collect();
    for line in &lines {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    for place in [1, 9, 12] {
        assert!(lines[place].starts_with("{\"blake3\":"), "{text}");
    }
    lines.retain(|line| !line.starts_with("{\"blake3\":"));
    let marking = serde_json::from_str::<serde_json::Value>(lines[2]).unwrap();
    let marking = marking["object"]["marking"].as_str().unwrap();
    let header = r#"{"pack":{"format":1,"source":{"kind":"taxii2","url":"https://taxii.example"},"extent":"whole"}}"#;
    let expected = [
        header,
        r#"{"document":{"name":"page","format":"stix21"}}"#,
        &format!(
            r#"{{"object":{{"id":"{}","version":1767225601000000,"marking":"{marking}","list":"objects","index":0,"bytes":{}}}}}"#,
            id_of(1),
            object.len()
        ),
        &object,
        r#"{"damaged":{"pointer":"/objects/1","list":"objects","what":"an object without type and id; left out"}}"#,
        r#"{"closed":{"marked":null}}"#,
        r#"{"read":{"text":"page"}}"#,
        r#"{"checkpoint":{"records":5,"bookmark":"half"}}"#,
        &format!(r#"{{"removed":{{"id":"{}"}}}}"#, id_of(2)),
        r#"{"end":{"records":6,"bookmark":"all"}}"#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn after_a_damaged_or_missing_pack_none_counts_and_nothing_is_taken_for_gone() {
    let sound = three_packs();
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (number, left) in [(1, all(&[])), (2, all(&["a"])), (3, all(&["a", "b"]))] {
        let name = format!("{number:06}.jsonl.zst");
        let whole = sound.content(&name).unwrap();
        let mut spoilt: Vec<Option<Vec<u8>>> = vec![Some(Vec::new()), Some(b"no pack".to_vec())];
        spoilt.extend((0..whole.len()).step_by(7).map(|end| Some(whole[..end].to_vec())));
        // A bit of a frame's header has no meaning.
        let other =
            |packed: &Vec<u8>| zstd::decode_all(&**packed).ok() != zstd::decode_all(&*whole).ok();
        let flipped = (0..whole.len()).step_by(5).map(|place| {
            let mut flipped = whole.clone();
            flipped[place] ^= 0x10;
            flipped
        });
        spoilt.extend(flipped.filter(other).map(Some));
        spoilt.push(Some([&whole[..], b"more"].concat()));
        spoilt.push(Some([&whole[..], &whole[..]].concat()));
        spoilt.extend((number < 3).then_some(None));
        for content in spoilt {
            let files = three_packs();
            files.spoil(&name, content);
            let fold = mirror(&files).fold().unwrap();
            assert_eq!(names(&files), left);
            assert!(fold.is_behind() && !fold.is_whole(), "{:?}", fold.strays());
            assert_eq!((fold.basis(), fold.bookmark()), (Basis::Partial, None));
            // One pack of all would not say that others are missing.
            assert!(mirror(&files).compact(&fold).unwrap().is_behind());
            // A pull that brings nothing leaves it so, and the source is read from the beginning.
            let (_, fold, told) = pull(&files, vec![]);
            assert!(fold.is_behind() && told.since.is_none());
            let (pulled, fold, told) =
                pull(&files, vec![Whole, objects(&[object(9, 1, "z", "")]), End("9")]);
            pulled.unwrap();
            assert_eq!(told.since, None);
            assert!(fold.is_whole() && fold.strays().is_empty());
            assert_eq!(fold.objects(), 1);
        }
    }
}

#[test]
fn changes_since_the_beginning_do_not_go_on_from_packs_behind_which_others_are_missing() {
    for is_cut in [false, true] {
        let files = three_packs();
        files.spoil("000002.jsonl.zst", None);
        let page = objects(&[object(9, 1, "z", "")]);
        let acts = match is_cut {
            true => vec![Delta, page, Checkpoint("9"), Lost],
            false => vec![Delta, page, End("9")],
        };
        let (_, fold, _) = pull(&files, acts);
        assert!(!fold.is_behind() && fold.strays().is_empty());
        assert_eq!((names(&files), fold.basis()), (vec!["z".to_owned()], Basis::Partial));
        assert_eq!(fold.bookmark().unwrap().as_str(), "9");
    }
}

#[test]
fn a_repair_leaves_nothing_that_is_older_than_it_was() {
    let files = three_packs();
    let newest = || Mirror::newest(Arc::new(files.clone()));
    assert!(newest().repair().unwrap().is_empty());
    files.spoil("000002.jsonl.zst", Some(b"damaged".to_vec()));
    for steps in 0.. {
        let copy = MemoryFiles::default();
        for name in files.names().unwrap() {
            copy.spoil(&name, files.content(&name));
        }
        copy.die_after(steps);
        let done = Mirror::newest(Arc::new(copy.clone())).repair();
        for seed in 0..4_usize {
            copy.restart(&mut |limit| seed % limit);
            let fold = mirror(&copy).fold().unwrap();
            assert!(fold.bookmark().is_none() && !fold.is_whole(), "after {steps} steps");
        }
        if let Ok(removed) = done {
            assert_eq!(removed.len(), 3);
            break;
        }
    }
    // One that counts no more is no reason to read the source again.
    let files = three_packs();
    files.spoil("000000.jsonl.zst", Some(b"old".to_vec()));
    let removed = Mirror::newest(Arc::new(files.clone())).repair().unwrap();
    assert_eq!((removed, names(&files).len()), (vec!["000000.jsonl.zst".to_owned()], 3));
}

#[test]
fn what_is_missing_may_have_brought_back_what_is_gone() {
    let files = MemoryFiles::default();
    let page = |name: &str| objects(&[object(1, 1, name, "")]);
    let of = |end: &'static str, act: Act| vec![Delta, act, End(end)];
    let fold = pulls(&files, vec![of("1", page("a")), of("2", Remove(1))]);
    assert_eq!(fold.gone().len(), 1);
    let before = fold.digest();
    pulls(&files, vec![of("3", page("b")), of("4", Remove(7))]);
    files.spoil("000003.jsonl.zst", None);
    let fold = mirror(&files).fold().unwrap();
    assert!(fold.is_behind() && fold.gone().is_empty());
    assert_ne!(fold.digest(), before);
}

#[test]
fn a_newer_format_is_no_damage() {
    let files = three_packs();
    let text = text_of(&files.content("000003.jsonl.zst").unwrap());
    let newer = text.replace("{\"pack\":{\"format\":1", "{\"pack\":{\"shape\":7,\"format\":2");
    files.spoil("000004.jsonl.zst", Some(zstd::encode_all(newer.as_bytes(), 1).unwrap()));
    let error = mirror(&files).fold().unwrap_err().to_string();
    assert!(
        error.contains("000004.jsonl.zst is of format 2, which a newer misp-trickle wrote"),
        "{error}"
    );
}

#[test]
fn what_no_pack_of_ours_says_is_refused() {
    let header = r#"{"pack":{"format":1,"source":{"kind":"taxii2","url":"https://taxii.example"},"extent":"whole"}}"#;
    let with_digest = |text: String| {
        let digest = Encoder::new(model::Context::Pack).raw(text.as_bytes()).finish();
        text + &format!("{{\"blake3\":\"{digest}\"}}\n")
    };
    let sealed = |lines: &[&str], records: u64| {
        let (first, others) = lines.split_first().unwrap();
        let text = with_digest(format!("{first}\n"));
        let lines: String = others.iter().map(|line| format!("{line}\n")).collect();
        let end = format!("{{\"end\":{{\"records\":{records},\"bookmark\":\"\"}}}}\n");
        with_digest(text + &lines + &end)
    };
    let marking = "0".repeat(64);
    let object = |list: &str, bytes: u64| {
        format!(
            r#"{{"object":{{"id":"x","marking":"{marking}","list":"{list}","index":0,"bytes":{bytes}}}}}"#
        )
    };
    let document = r#"{"document":{"name":"d","format":"stix21"}}"#;
    let long = format!(r#"{{"removed":{{"id":"{}"}}}}"#, "x".repeat(70_000));
    let cases: &[(&[&str], u64, Option<&str>)] = &[
        (&[header], 0, None),
        (&[header, document, &object("objects", 2), "{}"], 2, None),
        (&[header, document, &object("objects", 2), "{}"], 3, Some("another number of records")),
        (&[header, document, &object("elsewhere", 2), "{}"], 2, Some("stands in no list")),
        (&[header, document, &object("objects", 3), "{}"], 2, Some("an object of it breaks off")),
        (&[header, document, &object("objects", 1), "{}"], 2, Some("an object of it breaks off")),
        (
            &[header, document, &object("objects", u64::MAX), "{}"],
            2,
            Some("an object of it is too long"),
        ),
        (&[header, &object("objects", 2), "{}"], 1, Some("outside a document")),
        (&[header, r#"{"document":{"name":"d","format":"auto"}}"#], 1, Some("no format")),
        (
            &[header, document, r#"{"closed":{"marked":"pink"}}"#],
            2,
            Some("a marking of it is none"),
        ),
        (&[header, r#"{"closed":{"marked":null}}"#], 1, Some("outside a document")),
        (&[header, r#"{"void":{}}"#], 1, Some("outside a document")),
        (&[header, header], 0, Some("stands where it cannot")),
        (&[header, &long], 1, Some("too long")),
        (&[header, "nonsense"], 1, Some("a line of it is none")),
        (&[document], 1, Some("no header")),
        (&[r#"{"pack":{"format":0}}"#], 0, Some("makes no sense")),
    ];
    for (lines, records, wrong) in cases {
        let files = MemoryFiles::default();
        let text = sealed(lines, *records);
        files.spoil("000001.jsonl.zst", Some(zstd::encode_all(text.as_bytes(), 1).unwrap()));
        let fold = mirror(&files).fold().unwrap();
        let found = fold.strays().first().map(|stray| stray.what.clone());
        match wrong {
            None => assert_eq!(found, None, "{text}"),
            Some(wrong) => {
                assert!(found.as_ref().is_some_and(|it| it.contains(wrong)), "{found:?} of {text}");
            }
        }
    }
}

#[test]
fn other_files_are_left_alone() {
    let files = three_packs();
    for name in
        ["17.jsonl.zst", "0000017.jsonl.zst", "notes.txt", "000001.jsonl", "-00001.jsonl.zst"]
    {
        files.spoil(name, Some(b"other".to_vec()));
    }
    let fold = mirror(&files).fold().unwrap();
    assert!(fold.strays().is_empty() && fold.is_whole());
    pulls(&files, vec![vec![Whole, objects(&[object(1, 1, "a", "")]), End("4")]]);
    assert_eq!(files.names().unwrap().len(), 6);
}

#[test]
fn a_disk_that_fails_is_an_error_and_no_damage() {
    struct Failing(MemoryFiles);
    struct Fails;
    impl std::io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable is out"))
        }
    }
    impl Files for Failing {
        fn names(&self) -> std::io::Result<Vec<String>> {
            self.0.names()
        }
        fn read(&self, name: &str) -> std::io::Result<Box<dyn std::io::Read + Send>> {
            use std::io::Read as _;
            Ok(Box::new(self.0.read(name)?.take(100).chain(Fails)))
        }
        fn write(&self, name: &str, keep: u64) -> std::io::Result<Box<dyn Output>> {
            self.0.write(name, keep)
        }
        fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
            self.0.rename(from, to)
        }
        fn remove(&self, name: &str) -> std::io::Result<()> {
            self.0.remove(name)
        }
    }
    let failing = Mirror::new(Arc::new(Failing(three_packs())), source());
    let error = failing.fold().unwrap_err().to_string();
    assert!(error.contains("cannot be read: the cable is out"), "{error}");
}
