//! Ids that are written otherwise than ids are.

use crate::model::{EntityKey, readings};

/// How many digits a UUID has.
const DIGITS: usize = 32;

/// The UUID that an id spells at its end, whatever stands between and around its digits: braces, `urn:uuid:`, letters that
/// show nothing, or no dashes.
fn uuid(id: &str) -> Option<String> {
    let read = readings(id).pop()?;
    let is_between = |letter: char| matches!(letter, '-' | '\u{2010}'..='\u{2015}');
    let mut letters = read.trim_end_matches(|it: char| !it.is_alphanumeric()).chars().rev();
    let mut digits: Vec<char> = Vec::with_capacity(DIGITS);
    while digits.len() < DIGITS {
        match letters.next()? {
            letter if letter.is_ascii_hexdigit() => digits.push(letter),
            letter if is_between(letter) => {}
            _ => return None,
        }
    }
    if letters.next().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let digits: String = digits.into_iter().rev().collect();
    uuid::Uuid::parse_str(&digits).ok().map(|uuid| uuid.to_string())
}

/// The id that one of STIX spells and is not, of an object of a type.
pub(super) fn of_stix(id: &EntityKey, kind: &str) -> Option<EntityKey> {
    let is_type = |kind: &str| {
        kind.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_".contains(&it))
    };
    if id.kind().is_some_and(is_type) {
        return None;
    }
    let meant = EntityKey::whole(&format!("{kind}--{}", uuid(id.as_str())?));
    (meant != *id).then_some(meant)
}

/// The same of EclecticIQ.
pub(super) fn of_eiq(id: &EntityKey) -> Option<EntityKey> {
    if id.uuid().is_some() && id.is_bare() {
        return None;
    }
    uuid(id.as_str()).map(|uuid| EntityKey::of(&uuid)).filter(|meant| meant != id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: &str = "1eb25301-52dc-4085-af2d-99410dd7edf8";

    #[test]
    fn whatever_stands_around_and_between_its_digits_a_uuid_is_spelled() {
        let bare = U.replace('-', "");
        for id in [
            format!("\u{200b}ttp--{U}"),
            format!("ttp--\u{200b}{U}"),
            format!("ttp--{U}\u{200b}"),
            format!("ttp--{}", U.replace("-4", "-\u{ad}4")),
            format!("ttp--{{{U}}}"),
            format!("ttp--{bare}"),
            format!("urn:uuid:{U}"),
            format!("urn:uuid:{bare}"),
            format!("ttp\u{2011}-{{{}}}", U.to_uppercase()),
            format!("ttp--%7B{U}%7D"),
            format!("{{{U}}}"),
            bare,
        ] {
            let meant = EntityKey::whole(&format!("ttp--{U}"));
            assert_eq!(of_stix(&EntityKey::whole(&id), "ttp"), Some(meant), "{id}");
            let (key, of) = (crate::format::eiq::key(&id), EntityKey::of(U));
            assert_eq!(of_eiq(&key).unwrap_or(key), of, "{id}");
        }
        for id in [
            format!("ttp--{U}"),
            "ttp--x".into(),
            format!("ttp--{U}0"),
            "f".repeat(64),
            String::new(),
        ] {
            assert_eq!(of_stix(&EntityKey::whole(&id), "ttp"), None, "{id}");
        }
    }
}
