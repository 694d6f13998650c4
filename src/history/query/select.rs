//! Which run is meant: by the beginning of its id, by number, or counted back from the newest.

use std::collections::BTreeSet;

use crate::{history::RunRecord, model::nearest};

use super::{Ledger, QueryError, RunFilter, log};

/// Shortest beginning of an id that is taken for one.
const PREFIX_DIGITS_MIN: usize = 4;

/// A point in the history: after a run, or before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// Before the first run.
    Beginning,
    /// After this run.
    Run(Box<RunRecord>),
}

/// The run that a text names among those of the filter.
///
/// `@` is the newest, `@-` the one before, `@-N` the Nth before. Digits alone are a number if there is
/// such a run, else, like all hexadecimal digits, the beginning of an id; at least four of them.
///
/// # Errors
/// If no run is meant, or several are.
pub fn select_run(
    ledger: &dyn Ledger,
    text: &str,
    filter: &RunFilter,
) -> Result<RunRecord, QueryError> {
    let runs = log(ledger, filter, None)?;
    if runs.is_empty() && *filter != RunFilter::default() {
        let all = ledger.runs()?;
        if !all.is_empty() {
            return Err(none_of(&all, filter));
        }
    }
    if text.starts_with('@') {
        return nth_newest(runs, text);
    }
    let digits = text.to_ascii_lowercase();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(QueryError::NotARun { asked: text.to_owned() });
    }
    let number = digits.parse::<u64>().ok();
    if let Some(at) = runs.iter().position(|run| Some(run.number.0) == number) {
        return Ok(runs.into_iter().nth(at).expect("found at this place"));
    }
    let mut found = runs
        .iter()
        .filter(|run| digits.len() >= PREFIX_DIGITS_MIN && run.id.to_string().starts_with(&digits));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(first), Some(second)) => {
            let candidates = [first, second].into_iter().chain(found).map(candidate).collect();
            Err(QueryError::Ambiguous { asked: text.to_owned(), candidates })
        }
        (None, _) => Err(none(&runs, text)),
    }
}

/// Like [`select_run`]; `0` is the point before the first run, and so is `@-` or `@-N` where it leads
/// exactly one step behind the oldest.
///
/// # Errors
/// As for [`select_run`].
pub fn select_base(
    ledger: &dyn Ledger,
    text: &str,
    filter: &RunFilter,
) -> Result<Selected, QueryError> {
    let runs = log(ledger, filter, None)?.len();
    if text == "0" || (runs > 0 && steps_back(text) == Some(runs)) {
        return Ok(Selected::Beginning);
    }
    select_run(ledger, text, filter).map(|run| Selected::Run(Box::new(run)))
}

fn nth_newest(runs: Vec<RunRecord>, text: &str) -> Result<RunRecord, QueryError> {
    let steps = steps_back(text).ok_or_else(|| QueryError::NotARun { asked: text.to_owned() })?;
    if steps >= runs.len() {
        return Err(none(&runs, text));
    }
    Ok(runs.into_iter().nth(steps).expect("fewer steps than runs"))
}

fn steps_back(text: &str) -> Option<usize> {
    match text.strip_prefix('@')? {
        "" => Some(0),
        "-" => Some(1),
        rest => {
            let digits = rest.strip_prefix('-')?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        }
    }
}

fn candidate(run: &RunRecord) -> String {
    format!("{} (run {})", run.id.short(), run.number)
}

/// No run of all is one of the filter.
fn none_of(all: &[RunRecord], filter: &RunFilter) -> QueryError {
    let feeds: BTreeSet<&str> = all.iter().map(|run| run.feed.as_str()).collect();
    let places: BTreeSet<&str> = all.iter().map(|run| run.destination.as_str()).collect();
    let feed = filter.feed.as_ref().map(|name| (name.as_str(), &feeds));
    let place = filter.destination.as_ref().map(|name| (name.as_str(), &places));
    let unknown = feed.into_iter().chain(place).find(|(name, known)| !known.contains(name));
    let meant = unknown.and_then(|(name, known)| nearest(name, known.iter().copied()));
    let hint = match meant {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => {
            let routes = all.iter().map(|run| format!("{} -> {}", run.feed, run.destination));
            let routes = routes.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
            format!("it knows those of {}", routes.join(", "))
        }
    };
    QueryError::NoRunOf { filter: filter.clone(), hint }
}

fn none(runs: &[RunRecord], text: &str) -> QueryError {
    let hint = match (runs.first(), runs.last()) {
        (Some(_), _) if text == "0" => {
            "0 is the point before the first run; `misp-trickle diff 0 @` tells all that came since"
                .to_owned()
        }
        (Some(newest), Some(oldest)) => format!(
            "there are {}, from {} to {}; `misp-trickle log` lists them",
            runs.len(),
            oldest.number,
            newest.number
        ),
        _ => "there is none yet; `misp-trickle sync` makes the first".to_owned(),
    };
    QueryError::NoSuchRun { asked: text.to_owned(), hint }
}
