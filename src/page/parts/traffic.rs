//! What travelled, by day.

use maud::{Markup, html};

use crate::{
    history::query::Day,
    model::{Bytes, Count, Timestamp},
};

use super::{
    chart::{Bar, bars},
    text::{Tone, badge, counted},
};

/// So many days have a bar.
const DAYS_MAX: u64 = 60;

/// A chart of the last days, and the same as a table.
pub(in crate::page) fn traffic(days: &[Day], now: Timestamp) -> Markup {
    let (sent, received) =
        days.iter().fold((0, 0), |(up, down), day| (up + day.sent, down + day.received));
    let everything = days.iter().fold(0_u64, |all, day| all.saturating_add(day.everything));
    html! {
        section aria-labelledby="traffic" {
            h2 #traffic { "What travelled" }
            @if days.is_empty() { p.muted { "Nothing ran yet." } }
            @else {
                p {
                    "In all " strong { (Bytes(sent).to_string()) } " up and " strong { (Bytes(received).to_string()) } " down, in "
                    (counted(days.iter().map(|day| day.runs).sum(), "run", "runs")) " on "
                    (counted(days.len() as u64, "day", "days")) ". Everything each time would have been about "
                    strong { (Bytes(everything).to_string()) } "."
                }
                (figure(days, now))
                (table(days))
            }
        }
    }
}

fn figure(days: &[Day], now: Timestamp) -> Markup {
    let last: Vec<(String, Option<&Day>)> = calendar(days, now);
    let most = last.iter().filter_map(|(_, day)| *day).map(|day| day.sent.max(day.received)).max();
    let each: Vec<Bar> = last
        .iter()
        .map(|(_, day)| Bar {
            up: day.map_or(0, |day| day.sent),
            down: day.map_or(0, |day| day.received),
            failed: day.is_some_and(|day| day.failed > 0),
        })
        .collect();
    let failed = each.iter().filter(|bar| bar.failed).count() as u64;
    let label = format!(
        "Bytes of each of the last {}: up above the line, down below it; the table has the numbers",
        counted(last.len() as u64, "day", "days")
    );
    html! {
        figure {
            figcaption.legend {
                span { span.key.up aria-hidden="true" {} " up, to MISP" }
                span { span.key.down aria-hidden="true" {} " down" }
                @if failed > 0 { span { span.failed-sign aria-hidden="true" { "▲" } " a run failed, on " (counted(failed, "day", "days")) } }
                span.muted { "the longest bar is " (Bytes(most.unwrap_or(0)).to_string()) }
            }
            (bars(&each, &label))
            p.ends.muted aria-hidden="true" {
                span { (last.first().map_or("", |(date, _)| date)) } span { (last.last().map_or("", |(date, _)| date)) }
            }
        }
    }
}

/// The last days up to now, or to the last on which something ran, those without a run included.
fn calendar(days: &[Day], now: Timestamp) -> Vec<(String, Option<&Day>)> {
    let last = days.last().map_or_else(|| now.day(), |day| day.date.clone().max(now.day()));
    let noon = Timestamp::parse(&format!("{last}T12:00:00Z")).unwrap_or(now);
    let mut dates: Vec<String> =
        (0..DAYS_MAX).map(|back| noon.plus_seconds(-86_400 * back.cast_signed()).day()).collect();
    dates.reverse();
    dates
        .into_iter()
        .map(|date| {
            let found = days.iter().find(|day| day.date == date);
            (date, found)
        })
        .collect()
}

/// Days on which only quiet runs were fold into one row.
fn table(days: &[Day]) -> Markup {
    html! {
        details {
            summary { "The same in numbers" }
            div.scroll tabindex="0" role="region" aria-label="Bytes by day" {
                table {
                    thead { tr {
                        th scope="col" { "Day" } th.number scope="col" { "Runs" } th.number scope="col" { "Quiet" }
                        th.number scope="col" { "Failed" } th.number scope="col" { "Up" } th.number scope="col" { "Down" }
                        th.number scope="col" { "Everything" }
                    } }
                    tbody { @for days in folded(days).iter().rev() { (row(days)) } }
                }
            }
        }
    }
}

fn row(days: &[&Day]) -> Markup {
    let sum = |of: fn(&Day) -> u64| days.iter().map(|day| of(day)).sum::<u64>();
    let failed = sum(|day| day.failed);
    html! {
        tr {
            th scope="row" {
                @match days {
                    [first, .., last] => { (first.date) " to " (last.date) }
                    [day] => { (day.date) }
                    [] => {}
                }
            }
            td.number { (Count(sum(|day| day.runs)).to_string()) }
            td.number { (Count(sum(|day| day.quiet)).to_string()) }
            td.number { @if failed > 0 { (badge(Tone::Bad, &Count(failed).to_string())) } @else { "0" } }
            td.number { (Bytes(sum(|day| day.sent)).to_string()) }
            td.number { (Bytes(sum(|day| day.received)).to_string()) }
            td.number { (Bytes(sum(|day| day.everything)).to_string()) }
        }
    }
}

/// Days in a row on which nothing happened stand together.
fn folded(days: &[Day]) -> Vec<Vec<&Day>> {
    let is_quiet = |day: &Day| day.quiet == day.runs && day.sent == 0 && day.received == 0;
    let mut rows = Vec::<Vec<&Day>>::new();
    for day in days {
        match rows.last_mut() {
            Some(row) if is_quiet(day) && row.iter().all(|it| is_quiet(it)) => row.push(day),
            _ => rows.push(vec![day]),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, quiet: u64, sent: u64) -> Day {
        Day {
            date: date.to_owned(),
            runs: 2,
            quiet,
            failed: 0,
            sent,
            received: sent,
            everything: sent,
        }
    }

    #[test]
    fn quiet_days_in_a_row_stand_together() {
        let days = [day("a", 1, 5), day("b", 2, 0), day("c", 2, 0), day("d", 1, 5), day("e", 2, 0)];
        let rows: Vec<usize> = folded(&days).iter().map(Vec::len).collect();
        assert_eq!(rows, [1, 2, 1, 1]);
    }

    #[test]
    fn each_day_of_the_calendar_has_a_place_up_to_today() {
        let days = [day("2024-02-28", 0, 5), day("2024-03-01", 0, 5)];
        let now = Timestamp::parse("2024-03-02T01:00:00Z").unwrap();
        let shown: Vec<(String, bool)> =
            calendar(&days, now).into_iter().map(|(date, day)| (date, day.is_some())).collect();
        let wanted = [
            ("2024-02-28", true),
            ("2024-02-29", false),
            ("2024-03-01", true),
            ("2024-03-02", false),
        ];
        assert_eq!(shown.len() as u64, DAYS_MAX);
        assert_eq!(shown[56..], wanted.map(|(date, there)| (date.to_owned(), there)));
    }
}
