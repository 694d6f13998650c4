//! The word for each change and standing, the same in every output.

use std::fmt;

use crate::{
    history::ChangeKind,
    plan::{Presence, Standing},
};

/// A word, and what more there is to say: a reason, MISP's own words, what to do by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The word of the design's tables: `sent`, `withheld`, …
    pub word: &'static str,
    /// What more there is to say.
    pub detail: Option<String>,
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Phrase {
    const fn word(word: &'static str) -> Self {
        Self { word, detail: None }
    }

    fn with(word: &'static str, detail: impl Into<String>) -> Self {
        Self { word, detail: Some(detail.into()) }
    }
}

impl From<&ChangeKind> for Phrase {
    fn from(kind: &ChangeKind) -> Self {
        Self { word: kind.word(), detail: kind.detail() }
    }
}

impl From<&Standing> for Phrase {
    fn from(standing: &Standing) -> Self {
        match standing {
            Standing::Pending => Self::word("pending"),
            Standing::Sent => Self::word("sent"),
            Standing::Adopted => Self::word("adopted"),
            Standing::Declined => Self::word("declined"),
            Standing::Rejected { words, version } => {
                Self::with("rejected", format!("MISP {version} says {words:?}"))
            }
            Standing::Withheld(why) => Self::with("withheld", why.to_string()),
            Standing::Held => Self::with("held", "only changed mapping rules call for it"),
            Standing::Blocked(why) => Self::with("blocked", why.to_string()),
        }
    }
}

impl From<&Presence> for Phrase {
    fn from(presence: &Presence) -> Self {
        match presence {
            Presence::Absent => Self::word("absent"),
            Presence::Present => Self::word("present"),
            Presence::Declined => Self::with("declined", "deleted in MISP, never sent again"),
            Presence::Blocked(why) => Self::with("blocked", why.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{
        history::{Ended, Outcome, query::Remedy},
        model::names,
        plan::{
            AttributeTally, BlockedReason, EventTally, ExposedReason, Publishing, TagStanding,
            WithheldReason,
        },
    };

    use super::*;

    const GLOSSARY: &str = include_str!("../../../docs/glossary.md");

    /// The words in the first column of the table with this heading.
    fn explained(heading: &str) -> BTreeSet<String> {
        let lines =
            GLOSSARY.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |")));
        let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
        rows.filter_map(|row| row.split('`').nth(1).map(str::to_owned)).collect()
    }

    #[test]
    fn every_word_is_in_the_glossary_and_no_other() {
        let counted = |counts: &[(&'static str, u64)]| -> BTreeSet<String> {
            counts.iter().map(|(name, _)| (*name).to_owned()).collect()
        };
        let attributes = counted(&AttributeTally::default().named());
        let with = |one: &str, more: [&str; 2]| -> BTreeSet<String> {
            explained(one).into_iter().chain(more.map(str::to_owned)).collect()
        };
        let transitions = explained("transition");
        let results: BTreeSet<String> = attributes.difference(&transitions).cloned().collect();
        assert_eq!(results, with("standing", ["planned", "unchanged"]));
        assert!(transitions.is_subset(&attributes));
        for (heading, words) in [
            ("presence", names::<Presence>()),
            ("publishing", names::<Publishing>()),
            ("tag of an event", names::<TagStanding>()),
            ("standing", names::<Standing>()),
            ("withheld", names::<WithheldReason>()),
            ("blocked", names::<BlockedReason>()),
            ("exposed", names::<ExposedReason>()),
            ("how a loss ended", names::<Ended>()),
            ("what would change it", names::<Remedy>()),
            ("change", names::<ChangeKind>()),
            ("outcome of a run", names::<Outcome>()),
            ("event in a run", counted(&EventTally::default().named())),
        ] {
            assert_eq!(explained(heading), words, "{heading}");
        }
    }

    #[test]
    fn people_and_programs_read_the_same_word() {
        for kind in [ChangeKind::Sent, ChangeKind::ExposureEnded("".into()), ChangeKind::Publishing]
        {
            let written = serde_json::to_string(&kind).unwrap();
            assert!(written.contains(&kind.word().replace(' ', "_")), "{written}");
        }
    }
}
