//! The configuration: any text is read or refused, a refusal names a line of it, what is taken is in effect as
//! it was written, and no secret that somebody put there is repeated.

use std::path::Path;

use arbitrary::Unstructured;
use serde_json::Value;

use misp_trickle::{
    config::{Config, ConfigError, Notice, effective},
    model::Locus,
};

use super::{
    json::{is_text, lossy},
    settings::{Draft, Line, known},
};

/// Reads the bytes, or a text made of them, as a configuration.
///
/// # Panics
/// If two readings differ, a fault is nowhere in the text, a wrong line is passed over, a right one is not in
/// effect, or a secret comes back out.
pub fn config(data: &[u8]) {
    if is_text(data) {
        check(&Draft::of(&lossy(data)));
    } else if let Ok(draft) = Draft::read(&mut Unstructured::new(data)) {
        check(&draft);
    }
}

fn check(draft: &Draft) {
    let text = &draft.text;
    let file = Path::new("some/misp-trickle.toml");
    let once = Config::parse(text, file);
    let again = Config::parse(text, file);
    assert_eq!(format!("{once:?}"), format!("{again:?}"));
    let (notices, shown) = match &once {
        Ok(config) => {
            accepted(config, draft);
            (config.warnings.clone(), effective(config).to_string())
        }
        Err(error @ ConfigError::Invalid { faults }) => {
            assert!(!faults.is_empty(), "refused without a fault: {text:?}");
            assert!(!draft.is_right, "{error} in {text:?}");
            let in_order = faults.is_sorted_by_key(place);
            assert!(in_order, "{error} is not in the order of {text:?}");
            (faults.clone(), error.to_string())
        }
        Err(other) => panic!("{other}"),
    };
    notices.iter().for_each(|notice| inside(notice, text));
    let notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
    for secret in &draft.secrets {
        let told = notices.iter().find(|notice| notice.contains(secret));
        assert_eq!(told, None, "a secret of {text:?}");
        assert!(!shown.contains(secret), "{shown} tells a secret of {text:?}");
        assert!(!format!("{once:?}").contains(secret), "{once:?} holds a secret of {text:?}");
    }
}

fn place(notice: &Notice) -> (usize, usize) {
    let Locus::Line(line, column) = notice.place.locus else { panic!("{notice} names no line") };
    (line, column)
}

/// The line is there and long enough, and the notice says something.
fn inside(notice: &Notice, text: &str) {
    let (line, column) = place(notice);
    let there = line.checked_sub(1).and_then(|before| text.split('\n').nth(before));
    let there = there.unwrap_or_else(|| panic!("{notice}: no such line"));
    assert!((1..=there.chars().count() + 1).contains(&column), "{notice}: no such column");
    assert!(!notice.what.is_empty() && !notice.cure.is_empty(), "{notice}");
}

/// What was taken is what the text says, and within bounds.
fn accepted(config: &Config, draft: &Draft) {
    let (text, shown) = (&draft.text, effective(config));
    let printed = toml::to_string(&shown).expect("what is in effect is TOML");
    let again = Config::parse(&printed, Path::new("misp-trickle.toml"));
    let again = again.unwrap_or_else(|error| panic!("{error} in what is in effect of {text:?}"));
    let bare = |config: &Config| {
        let config =
            Config { warnings: vec![], named_files: vec![], file: "".into(), ..config.clone() };
        format!("{config:?}")
    };
    assert_eq!(bare(&again), bare(config), "{text:?}");
    for line in &draft.lines {
        let section = known(&line.section);
        let is_known = line.key.is_empty() || section.iter().any(|(key, _)| *key == line.key);
        let is_section = !section.is_empty();
        assert!(is_known && is_section, "{line:?} of {text:?} was passed over");
        in_effect(line, &shown);
    }
    let destinations = shown["destinations"].as_object().into_iter().flatten();
    destinations.for_each(|(name, it)| destination(name, it, draft));
    let mapping = &shown["mapping"];
    assert!(within(&mapping["comment_max"], 1, 21_845) && within(&mapping["depth"], 1, 8));
}

/// Settings that are shown just as they were written.
const AS_WRITTEN: [&str; 23] = [
    "kind",
    "format",
    "update_strategy",
    "verify_tls",
    "compression",
    "concurrency",
    "on_foreign",
    "distribution",
    "sharing_group_id",
    "threat_level_id",
    "disable_correlation",
    "publish",
    "include_tags",
    "unmarked",
    "text_fallback",
    "comment",
    "comment_max",
    "depth",
    "on_change",
    "at",
    "on",
    "cron",
    "timezone",
];

fn in_effect(line: &Line, shown: &Value) {
    // A plain TOML value is a JSON value; an empty text counts as absent.
    let written = serde_json::from_str::<Value>(&line.value).ok().filter(|value| *value != "");
    let Some(written) = written.filter(|_| AS_WRITTEN.contains(&&*line.key)) else { return };
    let section = if line.section == "source" { "feeds.main" } else { &line.section };
    let found = section.split('.').fold(shown, |table, name| &table[name]);
    assert_eq!(found[&line.key], written, "{line:?} is not in effect: {shown}");
}

fn destination(name: &str, it: &Value, draft: &Draft) {
    let section = format!("destinations.{name}");
    let lines = || draft.lines.iter().filter(|line| line.section == section);
    let sources = ["api_key_env", "api_key_file"].map(|key| it[key].as_str());
    let written = lines().filter(|line| {
        matches!(&*line.key, "api_key_env" | "api_key_file") && line.value != "\"\""
    });
    assert!(written.count() <= 1, "one of two keys was chosen: {}", draft.text);
    assert!(sources[0].is_some() != sources[1].is_some(), "{it} has no key, or two");
    let is_checked = it["verify_tls"] == true;
    assert!(is_checked || draft.text.contains("verify_tls"), "nobody said not to: {it}");
    let url = it["url"].as_str().unwrap_or_default();
    assert!(url.starts_with("http") && !url.contains('?') && !url.contains('#'), "{it}");
    assert!(url.ends_with('/'), "{it}");
    let event = &it["event"];
    assert!(within(&event["distribution"], 0, 4) && within(&event["threat_level_id"], 1, 4));
    let has_group = !event["sharing_group_id"].is_null();
    assert_eq!(has_group, event["distribution"] == 4, "{event}");
    assert!(it["concurrency"] == "auto" || within(&it["concurrency"], 1, 32), "{it}");
}

fn within(number: &Value, least: i64, most: i64) -> bool {
    number.as_i64().is_some_and(|number| (least..=most).contains(&number))
}
