//! The Traffic Light Protocol, versions 1.0 and 2.0.

use std::{fmt, str::FromStr};

use super::IdError;

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
}

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
        let folded = text.trim().to_ascii_lowercase();
        let name = folded.strip_prefix("tlp:").unwrap_or(&folded).trim();
        Ok(match name {
            "white" | "clear" => Self::Clear,
            "green" => Self::Green,
            "amber" => Self::Amber,
            "amber+strict" | "amber-strict" | "amber strict" | "amber_strict" => Self::AmberStrict,
            "red" => Self::Red,
            _ => {
                return Err(IdError {
                    text: text.to_owned(),
                    wanted: "a TLP colour (clear, green, amber, amber+strict, red)",
                });
            }
        })
    }
}

/// The markings of several entities taken together.
///
/// A colour alone is not enough: an unmarked entity beside a green one must stay visible, as the
/// unmarked are denied unless the configuration says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
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
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_strictness() {
        assert!(Tlp::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn reads_both_versions() {
        assert_eq!("WHITE".parse(), Ok(Tlp::Clear));
        assert_eq!("TLP:AMBER+STRICT".parse(), Ok(Tlp::AmberStrict));
        assert!("purple".parse::<Tlp>().is_err());
        for tlp in Tlp::ALL {
            assert_eq!(tlp.tag().parse(), Ok(tlp));
        }
    }
}
