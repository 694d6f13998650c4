//! What MISP's list of tags says of one of them.

use crate::plan::{DestinationRecord, TagFact, tag_key};

use super::TagRow;

/// How a tag stands for the key, by MISP's list. Of two spellings MISP takes the oldest, whoever owns it.
#[must_use]
pub fn fact_of(tag: &str, listed: &[TagRow], key: &DestinationRecord) -> TagFact {
    let wanted = tag_key(tag);
    let named = listed.iter().filter(|row| tag_key(&row.name) == wanted);
    let Some(row) = named.min_by_key(|row| row.id) else { return TagFact::Missing };
    let all = key.may("perm_site_admin");
    let is_ours = |owner: u64, us: Option<u64>| all || owner == 0 || us == Some(owner);
    if !is_ours(row.org, key.org_id) {
        TagFact::OfAnotherOrg
    } else if !is_ours(row.user, key.user) {
        TagFact::OfAnotherUser
    } else if row.local_only {
        TagFact::LocalOnly
    } else if !row.exportable {
        TagFact::NotExportable
    } else {
        TagFact::Usable(row.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u64, name: &str) -> TagRow {
        let name = name.into();
        TagRow { id, name, org: 0, user: 0, exportable: true, local_only: false }
    }

    #[test]
    fn the_oldest_spelling_counts_whoever_owns_it() {
        let key = DestinationRecord { org_id: Some(2), user: Some(7), ..Default::default() };
        let rows = [row(9, "tlp:red"), TagRow { org: 1, ..row(4, "TLP:RED") }];
        assert_eq!(fact_of("tlp:red", &rows, &key), TagFact::OfAnotherOrg);
        assert_eq!(fact_of("tlp:red", &rows[..1], &key), TagFact::Usable("tlp:red".into()));
        assert_eq!(fact_of("tlp:re_", &rows, &key), TagFact::Missing);
    }

    #[test]
    fn only_what_this_key_may_use_and_everybody_sees_is_usable() {
        let mut key = DestinationRecord { org_id: Some(2), user: Some(7), ..Default::default() };
        let fact = |row: TagRow, key: &_| fact_of("x", &[row], key);
        let usable = TagFact::Usable("x".into());
        assert_eq!(fact(TagRow { org: 2, user: 7, ..row(1, "x") }, &key), usable);
        assert_eq!(fact(TagRow { user: 8, ..row(1, "x") }, &key), TagFact::OfAnotherUser);
        assert_eq!(fact(TagRow { local_only: true, ..row(1, "x") }, &key), TagFact::LocalOnly);
        let hidden = TagRow { exportable: false, ..row(1, "x") };
        assert_eq!(fact(hidden, &key), TagFact::NotExportable);
        key.permissions.insert("perm_site_admin".into());
        assert_eq!(fact(TagRow { org: 1, user: 8, ..row(1, "x") }, &key), usable);
    }
}
