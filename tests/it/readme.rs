//! The README, followed to the letter in a clean folder, with a key of the role *User* against the sandbox.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fs, path::Path, process::Command};

use misp_trickle::config::{Config, effective};
use misp_trickle_testing::program;
use program::{Sandbox, Seen, seen};
use serde_json::Value;
use tempfile::TempDir;

const EXAMPLE: &str = "https://misp.example.org";

/// A block of the README behind a fence.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The blocks of a section, without the indentation of the list that they stand in.
fn blocks(section: &str) -> Vec<Block> {
    let readme = readme();
    let (_, from) = readme.split_once(&format!("## {section}\n")).expect("the section is there");
    let section = from.split("\n## ").next().unwrap();
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for line in section.lines() {
        let bare = line.strip_prefix("   ").unwrap_or(line);
        match (bare.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block { language: language.to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text += &format!("{bare}\n"),
            (None, None) => {}
        }
    }
    blocks
}

/// A clean folder with this program in the path, and a sandbox.
struct Walk {
    sandbox: Sandbox,
    folder: TempDir,
    exports: String,
}

impl Walk {
    fn new() -> Self {
        let (sandbox, folder) = (Sandbox::start(), TempDir::new().unwrap());
        Self { sandbox, folder, exports: String::new() }
    }

    /// Runs the lines of a block as they stand, but for what a reader has to fill in.
    fn run(&mut self, block: &str) -> Seen {
        let (mut lines, keys) =
            (String::new(), [("MISP_ADMIN_KEY", "admin"), ("MISP_API_KEY", "user")]);
        for line in block.lines().filter(|line| !line.starts_with("cargo ")) {
            let of = keys.iter().find(|(name, _)| *line == format!("export {name}=…"));
            match of {
                Some((name, role)) => {
                    self.exports += &format!("export {name}={}\n", self.sandbox.key(role));
                }
                None => lines += &format!("{}\n", line.replace(EXAMPLE, &self.sandbox.url())),
            }
        }
        assert!(!lines.contains('…'), "what is to be filled in is unknown: {lines}");
        let program = Path::new(env!("CARGO_BIN_EXE_misp-trickle")).parent().unwrap();
        let path = format!("{}:{}", program.display(), env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        for name in program::FOREIGN {
            command.env_remove(name);
        }
        let script = format!("set -e\n{}{lines}", self.exports);
        seen(command.args(["-c", &script]).env("PATH", path).current_dir(self.folder.path()))
    }
}

/// What differs from run to run: ids, and bytes.
fn masked(text: &str) -> Vec<String> {
    let mask = |line: &str| {
        let line = line.trim_end();
        match line.split_once(' ') {
            Some(("run", rest)) => {
                let rest = rest.split_once(", ").map_or(rest, |(_, rest)| rest);
                format!("run, {rest}")
            }
            _ if line.trim_start().starts_with("wire:") => "wire".to_owned(),
            _ => line.to_owned(),
        }
    };
    text.lines().map(mask).collect()
}

#[test]
fn the_readme_followed_to_the_letter_ends_with_values_in_misp() {
    let mut walk = Walk::new();
    let (mut last, mut ran, mut shown) = (String::new(), String::new(), 0);
    for Block { language, text } in blocks("EclecticIQ to MISP") {
        match &*language {
            "sh" => {
                last = walk.run(&text).code(0).data;
                ran += &text;
            }
            "text" => {
                assert_eq!(
                    masked(&text),
                    masked(&last),
                    "the README shows\n{text}\nprinted is\n{last}"
                );
                shown += 1;
            }
            "toml" => {}
            other => panic!("a block of {other}"),
        }
    }
    for verb in ["init", "doctor", "plan", "sync", "log"] {
        assert!(ran.contains(&format!("misp-trickle {verb}")), "{verb} is no step");
    }
    assert_eq!(shown, 1);
    assert_eq!(walk.sandbox.attributes(), program::ATTRIBUTES);
}

#[test]
fn the_steps_are_all_needed_where_misp_is_new() {
    let mut walk = Walk::new();
    for Block { text, .. } in blocks("EclecticIQ to MISP").iter().filter(|it| it.language == "sh") {
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
fn the_configuration_of_the_readme_is_what_init_writes() {
    let blocks = blocks("EclecticIQ to MISP");
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
