//! A part of the index as a tree of pages, so that a look-up reads what stands on its way alone.
//!
//! What is new goes to the pages of the root. A node with too many gives all that is in them to its children, by the next four bits
//! of the fingerprints. So each look-up reads some pages of each node from the root to where no more are, however many there are
//! elsewhere, and each posting is written again once a level.

use std::collections::BTreeSet;

use crate::{
    history::LedgerError,
    store::{
        event::overlay::Overlay,
        record::{
            PAGE_POSTINGS_MAX, Posting, decode_page, encode_page,
            keys::{self, IndexOf, Name, WAY_DIGITS_MAX},
        },
    },
};

/// So many pages a node has before it gives them to its children.
const NODE_PAGES_MAX: u32 = 32;
/// So many nodes give their pages away in one step: nodes fill up at about the same time, and what waits is read until then.
const GIVEN_MAX: usize = 32;

/// A part of the index of a destination.
pub(super) struct Tree<'d> {
    pub(super) destination: &'d Name,
    pub(super) of: IndexOf,
}

impl Tree<'_> {
    /// Adds postings.
    pub(super) fn add(
        &self,
        overlay: &mut Overlay<'_>,
        postings: BTreeSet<Posting>,
    ) -> Result<(), LedgerError> {
        self.add_at(overlay, &mut Vec::new(), postings, &mut { GIVEN_MAX })
    }

    /// Each node is met once in a step, so that what the engine has of it is what there is.
    fn add_at(
        &self,
        overlay: &mut Overlay<'_>,
        way: &mut Vec<u8>,
        mut postings: BTreeSet<Posting>,
        may_give: &mut usize,
    ) -> Result<(), LedgerError> {
        if postings.is_empty() {
            return Ok(());
        }
        let pages = self.pages(overlay, way)?;
        let more = postings.len().div_ceil(PAGE_POSTINGS_MAX);
        let is_full = pages as usize + more > NODE_PAGES_MAX as usize;
        if !is_full || way.len() == WAY_DIGITS_MAX || *may_give == 0 {
            return self.append(overlay, way, pages, postings);
        }
        *may_give -= 1;
        for number in 0..pages {
            let key = keys::index_page(self.destination, self.of, way, number);
            let Some(body) = overlay.record(&key)? else { continue };
            postings.extend(decode_page(&body)?);
            overlay.remove_record(key)?;
        }
        for digit in (0..16).rev() {
            way.push(digit);
            let of_child = postings.split_off(&(first_of(way), 0));
            self.add_at(overlay, way, of_child, may_give)?;
            way.pop();
        }
        Ok(())
    }

    /// How many pages a node has; they are numbered from 0.
    fn pages(&self, overlay: &Overlay<'_>, way: &[u8]) -> Result<u32, LedgerError> {
        let last = overlay.engine().last_key(&keys::index_node(self.destination, self.of, way))?;
        Ok(last.and_then(|key| keys::index_number(&key)).map_or(0, |last| last + 1))
    }

    fn append(
        &self,
        overlay: &mut Overlay<'_>,
        way: &[u8],
        pages: u32,
        mut postings: BTreeSet<Posting>,
    ) -> Result<(), LedgerError> {
        let mut number = pages.saturating_sub(1);
        while !postings.is_empty() {
            let key = keys::index_page(self.destination, self.of, way, number);
            let mut page = BTreeSet::new();
            if let Some(body) = overlay.record(&key)? {
                page.extend(decode_page(&body)?);
            }
            while page.len() < PAGE_POSTINGS_MAX
                && let Some(posting) = postings.pop_first()
            {
                page.insert(posting);
            }
            overlay.put_record(key, &encode_page(&page)?)?;
            number += 1;
        }
        Ok(())
    }

    /// Visits all postings of some fingerprints, which are sorted.
    pub(super) fn find(
        &self,
        overlay: &Overlay<'_>,
        terms: &[u32],
        visit: &mut dyn FnMut(Posting),
    ) -> Result<(), LedgerError> {
        self.find_at(overlay, &mut Vec::new(), terms, visit)
    }

    fn find_at(
        &self,
        overlay: &Overlay<'_>,
        way: &mut Vec<u8>,
        terms: &[u32],
        visit: &mut dyn FnMut(Posting),
    ) -> Result<(), LedgerError> {
        let (engine, mut below) = (overlay.engine(), keys::index(self.destination, self.of));
        below.extend_from_slice(way);
        if engine.page(&below, b"", 1)?.is_empty() {
            return Ok(());
        }
        engine.scan(&keys::index_node(self.destination, self.of, way), &mut |key, value| {
            let page = decode_page(&overlay.body(key, value)?)?;
            let led = page.into_iter().filter(|(term, _)| terms.binary_search(term).is_ok());
            led.for_each(&mut *visit);
            Ok(())
        })?;
        if way.len() == WAY_DIGITS_MAX {
            return Ok(());
        }
        let place = way.len();
        let digit = |term: &u32| digit_of(*term, place);
        for of_child in terms.chunk_by(|one, next| digit(one) == digit(next)) {
            way.push(digit(&of_child[0]));
            self.find_at(overlay, way, of_child, visit)?;
            way.pop();
        }
        Ok(())
    }
}

/// The first fingerprint of a node, by its way from the root.
fn first_of(way: &[u8]) -> u32 {
    (0_u32..)
        .zip(way)
        .fold(0, |first, (place, digit)| first | u32::from(*digit) << (28 - 4 * place))
}

fn digit_of(term: u32, place: usize) -> u8 {
    let byte = term.to_be_bytes()[place / 2];
    if place.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }
}
