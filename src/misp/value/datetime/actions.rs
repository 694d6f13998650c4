//! What each format says, taken from the token field by field in the order in which they stand.

use super::{
    Moment, Reader, Time, Zone,
    words::{UNITS, Unit, WEEKDAYS},
};

pub(super) fn noon(moment: &mut Moment, _: &mut Reader<'_>) -> Option<()> {
    moment.clear_time();
    moment.set_time(Time { hour: 12, ..Time::default() })
}

pub(super) fn epoch(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    moment.clear_time();
    moment.has_date = false;
    (moment.year, moment.month, moment.day) = (Some(1970), Some(1), Some(1));
    let seconds = reader.signed(24)?;
    moment.shift.seconds = moment.shift.seconds.checked_add(seconds)?;
    if reader.peek() == b'.' {
        let negative = reader.is_negative();
        let micros = reader.micros();
        moment.shift.micros = if negative { -micros } else { micros };
    }
    moment.set_zone(Zone::Fixed(0))
}

pub(super) fn time12(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let mut time = Time { hour: reader.number(2)?, ..Time::default() };
    if matches!(reader.peek(), b':' | b'.') {
        time.minute = reader.number(2)?;
        if matches!(reader.peek(), b':' | b'.') {
            time.second = reader.number(2)?;
        }
    }
    time.hour += reader.meridian(time.hour);
    moment.set_time(time)
}

pub(super) fn mssql_time(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (hour, minute, second) = (reader.number(2)?, reader.number(2)?, reader.number(2)?);
    let micros = reader.micros();
    let hour = hour + reader.meridian(hour);
    moment.set_time(Time { hour, minute, second, micros })
}

pub(super) fn time24(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let time = reader.time()?;
    moment.set_time(time)
}

pub(super) fn bare_time(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    match moment.times {
        0 => {
            let (hour, minute) = (reader.number(2)?, reader.number(2)?);
            moment.set_time(Time { hour, minute, ..Time::default() })
        }
        1 => {
            moment.times = 2;
            moment.year = Some(reader.number(4)?);
            Some(())
        }
        _ => None,
    }
}

pub(super) fn bare_time_with_seconds(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (hour, minute, second) = (reader.number(2)?, reader.number(2)?, reader.number(2)?);
    moment.set_time(Time { hour, minute, second, micros: 0 })
}

pub(super) fn american(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (month, day) = (reader.number(2)?, reader.number(2)?);
    let year = reader.year();
    moment.set_date(year, month, day)
}

pub(super) fn signed_date(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let year = reader.signed(19)?;
    moment.set_date(Some(year), reader.number(2)?, reader.number(2)?)
}

pub(super) fn date(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let year = reader.year()?;
    moment.set_date(Some(year), reader.number(2)?, reader.number(2)?)
}

pub(super) fn bare_date(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let year = reader.number(4)?;
    moment.set_date(Some(year), reader.number(2)?, reader.number(2)?)
}

pub(super) fn year_and_month(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let year = reader.year()?;
    moment.set_date(Some(year), reader.number(2)?, 1)
}

pub(super) fn day_month_year(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (day, month) = (reader.number(2)?, reader.number(2)?);
    moment.set_date(Some(reader.year()?), month, day)
}

pub(super) fn day_name(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let day = reader.number(2)?;
    reader.skip_day_suffix();
    moment.set_date(None, reader.month()?, day)
}

pub(super) fn day_name_year(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let day = reader.number(2)?;
    reader.skip_day_suffix();
    let month = reader.month()?;
    moment.set_date(Some(reader.year()?), month, day)
}

pub(super) fn name_year(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let month = reader.month()?;
    moment.set_date(Some(reader.year()?), month, 1)
}

pub(super) fn year_name(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let year = reader.year()?;
    moment.set_date(Some(year), reader.month()?, 1)
}

pub(super) fn name_day_year(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (month, day) = (reader.month()?, reader.number(2)?);
    let year = reader.year();
    moment.set_date(year, month, day)
}

pub(super) fn year_name_day(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (year, month) = (reader.year()?, reader.month()?);
    moment.set_date(Some(year), month, reader.number(2)?)
}

pub(super) fn date_time(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    bare_date(moment, reader)?;
    let (hour, minute, second) = (reader.number(2)?, reader.number(2)?, reader.number(2)?);
    let micros = if reader.peek() == b'.' { reader.micros() } else { 0 };
    moment.set_time(Time { hour, minute, second, micros })?;
    if reader.rest().is_empty() { Some(()) } else { moment.set_zone_silently(reader.rest()) }
}

pub(super) fn day_of_year(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let year = reader.year()?;
    moment.set_date(Some(year), 1, reader.number(3)?)
}

pub(super) fn iso_week_day(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    moment.set_week(reader.number(4)?, reader.number(2)?, reader.number(1)?)
}

pub(super) fn iso_week(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    moment.set_week(reader.number(4)?, reader.number(2)?, 1)
}

pub(super) fn common_log(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (day, month, year) = (reader.number(2)?, reader.month()?, reader.number(4)?);
    moment.set_date(Some(year), month, day)?;
    let (hour, minute, second) = (reader.number(2)?, reader.number(2)?, reader.number(2)?);
    moment.set_time(Time { hour, minute, second, micros: 0 })?;
    moment.set_zone_silently(reader.rest())
}

pub(super) fn weekday(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let name = reader.word();
    moment.clear_time();
    moment.weekday =
        WEEKDAYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, day)| day);
    Some(())
}

pub(super) fn zone(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    moment.set_zone(Zone::read(reader.rest())?)
}

pub(super) fn name_day_time(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (month, day) = (reader.month()?, reader.number(2)?);
    moment.set_date(None, month, day)?;
    time24(moment, reader)
}

pub(super) fn name_day_time12(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let (month, day) = (reader.month()?, reader.number(2)?);
    moment.set_date(None, month, day)?;
    time12(moment, reader)
}

pub(super) fn relative(moment: &mut Moment, reader: &mut Reader<'_>) -> Option<()> {
    let amount = reader.signed(24)?;
    let name = reader.word();
    let (_, unit) = UNITS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let (field, each) = match *unit {
        Unit::Seconds(each) => (&mut moment.shift.seconds, each),
        Unit::Days(each) => (&mut moment.shift.days, each),
        Unit::Months(each) => (&mut moment.shift.months, each),
    };
    *field = field.checked_add(amount.checked_mul(each)?)?;
    Some(())
}
