//! The part of an address behind the question mark, and what the public API makes of it: filters, order, pages.

use serde_json::{Map, Value, json};

use crate::{model::Timestamp, sandbox::Reply};

use super::{
    answer::{Refusal, json_of},
    intel::Times,
    setup::Setup,
};

/// Items of a page where nobody says how many.
const PAGE: usize = 100;

/// One row as a list looks at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'p, T> {
    pub(super) id: &'p str,
    pub(super) times: Times,
    pub(super) row: &'p T,
}

/// Which items of a list are asked for, and how.
#[derive(Debug, Clone)]
pub(super) struct Query {
    limit: usize,
    offset: usize,
    /// Names of fields, and whether the largest comes first.
    sort: Vec<(Field, bool)>,
    attributes: Option<Vec<String>>,
    updated_after: Option<Timestamp>,
    /// The other filters by name, with the values of which one is wanted.
    pub(super) filters: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Id,
    Created,
    Updated,
}

impl Query {
    pub(super) fn parse(query: &str, setup: &Setup) -> Result<Self, Refusal> {
        let mut found = Self {
            limit: PAGE,
            offset: 0,
            sort: Vec::new(),
            attributes: None,
            updated_after: None,
            filters: Vec::new(),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            match &*name {
                "limit" => found.limit = number(&name, &value)?.min(setup.page_cap),
                "offset" => found.offset = number(&name, &value)?,
                "sort" => found.sort = value.split(',').map(field).collect::<Result<_, _>>()?,
                "attributes" => {
                    found.attributes = Some(value.split(',').map(str::to_owned).collect());
                }
                "filter[>last_updated_at]" => found.updated_after = Some(moment(&value)?),
                _ => match name.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')) {
                    Some(filter) => found.filter(filter, value),
                    None => return Err(Refusal::NotHere(format!("the parameter {name}"))),
                },
            }
        }
        if found.offset.saturating_add(found.limit) > setup.window {
            let detail = format!("offset and limit are more than {} together", setup.window);
            return Err(Refusal::Error(400, detail));
        }
        Ok(found)
    }

    fn filter(&mut self, name: &str, value: String) {
        match self.filters.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value),
            None => self.filters.push((name.to_owned(), vec![value])),
        }
    }

    /// The page of those rows that the filters let through. `keeps` says of a row what a filter by other things
    /// than time does; nothing if there is no such filter.
    pub(super) fn page<'p, T: 'p>(
        &self,
        rows: impl Iterator<Item = Row<'p, T>>,
        keeps: impl Fn(&str, &[String], &Row<'p, T>) -> Option<bool>,
        show: impl Fn(&Row<'p, T>) -> Value,
    ) -> Result<Reply, Refusal> {
        let mut found = Vec::new();
        'rows: for row in rows {
            for (name, values) in &self.filters {
                let unknown = || Refusal::NotHere(format!("filter[{name}] on this list"));
                if !keeps(name, values, &row).ok_or_else(unknown)? {
                    continue 'rows;
                }
            }
            if self.updated_after.is_none_or(|after| row.times.updated > after) {
                found.push(row);
            }
        }
        found.sort_by(|a, b| {
            let mut order = self.sort.iter().map(|(field, is_falling)| {
                let order = match field {
                    Field::Id => (a.id.len(), a.id).cmp(&(b.id.len(), b.id)),
                    Field::Created => a.times.created.cmp(&b.times.created),
                    Field::Updated => a.times.updated.cmp(&b.times.updated),
                };
                if *is_falling { order.reverse() } else { order }
            });
            order.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        let total = found.len();
        let page = found.iter().skip(self.offset).take(self.limit);
        let data: Vec<Value> = page.map(|row| self.shortened(show(row))).collect();
        Ok(json_of(&json!({
            "count": data.len(),
            "data": data,
            "limit": self.limit,
            "offset": self.offset,
            "total_count": total,
        })))
    }

    /// Only the attributes that are asked for.
    fn shortened(&self, whole: Value) -> Value {
        let Some(attributes) = &self.attributes else { return whole };
        let mut short = Value::Object(Map::new());
        for attribute in attributes {
            let names: Vec<&str> = attribute.split('.').collect();
            let found = names.iter().try_fold(&whole, |value, name| value.get(name));
            if let Some(found) = found {
                let place = names.iter().fold(&mut short, |value, name| &mut value[*name]);
                *place = found.clone();
            }
        }
        short
    }
}

fn field(text: &str) -> Result<(Field, bool), Refusal> {
    let (name, is_falling) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let field = match name {
        "id" => Field::Id,
        "created_at" => Field::Created,
        "last_updated_at" => Field::Updated,
        _ => return Err(Refusal::NotHere(format!("an order by {name:?}"))),
    };
    Ok((field, is_falling))
}

fn number(name: &str, text: &str) -> Result<usize, Refusal> {
    text.parse().map_err(|_| Refusal::Error(400, format!("{name} is no number: {text:?}")))
}

fn moment(text: &str) -> Result<Timestamp, Refusal> {
    Timestamp::parse(text).map_err(|error| Refusal::Error(400, format!("last_updated_at: {error}")))
}

/// Without `%41` and `+`.
fn decoded(text: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => {
                let digit =
                    |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err(Refusal::Error(400, format!("{text:?} is not encoded")));
                };
                rest = after;
                high << 4 | low
            }
            _ => *first,
        });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
