//! What can be asked of the site beside its overview.

use serde::Serialize;

use crate::{
    cli::{
        context::known_destinations,
        render::{
            Detail,
            json::{DiffAnswer, EventsAnswer, LogAnswer, ShowAnswer, WhyAnswer},
        },
        verbs::diff::difference,
    },
    history::{
        ChangePlace, Clearance, Cleared, Ledger, Outcome, RunRecord,
        query::{self, Depth, EventFilter, RunFilter, RunsFilter},
    },
    model::{AttributeUuid, DestinationName, EventUuid, FeedName, RunNumber, Tlp},
    page::{self, EventView, EventsAsked, RunsAsked, STANDINGS},
    web::{Address, Form},
};

use super::wrong::Wrong;

const RUNS_ON_A_PAGE: usize = 50;
const EVENTS_ON_A_PAGE: usize = 100;
const LINES_ON_A_PAGE: usize = 500;
const ANSWERS_ON_A_PAGE: usize = 20;

/// An answer for programs, as verbs give it.
pub(super) fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are plain values") + "\n"
}

/// What somebody sees.
pub(super) struct Seen<'l> {
    /// Everything: to count.
    pub(super) ledger: &'l dyn Ledger,
    /// What may be shown.
    pub(super) cleared: &'l Cleared<'l>,
    pub(super) clearance: Clearance,
    pub(super) site: page::Site,
    /// In which form it is wanted.
    pub(super) form: Form,
}

impl Seen<'_> {
    /// The form that is wanted: the other one is not made.
    fn told<T: Serialize>(
        &self,
        json_of: impl FnOnce() -> T,
        html: impl FnOnce(&page::Site) -> String,
    ) -> String {
        if self.form == Form::Json { json(&json_of()) } else { html(&self.site) }
    }
}

/// A question.
pub(super) enum Asked {
    Runs { filter: RunsFilter, before: Option<RunNumber> },
    Run { number: String, from: Option<ChangePlace> },
    Events { asked: EventsAsked, after: Option<EventUuid> },
    Event { uuid: EventUuid, after: Option<AttributeUuid> },
    Value { q: String },
    Diff { from: Option<String>, to: String, destination: Option<DestinationName> },
    Faults { before: Option<RunNumber> },
}

impl Asked {
    /// The question that an address, without the ending of its form, stands for.
    pub(super) fn of(path: &str, address: &Address) -> Result<Self, Wrong> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let text = |key: &str| address.get(key).map(str::to_owned);
        Ok(match parts[..] {
            ["runs"] => Self::Runs {
                filter: runs_filter(address)?,
                before: key(address, "before", number)?,
            },
            ["runs", number] => {
                let from = key(address, "from", |text| text.parse().ok())?;
                Self::Run { number: number.to_owned(), from }
            }
            ["events"] => {
                let standing = key(address, "standing", |text| {
                    STANDINGS.contains(&text).then(|| text.to_owned())
                })?;
                let tlp = key(address, "tlp", |text| text.parse::<Tlp>().ok())?;
                let destination = address.get("destination").map(DestinationName::new);
                let asked = EventsAsked { destination, tlp, standing };
                Self::Events { asked, after: key(address, "after", |text| text.parse().ok())? }
            }
            ["events", uuid] => {
                let uuid = uuid
                    .parse()
                    .map_err(|_| Wrong::not_found(&format!("there is no page {path:?}")))?;
                Self::Event { uuid, after: key(address, "after", |text| text.parse().ok())? }
            }
            ["value"] => Self::Value { q: text("q").unwrap_or_default() },
            ["diff"] => Self::Diff {
                from: text("from"),
                to: text("to").unwrap_or_else(|| "@".to_owned()),
                destination: address.get("destination").map(DestinationName::new),
            },
            ["faults"] => Self::Faults { before: key(address, "before", number)? },
            _ => return Err(Wrong::not_found(&format!("there is no page {path:?}"))),
        })
    }

    pub(super) fn answer(self, seen: &Seen<'_>) -> Result<String, Wrong> {
        match self {
            Self::Runs { filter, before } => runs(seen, filter, before),
            Self::Run { number, from } => run(seen, &number, from),
            Self::Events { asked, after } => events(seen, asked, after),
            Self::Event { uuid, after } => event(seen, uuid, after),
            Self::Value { q } => value(seen, &q),
            Self::Diff { from, to, destination } => {
                let filter = RunFilter { feed: None, destination };
                let lines = if seen.form == Form::Json { usize::MAX } else { page::DIFF_LINES };
                let difference = difference(seen.cleared, from.as_deref(), &to, filter, lines)?;
                let answer = || DiffAnswer::new(&difference, Detail::Full);
                Ok(seen.told(answer, |site| page::diff_page(site, &difference)))
            }
            Self::Faults { before } => {
                let page = query::runs_page(seen.cleared, &went_wrong, before, RUNS_ON_A_PAGE)?;
                Ok(seen.told(|| LogAnswer::new(&page.runs), |site| page::faults_page(site, &page)))
            }
        }
    }
}

fn went_wrong(run: &RunRecord) -> bool {
    let pull = run.pull.as_ref().is_some_and(|pull| pull.error.is_some());
    pull || run.outcome != Outcome::Done
}

fn runs(seen: &Seen<'_>, filter: RunsFilter, before: Option<RunNumber>) -> Result<String, Wrong> {
    let page = query::runs_page(seen.cleared, &|run| filter.takes(run), before, RUNS_ON_A_PAGE)?;
    let destinations = seen.ledger.destinations()?;
    let mut feeds: Vec<FeedName> = Vec::new();
    for name in &destinations {
        let record = seen.ledger.destination(name)?.unwrap_or_default();
        feeds.extend(record.named_feeds().cloned());
    }
    feeds.sort_unstable();
    feeds.dedup();
    let asked = RunsAsked { filter, feeds, destinations };
    Ok(seen.told(|| LogAnswer::new(&page.runs), |site| page::runs_page(site, &page, &asked)))
}

fn run(seen: &Seen<'_>, number: &str, from: Option<ChangePlace>) -> Result<String, Wrong> {
    let record = match number.parse().ok().map(|number| seen.cleared.run(RunNumber(number))) {
        Some(found) => found?,
        None => None,
    };
    let record = match record {
        Some(record) => record,
        None => query::select_run(seen.cleared, number, &RunFilter::default())?,
    };
    let part = query::show_part(seen.cleared, record, from, LINES_ON_A_PAGE)?;
    Ok(seen.told(|| ShowAnswer::new(&part.shown, Detail::Full), |site| page::run_page(site, &part)))
}

fn events(
    seen: &Seen<'_>,
    mut asked: EventsAsked,
    after: Option<EventUuid>,
) -> Result<String, Wrong> {
    let all = seen.ledger.destinations()?;
    let named = asked.destination.as_ref().map(DestinationName::as_str);
    let known = known_destinations(seen.ledger, named)?;
    let Some(destination) = known.into_iter().next() else {
        return Err(Wrong::not_found("nothing was sent anywhere yet"));
    };
    asked.destination = Some(destination.clone());
    let filter = EventFilter { tlp: asked.tlp, standing: asked.standing.clone() };
    let part = (after, EVENTS_ON_A_PAGE);
    let page = query::events_page(seen.ledger, &destination, seen.clearance, &filter, part)?;
    Ok(seen.told(
        || EventsAnswer::new(&destination, &page),
        |site| page::events(site, &page, &all, &asked),
    ))
}

fn event(seen: &Seen<'_>, uuid: EventUuid, after: Option<AttributeUuid>) -> Result<String, Wrong> {
    let mut views = Vec::new();
    for destination in seen.ledger.destinations()? {
        let Some(event) = seen.cleared.event(&destination, uuid)? else { continue };
        let record = seen.ledger.destination(&destination)?;
        views.push(EventView { destination, record, event });
    }
    if views.is_empty() {
        return Err(Wrong::not_found("there is no such event, or it is not shown"));
    }
    if seen.form != Form::Json {
        return Ok(page::event(&seen.site, &views, after));
    }
    let asked = uuid.to_string();
    let one = |view: &EventView| {
        query::why(seen.cleared, &view.destination, &asked, ANSWERS_ON_A_PAGE, Depth::Whole)
    };
    let found = views.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(json(&WhyAnswer::new(&asked, &found)))
}

fn value(seen: &Seen<'_>, q: &str) -> Result<String, Wrong> {
    let destinations = if q.is_empty() { Vec::new() } else { seen.ledger.destinations()? };
    let found = destinations
        .iter()
        .map(|name| query::why(seen.cleared, name, q, ANSWERS_ON_A_PAGE, Depth::Words));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    Ok(seen.told(|| WhyAnswer::new(q, &found), |site| page::value_page(site, q, &found)))
}

/// What a key says; `None` if it is not there.
fn key<T>(
    address: &Address,
    key: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Wrong> {
    let wrong = |text: &str| Wrong::not_understood(&format!("{key} cannot be {text:?}"));
    address.get(key).map(|text| read(text).ok_or_else(|| wrong(text))).transpose()
}

fn number(text: &str) -> Option<RunNumber> {
    text.parse().ok().map(RunNumber)
}

fn runs_filter(address: &Address) -> Result<RunsFilter, Wrong> {
    let outcome = |text: &str| Outcome::ALL.into_iter().find(|outcome| outcome.name() == text);
    let runs = RunFilter {
        feed: address.get("feed").map(FeedName::new),
        destination: address.get("destination").map(DestinationName::new),
    };
    let outcome = key(address, "outcome", outcome)?;
    Ok(RunsFilter { runs, outcome, did_something: address.get("did") == Some("something") })
}
