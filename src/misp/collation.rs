//! Which values MISP's database takes for the same.
//!
//! `attributes/add` compares in the database, whose collation (`utf8mb3_unicode_ci`, Unicode 4.0 weights)
//! knows neither case nor accents: `Straße` is `Strasse`, `Müller` is `muller`; `Mueller` is another word,
//! and blanks count. `events/add` compares the texts themselves.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text that is equal for exactly those values that the database takes for equal.
///
/// Worked out from Unicode's decompositions rather than the database's own weights; the two may disagree
/// on rare symbols and on South-East Asian vowels. Of a composite value MISP compares the halves, so ask for
/// the key of each.
#[must_use]
pub fn collation_key(text: &str) -> String {
    // Texts of unequal length compare as if the shorter one were filled up with blanks.
    let text = text.trim_end_matches(' ');
    let mut key = if text.is_ascii() {
        text.chars()
            .filter(|char| !is_ignored(*char))
            .map(|char| char.to_ascii_lowercase())
            .collect()
    } else {
        let mut key = String::with_capacity(text.len());
        text.chars().for_each(|char| push_primary(char, &mut key));
        key
    };
    key.truncate(key.trim_end_matches(' ').len());
    key
}

/// Whether the database takes two values for the same.
#[must_use]
pub fn same_for_misp(left: &str, right: &str) -> bool {
    left == right || collation_key(left) == collation_key(right)
}

/// Adds what is left of a character without case, accents and width.
fn push_primary(char: char, key: &mut String) {
    if is_ignored(char) {
        return;
    }
    if char > '\u{FFFF}' {
        return key.push('?');
    }
    if is_letter_of_its_own(char) {
        return key.extend(char.to_lowercase());
    }
    let spelled = spelled_out(char);
    for part in spelled.chars().flat_map(char::to_lowercase).nfkd() {
        if !is_combining_mark(part) && !is_ignored(part) {
            key.push(base_form(part));
        }
    }
}

/// Control and format characters weigh nothing, but for the line and page breaks.
fn is_ignored(char: char) -> bool {
    match char {
        '\t'..='\r' | '\u{85}' => false,
        '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' => true,
        _ => char.is_control(),
    }
}

/// Characters that decompose and yet have a weight of their own: spacing accents, Cyrillic and Arabic letters.
fn is_letter_of_its_own(char: char) -> bool {
    matches!(char, '¨' | '¯' | '´' | '¸' | '\u{2D8}'..='\u{2DD}' | '\u{400}'..='\u{4FF}')
        || matches!(char, '\u{622}'..='\u{626}' | 'ۀ' | 'ۂ' | 'ۓ')
}

/// Letters that weigh as much as two others.
fn spelled_out(char: char) -> Cow<'static, str> {
    match char {
        'ß' | 'ẞ' => "ss".into(),
        'œ' | 'Œ' => "oe".into(),
        other => other.to_string().into(),
    }
}

/// The form of a letter or digit that all its forms weigh as: Greek and Hebrew finals, kana, foreign digits.
fn base_form(char: char) -> char {
    let shifted =
        |by: i32| u32::try_from(char as i32 + by).ok().and_then(char::from_u32).unwrap_or(char);
    match char {
        'ς' => 'σ',
        'ך' | 'ם' | 'ן' | 'ף' | 'ץ' => shifted(1),
        'ァ'..='ヶ' => base_form(shifted(-0x60)),
        'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'っ' | 'ゃ' | 'ゅ' | 'ょ' | 'ゎ' => shifted(1),
        _ => digit(char).unwrap_or(char),
    }
}

/// The ASCII digit that a decimal digit of another script weighs as.
fn digit(char: char) -> Option<char> {
    const ZEROS: [char; 17] = [
        '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}', '\u{BE6}',
        '\u{C66}', '\u{CE6}', '\u{D66}', '\u{E50}', '\u{ED0}', '\u{F20}', '\u{1040}', '\u{17E0}',
        '\u{1810}',
    ];
    let value = ZEROS.iter().find_map(|&zero| {
        let value = (char as u32).checked_sub(zero as u32)?;
        (value < 10).then_some(value)
    })?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_count() {
        for (left, right) in [
            ("http://h.example/Path", "http://h.example/PATH"),
            ("Müller", "muller"),
            ("mÜller", "mullér"),
            ("Mu\u{308}ller", "Müller"),
            ("Straße", "STRASSE"),
            ("Œuvre", "oeuvre"),
            ("Οδυσσεύς", "ΟΔΥΣΣΕΥΣ"),
            ("ＡＢＣ①", "abc1"),
            ("カタカナ", "かたかな"),
            ("a\0b\u{200B}", "AB"),
            ("a\u{A0}b", "a b"),
            ("a ", "a"),
        ] {
            assert!(same_for_misp(left, right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn everything_else_does() {
        for (left, right) in [
            ("Mueller", "Müller"),
            ("a  b", "a b"),
            ("søk", "sok"),
            ("Æsop", "Aesop"),
            ("Łódź", "Lodz"),
            ("мой", "мои"),
            ("a\tb", "a b"),
            (" a", "a"),
            ("a-b", "a–b"),
        ] {
            assert!(!same_for_misp(left, right), "{left:?} {right:?}");
        }
    }
}
