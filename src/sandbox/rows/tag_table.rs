//! The table of tags: by number, by name, and by name whatever its case.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::sandbox::rows::roles::{Caller, Permission};

/// A row of `tags`.
#[derive(Debug, Clone)]
pub(crate) struct TagRow {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) colour: String,
    /// Whether events show it.
    pub(crate) exportable: bool,
    pub(crate) local_only: bool,
    /// Whether the forms of the web interface leave it out.
    pub(crate) hidden: bool,
    pub(crate) numerical_value: Option<i64>,
    /// The only organisation that may set it, 0 if all may.
    pub(crate) org: u32,
    /// The only user who may set it, 0 if all may.
    pub(crate) user: u32,
}

/// Why somebody may not set a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// Another organisation owns it.
    ForOrganisation,
    /// Another user owns it.
    ForUser,
}

impl TagRow {
    /// A tag that everybody may set.
    pub(crate) fn new(name: &str, colour: String) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            colour,
            exportable: true,
            local_only: false,
            hidden: false,
            numerical_value: None,
            org: 0,
            user: 0,
        }
    }

    /// Whether the caller may set the tag; the site administrator may in any case.
    pub(crate) fn check_owner(&self, caller: Caller) -> Result<(), Reserved> {
        if caller.may(Permission::SiteAdmin) {
            Ok(())
        } else if self.org != 0 && self.org != caller.org() {
            Err(Reserved::ForOrganisation)
        } else if self.user != 0 && self.user != caller.role.id {
            Err(Reserved::ForUser)
        } else {
            Ok(())
        }
    }
}

/// All tags. Names differ at least in case.
#[derive(Debug, Clone, Default)]
pub(crate) struct TagTable {
    rows: BTreeMap<u32, TagRow>,
    names: HashMap<String, u32>,
    names_lower: HashMap<String, BTreeSet<u32>>,
    last: u32,
}

impl TagTable {
    /// The tag with this number.
    pub(crate) fn get(&self, id: u32) -> Option<&TagRow> {
        self.rows.get(&id)
    }

    /// All tags in the order of their numbers.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &TagRow> {
        self.rows.values()
    }

    /// The tag of exactly this name.
    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// The oldest tag of this name, whatever its case.
    pub(crate) fn named_loosely(&self, name: &str) -> Option<u32> {
        self.names_lower.get(&name.to_lowercase())?.first().copied()
    }

    /// Stores a new tag under the next number. Its name has to be free.
    pub(crate) fn insert(&mut self, mut tag: TagRow) -> u32 {
        self.last += 1;
        tag.id = self.last;
        self.index(&tag);
        self.rows.insert(tag.id, tag);
        self.last
    }

    /// Writes a changed tag back. Its name has to be free or its own.
    pub(crate) fn replace(&mut self, tag: TagRow) {
        self.remove(tag.id);
        self.index(&tag);
        self.rows.insert(tag.id, tag);
    }

    /// Removes a tag; its number is never given again.
    pub(crate) fn remove(&mut self, id: u32) {
        let Some(row) = self.rows.remove(&id) else { return };
        self.names.remove(&row.name);
        let lower = row.name.to_lowercase();
        if let Some(alike) = self.names_lower.get_mut(&lower) {
            alike.remove(&id);
            if alike.is_empty() {
                self.names_lower.remove(&lower);
            }
        }
    }

    fn index(&mut self, tag: &TagRow) {
        self.names.insert(tag.name.clone(), tag.id);
        self.names_lower.entry(tag.name.to_lowercase()).or_default().insert(tag.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_spelling_is_found_until_it_is_gone() {
        let mut table = TagTable::default();
        let tag = |name: &str| TagRow::new(name, "#112233".to_owned());
        let first = table.insert(tag("TLP:Green"));
        let second = table.insert(tag("tlp:green"));
        assert_eq!(table.named_loosely("tlp:GREEN"), Some(first));
        assert_eq!(table.named("tlp:green"), Some(second));
        table.remove(first);
        assert_eq!(table.named_loosely("TLP:Green"), Some(second));
        let mut renamed = table.get(second).cloned().unwrap();
        renamed.name = "other".to_owned();
        table.replace(renamed);
        assert_eq!((table.named("tlp:green"), table.named("other")), (None, Some(second)));
        assert_eq!(table.insert(tag("x")), 3, "numbers are not given twice");
    }
}
