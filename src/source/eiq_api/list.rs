//! Rows of a list of the API, in the order of their last change.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    model::Timestamp,
    source::peer::{Peer, Rests},
};

use super::ApiError;

/// Most bytes of the rows of one list that are held together: of one entity.
const ROWS_BYTES_MAX: usize = 256 << 20;
/// Rows of a page; the platform gives no more than this.
const PAGE: usize = 1_000;

/// A row of a list.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its id; the number of an observable in digits.
    pub(super) id: Box<str>,
    /// When it last changed.
    pub(super) updated: Timestamp,
    /// All of it.
    pub(super) raw: Box<RawValue>,
}

#[derive(Deserialize)]
struct Known {
    id: Id,
    last_updated_at: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(Box<str>),
    Number(u64),
}

impl Row {
    /// Reads a row.
    ///
    /// # Errors
    /// If it has no id or no time.
    pub(super) fn read(raw: Box<RawValue>) -> Result<Self, String> {
        let known: Known = serde_json::from_str(raw.get())
            .map_err(|_| "a row has no `id`, or no `last_updated_at` that is a text".to_owned())?;
        let updated = Timestamp::parse(&known.last_updated_at)
            .map_err(|error| format!("`last_updated_at`: {error}"))?;
        let id = match known.id {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string().into(),
        };
        Ok(Self { id, updated, raw })
    }
}

/// The time by our own clock.
fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    /// How many rows there are with this filter.
    #[serde(default)]
    total_count: Option<usize>,
}

/// What the next page begins with, if no row moved.
enum Joint {
    /// This row.
    Comes(Box<str>),
    /// Any other row than this.
    Gone(Box<str>),
}

/// So often rows of one time may move while they are listed.
const RESTARTS_MAX: usize = 20;

/// Goes through a list. Pages are asked for by time, so that no row is passed over when others change on the way: those
/// move to the end, and come again. Among rows of one time they are asked for by place: each page begins with the last
/// row of the one before, and where it does not, something moved, and that time is begun anew.
pub(super) struct Walk<'p, T> {
    peer: &'p Peer<T>,
    path: &'static str,
    /// A filter of the list, and its value.
    filter: (&'static str, String),
    after: Option<Timestamp>,
    offset: usize,
    /// The last row of the page before.
    last: Option<Joint>,
    restarts: usize,
    /// Rows that came again since one was new.
    stale: usize,
    /// What came of the times after `after`.
    seen: BTreeSet<(Timestamp, Box<str>)>,
    is_over: bool,
    /// When the platform gave the first page: by its own clock, or by ours where it does not say what time it is.
    pub(super) begun: Option<Timestamp>,
}

impl<'p, T: Rests> Walk<'p, T> {
    /// Rows that changed after a time; all of them if there is none.
    pub(super) fn new(
        peer: &'p Peer<T>,
        path: &'static str,
        filter: (&'static str, String),
        after: Option<Timestamp>,
    ) -> Self {
        Self {
            peer,
            path,
            filter,
            after,
            offset: 0,
            last: None,
            restarts: 0,
            stale: 0,
            seen: BTreeSet::new(),
            is_over: false,
            begun: None,
        }
    }

    /// The rows of the next page that have not come yet; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Row>>, ApiError> {
        while !self.is_over {
            let rows = self.page().await?;
            let count = rows.len();
            let news: Vec<Row> = rows
                .into_iter()
                .filter(|row| self.seen.insert((row.updated, row.id.clone())))
                .collect();
            if !news.is_empty() {
                self.stale = 0;
                return Ok(Some(news));
            }
            // Who begins anew sees each row once more, and the first of each page twice.
            self.stale += count;
            if self.stale > 2 * self.seen.len() + 2 {
                self.begin_anew().map_err(|what| ApiError::Listing { url: self.url(), what })?;
            }
        }
        Ok(None)
    }

    /// All of them, which belong together in memory.
    pub(super) async fn all(mut self) -> Result<Vec<Row>, ApiError> {
        let (mut all, mut bytes) = (Vec::new(), 0);
        while let Some(mut rows) = self.next().await? {
            bytes += rows.iter().map(|row| row.raw.get().len()).sum::<usize>();
            if bytes > ROWS_BYTES_MAX {
                let what = format!("the rows are more than {} MiB together", ROWS_BYTES_MAX >> 20);
                return Err(ApiError::Listing { url: self.url(), what });
            }
            all.append(&mut rows);
        }
        Ok(all)
    }

    async fn page(&mut self) -> Result<Vec<Row>, ApiError> {
        let (limit, offset) = (PAGE.to_string(), self.offset.to_string());
        let after = self.after.map(|after| after.to_string());
        let mut query = vec![
            (self.filter.0, &*self.filter.1),
            ("sort", "last_updated_at,id"),
            ("limit", &*limit),
            ("offset", &*offset),
        ];
        query.extend(after.as_deref().map(|after| ("filter[>last_updated_at]", after)));
        let answer = self.peer.document::<Page>(self.path, &query).await?;
        if self.begun.is_none() {
            self.begun = Some(answer.date.unwrap_or_else(now));
        }
        let Page { data, total_count } = answer.content;
        let rows: Result<Vec<Row>, String> = data.into_iter().map(Row::read).collect();
        let rows = rows.and_then(|rows| self.check(&rows).map(|()| rows));
        let rows = rows.and_then(|rows| self.advance(&rows, total_count).map(|()| rows));
        rows.map_err(|what| ApiError::Listing { url: answer.url, what })
    }

    /// Whether the rows are those that were asked for. A list that is in another order, or begins elsewhere, would
    /// be passed over in part.
    fn check(&self, rows: &[Row]) -> Result<(), String> {
        let mut last = self.after;
        for row in rows {
            if Some(row.updated) < last || self.after == Some(row.updated) {
                let (id, updated) = (&row.id, row.updated);
                return Err(format!(
                    "row {id} of {updated} is listed out of the order that was asked for"
                ));
            }
            last = Some(row.updated);
        }
        Ok(())
    }

    /// Something moved: the rows of this time are listed from the beginning.
    fn begin_anew(&mut self) -> Result<(), String> {
        (self.offset, self.last, self.stale) = (0, None, 0);
        self.restarts += 1;
        match self.restarts {
            0..=RESTARTS_MAX => Ok(()),
            _ => Err(format!("rows moved each of {RESTARTS_MAX} times that they were listed")),
        }
    }

    /// What is asked for, page aside.
    fn url(&self) -> String {
        format!("{}{}?{}={}", self.peer.base(), self.path, self.filter.0, self.filter.1)
    }

    fn advance(&mut self, rows: &[Row], total_count: Option<usize>) -> Result<(), String> {
        let first = rows.first().map(|row| &row.id);
        let has_moved = match self.last.take() {
            Some(Joint::Comes(id)) => first != Some(&id),
            Some(Joint::Gone(id)) => first == Some(&id),
            None => false,
        };
        if has_moved {
            return self.begin_anew();
        }
        let Some(last) = rows.last() else {
            self.is_over = true;
            return Ok(());
        };
        if total_count == Some(self.offset + rows.len()) {
            self.is_over = true;
            return Ok(());
        }
        match rows.iter().rev().map(|row| row.updated).find(|updated| *updated < last.updated) {
            // The rows of the last time may go on behind the page.
            Some(before) => {
                (self.after, self.offset) = (Some(before), 0);
                self.seen.retain(|(updated, _)| *updated > before);
            }
            // A page of one row leaves no room for one that comes again.
            None if rows.len() == 1 => {
                self.offset += 1;
                self.last = Some(Joint::Gone(last.id.clone()));
            }
            None => {
                self.offset += rows.len() - 1;
                self.last = Some(Joint::Comes(last.id.clone()));
            }
        }
        Ok(())
    }
}
