//! The words by which texts speak of TLP.

use super::Tlp;

/// Words before the colour of a sentence: `the TLP designation of this report is RED`.
pub(super) const LINKING: [&str; 12] =
    ["is", "be", "are", "was", "as", "to", "at", "remains", "marked", "rated", "set", "designated"];
/// Words between one colour and the next.
pub(super) const JOINING: [&str; 6] = ["or", "and", "to", "then", "but", "bis"];
/// Words before a colour that holds at another time, or for another part.
pub(super) const LATER: [&str; 6] =
    ["thereafter", "afterwards", "later", "rest", "annex", "otherwise"];
/// The name of TLP in several words.
pub(super) const NAMES: [&[&str]; 6] = [
    &["traffic", "light", "protocol"],
    &["trafficlight", "protocol"],
    &["traffic", "lightprotocol"],
    &["traffic", "light"],
    &["traffic", "lights"],
    &["t", "l", "p"],
];
/// What real traffic lights have, and what is done to them.
pub(super) const OF_TRAFFIC: [&str; 10] = [
    "hacking",
    "hijacking",
    "tampering",
    "manipulation",
    "attack",
    "attacks",
    "control",
    "controller",
    "controllers",
    "systems",
];
/// What is short for strict.
pub(super) const STRICT: [&str; 4] = ["s", "st", "str", "stri"];
/// Words between a colour and the name of TLP that stands behind it: `RED according to TLP`.
pub(super) const BACKWARDS: [&str; 13] = [
    "under",
    "according",
    "to",
    "the",
    "per",
    "by",
    "in",
    "of",
    "with",
    "as",
    "is",
    "our",
    "first",
];

/// The colour that a list of words begins with, and how many of them it takes.
pub(super) fn colour<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<(Tlp, usize)> {
    // Behind a version: `TLP2.0RED`.
    Some(match words.next()?.trim_start_matches(|letter: char| letter.is_ascii_digit()) {
        "white" | "clear" => (Tlp::Clear, 1),
        "green" => (Tlp::Green, 1),
        "amber" => match words.next() {
            Some("strict") => (Tlp::AmberStrict, 2),
            Some("plus" | "and" | "with") if words.next() == Some("strict") => {
                (Tlp::AmberStrict, 3)
            }
            _ => (Tlp::Amber, 1),
        },
        "amberstrict" | "amberplusstrict" => (Tlp::AmberStrict, 1),
        "red" => (Tlp::Red, 1),
        "r" if words.next() == Some("e") && words.next() == Some("d") => (Tlp::Red, 3),
        _ => return None,
    })
}

/// Whether a word may stand between TLP and its colour: a version, as in `TLP 2.0: RED`, the end of `TLPs`, or a word for
/// what a colour is.
pub(super) fn is_filler(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.bytes().all(|byte| byte.is_ascii_digit())
        || matches!(word, "is" | "tlp" | "s" | "value")
        || is_kind(word)
}

/// Whether a word says what a colour is.
pub(super) fn is_kind(word: &str) -> bool {
    matches!(
        word,
        "version"
            | "level"
            | "color"
            | "colour"
            | "marking"
            | "classification"
            | "rating"
            | "designation"
            | "status"
            | "code"
            | "label"
            | "tag"
    )
}
