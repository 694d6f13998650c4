//! What names say: whether a property, a type or a label is called after TLP.

use crate::model::{Tlp, readings};

/// Words of the name of TLP, and what stands with it.
const KNOWN: [&str; 7] =
    ["traffic", "light", "protocol", "trafficlight", "trafficlightprotocol", "x", "version"];

/// What stands with TLP in one word: `tlpcolor`.
const ENDS: [&str; 13] = [
    "color",
    "colour",
    "level",
    "marking",
    "label",
    "tag",
    "value",
    "rating",
    "status",
    "code",
    "name",
    "designation",
    "classification",
];

/// Whether the name of a property, or of a type of definition, speaks of TLP: `tlp`, `TLP`, `tlp_2_0`, `x_tlp_color`,
/// `tlpColor`, `reportTLP`, `t_l_p`.
pub(in crate::format) fn speaks_of_tlp(name: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.: ".contains(&byte);
    match name.bytes().all(is_usual) {
        true => speaks(name),
        false => readings(name).iter().any(|name| speaks(name)),
    }
}

fn speaks(name: &str) -> bool {
    // Most names spell neither, which these two looks tell.
    let spells_tlp = spells_tlp(name);
    if !spells_tlp && !name.contains(['f', 'F']) {
        return false;
    }
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    letters.to_ascii_lowercase().contains("trafficlight")
        || words(name).any(|word| is_tlp(word) || is_tlp_with_colour(word))
        || (spells_tlp && (has_parted_tlp(name) || names(name)))
}

/// Whether the letters of TLP follow each other in a name, whatever stands between them that is no letter.
fn spells_tlp(name: &str) -> bool {
    let mut last = [0; 2];
    name.bytes().filter(u8::is_ascii_alphabetic).any(|letter| {
        let letter = letter.to_ascii_lowercase();
        let is_spelled = [last[0], last[1], letter] == *b"tlp";
        last = [last[1], letter];
        is_spelled
    })
}

/// Whether several words of a name are the name of TLP together: `x_t_l_p_color`.
fn has_parted_tlp(name: &str) -> bool {
    let words: Vec<&str> = alphanumerics(name).filter(|word| !word.is_empty()).collect();
    [2, 3].iter().any(|count| words.windows(*count).any(|words| is_tlp(&words.concat())))
}

/// Whether a text is the name of TLP, or of its colour, and nothing else: `TLP`, `TLP 2.0`, `tlp_color`, `T.L.P.`.
pub(in crate::format) fn names_tlp(text: &str) -> bool {
    readings(text).iter().any(|text| names(text))
}

/// Most words of a name that holds more than that of TLP.
const NAME_WORDS_MAX: usize = 5;

/// Whether a text is a name that speaks of TLP, among other words, and says no colour: `report_tlp`, `Sharing TLP`.
pub(in crate::format) fn is_named_after_tlp(text: &str) -> bool {
    let is_name = || text.split_whitespace().count() <= NAME_WORDS_MAX;
    speaks_of_tlp(text) && is_name() && Tlp::marked_by(text).is_none()
}

fn names(text: &str) -> bool {
    let letters: String = text.chars().filter(|letter| letter.is_alphabetic()).collect();
    let letters = letters.to_lowercase();
    let is_named = letters.contains("tlp") || letters.contains("trafficlight");
    is_named
        && (is_tlp(&letters)
            || text
                .split(|letter: char| !letter.is_alphanumeric())
                .flat_map(|word| {
                    let (whole, parts) = match is_known(&word.to_lowercase()) {
                        true => (Some(word), None),
                        false => (None, Some(humps(word))),
                    };
                    whole.into_iter().chain(parts.into_iter().flatten())
                })
                .all(|word| is_known(&word.to_lowercase())))
}

/// Whether a word in small letters is a part of the name of TLP, or nothing.
fn is_known(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    is_tlp(word)
        || KNOWN.contains(&word)
        || ENDS.contains(&word)
        || number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word is the name of TLP, with a version or what a colour is called.
fn is_tlp(word: &str) -> bool {
    let (head, rest) = word.split_at_checked(3).unwrap_or((word, ""));
    let version = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
    head.eq_ignore_ascii_case("tlp")
        && (version.bytes().all(|byte| !byte.is_ascii_alphabetic())
            || ENDS.iter().any(|end| rest.eq_ignore_ascii_case(end)))
}

/// Whether a word is the name of TLP with a colour: `tlpred`.
fn is_tlp_with_colour(word: &str) -> bool {
    let (head, rest) = word.split_at_checked(3).unwrap_or((word, ""));
    head.eq_ignore_ascii_case("tlp") && rest.parse::<Tlp>().is_ok()
}

/// The words of a name, each whole, and each cut where small letters are followed by a large one.
fn words(name: &str) -> impl Iterator<Item = &str> {
    alphanumerics(name).flat_map(|word| std::iter::once(word).chain(humps(word)))
}

/// What a name consists of, but for what is neither letter nor digit.
fn alphanumerics(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !letter.is_ascii_alphanumeric())
}

/// The parts of a word in which capitals begin words: `reportTLP`, `TLPValue`.
fn humps(word: &str) -> impl Iterator<Item = &str> {
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    let begins = |at: usize| {
        let is_large = |at: usize| letters.get(at).is_some_and(|(_, it)| it.is_uppercase());
        let is_small = |at: usize| letters.get(at).is_some_and(|(_, it)| it.is_lowercase());
        is_large(at) && (!is_large(at - 1) || is_small(at + 1))
    };
    let inner = (1..letters.len()).filter(|at| begins(*at)).map(|at| letters[at].0);
    let ends: Vec<usize> = inner.chain([word.len()]).collect();
    let mut from = 0;
    ends.into_iter().map(move |end| &word[std::mem::replace(&mut from, end)..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_after_tlp_are_known() {
        for name in [
            "tlp",
            "TLP",
            "tlp_2_0",
            "x_tlp_color",
            "Tlp-Level",
            "tlp2",
            "tlpColor",
            "tlpValue",
            "x_tlpv2",
            "reportTLP",
            "TLPDesignation",
            "myTlpThing",
            "tlpvalue",
            "TLPv2.0",
            "x_trafficLightProtocol",
            "t_l_p",
            "T.L.P",
            "t-l-p",
            "T.L.P.",
            "t_lp",
            "t_l_p_color",
            "x_t_l_p",
            "x_t_l_p2_value",
            "T1L.P",
            "\\U0054_l_p",
            "tlpred",
            "is_tlpAmberStrict",
        ] {
            assert!(speaks_of_tlp(name), "{name}");
        }
        for name in [
            "",
            "tl",
            "tlpx",
            "atlp",
            "temple",
            "x_opencti_definition",
            "startLPos",
            "ATLP",
            "at_l_p",
            "t_l_px",
            "t_l_a_p",
            "start_l_p",
        ] {
            assert!(!speaks_of_tlp(name), "{name}");
        }
    }

    #[test]
    fn a_text_is_the_name_of_tlp_or_more_than_that() {
        for text in [
            "TLP",
            "tlp",
            "TLP 2.0",
            "tlp_color",
            "TLP Level:",
            "Traffic Light Protocol",
            "TLPv2",
            "TrafficLightProtocol",
            "traffic-light",
            "T.L.P.",
            "T&shy;LP",
            "%54LP",
            "\u{1d413}LP",
        ] {
            assert!(names_tlp(text), "{text}");
        }
        for text in ["", "TLP:RED", "TLP report", "color", "traffic", "protocol", "2.0", "atlp"] {
            assert!(!names_tlp(text), "{text}");
        }
    }
}
