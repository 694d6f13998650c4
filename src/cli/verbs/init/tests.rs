//! What is asked, what is taken for an answer, and what comes of it.

use std::{collections::VecDeque, fs, path::Path};

use clap::Parser;

use crate::{
    cli::{CliError, Exit},
    config::{FeedAccess, InitArgs, InitSource, KeySource, SourceKind, TaxiiAccess},
    model::{Secret, Tlp, Words},
    plan::Unmarked,
    source::eiq_feed::Strategy,
};

use super::{
    Args,
    dialogue::{Asker, Dialogue, Stopped},
    questions::answer,
    wants_doctor, write,
};

const KEY: &str = "0123456789abcdefghijABCDEFGHIJ0123456789";

/// Somebody who has all answers ready; each is for one question.
#[derive(Default)]
struct Script {
    answers: VecDeque<String>,
    questions: Vec<String>,
    told: Vec<String>,
}

impl Script {
    fn of(answers: &[&str]) -> Self {
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        Self { answers, ..Self::default() }
    }
}

impl Asker for Script {
    fn ask(&mut self, question: &str) -> Result<String, Stopped> {
        self.questions.push(question.to_owned());
        match self.answers.pop_front() {
            Some(answer) if answer == "^C" => Err(Stopped::Interrupted),
            answer => answer.ok_or(Stopped::EndOfInput),
        }
    }

    fn ask_secretly(&mut self, question: &str) -> Result<Secret, Stopped> {
        assert!(question.contains("not shown"), "{question}");
        self.ask(question).map(Secret::new)
    }

    fn say(&mut self, text: &str) {
        self.told.push(text.to_owned());
    }
}

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(line: &[&str]) -> Args {
    Line::parse_from([&["init"], line].concat()).args
}

/// What comes of options and answers, and what was said in secret with its file.
fn settled(
    config: &Path,
    line: &[&str],
    script: Option<&mut Script>,
) -> Result<(InitArgs, Vec<(String, String)>), CliError> {
    let asker = script.map(|script| script as &mut dyn Asker);
    let mut dialogue = Dialogue::new(config, asker);
    let answers = answer(&args(line), &mut dialogue)?;
    let secrets = dialogue.secrets.iter();
    let secrets =
        secrets.map(|it| (it.path.display().to_string(), it.secret.expose().to_owned())).collect();
    Ok((InitArgs { rest_uuid: String::new(), ..answers }, secrets))
}

/// Of somebody who is asked all of it.
fn told(answers: &[&str]) -> (InitArgs, Vec<(String, String)>, Script) {
    let mut script = Script::of(answers);
    let (answers, secrets) = settled(Path::new("mt.toml"), &[], Some(&mut script)).unwrap();
    assert_eq!(script.answers, [""; 0], "asked was {:#?}", script.questions);
    (answers, secrets, script)
}

fn of_source(source: InitSource) -> InitArgs {
    InitArgs {
        source,
        url: "https://misp.example".to_owned(),
        key: KeySource::File("mt.api-key".into()),
        max_tlp: Tlp::Green,
        unmarked: Unmarked::Allow,
        rest_uuid: String::new(),
        ..InitArgs::default()
    }
}

fn file(name: &str) -> KeySource {
    KeySource::File(name.into())
}

/// A source of each kind: its answers, the options that say the same, and what comes of both.
fn sources() -> Vec<(&'static [&'static str], &'static [&'static str], InitSource)> {
    let url = || "https://source.example/x".to_owned();
    let feed = |access| InitSource::EiqFeed { url: url(), feed: 12, access };
    let by_token = FeedAccess::Token { from: file("mt.token"), update_strategy: None };
    let taxii = |access| {
        let collections = vec!["a".to_owned(), "b c".to_owned()];
        InitSource::Taxii2 { url: url(), collections, access }
    };
    let user = TaxiiAccess::User { name: "me".to_owned(), password: file("mt.password") };
    vec![
        (&["file", "a b.json"], &["--source", "a b.json"], InitSource::File("a b.json".to_owned())),
        (
            &["folder", "in"],
            &["--kind", "folder", "--source", "in"],
            InitSource::Folder("in".to_owned()),
        ),
        (&["stdin"], &["--kind", "stdin"], InitSource::Stdin),
        (
            &["EIQ-FEED", "https://source.example/x", "12", "token", "tok"],
            &[
                "--kind",
                "eiq-feed",
                "--source-url",
                "https://source.example/x",
                "--feed",
                "12",
                "--token-file",
                "mt.token",
            ],
            feed(by_token),
        ),
        (
            &["eiq-feed", "https://source.example/x", "12", "public", "append"],
            &[
                "--kind",
                "eiq-feed",
                "--source-url",
                "https://source.example/x",
                "--feed",
                "12",
                "--public",
                "--update-strategy",
                "append",
            ],
            feed(FeedAccess::Public { update_strategy: Strategy::Append }),
        ),
        (
            &["eiq-api", "https://source.example/x", "12", "tok"],
            &[
                "--kind",
                "eiq-api",
                "--source-url",
                "https://source.example/x",
                "--feed",
                "12",
                "--token-file",
                "mt.token",
            ],
            InitSource::EiqApi { url: url(), feed: 12, token: file("mt.token") },
        ),
        (
            &["taxii2", "https://source.example/x", "a, b c", "", "tok"],
            &[
                "--kind",
                "taxii2",
                "--source-url",
                "https://source.example/x",
                "--collection",
                "a",
                "--collection",
                "b c",
                "--token-file",
                "mt.token",
            ],
            taxii(TaxiiAccess::Token(file("mt.token"))),
        ),
        (
            &["taxii2", "https://source.example/x", "a,b c", "user", "me", " pass word "],
            &[
                "--kind",
                "taxii2",
                "--source-url",
                "https://source.example/x",
                "--collection",
                "a,b c",
                "--user",
                "me",
                "--password-file",
                "mt.password",
            ],
            taxii(user),
        ),
        (
            &["taxii2", "https://source.example/x", "a,b c", "public"],
            &[
                "--kind",
                "taxii2",
                "--source-url",
                "https://source.example/x",
                "--collection",
                "a,b c",
                "--public",
            ],
            taxii(TaxiiAccess::Public),
        ),
    ]
}

#[test]
fn answers_and_options_come_to_the_same_for_every_kind_of_source() {
    let mut kinds = Vec::new();
    for (answers, options, source) in sources() {
        kinds.push(source.kind().word());
        let wanted = of_source(source);
        let rest = ["https://misp.example", KEY, "green", "allow"];
        let (by_answers, secrets, script) = told(&[answers, &rest[..]].concat());
        assert_eq!(by_answers, wanted, "{:#?}", script.questions);
        let texts: Vec<&str> = secrets.iter().map(|(_, secret)| &**secret).collect();
        let said = answers.last().filter(|it| matches!(**it, "tok" | " pass word "));
        assert_eq!(texts, said.copied().into_iter().chain([KEY]).collect::<Vec<_>>());
        assert_eq!(secrets.last().unwrap().0, "mt.api-key");

        let rest = [
            "--url",
            "https://misp.example",
            "--api-key-file",
            "mt.api-key",
            "--max-tlp",
            "green",
            "--unmarked",
            "allow",
        ];
        let options = [options, &rest[..]].concat();
        let (by_options, secrets) = settled(Path::new("mt.toml"), &options, None).unwrap();
        assert_eq!((by_options, secrets), (wanted.clone(), Vec::new()));
        // On a terminal, too, nobody is asked what an option says.
        let mut script = Script::default();
        let (again, _) = settled(Path::new("mt.toml"), &options, Some(&mut script)).unwrap();
        assert_eq!((again, script.questions), (wanted, Vec::new()));
    }
    kinds.dedup();
    assert_eq!(kinds, SourceKind::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>());
}

#[test]
fn whoever_says_nothing_gets_the_defaults() {
    let empty = InitArgs { rest_uuid: String::new(), ..InitArgs::default() };
    assert_eq!(settled(Path::new("mt.toml"), &[], None).unwrap(), (empty.clone(), Vec::new()));
    let (answers, secrets, script) = told(&["", "", "https://misp.example.org", "", "", ""]);
    assert_eq!((answers, secrets), (empty, Vec::new()));
    assert_eq!(
        script.questions,
        [
            "Kind of the source (file, folder, stdin, eiq-feed, eiq-api, taxii2) [file]: ",
            "File, from the folder of the configuration [dataset.json]: ",
            "URL of MISP: ",
            "API key, which is not shown (nothing: it comes from the environment variable MISP_API_KEY): ",
            "Strictest TLP that may be sent (clear, green, amber, amber+strict, red) [amber]: ",
            "What has no TLP colour may be sent (deny, allow) [deny]: ",
        ]
    );
}

#[test]
fn a_wrong_answer_is_told_and_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("day.json"), "{}").unwrap();
    let answers = [
        "filing",
        "file",
        "in",
        "~/x",
        "day.json",
        "",
        "misp.example",
        "ftp://misp.example",
        "https://me:hunter2@misp.example",
        "https://misp.example/?a",
        "https://misp.example",
        "two words",
        "short",
        "purple",
        "TLP:WHITE",
        "maybe",
        "",
    ];
    let mut script = Script::of(&answers);
    let config = folder.path().join("mt.toml");
    let (answers, _) = settled(&config, &[], Some(&mut script)).unwrap();
    let wanted = InitSource::File("day.json".to_owned());
    assert_eq!((answers.source, answers.max_tlp), (wanted, Tlp::Clear));
    let kinds = 1 + SourceKind::WORDS.len();
    assert_eq!(
        script.told[kinds..],
        [
            "  \"filing\" is not known here; write one of file, folder, stdin, eiq-feed, eiq-api, taxii2",
            "  is a folder; name a file, or take the kind folder",
            "  begins with `~`, which only a shell knows; write the path of the home folder",
            "  there is no answer; write one, or end with Ctrl-C",
            "  is not a URL: relative URL without a base; write https://HOST",
            "  is a URL of another scheme than http and https; write https://HOST or http://HOST",
            "  holds a user or password, which has no place in a configuration; remove it, make a new key in MISP if \
             others could read this file, and write api_key_env = \"MISP_API_KEY\" or api_key_file = \"PATH\"",
            "  has a query or a fragment, and MISP's address has none; cut it at the `?` or `#`",
            "  it holds more than one word of plain characters",
            "  it is not 40 letters and digits, as MISP's keys are",
            "  \"purple\" is not a TLP colour (clear, green, amber, amber+strict, red); write one of them",
            "  \"maybe\" is not known here; write one of deny, allow",
        ]
    );
    let answers = [
        "taxii2",
        "x",
        "https://t.example",
        "",
        "a/b",
        "a",
        "none",
        "user",
        "a:b",
        "me",
        "pass",
        "https://m.example",
        KEY,
        "",
        "",
    ];
    let (_, _, script) = told(&answers);
    assert_eq!(
        script.told[kinds..],
        [
            "  is not a URL: relative URL without a base; write https://HOST",
            "  there is no answer; write one, or end with Ctrl-C",
            "  cannot be the id or alias of a collection; write collections = [\"id or alias\"]; `misp-trickle doctor` \
             names those that there are",
            "  \"none\" is not known here; write one of token, user, public",
            "  cannot be the name of a user; write it without `:`",
        ]
    );
    let answers =
        ["eiq-api", "https://e.example", "twelve", "0", "1", "", "https://m.example", "", "", ""];
    let (_, _, script) = told(&answers);
    assert_eq!(
        script.told[kinds..],
        [
            "  is no number; write that of its page on the platform",
            "  is 0, out of range; write a number from 1 up",
        ]
    );
}

#[test]
fn an_option_that_is_wrong_missing_or_of_another_kind_is_named() {
    for (line, says) in [
        (&["--url", "misp"][..], "--url: is not a URL"),
        (&["--api-key-env", "a=b"], "--api-key-env: "),
        (&["--api-key-file", "~/key"], "--api-key-file: "),
        (
            &[
                "--kind",
                "eiq-api",
                "--source-url",
                "https://x",
                "--feed",
                "1",
                "--token-env",
                "a=b",
            ],
            "--token-env: ",
        ),
        (
            &["--kind", "eiq-feed"],
            "--source-url: is missing; give it, or answer the questions on a terminal",
        ),
        (&["--kind", "folder"], "--source: is missing"),
        (
            &["--source-url", "https://x"],
            "--source-url: says nothing of a source of the kind file; leave it out, or give --kind eiq-feed or eiq-api or taxii2",
        ),
        (
            &["--kind", "taxii2", "--feed", "1"],
            "--feed: says nothing of a source of the kind taxii2",
        ),
        (
            &["--kind", "eiq-api", "--public"],
            "--public: says nothing of a source of the kind eiq-api",
        ),
    ] {
        let error = settled(Path::new("mt.toml"), line, None).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().starts_with(says), "{error}");
    }
    for line in [
        &["--public", "--token-env", "A"][..],
        &["--user", "a", "--token-file", "b"],
        &["--password-env", "A"],
        &["--kind", "misp"],
        &["--max-tlp", "purple"],
    ] {
        assert!(Line::try_parse_from([&["init"], line].concat()).is_err(), "{line:?}");
    }
}

#[test]
fn a_folder_that_is_named_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let config = folder.path().join("mt.toml");
    let (answers, _) = settled(&config, &["--source", "in"], None).unwrap();
    assert_eq!(answers.source, InitSource::Folder("in".to_owned()));
}

#[test]
fn who_stops_is_told_that_nothing_was_written() {
    let answers = ["file", "", "https://misp.example", KEY, "", ""];
    for count in 0..answers.len() {
        for (end, exit) in [(None, Exit::Usage), (Some("^C"), Exit::Interrupted)] {
            let said: Vec<&str> = answers[..count].iter().copied().chain(end).collect();
            let error =
                settled(Path::new("mt.toml"), &[], Some(&mut Script::of(&said))).unwrap_err();
            assert_eq!(error.exit(), exit);
            assert!(error.to_string().contains("nothing was written"), "{error}");
        }
    }
    for (answers, wanted) in [
        (&[""][..], Some(true)),
        (&["Yes"], Some(true)),
        (&["perhaps", "n"], Some(false)),
        (&[], Some(false)),
        (&["^C"], None),
    ] {
        let wants = wants_doctor(&mut Script::of(answers), true);
        assert_eq!(wants.as_ref().ok().copied(), wanted, "{wants:?}");
    }
    let mut script = Script::of(&[""]);
    assert!(!wants_doctor(&mut script, false).unwrap());
    assert_eq!(script.questions, ["Run `misp-trickle doctor` now? [y/N]: "]);
}

#[test]
fn a_secret_goes_into_a_file_that_was_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("mt.api-key"), "old").unwrap();
    let config = at("mt.toml");
    let answers = ["stdin", "https://misp.example", KEY, "", ""];
    let mut script = Script::of(&answers);
    let mut dialogue = Dialogue::new(&config, Some(&mut script));
    let told = answer(&args(&[]), &mut dialogue).unwrap();
    assert_eq!(told.key, file("mt.api-key-2"));
    let secrets = dialogue.secrets;

    // Where the configuration cannot be written, its secrets are not left behind.
    fs::write(&config, "theirs").unwrap();
    assert!(matches!(write(&config, "text", &secrets), Err(CliError::Exists { .. })));
    assert!(!at("mt.api-key-2").exists());
    fs::remove_file(&config).unwrap();
    write(&config, "text", &secrets).unwrap();
    assert_eq!(fs::read_to_string(at("mt.api-key-2")).unwrap(), format!("{KEY}\n"));
    assert_eq!(fs::read_to_string(&config).unwrap(), "text");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(at("mt.api-key-2")), 0o600);
        fs::write(at("other"), "").unwrap();
        assert_eq!(mode(config.clone()), mode(at("other")), "as of every other file");
    }
    // Somebody was faster.
    let taken = write(&at("new.toml"), "text", &secrets);
    assert!(matches!(taken, Err(CliError::Exists { path }) if path == at("mt.api-key-2")));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "no half of a file is left");
    assert_eq!(fs::read_to_string(at("mt.api-key")).unwrap(), "old");
}
