//! Whether a page shows what is printed, but for what differs from run to run.

use std::{env, fs};

use super::{file, read};

/// What writes anew what pages show.
const AGAIN: &str = "WRITE_PAGES=1 cargo test --test it pages";

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
pub(super) fn compare(page: &str, shown: &str, printed: &str) {
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
