//! The verbs as a caller meets them: arguments in, two streams and an exit code out.

use std::{
    cell::RefCell,
    io::{self, Write},
    num::NonZeroUsize,
    path::Path,
    rc::Rc,
};

use clap::{CommandFactory, Parser, Subcommand};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::{
    cli::screen::Face,
    model::{Timestamp, is_invisible},
    plan::ExposedReason,
};

use crate::history::{
    ChangeKind,
    query::testing::{self, ledger},
};

use super::{
    args::*,
    verbs::{diff, log, show, status, why},
    *,
};

/// Every verb that this crate has arguments for, listed or not.
#[derive(Debug, Parser)]
struct All {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    verb: AllVerbs,
}

#[derive(Debug, Subcommand)]
enum AllVerbs {
    Log(log::Args),
    Show(show::Args),
    Diff(diff::Args),
    Why(why::Args),
    Status(status::Args),
    Plan(PlanArgs),
    Sync(SyncArgs),
    Apply(ApplyArgs),
    Map(MapArgs),
    Sandbox(SandboxArgs),
    Doctor(DoctorArgs),
}

#[derive(Clone, Default)]
pub(super) struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

/// What a verb left behind.
struct Seen {
    data: String,
    talk: String,
    result: Result<Exit, CliError>,
}

/// Words alone, a day after the newest run.
fn face() -> Face {
    let now = Timestamp::from_seconds(1_700_086_640);
    Face { is_coloured: false, columns: None, zone: TimeZone::UTC, now }
}

fn screen(global: GlobalArgs, verb: impl FnOnce(&mut Context) -> Result<Exit, CliError>) -> Seen {
    let (data, talk) = (Sink::default(), Sink::default());
    let ui = Ui::with_face(Box::new(data.clone()), Box::new(talk.clone()), face());
    let mut context = Context::new(global, ui);
    context.guides = true;
    let result = verb(&mut context);
    Seen { data: data.text(), talk: talk.text(), result }
}

/// Runs one of the history verbs on the ledger of tests.
fn ask(line: &str) -> Seen {
    let cli = All::try_parse_from(line.split_whitespace()).unwrap();
    let ledger = ledger();
    screen(cli.global, |context| match &cli.verb {
        AllVerbs::Log(args) => log::run(args, context, &ledger),
        AllVerbs::Show(args) => show::run(args, context, &ledger),
        AllVerbs::Diff(args) => diff::run(args, context, &ledger),
        AllVerbs::Why(args) => why::run(args, context, &ledger),
        AllVerbs::Status(args) => status::run(args, context, &ledger),
        other => panic!("{other:?} asks nothing of a ledger"),
    })
}

fn json(line: &str) -> Value {
    serde_json::from_str(&ask(line).data).unwrap()
}

/// Runs the program itself.
fn program(arguments: &[&str]) -> Seen {
    let cli = Cli::try_parse_from(["misp-trickle"].iter().chain(arguments)).unwrap();
    screen(cli.global, |context| cli.verb.run(context))
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
    All::command().debug_assert();
    let cli = All::try_parse_from([
        "t",
        "sync",
        "--source",
        "x.json",
        "--allow-empty",
        "--accept-mapping",
        "--wait",
        "1m",
    ])
    .unwrap();
    assert_eq!(cli.global.wait.as_secs(), 60);
    let AllVerbs::Sync(sync) = cli.verb else { panic!("{cli:?}") };
    assert!(sync.allow_empty && sync.accept_mapping);
    assert_eq!(sync.run.source.as_deref(), Some(Path::new("x.json")));
    assert!(All::try_parse_from(["t", "map"]).is_err());
    assert!(All::try_parse_from(["t", "map", "--rules"]).is_ok());
    assert!(All::try_parse_from(["t", "log", "-q", "-v"]).is_err());
    assert!(All::try_parse_from(["t", "log", "--wait", "soon"]).is_err());
    assert!(All::try_parse_from(["t", "sandbox", "--listen", "127.0.0.1:1"]).is_ok());
}

#[test]
fn exit_codes_are_those_that_scripts_rely_on() {
    let codes = Exit::ALL;
    assert_eq!(codes.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 130]);
    for code in codes {
        assert!(exit::TABLE.contains(&format!(" {}  ", code.code())), "{code:?}");
    }
    let damaged = crate::history::LedgerError::Damaged { what: "x".to_owned() };
    assert_eq!(CliError::from(damaged).exit(), Exit::Damaged);
}

#[test]
fn log_reads_like_gits() {
    let seen = ask("t log -n 1 --destination main");
    assert_eq!(
        seen.data,
        "\
run 4 bbbb00000000
Feed:     main -> main
Source:   day4.json
Begun:    2023-11-14 22:17:20 UTC (24 h ago, took 5 s)
Outcome:  done

    events:      1 created
    attributes:  2 sent, 1 withheld
    dataset:     1 incidents, 3 entities; 4 occurrences = 3 mapped + 0 merged + 1 lost
    wire:        2 requests, 900 B sent, 1.2 kB received
    everything:  about 1.4 kB, had all of it been sent
    one thing to know
"
    );
    assert_eq!(seen.talk, "");
    let lines = ask("t log --oneline").data;
    let begins: Vec<&str> = lines.lines().map(|line| &line[..14]).collect();
    assert_eq!(begins, ["bbbb00000000 4", "000012340000 3", "aaaa22000000 2", "aaaa11000000 1"]);
    let nothing = ask("t log --feed none");
    assert_eq!((nothing.data.as_str(), nothing.talk.is_empty()), ("", false));
    assert_eq!(ask("t log --feed none -q").talk, "");
}

#[test]
fn show_lists_what_a_run_changed() {
    let shown = ask("t show 2").data;
    let (_, changes) = shown.split_once("\nevent ").unwrap();
    assert_eq!(
        changes,
        "\
13cb1207-0674-4a54-a999-df5ff8e35c1a Phishing wave
  + sent        domain  new.example
  ~ superseded  domain  old.example  by new.example
  ~ retired     domain  back.example
  ~ retired     domain  gone.example
  + sent        domain  red.example
"
    );
    let counted = ask("t show 2 --stat").data;
    assert!(counted.ends_with("    2 retired, 2 sent, 1 superseded\n"), "{counted}");
    let missing = ask("t show 77").result.unwrap_err();
    assert_eq!(missing.exit(), Exit::Error);
    assert!(missing.to_string().contains("misp-trickle log"), "{missing}");
}

#[test]
fn diff_shows_what_the_newest_run_changed() {
    let wanted = "\
main: from run 2 to run 4, 1 run

event 13cb1207-0674-4a54-a999-df5ff8e35c1a Phishing wave
  + tagged: tlp:red
";
    for line in ["t diff", "t diff @-", "t diff @- @", "t diff 2 4"] {
        let seen = ask(line).data;
        assert!(seen.starts_with(wanted), "{line}\n{seen}");
        assert!(seen.contains("  = returned    domain  back.example\n"), "{seen}");
        assert!(seen.contains("  ! exposed     domain  red.example  (marked red after it was sent; tag it in MISP by hand)\n"));
        assert_eq!(seen.lines().count(), 6, "{seen}");
    }
    // A run of another destination than the newest, whose newest it is compared with.
    let other = ask("t diff 3");
    assert!(other.data.contains("from run 3 to run "), "{}", other.data);
    assert!(ask("t diff 0 1").data.starts_with("main: from the beginning to run 1, 1 run\n"));
    assert_eq!(ask("t diff 4 4").data, "main: from run 4 to run 4, 0 runs\nnothing changed\n");
    let first = All::try_parse_from(["t", "diff", "0", "1"]).unwrap();
    assert!(matches!(first.verb, AllVerbs::Diff(_)));
}

#[test]
fn why_says_that_what_is_short_is_no_part_of_anything() {
    for (line, short) in [
        ("t why kit", true),
        ("t why --scan kit", true),
        ("t why kits", false),
        ("t why --scan kits", false),
    ] {
        let seen = ask(line);
        assert_eq!(seen.talk.contains("from 4 letters on"), short, "{line}: {}", seen.talk);
    }
}

#[test]
fn why_answers_in_sentences() {
    let seen = ask("t why old.example");
    assert_eq!(
        seen.data,
        format!(
            "\
attribute domain old.example
UUID:       {} (found by value)
Event:      13cb1207-0674-4a54-a999-df5ff8e35c1a Phishing wave, at main
Standing:   sent, since run 1
Marking:    tlp:green
Wanted by:  none; superseded by new.example
Source:     7f3b8a5e-0000-4000-8000-000000000001, domain, by rule observable.domain, written old dot example
    run 1: sent
    run 2: superseded: by {}
To change:  nothing
",
            testing::uuid_of("old.example"),
            testing::uuid_of("new.example"),
        )
    );
    assert_eq!(seen.result.unwrap(), Exit::Done);
    let rejected = ask("t why bad.example").data;
    assert!(rejected.contains("rejected: MISP 2.5.1 says \"no such thing\""), "{rejected}");
    let event = ask("t why 13cb1207").data;
    assert!(event.contains("MISP:       main, present, event 17 there\n"), "{event}");
    assert!(event.contains("Attributes: 1 adopted, 1 rejected, 4 sent\n"), "{event}");
    let more = ask("t why example -n 2").data;
    assert!(more.ends_with("\n4 more at main; `-n` tells more of them\n"), "{more}");
    let unknown = ask("t why unknown.example");
    assert_eq!(unknown.result.unwrap(), Exit::Error);
    assert!(unknown.talk.contains("unknown.example"), "{}", unknown.talk);
    let nowhere = ask("t why x --destination hq").result.unwrap_err().to_string();
    assert!(nowhere.contains("main, other"), "{nowhere}");
}

#[test]
fn status_says_first_what_needs_a_person() {
    let seen = ask("t status --destination main").data;
    let (seen, routes) = seen.split_once("\n\n").unwrap();
    assert!(routes.starts_with("main -> main: last success 2023-11-14 22:17:25 UTC, "), "{routes}");
    assert!(routes.ends_with(" h ago; not in the configuration\n"), "{routes}");
    assert_eq!(
        seen,
        "\
destination main
  ! exposed: domain red.example, in 13cb1207-0674-4a54-a999-df5ff8e35c1a Phishing wave: marked red after it was sent; tag it in MISP by hand
MISP:       https://misp.example/, MISP 2.5.1
Last run:   4 bbbb00000000, 2023-11-14 22:17:20 UTC, 24 h ago, done
Events:     1 present; 0 unsettled
Attributes: 1 adopted, 1 rejected, 4 sent
Of these:   1 retired, 1 superseded; 1 drifted"
    );
    assert_eq!(ask("t status").data.matches("destination ").count(), 2);
}

#[test]
fn every_json_answer_names_its_schema() {
    for (line, schema) in [
        ("t --json log", "misp-trickle/log/2"),
        ("t show --json", "misp-trickle/show/2"),
        ("t diff --json", "misp-trickle/diff/2"),
        ("t why --json old.example", "misp-trickle/why/2"),
        ("t why --json nothing.at.all", "misp-trickle/why/2"),
        ("t status --json", "misp-trickle/status/2"),
    ] {
        assert_eq!(json(line)["schema"], schema, "{line}");
    }
}

#[test]
fn json_holds_what_the_text_says() {
    let log = json("t log --json");
    assert_eq!(log["runs"][0]["attributes"]["withheld"], 1);
    assert_eq!(log["runs"][0]["dataset"]["lost"]["no_misp_type"], 1);
    let show = json("t show 2 --json");
    let superseded = &show["events"][0]["attributes"][1];
    assert_eq!(superseded["change"], "superseded");
    assert_eq!(superseded["superseded_by"]["value"], "new.example");
    assert_eq!(json("t show 2 --json --stat")["events"][0]["attributes"], Value::Null);
    let why = json("t why --json bad.example");
    let answer = &why["destinations"][0]["answers"][0];
    assert_eq!(answer["standing"], "rejected");
    assert_eq!(answer["sources"][0]["raw"], "bad dot example");
    assert_eq!(answer["history"][0]["run"], 1);
    let status = json("t status --json");
    assert_eq!(status["destinations"][0]["exposed"][0]["value"], "red.example");
    assert_eq!(status["destinations"][1]["last_run"]["run"], 3);
}

#[test]
fn texts_of_others_cannot_steer_the_terminal() {
    let mut ledger = ledger();
    let evil = "\u{1b}[2J\r\n\u{202e}x\u{200b}\u{feff}\u{e0041}\u{2028}";
    for event in ledger.events.values_mut() {
        event.head.fields.info = evil.into();
        for known in event.attributes.values_mut() {
            known.attribute.value = crate::misp::Value::stored(evil);
            known.sources[0].raw = Some(evil.into());
        }
    }
    for run in &mut ledger.runs {
        run.source = evil.to_owned();
        run.notes = vec![evil.to_owned()];
    }
    for change in ledger.changes.values_mut().flatten() {
        match &mut change.kind {
            ChangeKind::Rejected(words) => *words = evil.into(),
            ChangeKind::Exposed(why) => *why = ExposedReason::Other(evil.into()),
            _ => {}
        }
    }
    let cli = All::try_parse_from(["t", "log"]).unwrap();
    let seen = screen(cli.global, |context| {
        let filter = FilterArgs::default();
        let args = log::Args { filter: filter.clone(), ..log::Args::default() };
        log::run(&args, context, &ledger)?;
        for run in ["1", "4"] {
            let (run, filter) = (run.to_owned(), filter.clone());
            let args = show::Args { run, filter, stat: false, all: false };
            show::run(&args, context, &ledger)?;
        }
        let args = why::Args {
            value: "13cb1207".to_owned(),
            destination: None,
            number: NonZeroUsize::new(9).unwrap(),
            scan: false,
        };
        why::run(&args, context, &ledger)?;
        let args = why::Args {
            value: evil.to_owned(),
            destination: None,
            number: NonZeroUsize::new(9).unwrap(),
            scan: false,
        };
        why::run(&args, context, &ledger)?;
        status::run(&status::Args::default(), context, &ledger)
    });
    seen.result.unwrap();
    assert!(seen.data.contains("\\u{1b}[2J\\r\\n\\u{202e}x\\u{200b}"));
    let harmful = |c: char| c != '\n' && (c.is_control() || is_invisible(c) || c == '\u{2028}');
    assert!(!seen.data.contains(harmful), "{:?}", seen.data);
}

#[test]
fn init_writes_once_and_config_prints_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let file = file.to_str().unwrap();
    let arguments = ["init", "--config", file, "--url", "http://127.0.0.1:8099", "--store", "s"];
    let first = program(&arguments);
    assert_eq!(first.result.unwrap(), Exit::Done);
    assert!(first.data.is_empty() && first.talk.contains("MISP_API_KEY"), "{}", first.talk);

    let second = program(&arguments).result.unwrap_err();
    assert!(matches!(second, CliError::Exists { .. }), "{second}");

    let shown = program(&["config", "--config", file]);
    let parsed = crate::config::Config::parse(&shown.data, Path::new("x.toml")).unwrap();
    assert_eq!(parsed.destinations[0].url.as_str(), "http://127.0.0.1:8099/");
    assert_eq!(parsed.store_path, std::path::absolute("s").unwrap());
    let as_json: Value =
        serde_json::from_str(&program(&["config", "--json", "--config", file]).data).unwrap();
    assert_eq!(as_json["schema"], "misp-trickle/config/2");
    assert_eq!(as_json["config"]["mapping"]["depth"], 1);
    let moved = program(&["config", "--config", file, "--store", "/elsewhere"]);
    assert!(moved.data.contains("path = \"/elsewhere\""), "{}", moved.data);
}

#[test]
fn init_refuses_what_would_not_parse_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let file_text = file.to_str().unwrap();
    let seen = program(&["init", "--config", file_text, "--url", "https://u:secret@misp"]);
    let error = seen.result.unwrap_err().to_string();
    assert!(error.starts_with("--url: ") && !error.contains("secret"), "{error}");
    assert!(!file.exists());
    let nowhere = folder.path().join("no/c.toml");
    let seen = program(&["init", "--config", nowhere.to_str().unwrap()]);
    assert!(seen.result.unwrap_err().to_string().contains("make the folder"));
}

#[test]
fn init_warns_of_plain_http_unless_quiet() {
    let folder = tempfile::tempdir().unwrap();
    for (name, extra, warned) in [("a", "-v", true), ("b", "-q", false)] {
        let file = folder.path().join(name);
        let file = file.to_str().unwrap();
        let seen = program(&["init", extra, "--config", file, "--url", "http://misp.example"]);
        assert_eq!(seen.talk.contains("warning: "), warned, "{}", seen.talk);
    }
}

#[test]
fn completions_name_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let script = program(&["completions", shell]).data;
        assert!(script.contains("misp-trickle") && script.contains("init"), "{shell}");
    }
}

#[test]
fn a_reader_that_had_enough_is_no_error() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let cli = All::try_parse_from(["t", "log"]).unwrap();
    let mut context = Context::new(cli.global, Ui::marked(Box::new(Closed), Box::new(Closed)));
    context.say("nobody hears this");
    let AllVerbs::Log(args) = cli.verb else { panic!("parsed as log") };
    let error = log::run(&args, &mut context, &ledger()).unwrap_err();
    assert!(error.is_closed_pipe(), "{error}");
}
