//! Text that is JSON but for what common writers of it do wrong: half a surrogate pair in a string, and the
//! numbers that JSON does not know.
//!
//! What is put in place of a fault has its length, so that places in messages stay right.

use std::sync::LazyLock;

use memchr::{memchr3, memmem::Finder};

/// `\ufffd`, which takes the place of `\ud83d` without its other half.
const REPLACEMENT: &[u8] = b"\\ufffd";
/// U+FFFD in UTF-8, which takes the place of half a pair that was encoded by itself.
const REPLACEMENT_RAW: &[u8] = "\u{fffd}".as_bytes();
/// Numbers of JavaScript and Python that are none of JSON. An empty list takes their place: it has room in
/// each of them, and no property takes it for a value.
const WORDS: [(&[u8], &[u8]); 3] =
    [(b"NaN", b"[] "), (b"Infinity", b"[]      "), (b"-Infinity", b"[]       ")];

/// A text without its faults.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mended {
    pub(super) text: Vec<u8>,
    /// How many halves of surrogate pairs were replaced.
    pub(super) halves: usize,
}

/// The text without its faults; `None` if it has none of these.
pub(super) fn mend(raw: &[u8]) -> Option<Mended> {
    if !is_suspicious(raw) {
        return None;
    }
    let mut mender = Mender { raw, mended: Mended { text: raw.to_vec(), halves: 0 }, at: 0 };
    let mut in_text = false;
    let mut mended = false;
    while mender.at < raw.len() {
        let step = if in_text { mender.text() } else { mender.between() };
        match step {
            Step::End => break,
            Step::Quote => in_text = !in_text,
            Step::Sound => {}
            Step::Mended => mended = true,
        }
    }
    mended.then_some(mender.mended)
}

/// Whether anything in the text looks like a fault: said of few texts, and in one pass for each sort.
fn is_suspicious(raw: &[u8]) -> bool {
    static SORTS: LazyLock<[Finder<'static>; 4]> =
        LazyLock::new(|| ["\\ud", "\\uD", "NaN", "Infinity"].map(Finder::new));
    SORTS.iter().any(|sort| sort.find(raw).is_some())
        || memchr::memchr_iter(0xed, raw).any(|at| is_raw_half(&raw[at..]))
}

/// What was passed.
enum Step {
    /// Nothing is left.
    End,
    /// A string began or ended.
    Quote,
    /// Something sound.
    Sound,
    /// Something that was replaced.
    Mended,
}

struct Mender<'a> {
    raw: &'a [u8],
    mended: Mended,
    at: usize,
}

impl Mender<'_> {
    /// Goes on inside a string to behind the next quote, escape or half of a pair.
    fn text(&mut self) -> Step {
        let Some(offset) = memchr3(b'"', b'\\', 0xed, &self.raw[self.at..]) else {
            return Step::End;
        };
        self.at += offset;
        let rest = &self.raw[self.at..];
        match rest[0] {
            b'"' => self.pass(1, Step::Quote),
            b'\\' => match surrogate(rest) {
                Some(Half::High) if surrogate(&rest[6..]) == Some(Half::Low) => {
                    self.pass(12, Step::Sound)
                }
                Some(_) => self.half(REPLACEMENT),
                None => self.pass(2, Step::Sound),
            },
            _ if is_raw_half(rest) => self.half(REPLACEMENT_RAW),
            _ => self.pass(1, Step::Sound),
        }
    }

    /// Goes on outside strings to behind the next quote or word.
    fn between(&mut self) -> Step {
        let Some(offset) = memchr3(b'"', b'N', b'I', &self.raw[self.at..]) else {
            return Step::End;
        };
        self.at += offset;
        if self.raw[self.at] == b'"' {
            return self.pass(1, Step::Quote);
        }
        let word = WORDS.iter().find(|(word, _)| self.stands_here(word));
        match word {
            Some((word, instead)) => {
                self.at -= usize::from(word[0] == b'-');
                self.replace(instead)
            }
            None => self.pass(1, Step::Sound),
        }
    }

    /// Whether the word stands here by itself, its sign before this place.
    fn stands_here(&self, word: &[u8]) -> bool {
        let Some(start) = self.at.checked_sub(usize::from(word[0] == b'-')) else { return false };
        let rest = &self.raw[start..];
        let parts = |byte: Option<&u8>| byte.is_none_or(|byte| b",:[]{}\" \t\r\n".contains(byte));
        let before = start.checked_sub(1).and_then(|before| self.raw.get(before));
        rest.starts_with(word) && parts(rest.get(word.len())) && parts(before)
    }

    fn half(&mut self, instead: &[u8]) -> Step {
        self.mended.halves += 1;
        self.replace(instead)
    }

    fn replace(&mut self, instead: &[u8]) -> Step {
        let end = self.at + instead.len();
        self.mended.text[self.at..end].copy_from_slice(instead);
        self.pass(instead.len(), Step::Mended)
    }

    fn pass(&mut self, bytes: usize, step: Step) -> Step {
        self.at += bytes;
        step
    }
}

#[derive(PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// The half of a surrogate pair that an escape at the start of the text stands for.
fn surrogate(text: &[u8]) -> Option<Half> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

/// Whether half a pair stands at the start of the text, encoded like a character.
fn is_raw_half(text: &[u8]) -> bool {
    matches!(text, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..])
}
