//! The main answers as terminals show them, kept in `tests/data/terminal`.

use std::{env, fmt::Write, fs, path::PathBuf};

use clap::Parser;
use jiff::tz::{TimeZone, offset};

use crate::{
    cli::{
        Cli, Context, Ui,
        render::line,
        tests::Sink,
        verbs::{Verb, doctor, log, show, status, why},
    },
    history::query::testing::ledger,
    model::Timestamp,
};

use super::{Face, Reader};

/// What writes the files anew.
const AGAIN: &str = "WRITE_TERMINAL=1 cargo test --lib snapshots";
/// A day after the newest run.
const NOW: Timestamp = Timestamp::from_seconds(1_700_086_640);
const CONFIG: &str = r#"
version = 1
[store]
path = "no store yet"
[source]
kind = "file"
path = "day1.json"
[destinations.main]
url = "https://misp.example"
api_key_env = "MISP_API_KEY"
"#;

fn zone() -> TimeZone {
    TimeZone::fixed(offset(1))
}

/// The marked answer of a verb to somebody at a terminal.
fn marked(arguments: &str) -> String {
    let arguments = ["misp-trickle"].into_iter().chain(arguments.split_whitespace());
    let cli = Cli::try_parse_from(arguments).unwrap();
    let data = Sink::default();
    let mut context =
        Context::new(cli.global, Ui::marked(Box::new(data.clone()), Box::new(Sink::default())));
    context.reader = Reader { is_at_terminal: true, zone: zone() };
    let ledger = ledger();
    let exit = match &cli.verb {
        Verb::Status(args) => status::run(args, &mut context, &ledger),
        Verb::Log(args) => log::run(args, &mut context, &ledger),
        Verb::Show(args) => show::run(args, &mut context, &ledger),
        Verb::Why(args) => why::run(args, &mut context, &ledger),
        other => other.run(&mut context),
    };
    exit.unwrap();
    data.text()
}

/// The plan of the demonstration's first day, for a store that is not there yet.
fn plan() -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("misp-trickle.toml");
    fs::write(&config, CONFIG).unwrap();
    fs::write(folder.path().join("day1.json"), include_str!("../verbs/demo/day1.json")).unwrap();
    marked(&format!("plan --config {}", config.display()))
}

/// Every answer by the name of its file.
fn answers() -> [(&'static str, String); 6] {
    [
        ("status", marked("status")),
        ("log", marked("log")),
        ("show", marked("show 2")),
        ("why", ["why old.example", "why bad.example", "why 13cb1207"].map(marked).join("\n")),
        ("plan", plan()),
        ("doctor", doctor::show::sample()),
    ]
}

/// All four looks of an answer. What begins a colour in a terminal is shown, so that a person can read the file.
fn looks(answer: &str) -> String {
    let mut out = String::new();
    for columns in [80, 120] {
        for is_coloured in [false, true] {
            let face = Face { is_coloured, columns: Some(columns), zone: zone(), now: NOW };
            let name = if is_coloured { "colour" } else { "plain" };
            line!(out, "==== {columns} columns, {name}");
            out.push_str(&face.lay(answer).replace('\u{1b}', "␛"));
        }
    }
    out
}

#[test]
fn the_main_answers_look_as_they_did() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/terminal");
    let writes = env::var_os("WRITE_TERMINAL").is_some();
    for (name, answer) in answers() {
        let (path, looks) = (folder.join(format!("{name}.txt")), looks(&answer));
        if writes {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &looks).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == looks,
            "{} is not current; write it anew: {AGAIN}\n{looks}",
            path.display()
        );
    }
}

#[test]
fn nothing_that_can_be_folded_is_wider_than_the_terminal() {
    for (name, answer) in answers() {
        let face = Face { is_coloured: false, columns: Some(80), zone: zone(), now: NOW };
        for row in face.lay(&answer).lines().filter(|row| row.chars().count() > 80) {
            // A value stays whole, so that it can be copied.
            let last = row.split(' ').next_back().unwrap();
            assert!(last.len() > 40, "{name}: {row:?}");
        }
    }
}
