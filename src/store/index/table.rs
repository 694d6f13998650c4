//! What the numbers in postings mean: a list in pages that is only added to, so that a posting is as short as a number.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::LedgerError,
    store::{
        event::overlay::Overlay,
        record::{
            TABLE_PAGE_ENTRIES, decode_table, encode_table,
            envelope::damaged,
            keys::{self, IndexOf, Name},
        },
    },
};

/// A table of a destination, with entries of so many bytes.
pub(super) struct Table<'d, const N: usize> {
    pub(super) destination: &'d Name,
    pub(super) of: IndexOf,
}

impl<const N: usize> Table<'_, N> {
    /// Adds entries, and gives each its number. An entry that is there already has several then, which does no harm.
    pub(super) fn add(
        &self,
        overlay: &mut Overlay<'_>,
        entries: BTreeSet<[u8; N]>,
    ) -> Result<BTreeMap<[u8; N], u32>, LedgerError> {
        let mut numbers = BTreeMap::new();
        if entries.is_empty() {
            return Ok(numbers);
        }
        let last = overlay.engine().last_key(&keys::index(self.destination, self.of))?;
        let mut page = last.and_then(|key| keys::index_number(&key)).unwrap_or(0);
        let mut known = self.page(overlay, page)?;
        for entry in entries {
            if known.len() == TABLE_PAGE_ENTRIES as usize {
                overlay.put_record(self.key(page), &encode_table(&known)?)?;
                (page, known) = (page + 1, Vec::new());
            }
            let place = u32::try_from(known.len()).expect("a page has few entries");
            numbers.insert(entry, page * TABLE_PAGE_ENTRIES + place);
            known.push(entry);
        }
        overlay.put_record(self.key(page), &encode_table(&known)?)?;
        Ok(numbers)
    }

    /// What numbers mean; each page is read once.
    pub(super) fn read(
        &self,
        overlay: &Overlay<'_>,
        numbers: impl IntoIterator<Item = u32>,
        visit: &mut dyn FnMut(u32, [u8; N]),
    ) -> Result<(), LedgerError> {
        let numbers: BTreeSet<u32> = numbers.into_iter().collect();
        let mut read = None;
        for number in numbers {
            let (page, place) = (number / TABLE_PAGE_ENTRIES, number % TABLE_PAGE_ENTRIES);
            let known = match read {
                Some((of, known)) if of == page => known,
                _ => self.page(overlay, page)?,
            };
            let lost = || damaged("a posting of the index leads nowhere".to_owned());
            visit(number, *known.get(place as usize).ok_or_else(lost)?);
            read = Some((page, known));
        }
        Ok(())
    }

    fn page(&self, overlay: &Overlay<'_>, page: u32) -> Result<Vec<[u8; N]>, LedgerError> {
        let body = overlay.record(&self.key(page))?;
        body.map_or_else(|| Ok(Vec::new()), |body| decode_table(&body))
    }

    fn key(&self, page: u32) -> Vec<u8> {
        keys::index_table(self.destination, self.of, page)
    }
}
