//! Values of attributes: normalisation is total, what it gives MISP would store and leave as it is, and
//! what MISP takes for the same has one identity here.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};

use misp_trickle::{
    misp::{
        AttributeType, Refusal, Value, attribute_uuid, collation_key, normalise, same_for_misp,
        settle,
    },
    model::{AttributeUuid, EventUuid, limits::MISP_TEXT_BYTES_MAX},
};

use super::dataset;

/// Normalises values made of the bytes, as several types.
///
/// # Panics
/// If a result differs from the one before, is not what MISP keeps, or equal values have two identities.
pub fn attribute_value(data: &[u8]) {
    if let Ok(case) = Case::read(&mut Unstructured::new(data)) {
        case.check();
    }
}

/// Types whose values MISP rewrites most.
const REWRITTEN: [&str; 8] =
    ["url", "domain", "hostname|port", "ip-dst|port", "email-src", "filename|md5", "link", "other"];

struct Case {
    event: EventUuid,
    kinds: Vec<AttributeType>,
    /// The second is often the first in other clothes.
    texts: [String; 2],
}

impl Case {
    fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let all: Vec<AttributeType> = AttributeType::all().collect();
        let event = EventUuid::new(uuid::Uuid::from_u128(input.arbitrary()?));
        let mut kinds = (0..3).map(|_| input.choose(&all).copied()).collect::<Result<Vec<_>>>()?;
        kinds.extend(AttributeType::named(input.choose(&REWRITTEN)?));
        let first = text(input)?;
        let second = match input.int_in_range(0..=8_u8)? {
            0 => first.clone(),
            1 => first.to_uppercase(),
            2 => format!(" {first}\n"),
            3 => first.replace('.', "[.]").replace("http", "hxxp"),
            4 => format!("{first}\u{301}"),
            5 => format!("{first} "),
            6 => first.replace('.', "[[.]]").replace(':', "[[:]]"),
            7 => format!("\u{1}{}", first.replace(char::is_alphanumeric, "\u{2}")),
            _ => text(input)?,
        };
        Ok(Self { event, kinds, texts: [first, second] })
    }

    fn check(&self) {
        for kind in &self.kinds {
            let [first, second] = self.texts.each_ref().map(|text| one(*kind, text));
            if let (Some(first), Some(second)) = (first, second) {
                self.identity(*kind, &first, &second);
            }
        }
        self.scope(&Value::stored(&self.texts[0]));
        let [first, second] = &self.texts;
        collation(first, second);
    }

    /// The same value is another attribute as another type, and in another event.
    fn scope(&self, value: &Value) {
        let other = EventUuid::new(uuid::Uuid::from_u128(!self.event.uuid().as_u128()));
        let identities = [self.event, other].into_iter().flat_map(|event| {
            self.kinds.iter().map(move |kind| ((event, *kind), attribute_uuid(event, *kind, value)))
        });
        let mut known: BTreeMap<AttributeUuid, (EventUuid, AttributeType)> = BTreeMap::new();
        for (of, uuid) in identities {
            assert_eq!(*known.entry(uuid).or_insert(of), of, "{value:?}");
        }
    }

    /// One value, one identity; two values, two.
    fn identity(&self, kind: AttributeType, first: &Value, second: &Value) {
        let uuids = [first, second].map(|value| attribute_uuid(self.event, kind, value));
        assert_eq!(first == second, uuids[0] == uuids[1], "{kind} {first:?} {second:?}");
        assert_eq!(uuids[0].uuid().get_version_num(), 5);
        if first == second {
            assert!(same_for_misp(first.as_str(), second.as_str()));
        }
    }
}

fn text(input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = dataset::text(input)?.into_string();
    for _ in 0..input.int_in_range(0..=2_u8)? {
        text.push_str(
            input.choose(&["|", ".", "[.]", "\u{feff}", " ", "\0", ":80", "/32", "%", "\""])?,
        );
        text.push_str(&dataset::text(input)?);
    }
    Ok(text)
}

/// Checks a value as one type; gives what would be sent.
fn one(kind: AttributeType, raw: &str) -> Option<Value> {
    let once = normalise(kind, raw);
    assert_eq!(once, normalise(kind, raw), "{kind} {raw:?}");
    match &once {
        Ok(value) => kept(kind, value),
        Err(refusal) => refused(kind, raw, refusal),
    }
    let settled = settle(kind, raw);
    let value = match settled {
        Ok(value) => value,
        Err(refusal) => {
            refused(kind, raw, &refusal);
            return None;
        }
    };
    kept(kind, &value);
    assert!(once.is_ok(), "{kind} {raw:?} is refused, and settles as {value:?}");
    // MISP gets it again: it stores the very same.
    assert_eq!(normalise(kind, value.as_str()).as_ref(), Ok(&value), "{kind} {raw:?}");
    assert_eq!(settle(kind, value.as_str()).as_ref(), Ok(&value), "{kind} {raw:?}");
    assert!(!value.as_str().starts_with(BLANKS), "{kind} {value:?}");
    assert!(!value.as_str().ends_with(BLANKS), "{kind} {value:?}");
    Some(value)
}

/// What PHP's `trim` cuts.
const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\u{b}'];

/// What MISP's columns hold: something, of a length, of characters of three bytes at most.
fn kept(kind: AttributeType, value: &Value) {
    let text = value.as_str();
    assert!(!text.trim_matches(BLANKS).is_empty(), "{kind} {text:?}");
    assert!(text.len() <= MISP_TEXT_BYTES_MAX, "{kind}: {} bytes", text.len());
    assert!(text.chars().all(|char| char <= '\u{ffff}'), "{kind} {text:?}");
    assert!(!kind.is_composite() || text.matches('|').count() == 1, "{kind} {text:?}");
    let says_something = |part: &str| part.chars().any(|char| char >= ' ' && char != '\u{7f}');
    let halves = text.split('|').filter(|half| kind.is_composite() && !half.is_empty());
    assert!(says_something(text) && halves.into_iter().all(says_something), "{kind} {text:?}");
}

fn refused(kind: AttributeType, raw: &str, refusal: &Refusal) {
    assert!(!refusal.message.is_empty(), "{kind} {raw:?}");
    assert!(!refusal.stage.name().is_empty());
}

/// The database's idea of the same: an equivalence that knows neither case nor accents.
fn collation(first: &str, second: &str) {
    let same = same_for_misp(first, second);
    assert!(same_for_misp(first, first));
    assert_eq!(same, same_for_misp(second, first), "{first:?} {second:?}");
    let key = collation_key(first);
    assert_eq!(key == collation_key(second), same || first == second, "{first:?} {second:?}");
    assert_eq!(collation_key(&key), key, "of {first:?}");
    assert!(same_for_misp(first, &swapped(first)), "{first:?}");
    assert!(same_for_misp(first, &format!("{first}   ")), "{first:?}");
    // Neither an accent nor what cannot be seen makes another value.
    let short = |nothing: &char| first.len() < 1_000 || *nothing == '\u{301}';
    for nothing in ['\u{301}', '\u{200b}', '\u{feff}', '\0'].into_iter().filter(short) {
        assert!(same_for_misp(first, &format!("{first}{nothing}")), "{first:?} {nothing:?}");
        assert!(same_for_misp(first, &format!("{nothing}{first}")), "{first:?} {nothing:?}");
    }
    if first.is_ascii() && second.is_ascii() && same {
        let plain = |text: &str| -> String {
            let kept =
                text.chars().filter(|char| !char.is_control() || matches!(char, '\t'..='\r'));
            kept.map(|char| char.to_ascii_lowercase()).collect::<String>()
        };
        let (first, second) = (plain(first), plain(second));
        assert_eq!(first.trim_end_matches(' '), second.trim_end_matches(' '));
    }
}

/// The same text, its ASCII letters in the other case.
fn swapped(text: &str) -> String {
    let swap = |char: char| {
        if char.is_ascii_lowercase() {
            char.to_ascii_uppercase()
        } else {
            char.to_ascii_lowercase()
        }
    };
    text.chars().map(swap).collect()
}
