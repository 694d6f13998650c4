//! Which MISP the sandbox answers as, and how that one is set up.

use std::str::FromStr;

use crate::{misp::Version, sandbox::rows::row::AttributeRow};

/// The versions of MISP that were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// 2.5.1.
    #[default]
    V2_5_1,
    /// 2.5.19.
    V2_5_19,
}

impl Release {
    /// As `servers/getVersion` says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V2_5_1 => "2.5.1",
            Self::V2_5_19 => "2.5.19",
        }
    }

    /// Whether it does what changed between the two.
    pub(super) fn is_later(self) -> bool {
        self == Self::V2_5_19
    }

    /// Whose value rules hold.
    pub(super) fn version(self) -> Version {
        match self {
            Self::V2_5_1 => Version::BASE,
            Self::V2_5_19 => Version::new(2, 5, 19),
        }
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::V2_5_1, Self::V2_5_19].into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| "the sandbox answers as 2.5.1 or 2.5.19".to_owned())
    }
}

/// When MISP publishes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jobs {
    /// Before it answers: no background jobs.
    #[default]
    Foreground,
    /// In the background, about a second after the answer.
    Late,
    /// Never: background jobs without a worker.
    Never,
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "foreground" => Ok(Self::Foreground),
            "late" => Ok(Self::Late),
            "never" => Ok(Self::Never),
            _ => Err("it is foreground, late or never".to_owned()),
        }
    }
}

/// In which order the rows of an event come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowOrder {
    /// As they were added.
    #[default]
    Insertion,
    /// By distribution, then as they were added: the database after MISP's script `highPerformance`.
    Distribution,
    /// By distribution, live ones before deleted ones, by type: the same script, where the database chooses an index
    /// that begins so.
    Type,
}

impl RowOrder {
    /// What comes before the number of a row in its order.
    pub(super) fn rank(self, row: &AttributeRow) -> (u8, bool, &'static str) {
        match self {
            Self::Insertion => (0, false, ""),
            Self::Distribution => (row.distribution, false, ""),
            Self::Type => (row.distribution, row.deleted, row.kind.name()),
        }
    }
}

impl FromStr for RowOrder {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "insertion" => Ok(Self::Insertion),
            "distribution" => Ok(Self::Distribution),
            "type" => Ok(Self::Type),
            _ => Err("it is insertion, distribution or type".to_owned()),
        }
    }
}

/// A MISP as somebody set it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Setup {
    /// Which version it is.
    pub release: Release,
    /// When it publishes.
    pub jobs: Jobs,
    /// In which order it lists rows.
    pub row_order: RowOrder,
    /// How many events or attributes a restSearch answers at most to all but site administrators; 0 for no
    /// limit. 2.5.1 knows none.
    pub search_limit: usize,
    /// So many rows PHP's memory is enough for where MISP holds all of them twice.
    pub memory_rows: Option<usize>,
}

/// What MISP runs out of memory over, measured with 128 MB: `memory_rows` is 25,000 there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// events/view, and attributes/restSearch without a limit.
    Whole,
    /// The full answer of events/edit; what was asked for is done all the same.
    EditAnswer,
    /// An event in events/restSearch, and a page of attributes/restSearch.
    Export,
}

impl Setup {
    /// Whether the memory is enough for so many rows.
    pub(super) fn bears(&self, load: Load, rows: usize) -> bool {
        let Some(limit) = self.memory_rows else { return true };
        let limit = match load {
            Load::Whole => limit,
            Load::EditAnswer => limit.saturating_mul(6) / 5,
            Load::Export => limit.saturating_mul(2),
        };
        rows <= limit
    }

    /// The limit on restSearch, if this version knows one and it is set.
    pub(super) fn search_limit(&self) -> Option<usize> {
        (self.release.is_later() && self.search_limit > 0).then_some(self.search_limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_as_measured() {
        let setup = Setup { memory_rows: Some(25_000), ..Setup::default() };
        let bears = |rows| {
            [Load::Whole, Load::EditAnswer, Load::Export].map(|load| setup.bears(load, rows))
        };
        assert_eq!(bears(25_000), [true, true, true]);
        assert_eq!(bears(30_000), [false, true, true]);
        assert_eq!(bears(50_000), [false, false, true]);
        assert_eq!(bears(60_000), [false, false, false]);
        assert!(Setup::default().bears(Load::Whole, usize::MAX));
    }
}
