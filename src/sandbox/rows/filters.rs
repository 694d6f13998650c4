//! The filters of restSearch: which parameters count, and how MISP reads them.

use std::net::Ipv6Addr;

use serde_json::Value as Data;

use crate::{
    misp::collation_key,
    sandbox::{
        Call,
        http::{
            php::{self, Fields},
            request,
        },
        output::views::Deleted,
        rows::{
            row::{AttributeRow, EventRow},
            seen,
            state::{State, halves},
        },
        setup::Release,
    },
};

/// The parameters of a search, from the body and from the path, which has the last word.
#[derive(Debug, Clone)]
pub(crate) struct Parameters(Fields);

impl Parameters {
    /// Reads them; nothing if a POST came without any.
    pub(crate) fn new(call: &Call<'_>, release: Release) -> Option<Self> {
        if call.method == "POST" && php::empty(&call.data) {
            return None;
        }
        let data = request::unwrapped(call.data.clone(), "request");
        let mut fields = if call.method == "POST" { request::fields(data) } else { Fields::new() };
        if release.is_later() {
            for (name, value) in &call.route.query {
                fields.entry(name.clone()).or_insert_with(|| Data::String(value.clone()));
            }
        }
        for (name, value) in &call.route.named {
            fields.insert(name.clone(), Data::String(value.replace(';', ":")));
        }
        for value in fields.values_mut() {
            if let Data::String(text) = value {
                let text = text.trim();
                *value = match text.find("||") {
                    Some(1..) => text.split("||").map(|part| Data::String(part.into())).collect(),
                    _ => Data::String(text.to_owned()),
                };
            }
        }
        Some(Self(fields))
    }

    /// Whether there are none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A parameter that is set and not false, which MISP takes for "no filter".
    pub(crate) fn get(&self, name: &str) -> Option<&Data> {
        php::isset(&self.0, name).filter(|value| **value != Data::Bool(false))
    }

    /// Whether a parameter is set to something that is not empty.
    pub(crate) fn flag(&self, name: &str) -> bool {
        php::truthy(&self.0, name)
    }

    /// A text, if the parameter is a scalar that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !php::empty(value)).and_then(php::text)
    }

    /// Alternatives and exclusions; nothing if the parameter is empty, for an empty list is no filter.
    pub(crate) fn wanted(&self, name: &str) -> Option<Wanted> {
        self.get(name).filter(|value| !php::empty(value)).map(Wanted::new)
    }

    /// Limit and page, counted from 1. The server's own limit cuts what is asked for, and stands in for it.
    pub(crate) fn paging(&self, of_server: Option<usize>) -> Option<(usize, usize)> {
        let count = |name| {
            let number = self.get(name).and_then(php::number)?;
            Some(number.max(0.0) as usize)
        };
        let asked = count("limit").filter(|limit| *limit > 0);
        let limit = match (asked, of_server) {
            (Some(asked), Some(of_server)) => asked.min(of_server),
            (asked, of_server) => asked.or(of_server)?,
        };
        Some((limit, count("page").unwrap_or(1).max(1)))
    }

    /// Whether an order by number is asked for, which this database does not keep by itself.
    pub(crate) fn is_ordered(&self) -> bool {
        let order = self.text("order").unwrap_or_default().to_ascii_lowercase();
        matches!(order.split_ascii_whitespace().next(), Some("attribute.id" | "id"))
    }

    /// Whether the rows are wanted by falling number; by rising number is how they come in any case.
    pub(crate) fn is_descending(&self) -> bool {
        let order = self.text("order").unwrap_or_default().to_ascii_lowercase();
        let mut words = order.split_ascii_whitespace();
        matches!(words.next(), Some("attribute.id" | "id")) && words.next() == Some("desc")
    }

    /// Which attributes attributes/restSearch shows as to their deletion. From some version on soft-deleted
    /// ones are for those who synchronise, unless `only` asks for them.
    pub(crate) fn deleted_attributes(&self, sync_only: bool) -> Deleted {
        let deleted = self.deleted().unwrap_or(Deleted::LIVE);
        let only =
            self.get("deleted").is_some_and(|given| texts(given).iter().any(|t| t == "only"));
        Deleted { soft: deleted.soft && (only || !sync_only), ..deleted }
    }

    /// Which attributes are meant as to their deletion: `0`, `1`, a list of them, or `only`.
    pub(crate) fn deleted(&self) -> Option<Deleted> {
        let texts = texts(self.get("deleted")?);
        let soft = |text: &String| matches!(text.as_str(), "1" | "only");
        let live = texts.iter().any(|text| !soft(text));
        Some(Deleted { live, soft: texts.iter().any(soft) })
    }

    /// A flag with which MISP compares a column; nothing if both values are asked for.
    pub(crate) fn column(&self, name: &str) -> Option<bool> {
        let given = self.get(name)?;
        let flags: Vec<bool> = match given {
            Data::Array(_) | Data::Object(_) => {
                php::elements(given).into_iter().map(|(_, one)| !php::empty(one)).collect()
            }
            one => vec![!php::empty(one)],
        };
        match flags[..] {
            [flag] => Some(flag),
            _ => None,
        }
    }

    /// A span of time in seconds since 1970: from a time on, or between two.
    pub(crate) fn span(&self, name: &str, now: i64) -> Option<(i64, i64)> {
        match self.get(name).filter(|value| !php::empty(value))? {
            list @ Data::Array(_) => {
                let times = php::elements(list).into_iter().map(|(_, time)| instant(time, now));
                let times: Vec<i64> = times.collect();
                let (first, last) = (times.iter().min()?, times.iter().max()?);
                Some((*first, *last))
            }
            one => Some((instant(one, now), i64::MAX)),
        }
    }
}

/// A number of seconds, a time before now such as `7d`, or a date.
fn instant(value: &Data, now: i64) -> i64 {
    let text = php::text(value).unwrap_or_default();
    if let Some(number) = php::numeric(&text) {
        return number as i64;
    }
    let unit = match text.chars().last() {
        Some('d') => 86_400,
        Some('h') => 3_600,
        Some('m') => 60,
        Some('s') => 1,
        _ => return seen::instant(&text).map_or(0, |micros| micros.div_euclid(1_000_000)),
    };
    let count: i64 = text[..text.len() - 1].parse().unwrap_or_default();
    now.saturating_sub(count.saturating_mul(unit))
}

/// What a filter lets through: one of the alternatives, if there are any, everything that is required, and
/// none of the exclusions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) any: Vec<String>,
    all: Vec<String>,
    none: Vec<String>,
}

impl Wanted {
    /// A text (parts joined by `&&`, exclusions begin with `!`), a list of such, or an object with
    /// `OR`, `AND` and `NOT`.
    fn new(value: &Data) -> Self {
        let mut wanted = Self::default();
        let operators = ["OR", "AND", "NOT"].map(|name| (name, php::member(value, name)));
        match value {
            Data::Object(_) if operators.iter().any(|(_, list)| list.is_some()) => {
                for (name, list) in operators {
                    let texts = list.map(texts).unwrap_or_default();
                    let list = match name {
                        "NOT" => &mut wanted.none,
                        "AND" => &mut wanted.all,
                        _ => &mut wanted.any,
                    };
                    list.extend(texts);
                }
            }
            _ => {
                let parts: Vec<String> = match value {
                    Data::String(text) => text.split("&&").map(str::to_owned).collect(),
                    other => texts(other),
                };
                wanted.add(parts);
            }
        }
        wanted
    }

    /// The same for events/index, whose texts are parted by `|`; nothing if there is none.
    pub(crate) fn of_index(value: &Data) -> Option<Self> {
        let mut wanted = Self::default();
        wanted.add(match value {
            Data::String(text) => text.split('|').map(str::to_owned).collect(),
            other => texts(other),
        });
        (wanted != Self::default()).then_some(wanted)
    }

    fn add(&mut self, parts: Vec<String>) {
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            match part.strip_prefix('!') {
                Some(part) => self.none.push(part.to_owned()),
                None => self.any.push(part),
            }
        }
    }

    /// Whether something passes of which `is` tells whether a text names it.
    pub(crate) fn passes(&self, is: impl Fn(&str) -> bool) -> bool {
        (self.any.is_empty() || self.any.iter().any(|text| is(text)))
            && self.all.iter().all(|text| is(text))
            && !self.none.iter().any(|text| is(text))
    }
}

fn texts(value: &Data) -> Vec<String> {
    match value {
        Data::Array(_) | Data::Object(_) => {
            php::elements(value).into_iter().filter_map(|(_, one)| php::text(one)).collect()
        }
        one => php::text(one).into_iter().collect(),
    }
}

/// Whether a text, number or UUID, names the event.
pub(crate) fn names_event(text: &str, event: &EventRow) -> bool {
    match text.parse::<u32>() {
        Ok(id) => event.id == id,
        Err(_) => event.uuid.to_string() == text,
    }
}

/// The filters that look at single attributes; both searches know them.
#[derive(Debug, Clone)]
pub(crate) struct OfAttributes {
    kind: Option<Wanted>,
    category: Option<Wanted>,
    value: Option<Wanted>,
    comment: Option<Wanted>,
    to_ids: Option<bool>,
}

impl OfAttributes {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        Self {
            kind: parameters.wanted("type"),
            category: parameters.wanted("category"),
            value: parameters.wanted("value").as_ref().map(Self::collated),
            comment: parameters.wanted("comment"),
            to_ids: parameters.column("to_ids"),
        }
    }

    /// Whether there is any.
    pub(crate) fn is_any(&self) -> bool {
        self.kind.is_some()
            || self.category.is_some()
            || self.value.is_some()
            || self.comment.is_some()
            || self.to_ids.is_some()
    }

    /// Texts in the form in which values are compared. One with a character of four bytes finds
    /// nothing, although such a character is stored as `?`.
    fn collated(wanted: &Wanted) -> Wanted {
        let key = |text: &String| {
            let wide = php::wide(text);
            let text = match text.parse::<Ipv6Addr>() {
                Ok(address) => address.to_string(),
                Err(_) => text.clone(),
            };
            if wide { "\u{10ffff}".to_owned() } else { collation_key(&text) }
        };
        Wanted {
            any: wanted.any.iter().map(key).collect(),
            all: wanted.all.iter().map(key).collect(),
            none: wanted.none.iter().map(key).collect(),
        }
    }

    pub(crate) fn pass(&self, row: &AttributeRow) -> bool {
        let named = |wanted: &Option<Wanted>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.passes(|text| like(text, name)))
        };
        named(&self.kind, row.kind.name())
            && named(&self.category, row.category.name())
            && named(&self.comment, &row.comment)
            && self.to_ids.is_none_or(|wanted| wanted == row.to_ids)
            && self.value.as_ref().is_none_or(|wanted| {
                let (first, second) = halves(row.kind, &row.value);
                let (first, second) = (collation_key(first), collation_key(second));
                wanted.passes(|text| like(text, &first) || like(text, &second))
            })
    }
}

/// Equality, or a search for a part where the text begins or ends with `%`.
fn like(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('%'), pattern.strip_suffix('%')) {
        (Some(_), Some(_)) => text.contains(pattern.trim_matches('%')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}

/// Whether a text, number or name (with its case), names one of these tags, exportable or not.
pub(crate) fn names_tag(
    state: &State,
    tags: &[crate::sandbox::rows::row::Attached],
    text: &str,
) -> bool {
    let number = text.parse::<u32>().ok();
    let mut known = tags.iter().filter_map(|attached| state.tag(attached.tag));
    known.any(|tag| number == Some(tag.id) || like(text, &tag.name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(value: &Data) -> (Vec<String>, Vec<String>) {
        let wanted = Wanted::new(value);
        (wanted.any, wanted.none)
    }

    #[test]
    fn forms_of_filters() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(wanted(&json!("a&&!b")), (texts(&["a"]), texts(&["b"])));
        assert_eq!(wanted(&json!([1, "!x", "y"])), (texts(&["1", "y"]), texts(&["x"])));
        assert_eq!(wanted(&json!({"OR": ["a"], "NOT": "b"})), (texts(&["a"]), texts(&["b"])));
    }

    #[test]
    fn times_before_now() {
        assert_eq!(instant(&json!("2d"), 1_000_000), 1_000_000 - 172_800);
        assert_eq!(instant(&json!("1970-01-02"), 0), 86_400);
        assert_eq!(instant(&json!(5), 0), 5);
    }

    #[test]
    fn parts_are_found_with_percent_signs() {
        assert!(like("%b%", "abc") && like("a%", "abc") && like("%c", "abc") && like("abc", "abc"));
        assert!(!like("b", "abc") && !like("b%", "abc") && !like("%b", "abc"));
    }
}
