//! `log`: the runs, or the pulls that they rested on, newest first.

use std::{num::NonZeroUsize, str::FromStr, time::Duration};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::{civil::DateTime, tz::TimeZone};

use crate::{
    agent::{Clock, SystemClock},
    cli::{CliError, Context, Exit, args::FilterArgs, render, screen::zone_named},
    config::parse_duration,
    history::{Ledger, Outcome, RunRecord, query},
    model::Timestamp,
};

/// Arguments of `log`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Args {
    /// Which runs
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Only runs of so long ago at most, or since a date: 2d, 2026-12-01, 2026-12-01T08:30
    #[arg(long, value_name = "DUR|DATE")]
    pub since: Option<Since>,
    /// Only runs that ended so
    #[arg(long, value_name = "WORD", value_parser = outcomes(), conflicts_with = "pulls")]
    pub outcome: Option<Outcome>,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N")]
    pub number: Option<NonZeroUsize>,
    /// One line for each
    #[arg(long)]
    pub oneline: bool,
    /// All of them, those that changed nothing each by itself, at a terminal as well
    #[arg(long)]
    pub all: bool,
    /// The pulls that they rested on instead of the runs
    #[arg(long, conflicts_with = "oneline")]
    pub pulls: bool,
}

fn outcomes() -> impl TypedValueParser<Value = Outcome> {
    let named = |word: &str| Outcome::ALL.into_iter().find(|outcome| outcome.name() == word);
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::name))
        .map(move |word| named(&word).expect("it is one of the list"))
}

/// A point in time as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(Duration),
    /// What a clock on the wall showed.
    Local(DateTime),
    /// The same everywhere.
    At(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ago) = parse_duration(text) {
            return Ok(Self::Ago(ago));
        }
        let (date, zone) = match text.strip_suffix(']').and_then(|it| it.split_once('[')) {
            Some((date, name)) => {
                let unknown = || format!("{text:?}: no time zone has the name {name:?}");
                (date, Some(zone_named(name).ok_or_else(unknown)?))
            }
            None => (text, None),
        };
        if let Ok(time) = date.parse::<jiff::Timestamp>() {
            return Ok(Self::At(Timestamp::from_micros(time.as_microsecond())));
        }
        let wrong = |_| {
            format!(
                "{text:?} is neither a span such as 2d nor a date such as 2026-12-01 or 2026-12-01T08:30"
            )
        };
        let date: DateTime = date.parse().map_err(wrong)?;
        Ok(zone.map_or(Self::Local(date), |zone| Self::At(time_in(&zone, date))))
    }
}

impl Since {
    /// The point in time; of a date in this time zone.
    fn time(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Ago(ago) => {
                let seconds = i64::try_from(ago.as_secs()).unwrap_or(i64::MAX);
                now.plus_seconds(-seconds)
            }
            Self::Local(date) => time_in(zone, date),
            Self::At(time) => time,
        }
    }
}

/// When clocks of this zone show it. Only the ends of the calendar are no point in time: they become the nearest.
fn time_in(zone: &TimeZone, date: DateTime) -> Timestamp {
    let nearest = || match date.year() < 0 {
        true => jiff::Timestamp::MIN,
        false => jiff::Timestamp::MAX,
    };
    let time = zone.to_timestamp(date).unwrap_or_else(|_| nearest());
    Timestamp::from_micros(time.as_microsecond())
}

/// Prints the runs.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let since = args.since.map(|since| since.time(SystemClock.now(), &context.reader.zone));
    if args.pulls {
        return pulls(args, since, context, ledger);
    }
    let all = query::log(ledger, &args.filter.filter(), None)?;
    let is_meant = |run: &&RunRecord| {
        since.is_none_or(|since| run.last() >= since)
            && args.outcome.is_none_or(|outcome| run.outcome == outcome)
    };
    let most = args.number.map_or(usize::MAX, NonZeroUsize::get);
    let runs: Vec<RunRecord> = all.iter().filter(is_meant).take(most).cloned().collect();
    let text = if args.oneline { render::runs::oneline } else { render::runs::log };
    let detail = context.detail(false, args.all || args.number.is_some());
    let whole = context.whole();
    context.answer(|| render::json::LogAnswer::new(&runs), || text(&runs, detail, &whole))?;
    if runs.is_empty() {
        let why = nothing(!all.is_empty(), ledger)?;
        context.say(format_args!("there is no such run: {why}"));
    }
    Ok(Exit::Done)
}

/// Why no run is one of those that are meant.
fn nothing(are_of_route: bool, ledger: &dyn Ledger) -> Result<String, CliError> {
    if are_of_route {
        return Ok("without --since and --outcome there are some".to_owned());
    }
    let known = query::routes(ledger, &Default::default())?;
    let known: Vec<String> =
        known.keys().map(|route| format!("{} -> {}", route.feed, route.destination)).collect();
    Ok(match known.is_empty() {
        true => "there is none at all yet".to_owned(),
        false => format!("the store knows those of {}", known.join(", ")),
    })
}

fn pulls(
    args: &Args,
    since: Option<Timestamp>,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let mut pulls = query::pulls(ledger, &args.filter.filter(), None)?;
    let are_any = !pulls.is_empty();
    pulls.retain(|alike| since.is_none_or(|since| alike.last.begun >= since));
    pulls.truncate(args.number.map_or(usize::MAX, NonZeroUsize::get));
    let detail = context.detail(false, args.all || args.number.is_some());
    let whole = context.whole();
    context.answer(
        || render::json::PullsAnswer { pulls: &pulls },
        || render::runs::pulls(&pulls, detail, &whole),
    )?;
    if pulls.is_empty() {
        context.say(match are_any {
            true => "there is no such pull: without --since there are some",
            false => "no run rested on a pull yet",
        });
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    #[test]
    fn since_is_a_span_or_a_date_where_one_is() {
        let (now, zone) = (Timestamp::from_seconds(1_000_000), TimeZone::fixed(offset(2)));
        let time = |text: &str| text.parse::<Since>().unwrap().time(now, &zone).seconds();
        assert_eq!(time("1h"), 1_000_000 - 3_600);
        assert_eq!(time("1970-01-02"), 86_400 - 7_200);
        assert_eq!(time("1970-01-02T08:30"), 86_400 + 30_600 - 7_200);
        assert_eq!(time("1970-01-02 08:30:01"), 86_400 + 30_601 - 7_200);
        assert_eq!(time("1970-01-02T00:00:00Z"), 86_400);
        assert_eq!(time("1970-01-02T08:30[Europe/Berlin]"), 86_400 + 30_600 - 3_600);
        assert_eq!(time("1970-01-02T08:30Z[Europe/Berlin]"), 86_400 + 30_600);
        assert!(time("-009999-01-01") < -300_000_000_000);
        for wrong in ["1970-01-02[Europe/Nowhere]", "1970-01-02[u-ca=japanese]", "1970-01-02["] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
        let wrong = "yesterday".parse::<Since>().unwrap_err();
        assert!(wrong.contains("2026-12-01"), "{wrong}");
    }
}
