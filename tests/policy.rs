//! The policy of `deny.toml` without the tool for it: licences, bans and sources of every dependency.
//!
//! Bans and sources are checked against `Cargo.lock`, licences against what cargo knows of the packages.
//! Advisories need a database: `cargo deny check advisories` looks them up.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

/// The packages of this repository.
const OWN: [&str; 3] = ["misp-trickle", "misp-trickle-checks", "misp-trickle-testing"];
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

struct Package {
    name: String,
    version: Vec<u64>,
    source: Option<String>,
}

struct Ban {
    name: String,
    /// Operator and version; none bans every version.
    versions: Option<(String, Vec<u64>)>,
}

fn read_toml(name: &str) -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Numbers of a version; what follows `-` or `+` does not count.
fn version(text: &str) -> Vec<u64> {
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').map(|number| number.parse().expect("a number of a version")).collect()
}

fn locked() -> Vec<Package> {
    let lock = read_toml("Cargo.lock");
    let packages = lock["package"].as_array().expect("Cargo.lock lists packages");
    let text = |package: &toml::Value, key: &str| package.get(key)?.as_str().map(str::to_owned);
    packages
        .iter()
        .map(|package| Package {
            name: text(package, "name").expect("a package has a name"),
            version: version(&text(package, "version").expect("a package has a version")),
            source: text(package, "source"),
        })
        .collect()
}

fn bans(policy: &toml::Table) -> Vec<Ban> {
    let deny = policy["bans"]["deny"].as_array().expect("deny.toml has bans");
    deny.iter().map(|entry| ban(entry["crate"].as_str().expect("a ban names a crate"))).collect()
}

fn ban(spec: &str) -> Ban {
    let (name, versions) = match spec.split_once(':') {
        Some((name, range)) => {
            let digits = range.find(|c: char| c.is_ascii_digit()).expect("a range has a version");
            (name, Some((range[..digits].to_owned(), version(&range[digits..]))))
        }
        None => (spec, None),
    };
    Ban { name: name.to_owned(), versions }
}

impl Ban {
    fn hits(&self, name: &str, version: &[u64]) -> bool {
        let in_range = match &self.versions {
            None => true,
            Some((operator, bound)) => match operator.as_str() {
                ">=" => version >= bound,
                "<" => version < bound,
                other => panic!("the operator {other:?} of a ban is not read here"),
            },
        };
        self.name == name && in_range
    }
}

/// Whether a licence expression can be met with what is allowed. `AND` binds closer than `OR`, and `/` is
/// the `OR` of old manifests.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = any_of(&words, allowed);
    assert!(rest.is_empty(), "cannot read the licence {expression:?}");
    met
}

fn any_of<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    let (mut met, mut rest) = all_of(words, allowed);
    while let ["OR", more @ ..] = rest {
        let (next, after) = all_of(more, allowed);
        (met, rest) = (met | next, after);
    }
    (met, rest)
}

fn all_of<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    let (mut met, mut rest) = one(words, allowed);
    while let ["AND", more @ ..] = rest {
        let (next, after) = one(more, allowed);
        (met, rest) = (met & next, after);
    }
    (met, rest)
}

fn one<'w>(words: &'w [&'w str], allowed: &BTreeSet<String>) -> (bool, &'w [&'w str]) {
    match words {
        ["(", inner @ ..] => match any_of(inner, allowed) {
            (met, [")", rest @ ..]) => (met, rest),
            (_, rest) => (false, rest),
        },
        [licence, "WITH", exception, rest @ ..] => {
            (allowed.contains(&format!("{licence} WITH {exception}")), rest)
        }
        [licence, rest @ ..] => (allowed.contains(*licence), rest),
        [] => (false, words),
    }
}

/// What cargo knows of the packages: of all platforms if their manifests are here, else of this one.
#[expect(clippy::print_stdout, reason = "whoever reads the output of the test should know")]
fn metadata() -> Value {
    let cargo = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.args(["metadata", "--offline", "--locked", "--format-version", "1"]).args(more);
        command.output().expect("cargo can be run")
    };
    let mut output = cargo(&[]);
    if !output.status.success() {
        println!(
            "only this platform's packages are here: the licences of the others are not looked at"
        );
        let rustc = Command::new("rustc").arg("-vV").output().expect("rustc can be run");
        let words = String::from_utf8(rustc.stdout).expect("rustc speaks UTF-8");
        let host = words.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
        output = cargo(&["--filter-platform", host]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata answers in JSON")
}

#[test]
fn licences_are_allowed() {
    let policy = read_toml("deny.toml");
    let allow = policy["licenses"]["allow"].as_array().expect("deny.toml allows licences");
    let allowed = allow.iter().map(|name| name.as_str().expect("a name").to_owned()).collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    assert!(packages.len() > 100, "{} packages are too few to be all", packages.len());
    let bad: Vec<String> = packages
        .iter()
        .filter(|package| !is_met(package["license"].as_str().unwrap_or(""), &allowed))
        .map(|package| {
            format!("{} {}: {}", package["name"], package["version"], package["license"])
        })
        .collect();
    assert!(bad.is_empty(), "\n{}\n", bad.join("\n"));
}

#[test]
fn nothing_banned_is_locked() {
    let bans = bans(&read_toml("deny.toml"));
    let packages = locked();
    let hit = |package: &&Package| bans.iter().any(|ban| ban.hits(&package.name, &package.version));
    let bad: Vec<&String> = packages.iter().filter(hit).map(|package| &package.name).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn everything_comes_from_the_registry() {
    let packages = locked();
    let own = packages.iter().filter(|package| package.source.is_none());
    assert_eq!(own.map(|package| package.name.as_str()).collect::<Vec<_>>(), OWN);
    let elsewhere = packages
        .iter()
        .filter(|package| package.source.as_deref().is_some_and(|source| source != CRATES_IO));
    assert_eq!(elsewhere.map(|package| package.name.as_str()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn expressions_are_read() {
    let allowed: BTreeSet<String> =
        ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for yes in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "ISC AND (GPL-3.0 OR MIT) AND MIT"] {
        assert!(is_met(yes, &allowed), "{yes}");
    }
    assert!(is_met("Apache-2.0 WITH LLVM-exception OR GPL-2.0", &allowed));
    for no in ["GPL-3.0", "", "MIT AND GPL-3.0", "Apache-2.0", "ISC AND (GPL-3.0 OR LGPL-3.0)"] {
        assert!(!is_met(no, &allowed), "{no}");
    }
}

#[test]
fn bans_hit_what_they_name() {
    assert!(ban("bincode:>=2").hits("bincode", &[3, 0, 0]));
    assert!(!ban("bincode:>=2").hits("bincode", &[1, 3, 3]));
    assert!(ban("sled:>=0.34.8").hits("sled", &version("1.0.0-alpha.124")));
    assert!(ban("sled:<0.34.7").hits("sled", &version("0.34.6")));
    assert!(ban("openssl").hits("openssl", &[0, 10, 1]));
    assert!(!ban("openssl").hits("openssl-probe", &[0, 2, 2]));
}
