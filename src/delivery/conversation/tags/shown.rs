//! Tags of attributes as answers show them: one by one, or in a cell that does not tell where a name ends.

use std::collections::BTreeSet;

use crate::plan::tag_key;

/// Tags of an attribute as an answer shows them.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Shown<'a> {
    /// Each name by itself.
    Names(&'a [Box<str>]),
    /// Names joined by commas, in a cell of CSV.
    Cell(&'a str),
}

impl Shown<'_> {
    /// Whether a colour is certainly among the tags, of an attribute that was sent with these.
    ///
    /// A name may hold commas itself, so a cell does not tell `x,tlp:red` from `x` and `tlp:red`. A colour counts only
    /// where all of the cell is tags that were sent, and the colour stands in it beside those of them that have commas.
    /// Where that cannot be told the colour is attached once more, which MISP takes for done where it is there.
    pub(in super::super) fn carries(self, colour: &str, sent: &[Box<str>]) -> bool {
        let colour = tag_key(colour);
        let cell = match self {
            Self::Names(names) => return names.iter().any(|name| tag_key(name) == colour),
            Self::Cell(cell) => cell,
        };
        let parts = |text: &str| text.split(',').map(tag_key).collect::<Vec<_>>();
        let ours: BTreeSet<Box<str>> = sent.iter().flat_map(|tag| parts(tag)).collect();
        let found = parts(cell);
        let is_ours = found.len() == 1 || found.iter().all(|part| ours.contains(part));
        let count = |parts: &[Box<str>]| parts.iter().filter(|part| **part == colour).count();
        let of_others: usize =
            sent.iter().filter(|tag| tag.contains(',')).map(|tag| count(&parts(tag))).sum();
        is_ours && (found.len() == 1 || count(&found) > of_others) && count(&found) > 0
    }

    /// Whether a colour is certainly not among the tags.
    pub(in super::super) fn lacks(self, colour: &str) -> bool {
        let is_it = |name: &str| tag_key(name) == tag_key(colour);
        match self {
            Self::Names(names) => !names.iter().any(|name| is_it(name)),
            Self::Cell(cell) => !cell.split(',').any(is_it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_counts_as_carried_only_where_a_cell_leaves_no_doubt() {
        for (sent, cell, carried) in [
            (&["tlp:red"][..], "tlp:red", true),
            (&["tlp:red"], "TLP:Red", true),
            (&["tlp:red"], "", false),
            (&["tlp:red"], "x,tlp:red", false),
            (&["x", "tlp:red"], "x,tlp:red", true),
            (&["x", "tlp:red"], "tlp:red", true),
            (&["x", "tlp:red"], "x,tlp:red,y", false),
            (&["x,y", "tlp:red"], "tlp:red,x,y", true),
            (&["x,tlp:red", "tlp:red"], "x,tlp:red", false),
            (&["x,tlp:red", "tlp:red"], "x,tlp:red,tlp:red", true),
            (&["tlp:red,x,tlp:red", "tlp:red"], "tlp:red,x,tlp:red", false),
            (&["x,tlp:red", "tlp:red"], "tlp:red", true),
            (&["x", "tlp:red"], "x", false),
        ] {
            let sent: Vec<Box<str>> = sent.iter().map(|tag| (*tag).into()).collect();
            let shown = Shown::Cell(cell);
            assert_eq!(shown.carries("tlp:red", &sent), carried, "{sent:?} {cell}");
            assert_eq!(shown.lacks("tlp:red"), ["", "x"].contains(&cell), "{sent:?} {cell}");
        }
        let names = ["x,tlp:red"].map(Box::from);
        assert!(!Shown::Names(&names).carries("tlp:red", &names));
        assert!(Shown::Names(&names).lacks("tlp:red"));
    }
}
