//! The README, the tutorial, and the way from EclecticIQ to MISP by files.

use std::{fs, process::Command};

use misp_trickle::config::{Config, effective};
use misp_trickle_testing::program::{self, seen};
use serde_json::Value;
use tempfile::TempDir;

use super::{Block, ECLECTICIQ, EXAMPLE, Followed, Walk, blocks, read};

const TUTORIAL: &str = "docs/tutorial.md";

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
    let mut walk = Walk::with_dataset(&[("MISP_API_KEY", "sync")]);
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
    assert!(walk.path("history.html").exists());
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
