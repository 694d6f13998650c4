//! The Traffic Light Protocol, versions 1.0 and 2.0.

mod escapes;
mod foreign;
mod marking;
mod parting;
mod text;
mod words;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{IdError, as_text};

pub use escapes::{may_be_escaped, readings};
pub use marking::MarkingId;
pub use parting::parts;
use text::{Said, Words};

/// A TLP colour, from the freest to the strictest. WHITE of TLP 1.0 is CLEAR of TLP 2.0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tlp {
    /// May go anywhere.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients.
    Amber,
    /// The organisation only.
    AmberStrict,
    /// The named recipients only.
    Red,
}

impl Tlp {
    /// All colours, freest first.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The name used in configurations and in MISP's tag.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// The machine tag of MISP's `tlp` taxonomy.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Clear => "tlp:clear",
            Self::Green => "tlp:green",
            Self::Amber => "tlp:amber",
            Self::AmberStrict => "tlp:amber+strict",
            Self::Red => "tlp:red",
        }
    }

    /// The colour that a tag stands for, whatever its spelling: `tlp:red`, `TLP: Red`, `tlp="red"`. A tag that is
    /// meant as TLP and names no colour that there is (`tlp:unclear`, `tlp:`) is red, for a marking must never be
    /// lost. `None` is a tag of another kind: a bare word such as `red`, or `tlp:ex:chr`, which is no colour. AMBER+STRICT,
    /// whose name nothing else has, needs no `tlp`, and may stand anywhere: `sharing:amber+strict`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        if !may_name_tlp(tag) && !may_name_amber(tag) {
            return None;
        }
        let words = Words::of(tag);
        let is_strict = words.iter().any(Words::names_amber_strict);
        strictest(words.iter().map(Words::whole)).max(is_strict.then_some(Self::AmberStrict))
    }

    /// The colour of a tag with which a text begins, perhaps with words behind it: `TLP:RED - internal only`. What names no
    /// colour is none, such as a host `tlp-red.example`.
    #[must_use]
    pub fn of_tag_in_front(text: &str) -> Option<Self> {
        if !may_name_tlp(text) {
            return None;
        }
        let words = Words::of(text);
        let said = words.iter().map(Words::whole);
        strictest(said.filter(|said| matches!(said, Said::Colour(_) | Said::Further(_))))
    }

    /// The strictest colour that a text speaks of: a statement such as `Marked TLP:RED until May`.
    #[must_use]
    pub fn said_in(text: &str) -> Option<Self> {
        strictest(Words::of(text).iter().flat_map(Words::places))
    }

    /// Whether a text is a word for a colour in another language: which colour it means nobody is sure of.
    #[must_use]
    pub fn is_foreign(text: &str) -> bool {
        Words::of(text).iter().any(Words::is_foreign_word)
    }

    /// Whether any word of a text is one for a colour, in whatever language.
    #[must_use]
    pub fn may_be_named_in(text: &str) -> bool {
        Words::of(text).iter().any(Words::has_colour)
    }

    /// Whether a text names what is done to real traffic lights: `traffic-light-hacking`.
    #[must_use]
    pub fn is_of_traffic(text: &str) -> bool {
        Words::of(text).iter().all(Words::is_of_traffic)
    }

    /// What a text means that is called a colour of TLP: as a tag, or by what it speaks of.
    #[must_use]
    pub fn meant_by(text: &str) -> Option<Self> {
        let words = Words::of(text);
        let is_strict = words.iter().any(|words| words.colour() == Some(Self::AmberStrict));
        let all = words.iter().flat_map(|words| words.places().chain([words.whole()]));
        strictest(all).max(is_strict.then_some(Self::AmberStrict))
    }

    /// What a text means among labels and markings, where AMBER+STRICT needs no name of TLP.
    #[must_use]
    pub fn marked_by(text: &str) -> Option<Self> {
        Self::meant_by(text).max(Self::of_tag(text))
    }

    /// The strictest colour that a text begins with, where all of it is about its marking: `RED - recipients only`.
    #[must_use]
    pub fn first_in(text: &str) -> Option<Self> {
        Words::of(text).iter().filter_map(Words::first).max()
    }

    /// The strictest colour that stands apart at the beginning or at the end of a text, where a marking stands:
    /// `RED - recipients only`, `Sharing level: RED`, but not `Red Hat, Inc.`
    #[must_use]
    pub fn set_apart_in(text: &str) -> Option<Self> {
        Words::of(text).iter().filter_map(Words::set_apart).max()
    }
}

/// Whether a text may name TLP: it has a letter of which each of its names has one, or what may hide one.
fn may_name_tlp(text: &str) -> bool {
    !text.is_ascii() || text.contains(['P', 'p', 'G', 'g', '&', '%', '<', '\\'])
}

/// Whether a text in ASCII may name AMBER+STRICT.
fn may_name_amber(text: &str) -> bool {
    text.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(b"amber"))
}

fn strictest(said: impl IntoIterator<Item = Said>) -> Option<Tlp> {
    let colours = said.into_iter().filter_map(|said| match said {
        Said::Nothing => None,
        Said::Unknown => Some(Tlp::Red),
        Said::Colour(tlp) | Said::Further(tlp) => Some(tlp),
    });
    colours.max()
}

as_text!(Tlp, "TLP colour", |text| Tlp::ALL.into_iter().find(|tlp| tlp.name() == text));

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a colour in any of the spellings that sources use: `WHITE`, `tlp:clear`, `TLP:AMBER+STRICT`,
/// `amber-strict`.
impl FromStr for Tlp {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Words::of(text).iter().filter_map(Words::colour).max().ok_or_else(|| IdError {
            text: text.to_owned(),
            wanted: "a TLP colour (clear, green, amber, amber+strict, red)",
        })
    }
}

/// The markings of several entities taken together.
///
/// A colour alone is not enough: an unmarked entity beside a green one must stay visible, as the
/// unmarked are denied unless the configuration says otherwise.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Marking {
    /// The strictest colour of all, if any had one.
    pub tlp: Option<Tlp>,
    /// Whether any of them had none.
    pub unmarked: bool,
}

impl Marking {
    /// The marking of one entity.
    #[must_use]
    pub const fn of(tlp: Option<Tlp>) -> Self {
        Self { tlp, unmarked: tlp.is_none() }
    }

    /// Both together: the strictest colour, and unmarked if either was.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { tlp: self.tlp.max(other.tlp), unmarked: self.unmarked || other.unmarked }
    }
}

#[cfg(test)]
mod tests;
