//! Every fuzz check, on the corpus, on damaged copies of it and on seeds. `FUZZ_SEEDS=10000 cargo test
//! --test fuzz_smoke` looks longer; a failure names the file or the seed, which fails again.

use std::{collections::BTreeMap, env, fs, panic, path::Path};

use misp_trickle_checks::{CANARY, CHECKS, Check, canary, seeded};

const SEEDS: u64 = 200;

fn seeds() -> u64 {
    match env::var("FUZZ_SEEDS") {
        Ok(text) => text.parse().expect("FUZZ_SEEDS is a number"),
        Err(_) => SEEDS,
    }
}

/// Inputs with their names: the corpus of a check, then each file with some of its bytes changed.
fn corpus(check: &Check, copies: u64) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(check.name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder is read").path())
        .collect();
    files.sort();
    let mut inputs = Vec::new();
    for file in files {
        let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let bytes = fs::read(&file).expect("a file is read");
        for seed in 0..copies {
            inputs.push((format!("{name}, damaged by seed {seed}"), damaged(&bytes, seed)));
        }
        inputs.push((name, bytes));
    }
    inputs
}

/// A copy with a few bytes overwritten, dropped or doubled.
fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    for change in seeded(seed, 16).chunks_exact(4) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % copy.len().max(1);
        match change[2] % 4 {
            _ if copy.is_empty() => {}
            0 => drop(copy.remove(place)),
            1 => copy.insert(place, change[3]),
            2 => copy[place] = change[3],
            _ => copy[place] ^= 1 << (change[3] % 8),
        }
    }
    copy
}

/// Names of the inputs that the check fails on.
fn failures(check: &Check, inputs: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    let fails = |input: &[u8]| panic::catch_unwind(|| (check.run)(input)).is_err();
    inputs.into_iter().filter(|(_, input)| fails(input)).map(|(name, _)| name).collect()
}

/// Asserts that every check holds on its inputs; names all that do not.
fn hold(inputs: impl Fn(&Check) -> Vec<(String, Vec<u8>)>) {
    let failed: BTreeMap<&str, Vec<String>> =
        CHECKS.iter().map(|check| (check.name, failures(check, inputs(check)))).collect();
    let failed: Vec<_> = failed.iter().filter(|(_, inputs)| !inputs.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_check_holds_on_the_corpus() {
    hold(|check| {
        let inputs = corpus(check, seeds() / 200);
        assert!(!inputs.is_empty(), "{} has no corpus", check.name);
        inputs
    });
}

#[test]
fn every_check_holds_on_seeds() {
    hold(|_| {
        let input = |seed: u64| {
            let length = 64 << (seed % 7);
            (format!("seed {seed}"), seeded(seed, length))
        };
        (0..seeds()).map(input).collect()
    });
}

#[test]
fn every_check_has_a_target_and_there_is_no_other() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("the fuzz targets have a manifest");
    let names = manifest.split("[[bin]]").skip(1).map(|target| {
        let (_, rest) = target.split_once("name = \"").expect("a target has a name");
        rest.split('"').next().unwrap_or_default().to_owned()
    });
    let mut targets: Vec<String> = names.collect();
    let mut checks: Vec<String> = CHECKS.iter().map(|check| check.name.to_owned()).collect();
    checks.push("canary".to_owned());
    targets.sort();
    checks.sort();
    assert_eq!(targets, checks);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for name in &checks {
        let path = folder.join("fuzz_targets").join(format!("{name}.rs"));
        let text = fs::read_to_string(&path).expect("a target has a file");
        assert!(text.contains(&format!("misp_trickle_checks::{name}(data)")), "{name}");
    }
}

#[test]
fn the_canary_fails_and_is_reported() {
    let check = Check { name: "canary", run: canary };
    let marked = [CANARY, b" and more"].concat();
    let inputs = [("marked".to_owned(), marked), ("other".to_owned(), b"can".to_vec())];
    assert_eq!(failures(&check, inputs), ["marked"]);
    assert_eq!(failures(&check, corpus(&check, 0)), ["sings"]);
}
