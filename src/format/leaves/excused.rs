//! What stands under a key of TLP, or beside it, and is no marking: its version, its address, the colour of a screen beside the
//! name of the colour.
//!
//! Readers before the fourth took each of these for a marking. Where it could be one, it still is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Leaf, OF_MARKING};
use crate::model::{Timestamp, Tlp};

/// What an excused leaf says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) struct Excused {
    /// Now.
    pub(in crate::format) now: Option<Tlp>,
    /// To readers before the fourth; `None` where it said it together with others alone, which was red.
    pub(in crate::format) then: Option<Tlp>,
}

/// Words that have the word in them by which a key is about marking, and are about something else.
const ALIKE: [&str; 11] = [
    "benchmarking",
    "bookmarking",
    "watermarking",
    "earmarking",
    "trademarking",
    "mishandling",
    "exception_handling",
    "error_handling",
    "event_handling",
    "signal_handling",
    "memory_handling",
];
/// Keys of a tag of MISP, beside its name.
const OF_TAG: [&str; 9] = [
    "id",
    "exportable",
    "hide_tag",
    "user_id",
    "org_id",
    "numerical_value",
    "is_galaxy",
    "is_custom_galaxy",
    "local_only",
];
/// How keys end that hold a point in time, an address, a text for people.
const TIMES: [&str; 6] = ["at", "date", "time", "timestamp", "created", "modified"];
const ADDRESSES: [&str; 4] = ["url", "uri", "href", "link"];
/// What the numbers of TheHive mean; of both of its lists of colours the stricter.
const NUMBERS: [(&str, Tlp); 5] =
    [("0", Tlp::Clear), ("1", Tlp::Green), ("2", Tlp::Amber), ("3", Tlp::Red), ("4", Tlp::Red)];

/// What objects say, by number and by how deep it stands in them.
#[derive(Default)]
struct Objects {
    /// The strictest colour that a text of it says.
    named: BTreeMap<(u32, usize), Tlp>,
    /// Those that are values of the registry.
    registry: BTreeSet<(u32, usize)>,
}

impl Objects {
    fn of(leaves: &[Leaf]) -> Self {
        let mut all = Self::default();
        for leaf in leaves {
            let Some(place) = leaf.place() else { continue };
            let text = leaf.text.trim();
            let is_text = text.contains(char::is_alphabetic);
            if let Some(tlp) = is_text.then(|| text.parse::<Tlp>().ok()).flatten() {
                all.named.entry(place).and_modify(|it| *it = tlp.max(*it)).or_insert(tlp);
            }
            if leaf.key() == "data_type" && text.starts_with("REG_") {
                all.registry.insert(place);
            }
        }
        all
    }
}

/// Finds what is excused among the leaves of an object.
pub(super) fn excuse(leaves: &mut [Leaf]) {
    if !leaves.iter().any(Leaf::may_be_excused) {
        return;
    }
    let objects = Objects::of(leaves);
    for leaf in leaves.iter_mut().filter(|leaf| leaf.may_be_excused()) {
        let then = match leaf.tlp() {
            Some(said) => Some(said.unwrap_or(Tlp::Red)),
            None => leaf.is_of_traffic().then_some(Tlp::Red),
        };
        leaf.excused = leaf.excuse(&objects).map(|now| Excused { now, then });
    }
}

impl Leaf {
    /// Whether it may be: a quick no for most.
    fn may_be_excused(&self) -> bool {
        self.is_under_tlp()
            || self.is_about_marking()
            || self.text.trim_start().starts_with('#')
            || self.is_around("values")
            || self.is_of_traffic()
    }

    fn is_of_traffic(&self) -> bool {
        self.is_label() && Tlp::is_of_traffic(&self.text)
    }

    fn place(&self) -> Option<(u32, usize)> {
        Some((*self.objects.last()?, self.path.len()))
    }

    fn is_around(&self, key: &str) -> bool {
        self.path.len().checked_sub(2).is_some_and(|around| *self.path[around] == *key)
    }

    /// What it says where it is excused.
    fn excuse(&self, objects: &Objects) -> Option<Option<Tlp>> {
        let text = self.text.trim();
        if self.is_alike() || self.is_of_traffic() {
            return Some(None);
        }
        // What names a colour, in whatever language, may be meant so.
        if self.tlp().is_some_and(|said| said.is_ok()) || Tlp::may_be_named_in(text) {
            return None;
        }
        let is_plain = self.is_version()
            || self.is_time()
            || self.is_address()
            || self.is_in_header()
            || self.is_in_registry(objects);
        if is_plain {
            return Some(None);
        }
        let named = *objects.named.get(&self.place()?)?;
        if let Some((_, tlp)) = NUMBERS.iter().find(|(number, _)| self.is_bare() && *number == text)
        {
            return Some(Some(*tlp));
        }
        let is_said = self.is_shade_of(named) || self.is_of_tag() || self.is_description();
        is_said.then_some(None)
    }

    /// Whether it is a colour under a key that only looks as if it were about marking.
    fn is_alike(&self) -> bool {
        let about = |key: &str| OF_MARKING.iter().any(|word| key.contains(word));
        let is_other = |key: &str| {
            let rest = ALIKE.iter().fold(key.to_owned(), |rest, word| rest.replace(word, ""));
            !about(&rest)
        };
        let mut keys = self.path.iter().filter(|key| about(key)).peekable();
        let is_bare = Tlp::meant_by(&self.text).is_none();
        keys.peek().is_some() && is_bare && keys.all(|key| is_other(key)) && !self.is_under_tlp()
    }

    fn ends_in(&self, words: &[&str]) -> bool {
        let last = self.key().rsplit(['_', '-', ':', '.']).next();
        self.is_called_tlp() && last.is_some_and(|last| words.contains(&last))
    }

    /// The version of TLP.
    fn is_version(&self) -> bool {
        let text = self.text.trim();
        let number = text.strip_prefix(['v', 'V']).unwrap_or(text);
        self.ends_in(&["version"]) && matches!(number, "1" | "1.0" | "2" | "2.0")
    }

    fn is_time(&self) -> bool {
        self.ends_in(&TIMES) && Timestamp::parse(self.text.trim()).is_ok()
    }

    fn is_address(&self) -> bool {
        let text = self.text.trim();
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        self.ends_in(&ADDRESSES) && is_web
    }

    /// The value of a header of HTTP.
    fn is_in_header(&self) -> bool {
        self.is_around("request_header")
    }

    /// The data of a value of the registry.
    fn is_in_registry(&self, objects: &Objects) -> bool {
        self.is_around("values")
            && matches!(self.key(), "data" | "data_type")
            && self.place().is_some_and(|place| objects.registry.contains(&place))
    }

    /// A property of a tag of MISP that is no text of it.
    fn is_of_tag(&self) -> bool {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = matches!(&*self.text, "true" | "false") || is_number(&self.text);
        OF_TAG.contains(&self.key()) && is_plain && self.path.len() > 1
    }

    /// Whether its key is the name of TLP.
    fn is_bare(&self) -> bool {
        matches!(self.key(), "tlp" | "x_tlp")
    }

    /// A text about the colour that is named.
    fn is_description(&self) -> bool {
        self.ends_in(&["description"]) && self.text.split_whitespace().count() > 3
    }

    /// How a screen shows the colour that is named: beside green or clear no shade in which red is strongest.
    fn is_shade_of(&self, named: Tlp) -> bool {
        let digits = self.text.trim().strip_prefix('#').unwrap_or_default();
        let part = |at: usize| match digits.len() {
            3 => u8::from_str_radix(digits.get(at..=at)?, 16).ok(),
            6 => u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok(),
            _ => None,
        };
        let (Some(red), Some(green), Some(_)) = (part(0), part(1), part(2)) else { return false };
        named >= Tlp::Amber || green >= red
    }
}

/// Whether handling says that there is none.
pub(in crate::format) fn says_not_applicable(text: &str) -> bool {
    matches!(&*text.trim().to_ascii_lowercase(), "n/a" | "not applicable")
}

#[cfg(test)]
mod tests {
    use super::{super::Leaves, *};

    fn excused(text: &str) -> Vec<(String, Option<Tlp>)> {
        let Leaves(leaves) = Leaves::of(text).unwrap();
        let found = leaves.iter().filter_map(|leaf| Some((leaf.text.clone(), leaf.excused?.now)));
        found.collect()
    }

    #[test]
    fn what_is_no_marking_beside_one_is_excused() {
        for (text, found) in [
            (
                r##"{"x_tlp": {"id": "12", "name": "tlp:green", "colour": "#33FF00"}}"##,
                &["12", "#33FF00"][..],
            ),
            (
                r##"{"objectMarking": [{"definition": "TLP:GREEN", "x_opencti_color": "#2e7d32"}]}"##,
                &["#2e7d32"],
            ),
            (r##"{"meta": {"tlp_color": {"name": "GREEN", "hex": "#3F0"}}}"##, &["#3F0"]),
            (r#"{"x_tlp_version": "2.0", "tlp_version": 2.0}"#, &["2.0", "2"]),
            (r#"{"x_tlp_updated_at": "2024-01-01T00:00:00Z"}"#, &["2024-01-01T00:00:00Z"]),
            (r#"{"x_tlp_url": "https://www.first.org/tlp/"}"#, &["https://www.first.org/tlp/"]),
            (
                r#"{"x_tlp": "green", "x_tlp_description": "spread within your community"}"#,
                &["spread within your community"],
            ),
            (
                r#"{"x_benchmarking": "red", "exception_handling": {"level": "red"}}"#,
                &["red", "red"],
            ),
            (r#"{"labels": ["traffic-light-hacking"]}"#, &["traffic-light-hacking"]),
            (r#"{"request_header": {"X-TLP-Token": ["abc"]}}"#, &["abc"]),
        ] {
            let expected: Vec<_> = found.iter().map(|it| ((*it).to_owned(), None)).collect();
            assert_eq!(excused(text), expected, "{text}");
        }
        let hive = r#"{"tlp": 3, "tlpLabel": "TLP:GREEN"}"#;
        assert_eq!(excused(hive), [("3".to_owned(), Some(Tlp::Red))]);
    }

    #[test]
    fn what_may_be_a_marking_is_not_excused() {
        for text in [
            r##"{"x_tlp": "#ff0000"}"##,
            r##"{"x_tlp": {"name": "tlp:green", "colour": "#FF2B2B"}}"##,
            r##"{"x_tlp": {"name": "tlp:green", "colour": "#FFC000"}}"##,
            r#"{"x_tlp": {"name": "tlp:green", "level": 3}}"#,
            r#"{"x_tlp": {"id": "12"}}"#,
            r#"{"x_tlp_version": "red"}"#,
            r#"{"x_tlp_version": "3"}"#,
            r#"{"x_tlp_updated_at": "soon"}"#,
            r#"{"x_tlp_url": "https://tlp.example/red"}"#,
            r#"{"x_tlp_url": "https://tlp.example/rouge"}"#,
            r#"{"x_tlp_description": "for the named recipients only"}"#,
            r#"{"x_tlp": "green", "x_tlp_description": "all of it is rot"}"#,
            r#"{"x_tlp": "green", "x_tlp_description": "secret"}"#,
            r#"{"tlp": 1}"#,
            r#"{"tlp": 7, "tlpLabel": "TLP:GREEN"}"#,
            r#"{"x_benchmarking": "TLP:RED", "x_benchmarking_marking": "red"}"#,
            r#"{"handling": "red", "x_handling_status": "red"}"#,
            r#"{"labels": ["traffic-light-red", "traffic light: hacking", "traffic-light-x"]}"#,
            r#"{"request_header": {"X-TLP": ["RED"]}}"#,
            r#"{"values": [{"name": "TLP", "data": "red", "data_type": "REG_SZ"}]}"#,
            r#"{"values": [{"name": "TLP", "data": "secret"}]}"#,
        ] {
            assert!(excused(text).iter().all(|(text, _)| text == "REG_SZ"), "{text}");
        }
    }
}
