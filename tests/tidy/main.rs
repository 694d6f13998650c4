//! Rules about the code itself: who may name whom, what the core may never name, and how files look.

mod scan;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use scan::{Scan, scan};

/// Allowed edges in reading order: a module may name only what stands in its row, and every name in a row
/// stands in a row above, so that there is no cycle.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("graph", &["model"]),
    ("misp", &["model"]),
    ("format", &["model", "graph", "misp"]),
    ("mapper", &["model", "graph", "misp"]),
    ("plan", &["model", "misp"]),
    ("delivery", &["model", "misp", "plan"]),
    ("history", &["model", "misp", "plan", "delivery"]),
    ("page", &["model", "misp", "plan", "history"]),
    ("schedule", &["model"]),
    ("mirror", &["model", "graph", "format"]),
    ("store", &["model", "misp", "plan", "delivery", "history", "mirror"]),
    ("http", &["model"]),
    ("source", &["model", "graph", "format", "mirror", "http"]),
    ("remote", &["model", "misp", "format", "plan", "delivery", "http"]),
    ("sandbox", &["model", "misp", "format"]),
    (
        "config",
        &["model", "graph", "format", "mapper", "plan", "schedule", "http", "source", "remote"],
    ),
    (
        "agent",
        &[
            "model", "graph", "misp", "format", "mapper", "plan", "delivery", "history",
            "schedule", "mirror", "store", "source", "remote", "sandbox", "config",
        ],
    ),
    ("web", &[]),
    ("daemon", &["model", "history", "schedule", "agent", "web"]),
    (
        "cli",
        &[
            "model", "graph", "misp", "format", "mapper", "plan", "delivery", "history", "page",
            "schedule", "mirror", "store", "http", "source", "remote", "sandbox", "config",
            "agent", "web", "daemon",
        ],
    ),
];

/// Modules that compute values and never touch the world.
const CORE: &[&str] = &[
    "model", "graph", "misp", "format", "mapper", "plan", "delivery", "history", "page",
    "schedule", "mirror",
];

/// What the core may not name, as the beginning of a path.
const CORE_PATHS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "tokio",
    "reqwest",
    "axum",
    "sled",
    "rand",
    "getrandom",
    "tracing",
];

/// Addresses are values, although they stand in `std::net`.
const CORE_VALUES: &[&str] =
    &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr", "std::net::AddrParseError"];

const CORE_WORDS: &[&str] = &["HashMap", "HashSet", "SystemTime", "Instant", "thread_rng"];
const CORE_MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

const ENGINE: &str = "store/engine/sled.rs";
const LINES_MAX: usize = 800;
const LINES_MEDIAN_MAX: usize = 260;
/// Files of one folder beside its `mod.rs`: as many as a reader sees at a glance.
const FILES_MAX: usize = 14;
/// One file for each verb, so that no other folder explains more.
const VERBS: &str = "cli/verbs";

/// The checks that fuzz targets and tests share: a crate of its own, held to the rules of the core.
const CHECKS: &str = "fuzz/checks/src";

struct SourceFile {
    /// Where the crate has its files.
    folder: &'static str,
    /// Below that folder, with `/`.
    path: String,
    text: String,
    scan: Scan,
    /// Compiled for tests only.
    is_test: bool,
}

impl SourceFile {
    /// The module of the crate that it belongs to.
    fn layer(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn fault(&self, what: &str) -> String {
        format!("{}/{}: {what}", self.folder, self.path)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read_folder(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries.map(|entry| entry.expect("a folder is read").path()).collect()
}

fn files_below(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(read_folder(&path));
        } else if extensions.iter().any(|wanted| path.extension().is_some_and(|it| it == *wanted)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Place of a file in the crate: `graph/why/mod.rs` is `["graph", "why"]`.
fn module_of(path: &str) -> Vec<&str> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<&str> = path.split('/').collect();
    if matches!(module.last(), Some(&"mod" | &"lib" | &"main")) {
        module.pop();
    }
    module
}

fn sources() -> Vec<SourceFile> {
    sources_below("src")
}

/// The sources of the product and of its checks.
fn all_sources() -> Vec<SourceFile> {
    sources().into_iter().chain(sources_below(CHECKS)).collect()
}

fn sources_below(folder: &'static str) -> Vec<SourceFile> {
    let src = root().join(folder);
    let mut files: Vec<SourceFile> = files_below(&src, &["rs"])
        .into_iter()
        .map(|file| {
            let path = file
                .strip_prefix(&src)
                .expect("it was found there")
                .to_string_lossy()
                .replace('\\', "/");
            let text = read(&file);
            let scan = scan(&text, &module_of(&path));
            SourceFile { folder, path, text, scan, is_test: false }
        })
        .collect();
    let test_modules: BTreeSet<String> = files
        .iter()
        .flat_map(|file| {
            let parent = module_of(&file.path).join("/");
            file.scan.test_modules.iter().map(move |name| format!("{parent}/{name}"))
        })
        .collect();
    for file in &mut files {
        let module = module_of(&file.path);
        let mut ancestors = (1..=module.len()).map(|length| module[..length].join("/"));
        file.is_test = ancestors.any(|ancestor| test_modules.contains(&ancestor));
    }
    files
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Modules of this crate that a file names and may not.
fn forbidden_edges(layer: &str, scan: &Scan) -> Vec<String> {
    let allowed = LAYERS.iter().find(|(name, _)| *name == layer).map_or(&[][..], |(_, row)| row);
    let named = scan.paths.iter().filter(|path| path[0] == "crate").map(|path| path[1].as_str());
    let is_layer = |name: &str| LAYERS.iter().any(|(known, _)| *known == name);
    let forbidden =
        named.filter(|name| is_layer(name) && *name != layer && !allowed.contains(name));
    forbidden.map(|name| format!("`{layer}` may not name `{name}`")).collect()
}

/// What a file of the core names and may not.
fn world_in_core(scan: &Scan) -> Vec<String> {
    let begins = |path: &str, with: &str| {
        path.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let paths = scan.paths.iter().map(|path| path.join("::")).filter(|path| {
        CORE_PATHS.iter().any(|banned| begins(path, banned))
            && !CORE_VALUES.iter().any(|value| begins(path, value))
    });
    let words = CORE_WORDS.iter().filter(|word| scan.words.contains(**word));
    let macros = CORE_MACROS.iter().filter(|name| scan.macros.contains(**name));
    let named = paths.chain(words.chain(macros).map(ToString::to_string));
    named.map(|name| format!("`{name}` in the core")).collect()
}

#[test]
fn modules_name_only_what_their_row_allows() {
    let files = sources();
    let faults = files.iter().flat_map(|file| {
        let edges = forbidden_edges(file.layer(), &file.scan);
        edges.into_iter().map(|fault| file.fault(&fault))
    });
    report(&faults.collect::<Vec<_>>());
}

#[test]
fn the_table_has_every_module_and_no_cycle() {
    for (place, (module, row)) in LAYERS.iter().enumerate() {
        for name in *row {
            let above = LAYERS[..place].iter().any(|(above, _)| above == name);
            assert!(above, "`{module}` names `{name}`, which does not stand above it");
        }
    }
    for file in sources() {
        let layer = file.layer();
        let known = LAYERS.iter().any(|(name, _)| *name == layer);
        assert!(known || matches!(layer, "lib" | "main"), "`{layer}` has no row");
    }
}

#[test]
fn the_core_names_nothing_of_the_world() {
    let files = all_sources();
    let is_core = |file: &SourceFile| file.folder == CHECKS || CORE.contains(&file.layer());
    // Tests of the core may read files: what they test does not.
    let core = files.iter().filter(|file| is_core(file) && !file.is_test);
    let faults = core.flat_map(|file| {
        let named = world_in_core(&file.scan);
        named.into_iter().map(|fault| file.fault(&fault))
    });
    report(&faults.collect::<Vec<_>>());
}

#[test]
fn one_file_alone_names_the_engine() {
    let names_it = |file: &&SourceFile| file.scan.paths.iter().any(|path| path[0] == "sled");
    let files = sources();
    let others = files.iter().filter(names_it).filter(|file| file.path != ENGINE);
    report(&others.map(|file| file.fault("names sled")).collect::<Vec<_>>());
}

#[test]
fn what_can_fail_is_not_unwrapped() {
    let files = all_sources();
    let unwrapping =
        files.iter().filter(|file| !file.is_test && file.scan.words.contains("unwrap"));
    let fault = |file: &SourceFile| file.fault("`unwrap`: name the invariant");
    report(&unwrapping.map(fault).collect::<Vec<_>>());
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    let files = all_sources();
    let mut faults = Vec::new();
    let mut lengths = BTreeMap::new();
    for file in &files {
        let lines = file.text.lines().count();
        lengths.insert((lines, &file.path), ());
        if !file.text.starts_with("//!") {
            faults.push(file.fault("say in `//!` what it is for"));
        }
        if lines > LINES_MAX {
            faults.push(file.fault(&format!("{lines} lines, split it")));
        }
    }
    report(&faults);
    let (median, _) = lengths.keys().nth(lengths.len() / 2).expect("there are files");
    let (longest, path) = lengths.keys().last().expect("there are files");
    println!("{} files, {median} lines in the middle, {longest} in {path}", lengths.len());
    assert!(*median <= LINES_MEDIAN_MAX, "half of the files have {median} lines and more");
}

/// Folders with more files than a reader sees at a glance, and how many they hold.
fn crowded<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut held = BTreeMap::<&str, usize>::new();
    for (folder, file) in paths.map(|path| path.rsplit_once('/').unwrap_or(("", path))) {
        *held.entry(folder).or_default() += usize::from(file != "mod.rs");
    }
    let crowded = held.into_iter().filter(|(folder, files)| *files > FILES_MAX && *folder != VERBS);
    crowded.map(|(folder, files)| format!("src/{folder}: {files} files, group them")).collect()
}

#[test]
fn folders_hold_few_files() {
    report(&crowded(sources().iter().map(|file| file.path.as_str())));
}

/// Marks of unfinished work and places that exist on one machine only.
fn left_behind(text: &str) -> Vec<String> {
    let marks = ["TO\x44O", "FIX\x4dE", "dbg\x21("];
    let places = ["/ho\x6de/", "/ro\x6ft/", "/wo\x72k/", "/Us\x65rs/"];
    let mut found = Vec::new();
    for mark in marks.into_iter().chain(places) {
        if text.contains(mark) {
            found.push(format!("`{mark}`"));
        }
    }
    found
}

#[test]
fn nothing_is_left_behind() {
    let mut faults = Vec::new();
    for folder in ["src", "tests", "benches", "docs", "fuzz/checks", "fuzz/fuzz_targets", ".ci"] {
        let folder = root().join(folder);
        if !folder.exists() {
            continue;
        }
        for file in files_below(&folder, &["rs", "md", "toml", "sh"]) {
            let text = read(&file);
            let found = left_behind(&text).into_iter();
            faults.extend(found.map(|fault| format!("{}: {fault}", file.display())));
        }
    }
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", ".ci/run"] {
        let text = read(&root().join(name));
        faults.extend(left_behind(&text).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    report(&faults);
}

#[test]
fn the_rules_can_be_broken() {
    let wrong = "use std::{collections::HashMap, net::{IpAddr, TcpStream}}; \
                 use crate::{model::Digest, store::{Store, Owner}}; \
                 fn f() { std::env::var(x).unwrap(); eprintln!(y) }";
    let wrong = scan(wrong, &["plan", "diff"]);
    assert_eq!(forbidden_edges("plan", &wrong), ["`plan` may not name `store`"; 2]);
    assert_eq!(
        world_in_core(&wrong),
        [
            "`std::env::var` in the core",
            "`std::net::TcpStream` in the core",
            "`HashMap` in the core",
            "`eprintln` in the core"
        ]
    );
    assert!(wrong.words.contains("unwrap"));
    let climbing = scan("use super::super::cli::main;", &["agent", "run"]);
    assert_eq!(forbidden_edges("agent", &climbing), ["`agent` may not name `cli`"]);
    let many = |folder: &str| (0..=FILES_MAX).map(|at| format!("{folder}/{at}.rs")).collect();
    let (plan, verbs): (Vec<_>, Vec<_>) = (many("plan"), many(VERBS));
    let with_mod = plan[1..].iter().map(String::as_str).chain(["plan/mod.rs", "plan/tests/0.rs"]);
    assert!(crowded(with_mod.chain(verbs.iter().map(String::as_str))).is_empty());
    assert_eq!(crowded(plan.iter().map(String::as_str)), ["src/plan: 15 files, group them"]);
    assert_eq!(left_behind("// TO\x44O later").len(), 1);
    let right = scan("use crate::model::Digest; use std::net::IpAddr;", &["plan"]);
    assert!(forbidden_edges("plan", &right).is_empty() && world_in_core(&right).is_empty());
}
