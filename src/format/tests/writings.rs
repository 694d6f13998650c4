//! No quick look says that nothing marks where what marks is written in letters, escapes and tags of any kind.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    format::{
        leaves::{is_about_marking, names_tlp, speaks_of_tlp, usual},
        suspicion::{may_be_marked, may_speak_of_tlp},
    },
    model::Tlp,
};

/// How a letter may be written.
const LETTERS: [fn(char) -> String; 9] = [
    |it| it.to_string(),
    |it| it.to_ascii_uppercase().to_string(),
    |it| format!("%{:02X}", u32::from(it)),
    |it| format!("%u{:04x}", u32::from(it)),
    |it| format!("&#{};", u32::from(it)),
    |it| format!("\\x{:02x}", u32::from(it)),
    |it| format!("\\U{:04x}", u32::from(it)),
    |it| format!("&{it}opf;"),
    |it| char::from_u32(u32::from(it) + 0xfee0).unwrap().to_string(),
];
/// What may stand between letters, whether it parts the word or not.
const BETWEEN: [&str; 45] = [
    " ",
    ".",
    "_",
    "-",
    "1",
    "\n",
    "\t",
    "<b>",
    "</b>",
    "<wbr/>",
    "<!-- -->",
    "<b x=\"a\">",
    "<b",
    "b>",
    "</b",
    ">",
    "&gt;",
    "%3E",
    "\\x3e",
    "&lt;b>",
    "%3Cb>",
    "<&sol;b>",
    "<%2Fb>",
    "<\\/b>",
    "<\\x2fb>",
    "<%21b>",
    "&sol;",
    "%2F",
    "&nbsp;",
    "&nbsp",
    "%20",
    "\\x20",
    "\\u0020",
    "\\U002f",
    "&no;",
    "&shy;",
    "%C2%AD",
    "\u{200b}",
    "\u{8}",
    "&amp;nbsp;",
    "%2520",
    "&",
    "%",
    "\\",
    "b",
];

/// A word that marks, as it may be written.
fn word() -> impl Strategy<Value = String> {
    let words = select(vec!["tlp", "tlp:red", "x_tlp", "traffic light", "marking", "handling"]);
    words.prop_flat_map(|word| {
        let letters = word.chars().map(|letter| {
            let plain: fn(char) -> String = |it| it.to_string();
            let form = prop_oneof![5 => Just(plain), 1 => select(LETTERS.to_vec())];
            let between =
                prop_oneof![5 => Just(Vec::new()), 1 => vec(select(BETWEEN.to_vec()), 1..4)];
            (form, between).prop_map(move |(form, between)| match letter.is_alphabetic() {
                true => form(letter) + &between.concat(),
                false => letter.to_string(),
            })
        });
        letters.collect::<Vec<_>>().prop_map(|letters| letters.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn what_marks_in_any_writing_is_suspected(text in word(), has_slashes_escaped in any::<bool>()) {
        let json = serde_json::to_string(&text).unwrap();
        let json = if has_slashes_escaped { json.replace('/', "\\/") } else { json };
        let object = format!("{{{json}: {json}}}");
        let said = [Tlp::of_tag(&text), Tlp::said_in(&text)];
        let speaks = names_tlp(&text) || speaks_of_tlp(&text) || said.iter().any(Option::is_some);
        prop_assert!(!speaks || may_speak_of_tlp(object.as_bytes()), "{}", object);
        let marks = is_about_marking(&usual(&text));
        prop_assert!(!marks || may_be_marked(object.as_bytes()), "{}", object);
    }
}
