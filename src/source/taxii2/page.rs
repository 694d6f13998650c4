//! One page of what a collection holds.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    model::{Timestamp, limits::DOWNLOAD_BYTES_MAX},
    source::peer::{Ask, Broken, PeerError, Rests},
};

use super::{Taxii2, collection::Collection};

const FIRST: &str = "x-taxii-date-added-first";
const LAST: &str = "x-taxii-date-added-last";

/// What a server gave in place of the next page. There is no second use of it, as some servers forget what it stood for
/// once they were asked.
#[derive(Debug)]
pub(super) struct Next(String);

impl Next {
    pub(super) const fn new(next: String) -> Self {
        Self(next)
    }
}

/// Which lists a collection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Objects,
    Manifest,
}

/// A page as it came.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    /// Stamps of what is on it.
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
}

/// A stamp in the one form that all servers take: with six digits.
pub(super) fn stamp(time: Timestamp) -> String {
    match jiff::Timestamp::from_microsecond(time.micros()) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        // Before all that a server can have.
        Err(_) => "0001-01-01T00:00:00.000000Z".to_owned(),
    }
}

impl<T: Rests> Taxii2<T> {
    /// A page of a list: the one that `next` stands for, or the first of what was added after a time.
    pub(super) async fn page(
        &self,
        collection: &Collection,
        list: List,
        added_after: Option<Timestamp>,
        next: Option<Next>,
        limit: u32,
    ) -> Result<Page, Broken> {
        let path = collection.path(match list {
            List::Objects => "objects/",
            List::Manifest => "manifest/",
        });
        let (added_after, limit) = (added_after.map(stamp), limit.to_string());
        let mut query = vec![("limit", &*limit)];
        query.extend(added_after.as_deref().map(|after| ("added_after", after)));
        let is_first = next.is_none();
        query.extend(next.as_ref().map(|Next(next)| ("next", &**next)));
        let ask = Ask { path: &path, query: &query, bytes_max: DOWNLOAD_BYTES_MAX };
        let answer = match is_first {
            true => {
                self.peer.answer(&ask).await.map_err(|error| Broken { error, retry_after: None })?
            }
            false => self.peer.once(&ask).await?,
        };
        let (first, last, date) = (answer.time(FIRST), answer.time(LAST), answer.date());
        let bytes = answer.bytes().map_err(|wrong| {
            let error = PeerError { url: self.url(&path), wrong };
            Broken { error, retry_after: None }
        })?;
        Ok(Page { bytes, first, last, date })
    }
}

/// What is on a page, uninterpreted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Contents<'p> {
    #[serde(borrow)]
    objects: Vec<&'p RawValue>,
}

/// A digest of what is on pages.
#[derive(Debug, Clone, Default)]
pub(super) struct Contained(blake3::Hasher);

impl Contained {
    /// Adds what is on a page. Gives how many objects that is, and a digest of them; none where nobody can say.
    pub(super) fn add(&mut self, page: &[u8]) -> Option<(u64, String)> {
        let Contents { objects } = serde_json::from_slice(page).ok()?;
        let mut alone = Self::default();
        for object in &objects {
            let text = object.get().as_bytes();
            for hasher in [&mut self.0, &mut alone.0] {
                hasher.update(&text.len().to_le_bytes());
                hasher.update(text);
            }
        }
        Some((objects.len() as u64, alone.digest()))
    }

    /// Equal for equal content, whatever the pages are.
    pub(super) fn digest(&self) -> String {
        self.0.finalize().to_hex().as_str()[..32].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_six_digits() {
        let text = |text: &str| stamp(Timestamp::parse(text).unwrap());
        assert_eq!(text("2026-11-30T10:20:30Z"), "2026-11-30T10:20:30.000000Z");
        assert_eq!(text("2026-11-30T10:20:30.12Z"), "2026-11-30T10:20:30.120000Z");
        assert_eq!(text("2026-11-30T10:20:30.123456789+01:00"), "2026-11-30T09:20:30.123456Z");
        assert_eq!(stamp(Timestamp::from_micros(i64::MIN)), "0001-01-01T00:00:00.000000Z");
    }

    #[test]
    fn contents_are_the_same_on_other_pages() {
        let digest = |pages: &[&str]| {
            let mut contained = Contained::default();
            let counts = pages.iter().map(|page| Some(contained.add(page.as_bytes())?.0));
            let count = counts.sum::<Option<u64>>()?;
            Some((count, contained.digest()))
        };
        let one = digest(&[r#"{"more": true, "next": "a", "objects": [{"id": 1}, {"id": 2}]}"#]);
        let two = digest(&[r#"{"objects": [{"id": 1}]}"#, "{}", r#"{"objects": [{"id": 2}]}"#]);
        assert!(one.is_some() && one == two);
        assert_ne!(one, digest(&[r#"{"objects": [{"id": 2}, {"id": 1}]}"#]));
        assert_eq!(digest(&["{"]), None);
    }
}
