//! The page with every key against the code: keys, types, words, ranges and defaults. Faults tell what the code takes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

const PAGE: &str = include_str!("../../../docs/reference/configuration.md");
const UNKNOWN: &str = "no_such_key";

/// A table of the file.
struct Table {
    heading: &'static str,
    /// What a configuration says at least, whose last table it is.
    frame: &'static str,
    /// Where it stands in the configuration in effect.
    place: &'static str,
    /// Whether it has the keys of a connection, too.
    connects: bool,
}

const fn table(heading: &'static str, place: &'static str, frame: &'static str) -> Table {
    Table { heading, frame, place, connects: false }
}

const fn connecting(heading: &'static str, place: &'static str, frame: &'static str) -> Table {
    Table { heading, frame, place, connects: true }
}

const PLATFORM: &str = "url = \"https://a.example\"\nfeed = 1\ntoken_env = \"T\"\n";
const MISP: &str = "[destinations.a]\nurl = \"https://a.example\"\napi_key_env = \"K\"\n";
const CONNECTIONS: &str = "Connections";

fn tables() -> Vec<Table> {
    let leak = |text: String| -> &'static str { text.leak() };
    let source =
        |kind: &str, rest: &str| leak(format!("[feeds.main.source]\nkind = \"{kind}\"\n{rest}"));
    let misp = |rest: &str| leak(format!("{MISP}{rest}"));
    vec![
        table("The file", "", ""),
        table("`[store]`", "/store", "[store]\n"),
        table("`[feeds.NAME]`", "/feeds/a", "[feeds.a]\nsource = { kind = \"file\" }\n"),
        table("`kind = \"file\"`", "/feeds/main", source("file", "")),
        table("`kind = \"folder\"`", "/feeds/main", source("folder", "")),
        table("`kind = \"stdin\"`", "/feeds/main", source("stdin", "")),
        connecting("`kind = \"eiq-feed\"`", "/feeds/main", source("eiq-feed", PLATFORM)),
        connecting("`kind = \"eiq-api\"`", "/feeds/main", source("eiq-api", PLATFORM)),
        connecting(
            "`kind = \"taxii2\"`",
            "/feeds/main",
            source("taxii2", "url = \"https://a.example\"\ncollections = [\"a\"]\n"),
        ),
        connecting("`[destinations.NAME]`", "/destinations/a", misp("")),
        table(
            "`[destinations.NAME.event]`",
            "/destinations/a/event",
            misp("[destinations.a.event]\n"),
        ),
        table(
            "`[destinations.NAME.policy]`",
            "/destinations/a/policy",
            misp("[destinations.a.policy]\n"),
        ),
        table("`[mapping]`", "/mapping", "[mapping]\n"),
        table("`[schedule]`", "/schedule", "[schedule]\n"),
        table("`[serve]`", "/serve", "[serve]\n"),
    ]
}

/// A row of the page, without backticks but in words and defaults.
#[derive(Debug, Clone)]
struct Row {
    key: String,
    kind: String,
    default: Option<String>,
    range: String,
    is_needed: bool,
}

impl Row {
    fn read(line: &str) -> Self {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [key, kind, default, range, meaning] = cells[..] else { panic!("{line}") };
        Self {
            key: key.trim_matches('`').to_owned(),
            kind: kind.to_owned(),
            default: Some(default)
                .filter(|it| *it != "–")
                .map(|it| it.trim_matches('`').to_owned()),
            range: range.to_owned(),
            is_needed: meaning.ends_with("; needed"),
        }
    }

    fn words(&self) -> Vec<&str> {
        let words = self.range.split("or `").next().unwrap_or_default();
        words.split('`').skip(1).step_by(2).collect()
    }
}

/// The rows of the first table behind a heading.
fn rows(heading: &str) -> Vec<Row> {
    let is_heading = |line: &&str| line.trim_start_matches('#').trim() == heading;
    let behind = PAGE.lines().skip_while(|line| !is_heading(line)).skip(1);
    let section = behind.take_while(|line| !line.starts_with('#'));
    let rows: Vec<_> = section.filter(|line| line.starts_with("| `")).map(Row::read).collect();
    assert!(!rows.is_empty(), "{heading:?} has no keys");
    rows
}

impl Table {
    fn rows(&self) -> Vec<Row> {
        let further = if self.connects { rows(CONNECTIONS) } else { Vec::new() };
        [rows(self.heading), further].concat()
    }

    /// A configuration without a key.
    fn without(&self, key: &str) -> String {
        let setting = format!("{key} = ");
        let lines = self.frame.lines().filter(|line| !line.starts_with(&setting));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// One in which the key has this value. A file stands in place of the variable.
    fn with(&self, key: &str, value: &str) -> String {
        let variable = key.strip_suffix("_file").map(|it| format!("{it}_env = "));
        let text = self.without(key);
        let stays = |line: &&str| variable.as_ref().is_none_or(|it| !line.starts_with(it));
        let lines: String = text.lines().filter(stays).map(|line| format!("{line}\n")).collect();
        format!("{lines}{key} = {value}\n")
    }

    /// What is wrong with the key where it has this value.
    fn faults(&self, key: &str, value: &str) -> Vec<(String, String)> {
        let Err(ConfigError::Invalid { faults }) = parse(&self.with(key, value)) else {
            return Vec::new();
        };
        let of = |fault: &Notice| fault.key == key || fault.key.ends_with(&format!(".{key}"));
        let faults = faults.into_iter().filter(of);
        faults.map(|fault| (fault.what, fault.cure)).collect()
    }

    /// The keys that the code reads.
    fn known(&self) -> BTreeSet<String> {
        let faults = self.faults(UNKNOWN, "1");
        let cure = faults.first().map_or("", |(_, cure)| cure);
        let known = cure.strip_prefix("remove it or write one of ").expect("the known keys");
        known.split(", ").map(str::to_owned).collect()
    }

    /// The value of a key in effect where the table says at least this.
    fn effect(&self, text: &str) -> BTreeMap<String, Value> {
        let effect = effective(&good(text));
        let table = effect.pointer(self.place).and_then(Value::as_object);
        let table = table.unwrap_or_else(|| panic!("{} in {effect:#}", self.place)).clone();
        table.into_iter().collect()
    }
}

fn each(check: impl Fn(&Table, &Row, &str)) {
    for table in tables() {
        for row in table.rows() {
            check(&table, &row, &format!("{}: {} in {row:?}", table.heading, row.key));
        }
    }
}

#[test]
fn the_page_has_every_key_and_no_other() {
    for table in tables() {
        let keys: Vec<String> = table.rows().into_iter().map(|row| row.key).collect();
        let set: BTreeSet<String> = keys.iter().cloned().collect();
        assert_eq!(set.len(), keys.len(), "{} names a key twice", table.heading);
        assert_eq!(set, table.known(), "{}", table.heading);
    }
    let headings = PAGE.lines().filter(|line| line.starts_with('#') && line.contains('`'));
    assert_eq!(headings.count() + 1, tables().len(), "a table of the page is that of no reader");
    let feeds = crate::model::limits::FEEDS_MAX;
    assert!(PAGE.contains(&format!("at most {feeds} |")), "{feeds} feeds");
}

#[test]
fn every_key_has_the_type_that_the_page_says() {
    each(|table, row, place| {
        let wanted = match &*row.kind {
            "text" | "path" | "URL" | "word" | "duration" | "size" => "a text in quotes",
            "flag" => "true or false",
            "number" => "a whole number",
            "texts" => "a list of texts",
            "table" => "a table",
            other => panic!("{place}: {other} is no type"),
        };
        let told = |value: &str| table.faults(&row.key, value);
        let cures = told("1.5");
        assert!(cures.iter().any(|(_, cure)| cure.contains(wanted)), "{place}: {cures:?}");
        let says = |value: &str, words: &str| {
            told(value).iter().any(|(what, cure)| what.contains(words) || cure.contains(words))
        };
        for (kind, value, words) in [
            ("path", "\"~/x\"", "begins with `~`"),
            ("URL", "\"a b\"", "is not a URL"),
            ("duration", "\"x\"", "d, h, m or s"),
            ("size", "\"x\"", "a number of bytes"),
        ] {
            let is = says(value, words);
            assert_eq!(is, row.kind == kind, "{place}: {kind}");
        }
    });
}

#[test]
fn every_key_has_the_words_and_the_range_that_the_page_says() {
    each(|table, row, place| {
        let is_list = row.kind == "texts";
        let faults = table.faults(&row.key, if is_list { "[\"x\"]" } else { "\"x\"" });
        let listed = faults.iter().find_map(|(_, cure)| cure.strip_prefix("write one of "));
        let listed =
            listed.map(|list| list.split(", ").map(|word| word.trim_matches('"')).collect());
        let colours: Vec<&str> = Tlp::ALL.iter().map(|tlp| tlp.name()).collect();
        let is_colour = faults.iter().any(|(what, _)| what.contains("TLP colour"));
        let words: Vec<&str> = listed.or(is_colour.then_some(colours)).unwrap_or_default();
        if row.key != "concurrency" {
            assert_eq!(row.words(), words, "{place}: {faults:?}");
        }
        if row.kind == "number" {
            let least = table.faults(&row.key, "-1");
            let range = least.iter().find_map(|(_, cure)| cure.strip_prefix("write a number "));
            let range = range.unwrap_or_else(|| panic!("{place}: {least:?}"));
            assert!(row.range.split(';').any(|it| it == range), "{place}: {range}");
        }
        for word in ["never", "none", "auto"] {
            let is_more = matches!(&*row.kind, "duration" | "size" | "number" | "URL");
            let is_taken = table.faults(&row.key, &format!("{word:?}")).is_empty();
            let is_said = row.range.contains(&format!("or `{word}`"));
            assert!(!is_more || is_taken == is_said, "{place}: {word}");
        }
    });
}

#[test]
fn every_key_has_the_default_that_the_page_says() {
    each(|table, row, place| {
        let without = table.without(&row.key);
        let is_in_frame = without != table.without(UNKNOWN);
        if row.is_needed {
            assert!(parse(&without).is_err(), "{place} is not needed");
        }
        match &row.default {
            Some(default) => {
                let effect = table.effect(&without);
                assert!(effect.contains_key(&row.key), "{place}: {effect:?}");
                assert_eq!(effect, table.effect(&table.with(&row.key, default)), "{place}");
            }
            None if row.kind == "table" || is_in_frame => {}
            None => {
                let effect = table.effect(&without);
                assert!(!effect.contains_key(&row.key), "{place}: {effect:?}");
            }
        }
    });
}
