//! Whether an object may be marked at a place that is not looked at otherwise: a quick no for nearly all.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::leaves::OF_MARKING;
use crate::model::{is_plain, may_be_escaped, parts};

/// Whether anything may mark that stands in an object: a quick no.
pub(super) fn may_be_marked(raw: &[u8]) -> bool {
    may_speak_of_tlp(raw) || of_marking(raw).next().is_some()
}

/// Whether an object may speak of TLP: a quick no for nearly all. It may where `tlp` stands in its bytes in any case,
/// with anything between its letters, the name in words does, AMBER+STRICT, or what may stand for one of them once it is read: an
/// escape, a tag, a letter of full width, or one that is not shown.
pub(super) fn may_speak_of_tlp(raw: &[u8]) -> bool {
    tlp(raw).next().is_some() || may_spell_tlp_otherwise(raw)
}

/// Where `tlp` stands.
fn tlp(raw: &[u8]) -> impl Iterator<Item = usize> {
    spelled(raw, "tlp")
}

/// Where a word stands, in whatever case, and with whatever between its letters that is none.
fn spelled<'r>(raw: &'r [u8], word: &'static str) -> impl Iterator<Item = usize> + 'r {
    let (last, others) = word.as_bytes().split_last().expect("a word");
    memchr::memchr2_iter(*last, last.to_ascii_uppercase(), raw)
        .filter_map(|end| others.iter().rev().try_fold(end, |end, it| letter_before(raw, end, *it)))
}

/// Whether the colour stands there that is TLP's alone, so that it marks without its name.
fn names_amber_strict(raw: &[u8]) -> bool {
    let follows = |at: usize, before: &str| {
        before.bytes().rev().try_fold(at, |end, it| letter_before(raw, end, it)).is_some()
    };
    spelled(raw, "strict").any(|at| AMBER.iter().any(|before| follows(at, before)))
}

/// Where a letter stands, if no other stands between it and a place. That of an escape such as `\n` is none.
fn letter_before(raw: &[u8], mut end: usize, letter: u8) -> Option<usize> {
    loop {
        let at = raw[..end].iter().rposition(u8::is_ascii_alphabetic)?;
        if raw[at].eq_ignore_ascii_case(&letter) {
            return Some(at);
        }
        let before = at.checked_sub(1)?;
        if raw[before] != b'\\' || !b"nrtf".contains(&raw[at]) {
            return None;
        }
        end = before;
    }
}

/// What stands before `strict` in the name of AMBER+STRICT.
const AMBER: [&str; 4] = ["amber", "amberplus", "amberand", "amberwith"];

/// Whether what means TLP may stand there in other bytes.
fn may_spell_tlp_otherwise(raw: &[u8]) -> bool {
    // Made once, as every object is gone through.
    static SORTS: LazyLock<[Finder<'static>; 4]> =
        LazyLock::new(|| ["\\u", "\\b", "\u{7f}", "&#"].map(Finder::new));
    SORTS.iter().any(|sort| sort.find(raw).is_some())
        || spelled(raw, "traffic").next().is_some()
        || names_amber_strict(raw)
        || has_odd_letters(raw)
        || is_escaped(raw)
}

/// The keys under which the platform marks an entity.
const OF_PLATFORM: [&[u8]; 2] = [b"\"tlp_color\"", b"\"tlp_color_override\""];

/// What of an entity of EclecticIQ is read as its marking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marked<'a> {
    /// How many colours under the keys of the platform.
    pub(super) colours: usize,
    /// The value of `data.handling`, out of the entity; empty where it has none.
    pub(super) handling: &'a str,
}

/// Whether an entity of EclecticIQ may be marked beside what is read as its marking: under a key that is written
/// otherwise, or in another place. Nearly every entity speaks of TLP where the platform does, and nowhere else.
pub(super) fn may_be_marked_beside(raw: &[u8], marked: Marked<'_>) -> bool {
    let Some(parts) = beside(raw, marked.handling) else { return true };
    let keys = parts.iter().map(|part| memchr::memmem::find_iter(part, b"\"handling\"").count());
    let keys: usize = keys.sum();
    keys > usize::from(!marked.handling.is_empty())
        || parts.iter().map(|part| of_marking(part).count()).sum::<usize>() > keys
        || parts.iter().any(|part| may_spell_tlp_otherwise(part))
        || colours(parts).is_none_or(|colours| colours > marked.colours)
}

/// What stands before and behind a part of a text.
fn beside<'a>(raw: &'a [u8], part: &str) -> Option<[&'a [u8]; 2]> {
    if part.is_empty() {
        return Some([raw, b""]);
    }
    let start = part.as_ptr().addr().checked_sub(raw.as_ptr().addr())?;
    Some([raw.get(..start)?, raw.get(start + part.len()..)?])
}

/// How many texts stand under the keys of the platform; none if anything else speaks of TLP.
fn colours(parts: [&[u8]; 2]) -> Option<usize> {
    let mut texts = 0;
    for part in parts {
        for at in tlp(part) {
            let start = at.checked_sub(1)?;
            let key = OF_PLATFORM.iter().find(|key| part[start..].starts_with(key))?;
            match value_behind(&part[start + key.len()..])? {
                b'"' => texts += 1,
                b'n' => {}
                _ => return None,
            }
        }
    }
    Some(texts)
}

/// How the value begins behind the name of a member.
fn value_behind(rest: &[u8]) -> Option<u8> {
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    rest.trim_ascii_start().first().copied()
}

fn is_escaped(raw: &[u8]) -> bool {
    let is_read = |raw| {
        may_be_escaped(raw) || ["tlp", "traffic", "amberstrict"].iter().any(|it| parts(raw, it))
    };
    std::str::from_utf8(raw).is_ok_and(is_read)
}

fn has_odd_letters(raw: &[u8]) -> bool {
    let is_odd = |letter: char| !letter.is_ascii() && !is_plain(letter);
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
/// the properties `object_marking_refs` and `granular_markings`, where it has them, or more ids of markings than so many.
pub(super) fn may_be_marked_elsewhere(raw: &[u8], has: [bool; 2], ids: usize) -> bool {
    let mut seen = [0_usize; OF_STIX.len()];
    for word in of_marking(raw) {
        let known = OF_STIX.iter().position(|known| {
            let inside = memchr::memmem::find(known, b"marking").unwrap_or(0);
            word >= inside && raw[word - inside..].starts_with(known)
        });
        let Some(known) = known else { return true };
        seen[known] += 1;
    }
    // What names the marking of a part stands in a list of such.
    has.iter().zip(seen).any(|(has, seen)| seen > usize::from(*has))
        || (seen[2] > 0 && !has[1])
        || seen[3] > ids
}

/// How many ids of markings stand in a text, as they are usually written.
pub(super) fn ids_of_markings(raw: &[u8]) -> usize {
    memchr::memmem::find_iter(raw, OF_STIX[3]).count()
}

/// Where the words stand by which a key is about marking.
fn of_marking(raw: &[u8]) -> impl Iterator<Item = usize> {
    OF_MARKING.into_iter().flat_map(|word| words(raw, word))
}

/// Where a word stands, in whatever case.
fn words(raw: &[u8], word: &'static str) -> impl Iterator<Item = usize> {
    let word = word.as_bytes();
    let last = word[word.len() - 1];
    memchr::memchr2_iter(last, last.to_ascii_uppercase(), raw).filter_map(move |end| {
        let at = (end + 1).checked_sub(word.len())?;
        raw[at..=end].eq_ignore_ascii_case(word).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_may_speak_of_tlp_in_every_form_in_which_a_tag_is_read() {
        for text in [
            "tLp:red",
            "Traffic Light",
            "TRAFFIC LIGHT",
            "\\u0054LP",
            "\u{ff54}lp",
            "t\u{200b}lp",
            "T.L.P",
            "T - l/p",
            "T1L.P",
            "T\\nL\\tP",
            "\\\\tlp",
            "T\\bLP",
            "T\u{7f}LP",
            "T&nbsp;L&nbsp;P",
            "T%2FL%2FP",
            "T <b class=\\\"l\\\"></b>L.P",
            "traf-<i>fic</i> light",
            "tRafFic light",
            "&#84;LP",
            "%54LP",
            "\\\\U0054LP",
            "\\\\X54LP",
            "T\\\\x20L\\\\X20P",
            "\\ud835\\udc13LP",
            "t_l_p",
            "T&shy;LP",
            "TL<wbr>P",
            "AMBER+STRICT",
            "amber_strict",
            "Amber and Strict",
            "amber &amp; strict",
            "AMBER%20STRICT",
            "AM<b>BER</b>-STRICT",
            "\u{1d413}LP",
        ] {
            assert!(may_speak_of_tlp(format!(r#"{{"x": "{text}"}}"#).as_bytes()), "{text}");
        }
        for text in [
            "",
            "t l a p",
            "t <b>l</b>",
            "a%20tl&nbsp;x",
            "\\nl p",
            "\u{e9}t\u{e9} \u{4e2d}",
            "\\n",
            "pal",
            "restricted amber",
            "amber is strict",
        ] {
            assert!(!may_speak_of_tlp(format!(r#"{{"x": "{text}"}}"#).as_bytes()), "{text}");
        }
    }

    /// Whether an entity may be marked beside so many colours and its handling, if that is told.
    fn beside(raw: &str, colours: usize, handling: &str) -> bool {
        let handling = match raw.find(handling) {
            Some(at) if !handling.is_empty() => &raw[at..at + handling.len()],
            _ => "",
        };
        may_be_marked_beside(raw.as_bytes(), Marked { colours, handling })
    }

    #[test]
    fn what_is_read_as_the_marking_of_an_entity_is_no_suspicion() {
        let list = r#"[{"marking_structures": [{"marking_structure_type": "tlp"}]}]"#;
        let handled =
            format!(r#"{{"data": {{"handling": {list}}}, "meta": {{"tlp_color":"RED"}}}}"#);
        for (own, colours, handling) in [
            (r#"{"meta": {"tlp_color" : "GREEN", "tlp_color_override":null}}"#, 1, ""),
            (r#"{"meta": {"tlp_color":"GREEN", "tlp_color_override": "RED"}}"#, 2, ""),
            (r#"{"meta": {"tlp_color": null}}"#, 0, ""),
            (r#"{"data": {"handling": []}}"#, 0, "[]"),
            (&handled, 1, list),
            ("{}", 0, ""),
        ] {
            assert!(!beside(own, colours, handling), "{own}");
        }
    }

    #[test]
    fn what_may_mark_an_entity_beside_its_marking_is_suspected() {
        for (other, colours) in [
            (r#"{"tlp_color": "GREEN"}"#, 0),
            (
                r#"{"meta": {"tlp_color": "GREEN"}, "extracts": [{"meta": {"tlp_color": "RED"}}]}"#,
                1,
            ),
            (r#"{"meta": {"tlp_color": {"value": "GREEN", "x": "RED"}}}"#, 1),
            (r#"{"meta": {"tlp_color": "TLP:GREEN"}}"#, 1),
            (r#"{"meta": {"Tlp_color": "GREEN"}}"#, 1),
            (r#"{"meta": {"tlp_color_": "GREEN"}}"#, 1),
            (r#"{"meta": {"tlp_color": "GREEN"}, "x": "\"tlp_color\": \"RED\""}"#, 1),
            (r#"{"meta": {"tlp_color": "GREEN"}, "x": "\u0054LP"}"#, 1),
            ("tlp", 1),
            (r#"{"Handling": []}"#, 0),
            (r#"{"handling": 1}"#, 0),
            (r#"{"handling": [], "x": {"handling": 1}}"#, 0),
            (r#"{"handling": [], "Handling": 1}"#, 0),
            (r#"{"handling": [], "tlp": "RED"}"#, 0),
            (r#"{"handling": [], "x": {"markings": ["RED"]}}"#, 0),
            (r#"{"marking_structures": 1}"#, 0),
            (r#"{"Marking_Structures": 1}"#, 0),
        ] {
            let handling = if other.contains("[],") { "[]" } else { "" };
            assert!(beside(other, colours, handling), "{other}");
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
            let ids = ids_of_markings(usual.as_bytes());
            assert!(!may_be_marked_elsewhere(usual.as_bytes(), has, ids), "{usual}");
            let more = usual.clone() + &format!(r#", "x": "{id}""#);
            assert!(may_be_marked_elsewhere(more.as_bytes(), has, ids), "{more}");
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
            r#""handling": 1"#.to_owned(),
            r#""x": {"HandLing": 1}"#.to_owned(),
        ] {
            let has = [other.starts_with(r#""object_marking_refs"#), other.starts_with(r#""gran"#)];
            assert!(may_be_marked_elsewhere(other.as_bytes(), has, 9), "{other}");
        }
    }
}
