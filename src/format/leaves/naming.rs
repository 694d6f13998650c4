//! What names say: whether a property, a type or a label is called after TLP.

use crate::model::readings;

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
/// `tlpColor`, `reportTLP`.
pub(in crate::format) fn speaks_of_tlp(name: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.: ".contains(&byte);
    match name.bytes().all(is_usual) {
        true => speaks(name),
        false => readings(name).iter().any(|name| speaks(name)),
    }
}

fn speaks(name: &str) -> bool {
    let is_named = name.as_bytes().windows(3).any(|word| word.eq_ignore_ascii_case(b"tlp"));
    // Most names are neither, which these two looks tell.
    if !is_named && !name.contains(['f', 'F']) {
        return false;
    }
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    letters.to_ascii_lowercase().contains("trafficlight") || words(name).any(is_tlp)
}

/// Whether a text is the name of TLP, or of its colour, and nothing else: `TLP`, `TLP 2.0`, `tlp_color`, `T.L.P.`.
pub(in crate::format) fn names_tlp(text: &str) -> bool {
    readings(text).iter().any(|text| names(text))
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

/// The words of a name, each whole, and each cut where small letters are followed by a large one.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let whole = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    whole.flat_map(|word| std::iter::once(word).chain(humps(word)))
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
        ] {
            assert!(speaks_of_tlp(name), "{name}");
        }
        for name in
            ["", "tl", "tlpx", "atlp", "temple", "x_opencti_definition", "startLPos", "ATLP"]
        {
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
