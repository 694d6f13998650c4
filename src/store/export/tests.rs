//! Export, import, export: the same bytes; and what is damaged is refused, by its line.

use std::{io, path::Path, time::Duration};

use crate::{
    history::Ledger,
    model::{Reader, Timestamp},
    plan::TagStanding,
};

use super::{
    super::{
        Disk, MemoryEngine, Store,
        tests::{
            folder::{open, owner},
            script::{Dice, commit, sound_answers},
        },
    },
    *,
};

fn now() -> Timestamp {
    Timestamp::from_seconds(1_750_000_000)
}

fn exported(store: &Store) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.export(&mut bytes, now()).unwrap();
    bytes
}

fn built(commits: u64) -> Store {
    let mut store = Store::over(Box::new(MemoryEngine::on(Disk::default()))).unwrap();
    for step in 0..commits {
        let (name, run, commit) = commit(&mut Dice(step), store.last_run().unwrap());
        store.commit(&name, run, commit).unwrap();
    }
    store
}

fn import(path: &Path, bytes: &[u8]) -> Result<ImportReport, ImportError> {
    Store::import(path, owner(1), Duration::from_secs(2), &mut io::Cursor::new(bytes))
}

fn after_the_first_line(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().position(|byte| *byte == b'\n').unwrap()..]
}

#[test]
fn an_import_gives_the_same_export_and_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    for commits in [0, 1, 30] {
        let store = built(commits);
        let first = exported(&store);
        let path = folder.path().join(format!("state-{commits}"));
        let report = import(&path, &first).unwrap();
        assert_eq!(report.from, store.id().to_string());
        let copy = open(&path).unwrap();
        assert_ne!(copy.id(), store.id());
        assert!(sound_answers(&copy) == sound_answers(&store), "{commits}");
        assert_eq!((copy.check().unwrap().problems, copy.warnings()), (vec![], &[][..]));
        let again = exported(&copy);
        assert!(after_the_first_line(&first) == after_the_first_line(&again), "{commits}");
        let header = |bytes: &[u8]| {
            let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
            let header: Header = serde_json::from_slice(line).unwrap();
            // Opened to be written to, the copy got its index, in commits of their own.
            (header.counts, header.exported)
        };
        assert_eq!(header(&first), header(&again));
    }
}

/// What the program wrote before reasons were types.
const FIRST: &[u8] = include_bytes!("../../../tests/data/export-1.jsonl");
/// The same store as it is exported now: frozen, and read for ever.
const SECOND: &[u8] = include_bytes!("../../../tests/data/export-2.jsonl");

#[test]
fn an_export_of_each_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        import(&path, bytes).unwrap();
        let copy = open(&path).unwrap();
        assert_eq!((copy.check().unwrap().problems, copy.warnings()), (vec![], &[][..]));
        exported(&copy)
    };
    let [first, second] = [("first", FIRST), ("second", SECOND)].map(|(name, it)| of(name, it));
    assert_eq!(
        str::from_utf8(after_the_first_line(&first)).unwrap(),
        str::from_utf8(after_the_first_line(SECOND)).unwrap()
    );
    assert!(after_the_first_line(&second) == after_the_first_line(SECOND));
}

/// What 0.1.0 left out of its lines stands there as it meant it.
#[test]
fn lines_of_0_1_0_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let left_out = [
        "tag_standings",
        "publishing",
        "organisation",
        "proven_up_to",
        "reordered",
        "reader",
        "exposed",
        "tag_facts",
        "organisation_id",
        "user",
        "proven_tags",
        "heard",
        "reorders",
        "first_organisation",
        "too_large",
        "key_mark",
        "concurrency",
    ];
    let without = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let keep = line["kind"] == "destination";
        drop_members(&mut line, &|name| {
            left_out.contains(&name) && !(keep && name == "organisation")
        });
        line.to_string()
    };
    let lines: Vec<&str> = str::from_utf8(FIRST).unwrap().lines().collect();
    let [header, body @ .., end] = &lines[..] else { panic!("an export has more lines") };
    let old: Vec<String> = std::iter::once((*header).to_owned())
        .chain(body.iter().map(|line| without(line)))
        .chain([(*end).to_owned()])
        .collect();
    let path = folder.path().join("state");
    import(&path, &resealed(&old)).unwrap();
    let copy = open(&path).unwrap();
    let mut doubted = 0;
    for name in copy.destinations().unwrap() {
        let record = copy.destination(&name).unwrap().unwrap();
        assert_eq!((record.first_org, record.heard), (record.org, None));
        for head in copy.heads(&name).unwrap() {
            doubted += head.tags.iter().filter(|it| it.standing == TagStanding::Doubted).count();
            assert!(head.feeds.values().all(|feed| feed.reader == Reader::FIRST));
        }
    }
    assert!(doubted > 0);
}

fn drop_members(value: &mut serde_json::Value, drops: &dyn Fn(&str) -> bool) {
    match value {
        serde_json::Value::Array(list) => list.iter_mut().for_each(|it| drop_members(it, drops)),
        serde_json::Value::Object(map) => {
            // The one member of a map is a word, and a number is a count.
            let word = map.len() == 1;
            map.retain(|name, value| word || value.is_u64() || !drops(name));
            map.values_mut().for_each(|it| drop_members(it, drops));
        }
        _ => {}
    }
}

/// An export with one place in its lines of a kind changed, and sealed as if it had been written so.
fn changed(bytes: &[u8], kind: &str, place: &str, to: &serde_json::Value) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // As it stands there: no value of another line is the same.
    let sign = format!("{{\"kind\":\"{kind}\"");
    let (line, from) = lines.iter().enumerate().find_map(|(at, line)| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let old = line.starts_with(&sign).then(|| value.pointer(place).cloned()).flatten()?;
        Some((at, old))
    })?;
    let name = place.rsplit('/').next().unwrap();
    let (old, new) = (format!("\"{name}\":{from}"), format!("\"{name}\":{to}"));
    assert!(lines[line].contains(&old), "{old} in {}", lines[line]);
    lines[line] = lines[line].replace(&old, &new);
    Some(resealed(&lines))
}

fn resealed(lines: &[String]) -> Vec<u8> {
    let [header, body @ .., _] = lines else { panic!("an export has a first and a last line") };
    let header: Header = serde_json::from_str(header).unwrap();
    let header = header.sealed().unwrap();
    let mut text = serde_json::to_string(&header).unwrap() + "\n";
    let mut digest = body_digest(&header.schema);
    for line in body {
        let line = format!("{line}\n");
        digest.raw(line.as_bytes());
        text.push_str(&line);
    }
    let blake3 = digest.finish().to_string();
    text.push_str(&format!(
        "{{\"kind\":\"end\",\"lines\":{},\"blake3\":\"{blake3}\"}}\n",
        body.len()
    ));
    text.into_bytes()
}

#[test]
fn what_the_program_never_writes_is_refused_with_its_line() {
    use serde_json::json;
    let folder = tempfile::tempdir().unwrap();
    let bytes = exported(&built(30));
    let path = |round: usize| folder.path().join(format!("state-{round}"));
    let lines: Vec<String> =
        std::str::from_utf8(&bytes).unwrap().lines().map(str::to_owned).collect();
    assert!(resealed(&lines) == bytes, "the test seals otherwise than the program");
    let wrong = [
        ("run", "/run", json!(0)),
        ("run", "/run", json!(u64::MAX)),
        ("run", "/requests", json!(u64::MAX)),
        ("run", "/begun", json!("yesterday")),
        ("run", "/outcome", json!("splendid")),
        ("changes", "/run", json!(0)),
        ("changes", "/commit", json!(u64::MAX)),
        ("destination", "/clock_offset_seconds", json!(i64::MIN)),
        ("destination", "/version", json!("2".repeat(5_000))),
        ("cursor", "/run", json!(u64::MAX)),
        ("cursor", "/rules", json!("none")),
        ("event", "/uuid", json!("00000000-0000-0000-0000-000000000000")),
        ("event", "/uuid", json!("nobody")),
        ("event", "/info", json!("")),
        ("event", "/info", json!("x".repeat(70_000))),
        ("event", "/date", json!("2024-02-30")),
        ("event", "/date", json!("9999-01-01")),
        ("event", "/date", json!("2024-05-14T00:00:00Z")),
        ("event", "/analysis", json!(3)),
        ("event", "/owner", json!(32)),
        ("event", "/timestamp", json!(i64::MIN)),
        ("event", "/feeds/main/reader", json!(200)),
        ("event", "/attributes/0/value", json!("")),
        ("event", "/attributes/0/comment", json!("x".repeat(70_000))),
        ("event", "/attributes/0/type", json!("bank-account-nr")),
        ("event", "/attributes/0/type", json!("nothing")),
        ("event", "/attributes/0/since_run", json!(u64::MAX)),
        ("event", "/attributes/0/first_seen", json!("@9223372036854775807us")),
        ("event", "/attributes/0/last_seen", json!("-000001-01-01T00:00:00Z")),
        ("event", "/attributes/0/tags", json!(["x".repeat(300)])),
    ];
    for (round, (kind, place, to)) in wrong.into_iter().enumerate() {
        let told = to.to_string().chars().take(40).collect::<String>();
        let bytes = changed(&bytes, kind, place, &to).unwrap_or_else(|| panic!("no {place}"));
        let imported = import(&path(round), &bytes);
        let Err(error) = imported else { panic!("{kind} {place} {told} is taken") };
        assert!(matches!(error, ImportError::Line { .. }), "{kind} {place} {told}: {error}");
        assert!(!error.to_string().contains("as it was written"), "{kind} {place} {told}: {error}");
    }
}

#[test]
fn what_stands_in_an_export_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = exported(&built(30));
    let lines: Vec<String> =
        std::str::from_utf8(&bytes).unwrap().lines().map(str::to_owned).collect();
    for (round, kind) in ["destination", "rules", "run", "changes", "alias", "event", "cursor"]
        .into_iter()
        .enumerate()
    {
        let mut lines = lines.clone();
        let sign = format!("{{\"kind\":\"{kind}\"");
        let at = lines.iter().position(|line| line.starts_with(&sign)).unwrap();
        lines.insert(at, lines[at].clone());
        let error = import(&folder.path().join(round.to_string()), &resealed(&lines)).unwrap_err();
        assert!(error.to_string().contains("twice"), "{kind}: {error}");
    }
}

#[test]
fn an_import_goes_into_an_empty_store_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let bytes = exported(&built(8));
    drop(Store::create(&path, owner(1)).unwrap());
    import(&path, &bytes).unwrap();
    let answers = sound_answers(&open(&path).unwrap());
    assert!(matches!(import(&path, &bytes), Err(ImportError::NotEmpty { .. })));
    assert!(sound_answers(&open(&path).unwrap()) == answers);
    std::fs::write(folder.path().join("thesis.txt"), "").unwrap();
    assert!(matches!(import(folder.path(), &bytes), Err(ImportError::Store(_))));
}

#[test]
fn whatever_is_damaged_is_refused_and_nothing_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let whole = exported(&built(12));
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let mut dice = Dice(4);
    let refuse = |damaged: Vec<u8>, what: &str| {
        let error = import(&path, &damaged).unwrap_err();
        assert!(error.to_string().starts_with("line "), "{what}: {error}");
        assert!(!path.join("engine").exists() && !path.join("engine.next").exists(), "{what}");
        error
    };
    for round in 0..120 {
        let mut damaged = whole.clone();
        let at = usize::try_from(dice.below(damaged.len() as u64)).unwrap();
        damaged[at] ^= 1 << dice.below(7);
        refuse(damaged, &format!("flipped {round}"));
        let at = usize::try_from(dice.below(whole.len() as u64)).unwrap();
        refuse(whole[..at].to_vec(), &format!("cut off at {at}"));
    }
    for at in 0..lines.len() {
        let without: Vec<&[u8]> =
            lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).collect();
        refuse(without.concat(), &format!("without line {}", at + 1));
    }
    let mut damaged = lines.clone();
    damaged[4] = b"{\"kind\":\"run\",\"number\":}\n";
    let error = refuse(damaged.concat(), "no JSON").to_string();
    assert!(error.starts_with("line 5: ") && error.contains("nothing was imported"), "{error}");
    let cut = lines[..lines.len() - 1].concat();
    let error = refuse(cut, "no last line").to_string();
    assert!(error.contains("cut off"), "{error}");
    refuse([&whole[..], b"{}\n"].concat(), "more");
    import(&path, &whole).unwrap();
}

#[test]
fn a_later_schema_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    let text = String::from_utf8(exported(&built(1))).unwrap();
    let later = text.replace(EXPORT_SCHEMA, "misp-trickle/export/3");
    let error = import(&folder.path().join("state"), later.as_bytes()).unwrap_err();
    assert!(matches!(error, ImportError::Schema { .. }), "{error}");
}

#[test]
fn who_takes_the_lines_may_refuse() {
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let store = built(8);
    for room in [10, 2_000] {
        let error = store.export(&mut Full(room), now()).unwrap_err();
        assert!(matches!(error, ExportError::Write(_)), "{error}");
    }
}
