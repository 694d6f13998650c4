//! Pages followed to the letter in a clean folder, before the sandbox: README, tutorial, how-to pages.
//!
//! Blocks of `sh` are run one after the other; a block of `text` is what the one before prints. There `…` stands for whatever is
//! printed, and a line of it alone for lines; ids, times and numbers of bytes may differ. A block of `toml` becomes the
//! configuration, one of `toml fragment` is put into the one that is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod first_steps;
mod how_to;
#[cfg(unix)]
mod monitor;
mod shown;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use misp_trickle_testing::program;
use program::{DAY_1, Sandbox, Seen, seen};
use serde_json::Value;
use shown::compare;
use tempfile::TempDir;

const EXAMPLE: &str = "https://misp.example.org";
/// Where a sandbox listens that a page begins.
const BEGUN: &str = "http://127.0.0.1:8099";
const ECLECTICIQ: &str = "docs/how-to/eclecticiq-to-misp.md";

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
}

impl Begun {
    fn new(arguments: &[&str], folder: &Path) -> (Self, String, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
        command.arg("sandbox").args(arguments).args(["--listen", "127.0.0.1:0"]);
        let mut child = command.current_dir(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let url = told["url"].as_str().unwrap().to_owned();
        (Self { child, url }, line, told)
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
    begun: Vec<Begun>,
    folder: TempDir,
    exports: String,
    /// The role that each variable holds a key of.
    keys: Vec<(&'static str, &'static str)>,
    /// What each other variable is to hold.
    secrets: BTreeMap<&'static str, String>,
    /// What takes the place of addresses and paths of the pages.
    places: BTreeMap<&'static str, String>,
}

impl Walk {
    fn new(keys: &[(&'static str, &'static str)]) -> Self {
        let (sandbox, folder) = (Sandbox::start(), TempDir::new().unwrap());
        let places = [(EXAMPLE, sandbox.url())].into();
        let (begun, exports, keys) = (Vec::new(), String::new(), keys.to_vec());
        Self { sandbox, begun, folder, exports, keys, secrets: BTreeMap::new(), places }
    }

    /// The same with the first day's dataset as `incidents.json`.
    fn with_dataset(keys: &[(&'static str, &'static str)]) -> Self {
        let walk = Self::new(keys);
        walk.write("incidents.json", DAY_1);
        walk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Begins a sandbox of the MISP that a page names, whose keys are those of the roles from now on.
    fn begin_misp(&mut self) -> Seen {
        let (begun, line, told) = Begun::new(&[], self.folder.path());
        for (name, role) in &self.keys {
            self.secrets.insert(name, told["keys"][role].as_str().unwrap().to_owned());
        }
        let data = line.replace(&begun.url, BEGUN);
        self.places.insert(BEGUN, begun.url.clone());
        self.begun.push(begun);
        Seen { code: 0, data, talk: String::new() }
    }

    /// Begins a platform with the dataset, in the place of the one that pages name.
    fn begin_platform(&mut self) {
        let arguments = ["eclecticiq", "--feed", "12", "--dataset", "incidents.json"];
        let (begun, _, told) = Begun::new(&arguments, self.folder.path());
        self.secrets.insert("EIQ_TOKEN", told["token"].as_str().unwrap().to_owned());
        self.places.insert("https://eiq.example.org", begun.url.clone());
        self.begun.push(begun);
    }

    /// What a variable is to hold.
    fn secret(&self, name: &str) -> Option<String> {
        let role = self.keys.iter().find(|(known, _)| *known == name);
        let known = self.secrets.get(name).cloned();
        known.or_else(|| role.map(|(_, role)| self.sandbox.key(role)))
    }

    /// A text with what stands here in the place of what the page names.
    fn placed(&self, text: &str) -> String {
        let places = self.places.iter();
        places.fold(text.to_owned(), |text, (shown, here)| text.replace(shown, here))
    }

    /// Lines of a shell in the folder, with what was exported so far.
    fn command(&self, lines: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_misp-trickle")).parent().unwrap();
        let path = format!("{}:{}", program.display(), env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        for name in program::FOREIGN {
            command.env_remove(name);
        }
        let script = format!("set -e\n{}{lines}", self.exports);
        command.args(["-c", &script]).env("PATH", path).current_dir(self.folder.path());
        command
    }

    /// Runs the lines of a block as they stand, but for what a reader has to fill in.
    fn run(&mut self, block: &str) -> Seen {
        if block.trim() == "misp-trickle sandbox" {
            return self.begin_misp();
        }
        let mut lines = String::new();
        for line in block.lines().filter(|line| !line.starts_with("cargo ")) {
            let bare = line.split(" #").next().unwrap().trim_end();
            let name = bare.strip_prefix("export ").and_then(|rest| rest.strip_suffix("=…"));
            match name.and_then(|name| Some((name, self.secret(name)?))) {
                Some((name, secret)) => self.exports += &format!("export {name}={secret}\n"),
                None => lines += &format!("{}\n", self.placed(line)),
            }
        }
        assert!(!lines.contains('…'), "what is to be filled in is unknown: {lines}");
        let mut seen = seen(&mut self.command(&lines));
        if let Some(begun) = self.places.get(BEGUN) {
            seen.data = seen.data.replace(begun, BEGUN);
        }
        seen
    }

    /// Makes a block the configuration, or a part of the one that is there.
    fn configure(&self, Block { language, text }: &Block) {
        let file = self.path("misp-trickle.toml");
        let shown: toml::Table = self.placed(text).parse().unwrap();
        let mut whole = toml::Table::new();
        if language == "toml fragment" {
            whole = fs::read_to_string(&file).unwrap().parse().unwrap();
        }
        put(&mut whole, shown);
        fs::write(file, whole.to_string()).unwrap();
    }

    /// Follows all blocks of a section.
    fn follow(&mut self, page: &str, section: &str) -> Followed {
        self.follow_blocks(page, &blocks(page, section))
    }

    /// Runs all commands, each of which is to end well, compares what is shown, and configures.
    fn follow_blocks(&mut self, page: &str, blocks: &[Block]) -> Followed {
        let (mut last, mut followed) = (String::new(), Followed::default());
        for block in blocks {
            match &*block.language {
                "sh" => {
                    last = self.run(&block.text).code(0).data;
                    followed.ran += &block.text;
                }
                "text" => {
                    compare(page, &block.text, &last);
                    followed.shown += 1;
                }
                "toml" | "toml fragment" => self.configure(block),
                other => panic!("a block of {other}"),
            }
        }
        followed
    }
}

/// Puts tables into those that are there. A source of another kind takes the place of the one before.
fn put(whole: &mut toml::Table, part: toml::Table) {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(table)) => {
                if table.get("kind").is_some_and(|kind| there.get("kind") != Some(kind)) {
                    there.clear();
                }
                put(there, table);
            }
            (_, value) => drop(whole.insert(key, value)),
        }
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
