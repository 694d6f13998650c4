//! Letters that nobody sees, and texts that nobody reads to their end.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::model::{
    Context, Encoder,
    limits::{NAME_BYTES_MAX, WORDS_CHARS_MAX},
};

/// So much of a long name stands before its digest, in bytes.
const NAME_HEAD_BYTES: usize = 64;
/// What of a long text stands before its digest: with it, no more than [`WORDS_CHARS_MAX`].
const TEXT_HEAD_CHARS: usize = 900;

/// What is kept of a text that others made: [`WORDS_CHARS_MAX`] characters, the last of them an ellipsis where
/// there were more.
#[must_use]
pub fn shortened(text: &str) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(WORDS_CHARS_MAX) else { return text.into() };
    let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    format!("{}…", &text[..last]).into()
}

/// A name in an answer for programs, as people read it: `no_misp_type` is "no MISP type".
#[must_use]
pub fn spoken(name: &str) -> String {
    name.replace('_', " ").replace("misp", "MISP")
}

/// Keeps a note, [`shortened`], among so many at most; a last one counts those that are not there. Whatever a source or
/// a peer makes of them, the list can be stored.
pub fn keep_note(notes: &mut Vec<String>, more: &mut usize, note: &str, max: usize) {
    if notes.len() < max {
        notes.push(shortened(note).into_owned());
        return;
    }
    *more += 1;
    notes.truncate(max);
    notes.push(format!("{more} more notes are not kept"));
}

/// The form in which a name is kept that others chose, of which there may be many: a longer one than
/// [`NAME_BYTES_MAX`] is its beginning, an ellipsis and its digest. Two names have one form only if they are equal.
#[must_use]
pub fn kept_name(name: &str) -> Cow<'_, str> {
    if name.len() <= NAME_BYTES_MAX {
        return name.into();
    }
    let head = &name[..name.floor_char_boundary(NAME_HEAD_BYTES)];
    format!("{head}…{}", Encoder::new(Context::Name).text(name).finish()).into()
}

/// The form in which a text that others made is kept where it is compared: a longer one than [`WORDS_CHARS_MAX`]
/// characters is its beginning, an ellipsis and its digest. Two texts have one form only if they are equal.
#[must_use]
pub fn kept_text(text: &str) -> Cow<'_, str> {
    if text.char_indices().nth(WORDS_CHARS_MAX).is_none() {
        return text.into();
    }
    let head: String = text.chars().take(TEXT_HEAD_CHARS).collect();
    format!("{head}…{}", Encoder::new(Context::Name).text(text).finish()).into()
}

/// Whether a letter shows nothing: soft hyphens, joiners, fillers, marks of direction and of byte order, tags.
/// They part words, hide text, and turn the direction of writing.
#[must_use]
pub const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a letter could steer a terminal or a page, turn the direction of writing, or hide text: it is shown, never
/// written out.
#[must_use]
pub fn steers(letter: char) -> bool {
    letter.is_control() || is_invisible(letter) || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// The text in its usual letters, without those that show nothing.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    match text.chars().all(is_plain) {
        true => text.into(),
        false => text.chars().filter(|letter| !is_silent(*letter)).map(narrow).collect(),
    }
}

/// Whether a letter shows something, and is written in its usual form.
#[must_use]
pub fn is_plain(letter: char) -> bool {
    !is_silent(letter) && (letter.is_ascii() || narrow(letter) == letter)
}

/// Whether a letter shows nothing of its own: it parts no words, and stands within them.
fn is_silent(letter: char) -> bool {
    match letter.is_ascii() {
        true => letter.is_ascii_control() && !letter.is_ascii_whitespace(),
        false => is_invisible(letter) || is_combining_mark(letter),
    }
}

/// A letter in its usual form: of full width, as keyboards for Chinese and Japanese write it, of an alphabet of mathematics,
/// in a frame or a small capital, or of Cyrillic or Greek where it looks like one of those that name TLP and its colours.
fn narrow(letter: char) -> char {
    let mut usual = std::iter::once(letter).nfkd();
    let letter = match (usual.next(), usual.next()) {
        (Some(usual), None) => usual,
        // In parentheses.
        (Some('('), Some(usual)) => usual,
        _ => letter,
    };
    let of_block = |start: char| {
        char::from_u32(u32::from(letter) - u32::from(start) + u32::from('A')).unwrap_or(letter)
    };
    match letter {
        '\u{1f150}'..='\u{1f169}' => of_block('\u{1f150}'),
        '\u{1f170}'..='\u{1f189}' => of_block('\u{1f170}'),
        '\u{1f1e6}'..='\u{1f1ff}' => of_block('\u{1f1e6}'),
        '\u{410}' | '\u{430}' | '\u{391}' | '\u{3b1}' | '\u{1d00}' => 'a',
        '\u{412}' | '\u{432}' | '\u{392}' | '\u{299}' => 'b',
        '\u{1d05}' => 'd',
        '\u{415}' | '\u{435}' | '\u{395}' | '\u{1d07}' => 'e',
        '\u{262}' => 'g',
        '\u{29f}' => 'l',
        '\u{41c}' | '\u{43c}' | '\u{39c}' | '\u{1d0d}' => 'm',
        '\u{274}' => 'n',
        '\u{420}' | '\u{440}' | '\u{3a1}' | '\u{3c1}' | '\u{1d18}' => 'p',
        '\u{280}' => 'r',
        '\u{422}' | '\u{442}' | '\u{3a4}' | '\u{3c4}' | '\u{1d1b}' => 't',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_known_by_its_digest_and_a_short_one_is_as_it_was() {
        for letter in ["a", "ä", "\u{1f980}"] {
            let short = letter.repeat(NAME_BYTES_MAX / letter.len());
            assert_eq!(kept_name(&short), short);
            let long = letter.repeat(NAME_BYTES_MAX);
            let kept =
                [format!("{long}b"), format!("{long}c")].map(|it| kept_name(&it).into_owned());
            assert_ne!(kept[0], kept[1]);
            for name in &kept {
                assert!(name.starts_with(letter) && name.len() < 200, "{name}");
                assert_eq!(kept_name(name), *name);
            }
        }
    }

    #[test]
    fn a_long_text_is_known_by_its_digest_and_a_short_one_is_as_it_was() {
        for letter in ["a", "ä", "\u{1f980}"] {
            let long = letter.repeat(WORDS_CHARS_MAX);
            assert_eq!(kept_text(&long), long);
            let kept =
                [format!("{long}b"), format!("{long}c")].map(|it| kept_text(&it).into_owned());
            assert_ne!(kept[0], kept[1]);
            for text in &kept {
                assert!(text.starts_with(&letter.repeat(TEXT_HEAD_CHARS)), "{text}");
                assert_eq!((kept_text(text), shortened(text)), (text.into(), text.into()));
            }
        }
    }

    #[test]
    fn notes_are_kept_within_limits_and_the_rest_is_counted() {
        let (mut notes, mut more) = (Vec::new(), 0);
        for _ in 0..20 + 7 {
            keep_note(&mut notes, &mut more, &"x".repeat(1 << 16), 20);
        }
        let kept = "x".repeat(WORDS_CHARS_MAX - 1) + "…";
        assert_eq!(notes[..20], [(); 20].map(|()| kept.clone()));
        assert_eq!(notes[20..], ["7 more notes are not kept"]);
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        for letter in ["a", "ä", "\u{1f980}"] {
            assert_eq!(shortened(&letter.repeat(WORDS_CHARS_MAX)), letter.repeat(WORDS_CHARS_MAX));
            let long = letter.repeat(WORDS_CHARS_MAX + 1);
            assert_eq!(shortened(&long), letter.repeat(WORDS_CHARS_MAX - 1) + "…");
        }
    }
}
