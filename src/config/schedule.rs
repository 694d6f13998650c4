//! `[schedule]`: when runs begin.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    model::Words,
    schedule::{At as TimeOfDay, Cron, Schedule, Timing, Weekday, Zone},
};

use super::{
    ScheduleSettings, parse_duration,
    reader::{At, Section},
};

/// What `every` says where runs begin only when somebody asks.
const NONE: &str = "none";

/// Reads a schedule; what it leaves out is taken from another.
pub(super) fn read_schedule(
    section: Option<Section<'_, '_>>,
    defaults: &ScheduleSettings,
) -> ScheduleSettings {
    let Some(mut section) = section else { return defaults.clone() };
    let when = Schedule {
        timing: read_timing(&mut section).unwrap_or_else(|| defaults.when.timing.clone()),
        zone: read_zone(&mut section).unwrap_or_else(|| defaults.when.zone.clone()),
        jitter: read_jitter(&mut section).unwrap_or(defaults.when.jitter),
    };
    let deadline = section.duration_or_never("deadline", defaults.deadline);
    let first_run = match section.item("first_run") {
        None => defaults.first_run,
        Some(_) => section.choice("first_run"),
    };
    section.finish();
    ScheduleSettings { when, deadline, first_run }
}

/// `None` where nothing is said, or something wrong.
fn read_timing(section: &mut Section<'_, '_>) -> Option<Timing> {
    let [every, at, cron] = ["every", "at", "cron"].map(|key| section.text(key));
    let said: Vec<&At<&str>> = [&every, &at, &cron].into_iter().flatten().collect();
    if let [first, rest @ ..] = &said[..] {
        for other in rest {
            let what = format!("says when, and so does {}", first.key);
            section.reader().wrong(other, what, "keep one of the two");
        }
    }
    let on = read_days(section, at.is_some());
    match (every, at, cron) {
        (Some(every), None, None) => read_every(section, &every),
        (None, Some(at), None) => read_at(section, &at, on),
        (None, None, Some(cron)) => read_cron(section, &cron),
        _ => None,
    }
}

fn read_every(section: &Section<'_, '_>, every: &At<&str>) -> Option<Timing> {
    let wrong = match parse_duration(every.value) {
        _ if every.value == NONE => return Some(Timing::OnRequest),
        Ok(span) if !span.is_zero() => return Some(Timing::Every(span)),
        Ok(_) => "is no time at all".to_owned(),
        Err(what) => what,
    };
    let cure = "write whole numbers with d, h, m or s, at least \"1s\", or \"none\" for runs on request alone";
    section.reader().wrong(every, wrong, cure);
    None
}

fn read_at(section: &Section<'_, '_>, at: &At<&str>, on: BTreeSet<Weekday>) -> Option<Timing> {
    let time = TimeOfDay::new(at.value, on);
    if time.is_none() {
        let what = format!("{:?} is no time of the day", at.value);
        section.reader().wrong(at, what, "write hours and minutes of 24 hours, such as \"02:30\"");
    }
    time.map(Timing::At)
}

/// The days that are named, none for all.
fn read_days(section: &mut Section<'_, '_>, has_time: bool) -> BTreeSet<Weekday> {
    let Some(at) = section.item("on") else { return BTreeSet::new() };
    let days = section.texts("on").unwrap_or_default();
    let reader = section.reader();
    if !has_time {
        let cure =
            "write the time of the day as at = \"02:30\"; a cron expression has a field for days";
        reader.wrong(&at, "has no meaning without `at`".to_owned(), cure);
    } else if at.value.as_array().is_some_and(|days| days.is_empty()) {
        let cure = "remove it for all days, or name some, such as [\"mon\", \"fri\"]";
        reader.wrong(&at, "names no day".to_owned(), cure);
    }
    days.iter().filter_map(|day| section.word(day, Weekday::WORDS)).collect()
}

fn read_cron(section: &Section<'_, '_>, cron: &At<&str>) -> Option<Timing> {
    match Cron::parse(cron.value) {
        Ok(expression) => Some(Timing::Cron(expression)),
        Err(error) => {
            let cure = "write five fields, such as \"30 2 * * mon-fri\" for 02:30 on working days";
            section.reader().wrong(cron, error.to_string(), cure);
            None
        }
    }
}

fn read_zone(section: &mut Section<'_, '_>) -> Option<Zone> {
    let name = section.text("timezone")?;
    let zone = Zone::named(name.value);
    if zone.is_none() {
        let what = format!("{:?} is no time zone of the IANA database", name.value);
        section.reader().wrong(&name, what, "write a name such as \"Europe/Berlin\", or \"UTC\"");
    }
    zone
}

fn read_jitter(section: &mut Section<'_, '_>) -> Option<Duration> {
    let jitter = section.text("jitter")?;
    let span = parse_duration(jitter.value);
    span.map_err(|what| {
        let cure = "write whole numbers with d, h, m or s, or \"0s\" for none";
        section.reader().wrong(&jitter, what, cure);
    })
    .ok()
}
