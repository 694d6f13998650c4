//! Whether an object may be marked at a place that is not looked at otherwise: a quick no for nearly all.

use crate::model::{is_invisible, narrow};

/// Whether an object may speak of TLP: a quick no for nearly all. It may where `tlp` stands in its bytes in any case,
/// the name in words does, or what may stand for either once it is read: an escape, a letter of full width, or one
/// that is not shown.
pub(super) fn may_speak_of_tlp(raw: &[u8]) -> bool {
    let is_named = memchr::memchr2_iter(b'p', b'P', raw)
        .any(|at| at >= 2 && raw[at - 2..at].eq_ignore_ascii_case(b"tl"));
    let has = |part: &[u8]| memchr::memmem::find(raw, part).is_some();
    is_named || has(b"raffic") || has(b"RAFFIC") || has(b"\\u") || has_odd_letters(raw)
}

fn has_odd_letters(raw: &[u8]) -> bool {
    let is_odd =
        |letter: char| !letter.is_ascii() && (is_invisible(letter) || narrow(letter) != letter);
    !raw.is_ascii() && std::str::from_utf8(raw).is_ok_and(|text| text.chars().any(is_odd))
}

/// Keys and values of STIX that have the word in them.
const OF_STIX: [&[u8]; 4] = [
    b"\"object_marking_refs\"",
    b"\"granular_markings\"",
    b"\"marking_ref\"",
    b"\"marking-definition--",
];

/// Whether an object of STIX may have a marking under a key that is written otherwise, or in an object within: beside
/// the properties `object_marking_refs` and `granular_markings`, where it has them.
pub(super) fn may_be_marked_elsewhere(raw: &[u8], has: [bool; 2]) -> bool {
    let mut seen = [0_usize; OF_STIX.len()];
    for word in words(raw, b"marking") {
        let known = OF_STIX.iter().position(|known| {
            let inside = memchr::memmem::find(known, b"marking").unwrap_or(0);
            word >= inside && raw[word - inside..].starts_with(known)
        });
        let Some(known) = known else { return true };
        seen[known] += 1;
    }
    // What names the marking of a part stands in a list of such.
    has.iter().zip(seen).any(|(has, seen)| seen > usize::from(*has)) || (seen[2] > 0 && !has[1])
}

/// Whether an entity of EclecticIQ may have a marking of STIX 1 beside the one that is read, under a key that is
/// written otherwise or in another place.
pub(super) fn may_be_handled_elsewhere(raw: &[u8], is_handled: bool) -> bool {
    let exact = memchr::memmem::find_iter(raw, b"\"handling\"").count();
    words(raw, b"handling").count() > exact
        || exact > usize::from(is_handled)
        || words(raw, b"marking").any(|at| !is_handled || !raw[at..].starts_with(b"marking"))
}

/// Where a word that ends in `g` stands, in whatever case.
fn words<'r>(raw: &'r [u8], word: &'static [u8]) -> impl Iterator<Item = usize> + 'r {
    memchr::memchr2_iter(b'g', b'G', raw).filter_map(move |end| {
        let at = (end + 1).checked_sub(word.len())?;
        raw[at..=end].eq_ignore_ascii_case(word).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_may_speak_of_tlp_in_every_form_in_which_a_tag_is_read() {
        for text in
            ["tLp:red", "Traffic Light", "TRAFFIC LIGHT", "\\u0054LP", "\u{ff54}lp", "t\u{200b}lp"]
        {
            assert!(may_speak_of_tlp(format!(r#"{{"x": "{text}"}}"#).as_bytes()), "{text}");
        }
        for text in ["", "t l p", "\u{e9}t\u{e9} \u{4e2d}", "\\n", "pal"] {
            assert!(!may_speak_of_tlp(format!(r#"{{"x": "{text}"}}"#).as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_marking_under_another_key_or_in_another_object_is_suspected() {
        let id = "marking-definition--x";
        for usual in [
            r#""labels": ["a"]"#.to_owned(),
            format!(r#""object_marking_refs": ["{id}", "{id}"]"#),
            format!(
                r#""granular_markings": [{{"marking_ref": "{id}"}}, {{"marking_ref": "{id}"}}]"#
            ),
            format!(r#""object_refs": ["{id}"]"#),
        ] {
            let has = ["object_m", "granular"].map(|key| usual.contains(key));
            assert!(!may_be_marked_elsewhere(usual.as_bytes(), has), "{usual}");
            assert!(!may_be_handled_elsewhere(br#""handling": [{"marking_structures": 1}]"#, true));
        }
        for other in [
            format!(r#""Object_Marking_Refs": ["{id}"]"#),
            format!(r#""OBJECT_MARKING_REFS": ["{id}"]"#),
            format!(r#""object_marking_ref": "{id}""#),
            format!(r#""objectMarking": "{id}""#),
            format!(r#""granular_markings": [{{"Marking_Ref": "{id}"}}]"#),
            format!(r#""x": {{"marking_ref": "{id}"}}"#),
            format!(r#""x": {{"granular_markings": [{{"marking_ref": "{id}"}}]}}"#),
            format!(r#""object_marking_refs": [], "x": {{"object_marking_refs": ["{id}"]}}"#),
            r#""x_markings": 1"#.to_owned(),
        ] {
            let has = [other.starts_with(r#""object_marking_refs"#), other.starts_with(r#""gran"#)];
            assert!(may_be_marked_elsewhere(other.as_bytes(), has), "{other}");
        }
        for (other, is_handled) in [
            (r#""Handling": 1"#, false),
            (r#""handling": 1"#, false),
            (r#""handling": 1, "handling": 2"#, true),
            (r#""marking_structures": 1"#, false),
            (r#""handling": [{"Marking_Structures": 1}]"#, true),
        ] {
            assert!(may_be_handled_elsewhere(other.as_bytes(), is_handled), "{other}");
        }
    }
}
