//! What the documents say is what the program does: verbs, exit codes, settings, rules, links.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use misp_trickle::{config::Config, misp::AttributeType};

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
fn the_reference_has_every_verb_and_no_other() {
    let help = program(&["--help"]);
    let list = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let verbs = list.expect("the help lists the verbs").lines();
    let verbs = verbs.filter_map(|line| line.split_whitespace().next());
    let verbs: BTreeSet<_> = verbs.filter(|verb| *verb != "help").map(str::to_owned).collect();
    assert_eq!(first_cells(&read("docs/reference/commands.md"), "verb"), verbs);
}

#[test]
fn the_reference_has_every_exit_code_and_no_other() {
    let help = program(&["--help"]);
    let codes = help.split("Exit codes:").nth(1).expect("the help lists the exit codes");
    let words = codes.split_whitespace();
    let codes: BTreeSet<_> =
        words.filter(|word| word.parse::<u8>().is_ok()).map(str::to_owned).collect();
    assert_eq!(first_cells(&read("docs/reference/exit-codes.md"), "exit code"), codes);
}

/// The README and all pages below `docs`, each by its path.
fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<String> =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"]
            .map(str::to_owned)
            .to_vec();
    let mut open = vec![root.join("docs")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder is read") {
            let path = entry.expect("a folder is read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "md") {
                let path = path.strip_prefix(root).expect("it is below");
                pages.push(path.to_str().expect("a path in UTF-8").to_owned());
            }
        }
    }
    pages.sort();
    pages
}

/// The blocks of a language, without the indentation of the list that they stand in.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        match (&mut open, bare.strip_prefix("```")) {
            (None, Some(mark)) => open = Some((mark == language, indent, String::new())),
            (Some(_), Some(_)) => {
                let (is_wanted, _, block) = open.take().expect("it is open");
                blocks.extend(is_wanted.then_some(block));
            }
            (Some((_, indent, block)), None) => {
                *block += line.get(*indent..).unwrap_or("");
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A part of a configuration, with what a destination needs beside.
fn completed(fragment: &str) -> String {
    let mut table: toml::Table = fragment.parse().expect("a fragment is TOML");
    let destinations = table.get_mut("destinations").and_then(toml::Value::as_table_mut);
    for (_, destination) in destinations.into_iter().flatten() {
        let destination = destination.as_table_mut().expect("a destination is a table");
        destination.entry("url").or_insert_with(|| "https://misp.example.org".into());
        if !destination.contains_key("api_key_file") {
            destination.entry("api_key_env").or_insert_with(|| "KEY".into());
        }
    }
    table.to_string()
}

/// A block of `toml` is a whole configuration, one of `toml fragment` a part of one.
#[test]
fn every_configuration_that_is_shown_is_taken() {
    let (mut whole, mut parts) = (0, 0);
    for page in pages() {
        let text = read(&page);
        let fragments = blocks(&text, "toml fragment");
        parts += fragments.len();
        let configurations = blocks(&text, "toml");
        whole += configurations.len();
        for shown in configurations.iter() {
            assert!(shown.contains("version = 1"), "{page}: write `toml fragment` above\n{shown}");
        }
        let fragments = fragments.iter().map(|fragment| completed(fragment));
        for shown in configurations.iter().cloned().chain(fragments) {
            let config = Config::parse(&shown, Path::new("misp-trickle.toml"));
            let config = config.unwrap_or_else(|error| panic!("{page}: {error}\n{shown}"));
            assert_eq!(config.warnings, [], "{page}\n{shown}");
        }
    }
    assert!(whole >= 2 && parts >= 10, "{whole} configurations and {parts} parts");
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
    let observable = rules["observable"].as_table().expect("a table");
    let (of_misp, others) =
        observable.iter().partition::<Vec<_>, _>(|(kind, _)| kind.starts_with("misp-"));
    let table = |rows: Vec<(&String, &toml::Value)>| -> toml::Table {
        rows.into_iter().map(|(kind, rules)| (kind.clone(), rules.clone())).collect()
    };
    assert_eq!(rows("kind"), of(&table(others.clone())));
    for [kind, attribute, category] in of(&table(of_misp)) {
        assert_eq!(kind, format!("misp-{attribute}"));
        let attribute = AttributeType::named(&attribute).expect("a type of MISP");
        assert_eq!(category, attribute.default_category().name(), "{kind}");
    }
    let line = document.lines().find_map(|line| line.strip_prefix("No MISP type: "));
    let without: BTreeSet<_> =
        quoted(line.expect("the kinds without a type are named")).into_iter().collect();
    let empty = others.iter().filter(|(_, rules)| rules.as_array().is_some_and(Vec::is_empty));
    assert_eq!(without, empty.map(|(kind, _)| kind.as_str()).collect());
    let mut entities = rules["entity"].as_table().expect("a table").clone();
    entities.insert("incident".to_owned(), rules["incident"].clone());
    assert_eq!(rows("entity"), of(&entities));
}

#[test]
fn the_store_document_has_every_kind_of_record() {
    let keys = read("src/store/record/keys/mod.rs").replace("//! ", "");
    assert_eq!(first_cells(&read("docs/store.md"), "key"), first_cells(&keys, "key"));
}

#[test]
fn every_kind_that_a_decoder_gives_has_a_row() {
    let rules: toml::Table = read("src/mapper/default.toml").parse().expect("the rules are TOML");
    let rows = rules["observable"].as_table().expect("a table");
    let kinds = misp_trickle::format::kinds();
    assert!(kinds.contains("stix-pattern") && kinds.contains("ja3s-full") && kinds.len() > 250);
    let without: Vec<_> = kinds.iter().filter(|kind| !rows.contains_key(*kind)).collect();
    assert_eq!(without, [""; 0], "a kind without a row is lost in silence of the rules");
}

/// All text of the program and its tests, texts that go over several lines as one.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("src"), root.join("tests")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder is read");
            open.extend(entries.map(|entry| entry.expect("a folder is read").path()));
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("a source is read");
            let pieces: Vec<&str> = text.split("\\\n").collect();
            let (first, rest) = pieces.split_first().expect("a text has a beginning");
            let rest: String = rest.iter().map(|piece| piece.trim_start()).collect();
            let path = path.strip_prefix(root).expect("it is below").to_path_buf();
            sources.push((path, format!("{first}{rest}").replace("\\\"", "\"")));
        }
    }
    sources
}

/// Texts in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The rows of all tables of faults, backticks included.
fn faults(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let rows = rows.filter(|line| !line.starts_with("| fault |"));
    let rows = rows.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect());
    rows.collect()
}

/// The files that a test may be in whose name begins with these modules.
fn homes(modules: &[&str]) -> Vec<PathBuf> {
    let joined = modules.join("/");
    let inner = modules.strip_suffix(&["tests"]).map(|outer| outer.join("/"));
    let mut homes = vec![format!("tests/{joined}.rs"), format!("tests/{joined}/main.rs")];
    homes.push(format!("tests/it/{joined}.rs"));
    homes.extend([format!("src/{joined}.rs"), format!("src/{joined}/mod.rs")]);
    homes.extend(inner.iter().flat_map(|it| [format!("src/{it}.rs"), format!("src/{it}/mod.rs")]));
    homes.into_iter().map(PathBuf::from).collect()
}

#[test]
fn each_fault_has_its_tests() {
    let text = read("docs/faults.md");
    let sources = sources();
    let rows = faults(&text);
    assert!(rows.len() > 60, "{} rows", rows.len());
    for row in &rows {
        assert_eq!(row.len(), 5, "{row:?}");
        let tests = quoted(row[4]);
        assert!(!tests.is_empty(), "no test shows {:?}", row[0]);
        for test in tests {
            let modules: Vec<&str> = test.split("::").collect();
            let (function, modules) = modules.split_last().expect("a name");
            let homes = homes(modules);
            let head = format!("fn {function}(");
            let is_there = sources.iter().any(|(path, text)| {
                let before = text.find(&head).map(|at| text[..at].trim_end());
                let marks = ["#[test]", "#[tokio::test"];
                let mark = |text: &str| marks.iter().filter_map(|it| text.rfind(it)).max();
                let before = before.and_then(|text| mark(text).map(|at| &text[at..]));
                homes.contains(path) && before.is_some_and(|between| !between.contains("\n}"))
            });
            assert!(is_there, "there is no test {test}");
        }
    }
}

#[test]
fn each_fault_has_an_exit_code_that_there_is() {
    let codes = first_cells(&read("docs/reference/exit-codes.md"), "exit code");
    for row in faults(&read("docs/faults.md")) {
        let numbers = row[3].split(|c: char| !c.is_ascii_digit()).filter(|it| !it.is_empty());
        for code in numbers.filter(|code| !row[3].contains(&format!("{code} s"))) {
            assert!(codes.contains(code), "{row:?}");
        }
    }
}

#[test]
fn what_the_user_sees_is_what_the_program_says() {
    let sources: String = sources().into_iter().map(|(_, text)| text).collect();
    for row in faults(&read("docs/faults.md")) {
        for text in quoted(row[1]) {
            // What is wrong and what to do about it are told in one line, and stand apart in the source.
            let pieces = text.split('…').flat_map(|piece| piece.split("; ")).map(str::trim);
            for piece in pieces.filter(|piece| piece.len() > 4) {
                let piece = piece.trim_matches([';', ',']).trim();
                assert!(sources.contains(piece), "nothing says {piece:?}");
            }
        }
    }
}

/// What a heading is called in an address.
fn anchor(heading: &str) -> String {
    let letter = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(letter).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// Variables of the environment that are this program's own.
#[test]
fn the_reference_has_every_variable() {
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
    let variables = |text: &str| -> BTreeSet<String> {
        let names = text
            .split(|c| !is_part(c))
            .filter(|it| it.starts_with("MISP_TRICKLE_") && !it.contains("_TEST_"));
        names.map(str::to_owned).collect()
    };
    let sources = sources().into_iter().filter(|(path, _)| path.starts_with("src"));
    let named: BTreeSet<String> = sources.flat_map(|(_, text)| variables(&text)).collect();
    assert!(named.len() > 1, "{named:?}");
    assert_eq!(variables(&read("docs/reference/commands.md")), named);
}

#[test]
fn links_lead_somewhere() {
    for name in pages() {
        let text = read(&name);
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        let folder = page.parent().expect("a file is in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, part) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { folder.join(file) };
            assert!(file.exists(), "{name}: {target}");
            if !part.is_empty() {
                let text = fs::read_to_string(&file).expect("a page is read");
                assert!(anchors(&text).contains(part), "{name}: {target}");
            }
        }
    }
}

/// Whether a file is one of those that a pattern of the package names: its folder, and how it ends.
fn is_packaged(pattern: &str, file: &str) -> bool {
    match pattern.split_once('*') {
        Some((folder, end)) => {
            let name = file.strip_prefix(folder);
            name.is_some_and(|name| name.ends_with(end) && !name.contains('/'))
        }
        None => pattern == file,
    }
}

#[test]
fn what_pages_of_the_package_lead_to_is_in_the_package() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("the manifest is TOML");
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().expect("a list");
    let assets: Vec<&str> = assets.iter().filter_map(|asset| asset[0].as_str()).collect();
    let is_packaged = |file: &str| assets.iter().any(|pattern| is_packaged(pattern, file));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().expect("the checkout is there");
    let mut found = 0;
    for page in pages().iter().filter(|page| is_packaged(page)) {
        let folder = root.join(page);
        let folder = folder.parent().expect("a file is in a folder");
        let text = read(page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            let file = folder.join(file).canonicalize().expect("links lead somewhere");
            let file = file.strip_prefix(&root).expect("it is below").to_str().expect("UTF-8");
            // What is for those who change the program is in the repository alone.
            if file.starts_with("docs/") {
                let inside = format!("{file}/");
                let is_there = is_packaged(file) || assets.iter().any(|it| it.starts_with(&inside));
                assert!(is_there, "{page} leads to {file}, which no asset of the package is");
                found += 1;
            }
        }
    }
    assert!(found > 50, "{found} links");
}

#[test]
fn files_that_the_architecture_names_exist() {
    let text = ["ARCHITECTURE.md", "CONTRIBUTING.md"].map(read).concat();
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = ["src/", "tests/", "benches/", "fuzz/", ".ci/"];
    for path in quoted.filter(|quoted| paths.iter().any(|start| quoted.starts_with(start))) {
        let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(full.exists(), "{path}");
    }
}
