//! Pages followed to the letter in a clean folder, before the sandbox: README, tutorial, how-to pages.
//!
//! Blocks of `sh` are run one after the other; a block of `text` is what the one before prints. There `…` stands for whatever is
//! printed, and a line of it alone for lines; ids, times and numbers of bytes may differ.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use misp_trickle::config::{Config, effective};
use misp_trickle_testing::program;
use program::{DAY_1, Sandbox, Seen, seen};
use serde_json::Value;
use tempfile::TempDir;

const EXAMPLE: &str = "https://misp.example.org";
/// Where a sandbox listens that a page begins.
const BEGUN: &str = "http://127.0.0.1:8099";
const ECLECTICIQ: &str = "docs/how-to/eclecticiq-to-misp.md";
const TUTORIAL: &str = "docs/tutorial.md";
/// What writes anew what pages show.
const AGAIN: &str = "WRITE_PAGES=1 cargo test --test it pages";

/// A block of a page behind a fence.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
}

fn file(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(page)
}

fn read(page: &str) -> String {
    fs::read_to_string(file(page)).unwrap()
}

/// The blocks of a section, without the indentation of the list that they stand in.
fn blocks(page: &str, section: &str) -> Vec<Block> {
    let page = read(page);
    let (_, from) = page.split_once(&format!("# {section}\n")).expect("the section is there");
    let section = from.split("\n## ").next().unwrap();
    let (mut blocks, mut open): (Vec<Block>, Option<(usize, Block)>) = (Vec::new(), None);
    for line in section.lines() {
        let bare = line.trim_start();
        match (bare.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                let block = Block { language: language.to_owned(), text: String::new() };
                open = Some((line.len() - bare.len(), block));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (None, Some((indent, block))) => {
                block.text += line.get(*indent..).unwrap_or("");
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A sandbox that a page begins as a process of its own, at a port that is free.
struct Begun {
    child: Child,
    url: String,
    keys: Value,
}

impl Begun {
    fn new() -> (Self, Seen) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
        command.args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let url = told["url"].as_str().unwrap().to_owned();
        let data = line.replace(&url, BEGUN);
        (
            Self { child, url, keys: told["keys"].clone() },
            Seen { code: 0, data, talk: String::new() },
        )
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // One that is gone already is no fault of the page.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A clean folder with this program in the path, and a sandbox.
struct Walk {
    sandbox: Sandbox,
    begun: Option<Begun>,
    folder: TempDir,
    exports: String,
    /// The role that each variable holds a key of.
    keys: Vec<(&'static str, &'static str)>,
}

impl Walk {
    fn new(keys: &[(&'static str, &'static str)]) -> Self {
        let (sandbox, folder) = (Sandbox::start(), TempDir::new().unwrap());
        Self { sandbox, begun: None, folder, exports: String::new(), keys: keys.to_vec() }
    }

    /// The key that a variable is to hold.
    fn key(&self, role: &str) -> String {
        let begun = self.begun.as_ref().and_then(|begun| begun.keys[role].as_str());
        begun.map_or_else(|| self.sandbox.key(role), str::to_owned)
    }

    /// Runs the lines of a block as they stand, but for what a reader has to fill in.
    fn run(&mut self, block: &str) -> Seen {
        if block.trim() == "misp-trickle sandbox" {
            let (begun, seen) = Begun::new();
            self.begun = Some(begun);
            return seen;
        }
        let mut lines = String::new();
        for line in block.lines().filter(|line| !line.starts_with("cargo ")) {
            let bare = line.split(" #").next().unwrap().trim_end();
            let of = self.keys.iter().find(|(name, _)| bare == format!("export {name}=…"));
            match of {
                Some((name, role)) => {
                    self.exports += &format!("export {name}={}\n", self.key(role));
                }
                None => lines += &format!("{}\n", line.replace(EXAMPLE, &self.sandbox.url())),
            }
        }
        if let Some(begun) = &self.begun {
            lines = lines.replace(BEGUN, &begun.url);
        }
        assert!(!lines.contains('…'), "what is to be filled in is unknown: {lines}");
        let program = Path::new(env!("CARGO_BIN_EXE_misp-trickle")).parent().unwrap();
        let path = format!("{}:{}", program.display(), env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        for name in program::FOREIGN {
            command.env_remove(name);
        }
        let script = format!("set -e\n{}{lines}", self.exports);
        command.args(["-c", &script]).env("PATH", path).current_dir(self.folder.path());
        let mut seen = seen(&mut command);
        if let Some(begun) = &self.begun {
            seen.data = seen.data.replace(&begun.url, BEGUN);
        }
        seen
    }

    /// Runs all blocks of a section, each of which is to end well, and compares what it shows.
    fn follow(&mut self, page: &str, section: &str) -> Followed {
        let (mut last, mut followed) = (String::new(), Followed::default());
        for Block { language, text } in blocks(page, section) {
            match &*language {
                "sh" => {
                    last = self.run(&text).code(0).data;
                    followed.ran += &text;
                }
                "text" => {
                    compare(page, &text, &last);
                    followed.shown += 1;
                }
                other => assert!(other.starts_with("toml"), "a block of {other}"),
            }
        }
        followed
    }
}

/// What a page had run and shown.
#[derive(Debug, Default)]
struct Followed {
    ran: String,
    shown: usize,
}

impl Followed {
    #[track_caller]
    fn has(&self, verbs: &[&str], shown: usize) {
        for verb in verbs {
            assert!(self.ran.contains(&format!("misp-trickle {verb}")), "{verb} is no step");
        }
        assert!(self.shown >= shown, "{} blocks are shown", self.shown);
    }
}

/// Whether a word is one that differs from run to run: an id, a time, a key.
fn varies(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_hex = !word.is_empty() && word.bytes().all(|it| it.is_ascii_hexdigit());
    let is_of = |signs: &str| word.chars().all(|it| it.is_ascii_digit() || signs.contains(it));
    let is_date = word.len() == 10 && word.starts_with("20") && is_of("-");
    // Of a clock, or what it is before UTC.
    let is_hour = matches!(word.len(), 5 | 8) && word.contains(':') && is_of(":");
    let is_time = is_date || is_hour;
    matches!(word.len(), 12 | 64) && is_hex || is_time
}

/// What differs from run to run is left out: ids, times, and numbers before a unit of bytes or of time.
fn masked(text: &str) -> Vec<String> {
    const UNITS: [&str; 4] = ["B", "kB", "s", "min"];
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    let mask = |line: &str| {
        let words: Vec<&str> = line.trim_end().split(' ').collect();
        let is_number = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok();
        let of = |(at, word): (usize, &&str)| {
            let has_unit = words.get(at + 1).is_some_and(|it| UNITS.contains(&&*bare(it)));
            if varies(word) || (is_number(word) && has_unit) {
                "_".to_owned()
            } else {
                (*word).to_owned()
            }
        };
        words.iter().enumerate().map(of).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(mask).collect()
}

/// Whether a line that is shown is the one that is printed.
fn is_line(shown: &str, printed: &str) -> bool {
    let mut pieces = shown.split('…');
    let first = pieces.next().unwrap();
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let mut is_open = false;
    for piece in pieces {
        is_open = true;
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
        is_open = is_open && piece.is_empty();
    }
    is_open || rest.is_empty()
}

fn is_same(shown: &[String], printed: &[String]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        ([all, rest @ ..], _) if all.trim() == "…" => {
            (0..=printed.len()).any(|at| is_same(rest, &printed[at..]))
        }
        ([line, shown @ ..], [other, printed @ ..]) => {
            is_line(line, other) && is_same(shown, printed)
        }
        _ => false,
    }
}

/// Compares what a page shows with what is printed, or writes that into the page.
#[track_caller]
fn compare(page: &str, shown: &str, printed: &str) {
    if is_same(&masked(shown), &masked(printed)) {
        return;
    }
    if env::var_os("WRITE_PAGES").is_some() {
        let text = read(page);
        let block = |text: &str, by: &str| -> String {
            let lines = text.lines().map(|line| format!("{by}{}\n", line.trim_end()));
            format!("```text\n{}{by}```", lines.collect::<String>())
        };
        let by = ["", "   "].into_iter().find(|by| text.contains(&block(shown, by)));
        let by = by.expect("the block stands in the page");
        fs::write(file(page), text.replacen(&block(shown, by), &block(printed, by), 1)).unwrap();
        return;
    }
    panic!("{page} shows\n{shown}\nprinted is\n{printed}\nwrite it anew: {AGAIN}");
}

#[test]
fn what_is_shown_may_leave_out_but_not_differ() {
    let same = |shown: &str, printed: &str| is_same(&masked(shown), &masked(printed));
    assert!(same("run 1 4bfa35ca46dc, done", "run 1 cccc00000000, done"));
    assert!(same("at 2026-12-01 16:42:04 +00:00 it", "at 2027-01-31 01:02:03 +05:45 it"));
    assert!(same("wire: 7 requests, 5.0 kB sent", "wire: 7 requests, 812 kB sent"));
    assert!(same("a\n…\nz", "a\nb\nc\nz") && same("a … z", "a b z") && same("a …", "a b"));
    for (shown, printed) in [
        ("run 1 4bfa35ca46dc, done", "run 2 4bfa35ca46dc, done"),
        ("wire: 7 requests", "wire: 8 requests"),
        ("41 sent", "42 sent"),
        ("a\n…\nz", "a\nb\nc"),
        ("a … z", "a b c"),
        ("a", "a\nb"),
        ("a … b", "a x b c"),
    ] {
        assert!(!same(shown, printed), "{shown:?} passes for {printed:?}");
    }
}

#[test]
fn the_way_from_eclecticiq_ends_with_values_in_misp() {
    let mut walk = Walk::new(&[("MISP_ADMIN_KEY", "admin"), ("MISP_API_KEY", "user")]);
    let followed = walk.follow(ECLECTICIQ, "By files");
    followed.has(&["init", "doctor", "plan", "sync", "log"], 1);
    assert_eq!(walk.sandbox.attributes(), program::ATTRIBUTES);
}

#[test]
fn the_steps_are_all_needed_where_misp_is_new() {
    let mut walk = Walk::new(&[("MISP_ADMIN_KEY", "admin"), ("MISP_API_KEY", "user")]);
    let blocks = blocks(ECLECTICIQ, "By files");
    for Block { text, .. } in blocks.iter().filter(|it| it.language == "sh") {
        if text.contains("/tags/add") || text.contains("misp-trickle sync") {
            continue;
        }
        let code = if text.contains("misp-trickle doctor") { 6 } else { 0 };
        let seen = walk.run(text);
        if code == 6 {
            seen.code(6).says(&["fault", "tlp:green", "tags/add", "would be withheld"]);
            break;
        }
        seen.code(0);
    }
    assert_eq!(walk.sandbox.attributes(), 0);
}

#[test]
fn the_first_sync_of_the_readme_is_one() {
    let mut walk = Walk::new(&[("MISP_API_KEY", "sync")]);
    fs::write(walk.folder.path().join("incidents.json"), DAY_1).unwrap();
    walk.follow("README.md", "First sync").has(&["init", "doctor", "plan", "sync", "log"], 0);
    assert_eq!(walk.sandbox.attributes(), program::ATTRIBUTES);
}

#[test]
fn the_tutorial_shows_what_is_printed() {
    let mut walk = Walk::new(&[("MISP_API_KEY", "sync")]);
    let sections: Vec<String> =
        read(TUTORIAL).lines().filter_map(|it| it.strip_prefix("## ")).map(str::to_owned).collect();
    let mut all = Followed::default();
    for section in sections {
        let followed = walk.follow(TUTORIAL, &section);
        all.ran += &followed.ran;
        all.shown += followed.shown;
    }
    all.has(&["sandbox", "init", "doctor", "plan", "sync", "why", "diff", "report"], 8);
    assert!(walk.folder.path().join("history.html").exists());
}

#[test]
fn backups_and_moves_are_made_as_the_page_says() {
    let mut walk = Walk::new(&[("MISP_API_KEY", "sync")]);
    fs::write(walk.folder.path().join("incidents.json"), DAY_1).unwrap();
    walk.follow("README.md", "First sync");
    for section in ["Back up", "Restore", "Move to another machine"] {
        walk.follow("docs/how-to/backup-and-move.md", section).has(&[], 0);
    }
    let damaged = blocks("docs/how-to/backup-and-move.md", "A damaged store");
    walk.run(&damaged[0].text).code(0);
    walk.follow("docs/how-to/upgrade.md", "Upgrade")
        .has(&["export", "plan", "sync --accept-mapping"], 0);
}

#[test]
fn a_history_is_read_on_the_other_side_of_a_gap() {
    let mut walk = Walk::new(&[("MISP_API_KEY", "sync")]);
    fs::write(walk.folder.path().join("incidents.json"), DAY_1).unwrap();
    walk.follow("README.md", "First sync");
    walk.follow("docs/how-to/air-gapped.md", "The history outside")
        .has(&["export", "import", "why"], 0);
}

/// Whether every setting of one is in the other, with the same value.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|it| is_part(value, it)))
        }
        _ => part == whole,
    }
}

#[test]
fn the_configuration_that_is_shown_is_what_init_writes() {
    let blocks = blocks(ECLECTICIQ, "The configuration");
    let shown = &blocks.iter().find(|block| block.language == "toml").unwrap().text;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("misp-trickle.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
    command.args(["init", "--url", EXAMPLE, "--source", "incidents.json"]);
    seen(command.current_dir(folder.path())).code(0);
    let written = fs::read_to_string(&file).unwrap();
    let read = |text: &str| -> Value {
        let text: toml::Table = text.parse().unwrap();
        serde_json::to_value(text).unwrap()
    };
    assert!(is_part(&read(shown), &read(&written)), "{shown}\n{written}");
    let parsed = |text: &str| effective(&Config::parse(text, &file).unwrap());
    assert_eq!(parsed(shown), parsed(&written));
}
