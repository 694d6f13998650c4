//! Goes through JSON that may be broken, piece by piece, and takes down the ids in it.
//!
//! No more is asked of it than that its brackets and quotes are paired, so what stands without quotes, or between those
//! of Python, is a word that may be a key or a value as a text may.

use crate::format::leaves::usual;

use super::{Found, held::Held};

/// Longest text that may be a key, an id or a time, in bytes as it is written.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// Most brackets of which it is known what each holds.
const DEPTH_MAX: usize = 64 << 10;
/// Keys of a relation whose values are other objects.
const ENDS: [&str; 2] = ["source", "target"];

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Word,
    Text,
    Escape,
}

/// Where a value stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) level: Level,
    pub(super) role: Role,
    /// Whether it is in an end of a relation.
    pub(super) is_end: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It is the object, or a property of it.
    #[default]
    Own,
    /// It is the object's `data`, or a property of that.
    Data,
    Within,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    #[default]
    Any,
    Id,
    Type,
    Modified,
    Timestamp,
}

/// A scan that was not told of the end yet.
#[derive(Debug, Default)]
pub(in crate::format) struct Scan {
    state: State,
    /// What was seen of a text or word; it grows no more once that is too long.
    seen: Vec<u8>,
    /// The last text or word: what follows tells whether it is a key.
    last: Option<String>,
    /// Where the value of the last key stands.
    next: Option<Place>,
    open: Vec<Place>,
    /// Where all of it stands, and in how many texts.
    root: Place,
    depth: u8,
    /// What the text that was not ended yet holds.
    held: Held,
    /// How many brackets are open within those.
    deeper: u64,
    found: Found,
}

impl Scan {
    /// A scan of what stands at a place of another, in so many texts.
    pub(super) fn within(root: Place, depth: u8) -> Self {
        Self { root, depth, ..Self::default() }
    }

    /// Goes through what comes next.
    pub(in crate::format) fn see(&mut self, piece: &[u8]) {
        piece.iter().for_each(|byte| self.byte(*byte));
    }

    /// What was found, now that all came.
    pub(in crate::format) fn finish(mut self) -> Found {
        self.end_word();
        self.value();
        // A text that breaks off says what it says.
        if let Some(held) = self.held.end() {
            self.found.hold(held);
        }
        self.found
    }

    fn byte(&mut self, byte: u8) {
        match (self.state, byte) {
            (State::Text, b'"') => self.end(true),
            (State::Text, b'\\') => self.keep_of_text(byte, State::Escape),
            (State::Text | State::Escape, _) => self.keep_of_text(byte, State::Text),
            (State::Between | State::Word, _) if is_of_word(byte) => {
                if self.state == State::Between {
                    self.value();
                }
                self.keep(byte, State::Word);
            }
            (State::Between | State::Word, _) => {
                self.end_word();
                self.mark(byte);
            }
        }
    }

    fn keep_of_text(&mut self, byte: u8, state: State) {
        self.held.see(byte);
        self.keep(byte, state);
    }

    fn keep(&mut self, byte: u8, state: State) {
        if self.seen.len() <= TEXT_BYTES_MAX {
            self.seen.push(byte);
        }
        self.state = state;
    }

    fn end_word(&mut self) {
        if self.state == State::Word {
            self.end(false);
        }
    }

    fn end(&mut self, is_text: bool) {
        self.state = State::Between;
        if let Some(held) = self.held.end() {
            self.found.hold(held);
        }
        let text = String::from_utf8_lossy(&self.seen);
        let is_short = self.seen.len() <= TEXT_BYTES_MAX;
        self.last = is_short.then(|| if is_text { unescaped(&text) } else { text.into_owned() });
        self.seen.clear();
    }

    /// What stands between words and texts.
    fn mark(&mut self, byte: u8) {
        match byte {
            b':' => {
                let key = self.last.take();
                self.next = key.map(|key| self.under(&key));
            }
            b',' => {
                self.value();
                self.next = None;
            }
            b'"' => {
                self.value();
                self.state = State::Text;
                let is_root = self.open.is_empty() && self.next.is_none();
                let place = if is_root { self.root } else { self.place() };
                // An id of EclecticIQ begins as an object does.
                self.held = Held::begin(Place { role: Role::Any, ..place }, self.depth);
            }
            b'{' | b'[' => {
                self.value();
                match self.open.len() {
                    DEPTH_MAX => self.deeper += 1,
                    0 => self.open.push(self.root),
                    _ => self.open.push(self.place()),
                }
                self.next = None;
            }
            b'}' | b']' => {
                self.value();
                match self.deeper.checked_sub(1) {
                    Some(deeper) => self.deeper = deeper,
                    None => drop(self.open.pop()),
                }
                self.next = None;
            }
            _ => {}
        }
    }

    /// Takes the last text or word for a value.
    fn value(&mut self) {
        if let Some(text) = self.last.take() {
            let place = self.place();
            self.found.take(text, place);
        }
    }

    /// Where a value stands that comes now: behind a key, else in a list.
    fn place(&self) -> Place {
        let outer = self.outer();
        let level = if outer.role == Role::Id { outer.level } else { Level::Within };
        self.next.unwrap_or(Place { level, ..outer })
    }

    fn outer(&self) -> Place {
        self.open.last().copied().unwrap_or(self.root)
    }

    /// Where the value of a key stands.
    fn under(&mut self, key: &str) -> Place {
        let outer = self.outer();
        let key = &*usual(key);
        let role = match key {
            "id" => Role::Id,
            "type" => Role::Type,
            "modified" => Role::Modified,
            "timestamp" => Role::Timestamp,
            _ => Role::Any,
        };
        let level = match (outer.level, key) {
            (Level::Own, "data") => Level::Data,
            (level, _) if role != Role::Any => level,
            _ => Level::Within,
        };
        let place = Place { level, role, is_end: outer.is_end || ENDS.contains(&key) };
        self.found.count(place);
        // All that is in an `id` may be one.
        match outer.role {
            Role::Id => Place { level: outer.level, role: Role::Id, ..place },
            _ => place,
        }
    }
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A text as it is meant; one with an escape that there is not is taken as it is written.
fn unescaped(text: &str) -> String {
    let read = || serde_json::from_str(&format!("\"{text}\"")).ok();
    text.contains('\\').then(read).flatten().unwrap_or_else(|| text.to_owned())
}
