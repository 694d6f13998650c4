//! What the documents say is what the program does: verbs, exit codes, settings, rules, links.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the program prints, with its standard error where it fails.
fn program(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_misp-trickle");
    let output = Command::new(program).args(arguments).output().expect("the program can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the program speaks UTF-8")
}

/// Cells of the table under a heading whose first cell is this, without their backticks.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner.split(" | ").map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = text.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |")));
    let rows: Vec<_> = lines.skip(2).take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "no table begins with {heading:?}");
    rows
}

fn first_cells(text: &str, heading: &str) -> BTreeSet<String> {
    table(text, heading).into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn the_readme_has_every_verb_and_no_other() {
    let help = program(&["--help"]);
    let list = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let verbs = list.expect("the help lists the verbs").lines();
    let verbs = verbs.filter_map(|line| line.split_whitespace().next());
    let verbs: BTreeSet<_> = verbs.filter(|verb| *verb != "help").map(str::to_owned).collect();
    assert_eq!(first_cells(&read("README.md"), "verb"), verbs);
}

#[test]
fn the_readme_has_every_exit_code_and_no_other() {
    let help = program(&["--help"]);
    let codes = help.split("Exit codes:").nth(1).expect("the help lists the exit codes");
    let words = codes.split_whitespace();
    let codes: BTreeSet<_> =
        words.filter(|word| word.parse::<u8>().is_ok()).map(str::to_owned).collect();
    assert_eq!(first_cells(&read("README.md"), "exit code"), codes);
}

#[test]
fn the_configuration_of_the_readme_is_taken() {
    let readme = read("README.md");
    let block = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("misp-trickle.toml");
    fs::write(&file, block.expect("the README shows a configuration")).expect("a file");
    let shown = program(&["config", "--config", file.to_str().expect("a path in UTF-8")]);
    assert!(shown.contains("https://misp.example.org"), "{shown}");
}

#[test]
fn the_mapping_document_has_every_rule() {
    let document = read("docs/mapping.md");
    let rules: toml::Table = read("src/mapper/default.toml").parse().expect("the rules are TOML");
    let rows = |heading| -> BTreeSet<[String; 3]> {
        let rows = table(&document, heading).into_iter();
        rows.map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]).collect()
    };
    let of = |section: &toml::Table| -> BTreeSet<[String; 3]> {
        let text = |rule: &toml::Value, key: &str| rule[key].as_str().expect("a text").to_owned();
        let rules = section.iter().flat_map(|(kind, rules)| {
            let rules = rules.as_array().expect("a kind has a list of rules");
            rules.iter().map(move |rule| [kind.clone(), text(rule, "type"), text(rule, "category")])
        });
        rules.collect()
    };
    assert_eq!(rows("kind"), of(rules["observable"].as_table().expect("a table")));
    let mut entities = rules["entity"].as_table().expect("a table").clone();
    entities.insert("incident".to_owned(), rules["incident"].clone());
    assert_eq!(rows("entity"), of(&entities));
}

#[test]
fn the_store_document_has_every_kind_of_record() {
    let keys = read("src/store/keys.rs").replace("//! ", "");
    assert_eq!(first_cells(&read("docs/store.md"), "key"), first_cells(&keys, "key"));
}

#[test]
fn links_lead_somewhere() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs/faults.md",
        "docs/mapping.md",
        "docs/store.md",
    ] {
        let text = read(name);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let folder = folder.parent().expect("a file is in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let is_local = !target.contains("://");
            assert!(!is_local || folder.join(target).exists(), "{name}: {target}");
        }
    }
}

#[test]
fn files_that_the_architecture_names_exist() {
    let text = read("ARCHITECTURE.md");
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = ["src/", "tests/", "benches/", "fuzz/", ".ci/"];
    for path in quoted.filter(|quoted| paths.iter().any(|start| quoted.starts_with(start))) {
        let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(full.exists(), "{path}");
    }
}
