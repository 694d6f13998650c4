//! What a text says about TLP: a tag, a colour in a field, a sentence.

use super::{
    Tlp,
    escapes::readings,
    foreign::is_foreign,
    words::{
        BACKWARDS, JOINING, LATER, LINKING, NAMES, OF_TRAFFIC, STRICT, colour, is_filler, is_kind,
    },
};

/// Most words that may stand between the name of TLP and a colour that a sentence gives it.
const BETWEEN_MAX: usize = 8;
/// Most times that a text may name TLP.
const NAMED_MAX: usize = 100;
/// Most words that are read behind its names together.
const READ_MAX: usize = 1 << 18;
/// What one place of a text says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// It does not speak of TLP.
    Nothing,
    /// It speaks of TLP, and of no colour that there is.
    Unknown,
    Colour(Tlp),
    /// It begins with a colour and goes on as a text.
    Further(Tlp),
}

/// A text as words of letters and digits, in lower case.
pub(super) struct Words {
    words: Vec<Word>,
    /// Whether a `:`, a `=` or a picture stands behind the last word.
    ends_open: bool,
    /// Whether a `+` does, of which the rest is missing.
    ends_bound: bool,
}

#[derive(Default)]
struct Word {
    text: String,
    before: Before,
    /// Whether it is in capitals.
    is_loud: bool,
    /// Whether it begins with a capital.
    is_named: bool,
}

/// What stands between a word and the word before it.
#[derive(Clone, Copy, Default)]
struct Before {
    /// A `:` or `=`.
    is_value: bool,
    /// What is no mark of writing, such as a red circle.
    is_picture: bool,
    /// What gives one of several: a `/` or its like.
    is_choice: bool,
    /// A `+`, which makes one name of two words.
    is_bound: bool,
    is_spaced: bool,
    /// A comma or its like.
    is_listed: bool,
    /// The end of a sentence.
    is_end: bool,
    /// A full stop, which ends a sentence if white space follows.
    is_stop: bool,
}

impl Before {
    fn see(&mut self, letter: char) {
        self.is_value |= matches!(letter, ':' | '=');
        self.is_picture |= matches!(letter, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
        self.is_choice |= matches!(letter, '/' | '|' | '&' | '\\');
        self.is_bound |= letter == '+';
        self.is_spaced |= letter.is_whitespace();
        self.is_listed |=
            matches!(letter, ',' | ';' | '-' | '_' | '(' | '[' | '{' | '\u{2013}' | '\u{2014}');
        self.is_end |= letter == '\n' || (self.is_stop && letter.is_whitespace());
        self.is_stop = matches!(letter, '.' | '!' | '?');
    }
}

impl Word {
    /// Whether it begins what stands apart from the word before it.
    fn is_apart(&self) -> bool {
        let before = self.before;
        before.is_end || before.is_value || (before.is_spaced && before.is_listed)
    }

    fn is_foreign(&self) -> bool {
        is_foreign(&self.text)
    }
}

impl Words {
    /// The words of each way to read a text: one, unless it has markup.
    pub(super) fn of(text: &str) -> Vec<Self> {
        readings(text).iter().map(|text| Self::written(text)).collect()
    }

    fn written(text: &str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let (mut inside, mut before) = (false, Before::default());
        for letter in text.chars() {
            if letter.is_alphanumeric() {
                if !inside {
                    let is_named = !letter.is_lowercase();
                    words.push(Word { before, is_named, is_loud: true, ..Word::default() });
                    (inside, before) = (true, Before::default());
                }
                let word = words.last_mut().expect("a word was begun above");
                word.is_loud &= !letter.is_lowercase();
                word.text.extend(letter.to_lowercase());
            } else {
                inside = false;
                before.see(letter);
            }
        }
        let ends_open = before.is_value || before.is_picture;
        Self { words, ends_open, ends_bound: before.is_bound }
    }

    /// The colour that the whole text names, with or without `tlp` before it.
    pub(super) fn colour(&self) -> Option<Tlp> {
        match (self.at(0, true), colour(self.texts(0))) {
            (Said::Colour(tlp), _) => Some(tlp),
            (_, Some((tlp, taken))) if taken == self.words.len() && !self.ends_bound => Some(tlp),
            _ => None,
        }
    }

    /// The strictest of the colours that the text begins with, where all of it is about its marking.
    pub(super) fn first(&self) -> Option<Tlp> {
        let (tlp, taken) = colour(self.texts(0))?;
        Some(self.strictest(tlp, taken))
    }

    /// The strictest of a colour that stands apart at the beginning or at the end of a text: `RED - recipients only`,
    /// `Sharing level: RED`.
    pub(super) fn set_apart(&self) -> Option<Tlp> {
        let last = |place: &usize| {
            let is_all = |taken| place + taken == self.words.len();
            self.words[*place].before.is_value
                && colour(self.texts(*place)).is_some_and(|(_, taken)| is_all(taken))
        };
        let (tlp, end) = match colour(self.texts(0)) {
            Some((tlp, taken)) if self.words.get(taken).is_none_or(Word::is_apart) => (tlp, taken),
            _ => {
                let place = (1..self.words.len()).filter(|place| !self.is_of_pap(*place));
                let place = place.rev().take(3).find(last)?;
                (colour(self.texts(place))?.0, self.words.len())
            }
        };
        Some(self.strictest(tlp, end))
    }

    /// Whether it names AMBER+STRICT anywhere, which needs no name of TLP.
    pub(super) fn names_amber_strict(&self) -> bool {
        let mut places = 0..self.words.len();
        places.any(|place| matches!(colour(self.texts(place)), Some((Tlp::AmberStrict, _))))
    }

    /// Whether any word of it is a colour, in whatever language.
    pub(super) fn has_colour(&self) -> bool {
        (0..self.words.len()).any(|place| colour(self.texts(place)).is_some())
            || self.words.iter().any(Word::is_foreign)
    }

    /// Whether it is one word for a colour in another language.
    pub(super) fn is_foreign_word(&self) -> bool {
        matches!(&*self.words, [word] if word.is_foreign())
    }

    /// Whether it is nothing but real traffic lights, and what is done to them.
    pub(super) fn is_of_traffic(&self) -> bool {
        let [traffic, light, what] = &*self.words else { return false };
        let is_light = matches!(&*light.text, "light" | "lights") && traffic.text == "traffic";
        is_light && !what.before.is_value && OF_TRAFFIC.contains(&&*what.text)
    }

    /// What the text says as a whole.
    pub(super) fn whole(&self) -> Said {
        self.at(0, true)
    }

    /// What each place of the text says. Of one that names TLP over and over nobody knows what it means, and to read each
    /// place to the end of its sentence would take long.
    pub(super) fn places(&self) -> impl Iterator<Item = Said> {
        let named = (0..self.words.len()).filter(|place| self.name(*place).is_some());
        let named = named.take(NAMED_MAX + 1).count();
        let is_flood = named > NAMED_MAX || named * self.words.len() > READ_MAX;
        let places = if is_flood { 0 } else { self.words.len() };
        (0..places).map(|place| self.at(place, false)).chain(is_flood.then_some(Said::Unknown))
    }

    /// Reads `tlp` at a word, what says which TLP is meant, and a colour, which ends the text if it is to be the whole.
    fn at(&self, place: usize, whole: bool) -> Said {
        let Some((place, rest)) = self.name(place) else {
            return self.before_its_name(place, whole);
        };
        let squashed = colour([rest].into_iter().chain(self.texts(place + 1)));
        let mut next = place + 1;
        while self.words.get(next).is_some_and(|word| is_filler(&word.text)) {
            next += 1;
        }
        let found = match squashed {
            Some((tlp, taken)) => Some((tlp, place + taken)),
            None if is_foreign(rest) => return Said::Unknown,
            None if !rest.is_empty() && !is_filler(rest) => return Said::Nothing,
            None => match colour(self.texts(next)) {
                Some((tlp, taken)) => Some((tlp, next + taken)),
                None if whole => None,
                None => self.in_sentence(next),
            },
        };
        let mut between = self.words[place + 1..].iter().take(next - place);
        let ends_open = self.ends_open && next == self.words.len();
        // Another word for a colour may be all that stands behind the name: `TLP ROT`.
        let is_all =
            whole && (next, next + 1) == (place + 1, self.words.len()) && !self.is_of_traffic();
        let is_meant =
            between.any(|word| word.before.is_value) || (found.is_none() && (ends_open || is_all));
        match found {
            Some((tlp, end)) if !whole => Said::Colour(self.strictest(tlp, end)),
            Some((_, end)) if end == self.words.len() && self.ends_bound => Said::Unknown,
            Some((tlp, end)) if end == self.words.len() => Said::Colour(tlp),
            Some((tlp, end)) if self.goes_on(end) => Said::Further(self.strictest_of_all(tlp, end)),
            None if self.texts(next).take(2).eq(["ex", "chr"])
                && (!whole || next + 2 == self.words.len()) =>
            {
                Said::Nothing
            }
            None if !whole && self.is_foreign(next) => Said::Unknown,
            _ if is_meant => Said::Unknown,
            _ => Said::Nothing,
        }
    }

    /// A colour that the sentence gives from some word on, and where that ends.
    fn in_sentence(&self, from: usize) -> Option<(Tlp, usize)> {
        let places = from..self.words.len().min(from + BETWEEN_MAX);
        let mut places = places.take_while(|place| !self.words[*place].before.is_end);
        places.find_map(|place| {
            let is_given = self.words[place].before.is_value
                || self.words[place].is_loud
                || LINKING.contains(&&*self.words[place.checked_sub(1)?].text);
            let (tlp, taken) = is_given.then(|| colour(self.texts(place))).flatten()?;
            Some((tlp, place + taken))
        })
    }

    /// Whether the sentence has a word for a colour in another language from some word on.
    fn is_foreign(&self, from: usize) -> bool {
        let places = from..self.words.len().min(from + BETWEEN_MAX);
        let mut words = places.map(|place| &self.words[place]).take_while(|it| !it.before.is_end);
        words.any(Word::is_foreign)
    }

    /// Whether a text goes on behind a colour as texts do, and not as a longer name would: `tlp:green:x`.
    fn goes_on(&self, end: usize) -> bool {
        let before = self.words[end].before;
        let is_name = self.words.get(end + 1).is_some_and(|word| word.before.is_value);
        (before.is_spaced || is_name) && !before.is_value
    }

    /// The strictest of a colour and of whatever the rest of the text may mean as one.
    fn strictest_of_all(&self, tlp: Tlp, end: usize) -> Tlp {
        let others = (end..self.words.len()).filter(|place| !self.is_of_pap(*place));
        let others = others.filter_map(|place| colour(self.texts(place)));
        let stricter = others.map(|(other, _)| other).fold(self.strictest(tlp, end), Tlp::max);
        if self.is_foreign(end) { Tlp::Red } else { stricter }
    }

    /// Whether a word is a colour of the other protocol: `PAP:RED`.
    fn is_of_pap(&self, place: usize) -> bool {
        place.checked_sub(1).is_some_and(|before| self.words[before].text == "pap")
    }

    /// The strictest of a colour and of those that are named with it in its sentence, behind its end: `GREEN/RED`,
    /// `GREEN or RED`, `GREEN for members, RED for others`. What is bound to it and is no colour makes it red.
    fn strictest(&self, mut tlp: Tlp, end: usize) -> Tlp {
        if end == self.words.len() && self.ends_bound {
            return Tlp::Red;
        }
        let is_named = end.checked_sub(1).is_some_and(|last| self.words[last].is_named);
        let mut next = end;
        for place in end..self.words.len() {
            let Word { before, .. } = &self.words[place];
            if before.is_end {
                break;
            }
            let is_joined = place > 0 && JOINING.contains(&&*self.words[place - 1].text);
            let is_in_list = is_joined || before.is_choice || before.is_listed;
            let is_next = (place == next || (place == next + 1 && is_joined)) && is_in_list;
            let is_later = place > 0 && LATER.contains(&&*self.words[place - 1].text);
            let is_further = self.is_loud(place)
                || is_later
                || (is_named && self.words[place].is_named && is_in_list);
            if let (true, Some((other, taken))) = (is_next || is_further, colour(self.texts(place)))
            {
                (tlp, next) = (tlp.max(other), place + taken);
            } else if place == next {
                tlp = tlp.max(self.bound(place, tlp));
            }
        }
        match tlp {
            Tlp::Amber if self.sentence(end).any(|word| word.text.starts_with("strict")) => {
                Tlp::AmberStrict
            }
            _ => tlp,
        }
    }

    /// Whether a word is in capitals, and not a colour of the other protocol.
    fn is_loud(&self, place: usize) -> bool {
        self.words[place].is_loud && !self.is_of_pap(place)
    }

    /// What a colour is with the word behind it: `AMBER+S`, `GREEN+X`. Another name with a value of its own, as in
    /// `TLP:GREEN+PAP:RED`, is none of it.
    fn bound(&self, place: usize, tlp: Tlp) -> Tlp {
        let Word { text, before, .. } = &self.words[place];
        let is_near = before.is_bound || before.is_choice || before.is_listed || before.is_value;
        let is_name = self.words.get(place + 1).is_some_and(|word| word.before.is_value);
        match tlp {
            Tlp::Amber if is_near && STRICT.iter().any(|it| text == it) => Tlp::AmberStrict,
            _ if before.is_bound && !before.is_spaced && !is_name => Tlp::Red,
            Tlp::Amber if before.is_choice && !before.is_spaced && !is_name => Tlp::AmberStrict,
            _ => tlp,
        }
    }

    /// The words of the sentence that a place is in, or ends.
    fn sentence(&self, place: usize) -> impl Iterator<Item = &Word> {
        let begins = |place: &usize| self.words[*place].before.is_end;
        let last = place.min(self.words.len()).saturating_sub(1);
        let start = (0..=last).rev().find(begins).unwrap_or(0);
        let rest = &self.words[start..];
        rest.iter()
            .enumerate()
            .take_while(|(at, word)| *at == 0 || !word.before.is_end)
            .map(|(_, word)| word)
    }

    /// A colour that stands before the name, as in `RED (TLP)`.
    fn before_its_name(&self, place: usize, whole: bool) -> Said {
        let Some((tlp, taken)) = colour(self.texts(place)) else { return Said::Nothing };
        let mut next = place + taken;
        let is_between = |word: &Word| {
            (BACKWARDS.contains(&&*word.text) || is_kind(&word.text)) && !word.before.is_end
        };
        while !whole && self.words.get(next).is_some_and(is_between) {
            next += 1;
        }
        match self.name(next) {
            Some((end, rest)) if !whole && is_filler(rest) => {
                Said::Colour(self.strictest(tlp, end + 1))
            }
            Some((end, rest)) if end + 1 == self.words.len() && is_filler(rest) => {
                Said::Colour(tlp)
            }
            _ => Said::Nothing,
        }
    }

    /// The word that ends the name of TLP, if the name begins at a word, and what else that word holds.
    fn name(&self, place: usize) -> Option<(usize, &str)> {
        let names = |name: &[&str]| self.texts(place).take(name.len()).eq(name.iter().copied());
        if let Some(name) = NAMES.iter().find(|name| names(name)) {
            return Some((place + name.len() - 1, ""));
        }
        let word = &*self.words.get(place)?.text;
        let rest = ["tlp", "trafficlightprotocol", "trafficlight"];
        rest.iter().find_map(|name| Some((place, word.strip_prefix(name)?)))
    }

    fn texts(&self, from: usize) -> impl Iterator<Item = &str> {
        self.words.iter().skip(from).map(|word| &*word.text)
    }
}
