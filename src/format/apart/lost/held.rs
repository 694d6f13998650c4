//! JSON in a text: an element that is written as a text holds the object that it was meant as.
//!
//! What stands in such a text, and in a text of it, counts as if it stood in its place.

use super::{
    Found,
    scan::{Place, Scan},
};

/// Most texts in one another that are gone through. Each doubles the backslashes before a quote, so that no element has
/// as many.
const DEPTH_MAX: u8 = 32;

/// The text that is gone through now, if it may hold JSON.
#[derive(Debug, Default)]
pub(super) enum Held {
    #[default]
    Nothing,
    /// Nothing but white space was seen of it.
    Unseen {
        place: Place,
        depth: u8,
        escape: Escape,
    },
    Json {
        scan: Box<Scan>,
        escape: Escape,
    },
}

/// Where in an escape the text is.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Escape {
    #[default]
    Outside,
    /// Behind its backslash.
    Begun,
    /// So many digits of a number are to come.
    Number { digits: u8, letter: u32 },
}

impl Held {
    /// A text begins that stands at a place, in so many others.
    pub(super) fn begin(place: Place, depth: u8) -> Self {
        match depth {
            DEPTH_MAX.. => Self::Nothing,
            _ => Self::Unseen { place, depth: depth + 1, escape: Escape::default() },
        }
    }

    /// Goes on, byte by byte as the text is written.
    pub(super) fn see(&mut self, byte: u8) {
        let (Self::Unseen { escape, .. } | Self::Json { escape, .. }) = self else { return };
        if let Some(letter) = escape.read(byte) {
            letter.into_iter().filter(|byte| *byte != 0).for_each(|byte| self.take(byte));
        }
    }

    /// Takes a byte that the text means.
    fn take(&mut self, byte: u8) {
        match (&mut *self, byte) {
            (Self::Json { scan, .. }, _) => scan.see(&[byte]),
            (Self::Unseen { place, depth, escape }, b'{' | b'[' | b'"') => {
                let mut scan = Box::new(Scan::within(*place, *depth));
                scan.see(&[byte]);
                *self = Self::Json { scan, escape: *escape };
            }
            // A byte order mark is white space, too.
            (Self::Unseen { .. }, b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf) => {}
            _ => *self = Self::Nothing,
        }
    }

    /// What was found in it, now that it ends; `None` where it is no JSON.
    pub(super) fn end(&mut self) -> Option<Found> {
        match std::mem::take(self) {
            Self::Json { scan, .. } => Some(scan.finish()),
            Self::Unseen { .. } | Self::Nothing => None,
        }
    }
}

impl Escape {
    /// Takes the next byte; the bytes of UTF-8 that it ends, and zeros behind them.
    fn read(&mut self, byte: u8) -> Option<[u8; 4]> {
        let alone = |byte: u8| Some([byte, 0, 0, 0]);
        let (next, letter) = match (*self, byte) {
            (Self::Outside, b'\\') => (Self::Begun, None),
            (Self::Outside, _) => (Self::Outside, alone(byte)),
            (Self::Begun, b'u') => (Self::Number { digits: 4, letter: 0 }, None),
            (Self::Begun, b'b' | b'f' | b'n' | b'r' | b't') => (Self::Outside, alone(b' ')),
            (Self::Begun, _) => (Self::Outside, alone(byte)),
            (Self::Number { digits, letter }, _) => {
                // Half a pair, and what is no number, is no letter of an id.
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                let letter = letter * 16 + digit;
                match digits {
                    1 => {
                        let letter = char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER);
                        let mut bytes = [0; 4];
                        letter.encode_utf8(&mut bytes);
                        (Self::Outside, Some(bytes))
                    }
                    _ => (Self::Number { digits: digits - 1, letter }, None),
                }
            }
        };
        *self = next;
        letter
    }
}
