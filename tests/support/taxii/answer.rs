//! What the server answers.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Write,
    net::TcpStream,
    sync::Mutex,
};

use misp_trickle::model::Timestamp;
use serde_json::{Value, json};

use super::{Held, Paging, ROOT, Row, State, Trouble};
use crate::front::Message;

/// Stands before what stands for a page behind one without objects.
const GAP: &str = "behind a gap ";
pub(super) const ACCEPT: &str = "application/taxii+json;version=2.1";
const PARAMETERS: [&str; 7] = [
    "added_after",
    "limit",
    "next",
    "match[id]",
    "match[type]",
    "match[version]",
    "match[spec_version]",
];

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    cut: Option<usize>,
}

impl Reply {
    fn of(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string(), cut: None }
    }

    fn error(status: u16, title: &str) -> Self {
        Self::of(status, &json!({"title": title, "http_status": status.to_string()}))
    }
}

impl State {
    /// The newest version of each object that can be seen, in the order of stamps, behind one.
    pub(super) fn visible(&self, held: &Held, added_after: Option<i64>) -> Vec<Row> {
        let seen = || held.rows.iter().filter(|row| row.seen_from <= self.now);
        let mut newest: BTreeMap<&str, Option<i64>> = BTreeMap::new();
        for row in seen() {
            let known = newest.entry(&row.id).or_insert(row.version);
            *known = (*known).max(row.version);
        }
        let is_listed = |row: &&Row| {
            let is_behind = added_after.is_none_or(|after| row.stamp > after);
            is_behind && (row.id.is_empty() || newest[&*row.id] == row.version)
        };
        let mut rows: Vec<Row> = seen().filter(is_listed).cloned().collect();
        rows.sort_by_key(|row| (row.stamp, row.order));
        rows
    }

    fn answer(&mut self, request: &Message) -> Reply {
        let target = request.target().to_owned();
        self.asked.push(target.clone());
        let mut reply = self.route(request, &target);
        if self.ways.has_date {
            let date = jiff::Timestamp::from_microsecond(self.now).unwrap();
            let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            reply.headers.push(("Date".to_owned(), date));
        }
        let due = self.troubles.iter_mut().find(|(part, ..)| target.contains(&**part));
        if let Some((_, after, times, trouble)) = due {
            if *after > 0 {
                *after -= 1;
            } else if *times > 0 {
                *times -= 1;
                match trouble {
                    Trouble::Cut(bytes) => reply.cut = Some(*bytes),
                    Trouble::Say(status, header, body) => {
                        reply = Reply { status: *status, body: (*body).to_owned(), ..reply };
                        reply.headers.extend(
                            header
                                .split_once(": ")
                                .map(|(name, it)| (name.to_owned(), it.to_owned())),
                        );
                    }
                }
            }
        }
        self.troubles.retain(|(_, _, times, _)| *times > 0);
        reply
    }

    fn route(&mut self, request: &Message, target: &str) -> Reply {
        if request.header("accept") != Some(ACCEPT) {
            return Reply::error(406, "Not Acceptable");
        }
        if self.ways.authorization.as_deref() != request.header("authorization") {
            return Reply::error(401, "Unauthorized");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !path.ends_with('/') {
            self.wrong.push(format!("no slash: {target}"));
            return Reply::error(404, "Not Found");
        }
        let parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match *parts {
            ["taxii2"] => {
                Reply::of(200, &json!({"title": "Discovery", "default": ROOT, "api_roots": [ROOT]}))
            }
            ["api1"] => Reply::of(
                200,
                &json!({"title": "Root", "versions": [self.ways.version],
                "max_content_length": 1000}),
            ),
            ["api1", "collections"] => {
                let all = self.collections.iter().map(|(name, held)| document(name, held));
                Reply::of(200, &json!({"collections": all.collect::<Vec<_>>()}))
            }
            ["api1", "collections", name] => match self.held(name) {
                Some((name, held)) => Reply::of(200, &document(name, held)),
                None => Reply::error(404, "no such collection"),
            },
            ["api1", "collections", name, ref rest @ ..] => {
                let Some((name, held)) = self.held(name) else {
                    return Reply::error(404, "no such collection");
                };
                if held.is_hidden {
                    return Reply::error(
                        if self.ways.hides { 404 } else { 403 },
                        "may not be read",
                    );
                }
                let name = name.to_owned();
                self.list(&name, rest, target, query)
            }
            _ => Reply::error(404, "Not Found"),
        }
    }

    fn held(&self, name: &str) -> Option<(&str, &Held)> {
        let found = self.collections.iter().find(|(alias, held)| *alias == name || held.id == name);
        found.map(|(name, held)| (&**name, held))
    }

    fn list(&mut self, name: &str, rest: &[&str], target: &str, query: &str) -> Reply {
        let parameters: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let is_known = |name: &String| PARAMETERS.contains(&name.as_str());
        let limit = parameters.get("limit").and_then(|limit| limit.parse().ok());
        let after = parameters.get("added_after");
        let has_six = |text: &&String| text.len() == "2026-11-30T00:00:00.000000Z".len();
        if !parameters.keys().all(is_known)
            || limit.is_none()
            || after.is_some_and(|it| !has_six(&it))
        {
            self.wrong.push(target.to_owned());
            return Reply::error(400, "Bad Request");
        }
        let limit = usize::min(limit.unwrap(), self.ways.page_max);
        let after = after.map(|text| Timestamp::parse(text).unwrap().micros());
        let next = parameters.get("next");
        let next = match next.filter(|_| self.ways.has_gaps) {
            Some(behind) => match behind.strip_prefix(GAP) {
                Some(next) => Some(next.to_owned()),
                None => {
                    let next = format!("{GAP}{behind}");
                    return Reply::of(200, &json!({"more": true, "next": next}));
                }
            },
            None => next.cloned(),
        };
        let next = next.as_ref();
        match rest {
            ["objects"] => self.page(name, (after, next, limit), self.ways.objects, false),
            ["manifest"] => self.page(name, (after, next, limit), self.ways.manifest, true),
            ["objects", id] => {
                let rows = self.visible(&self.collections[name], None);
                match rows.iter().find(|row| row.id == *id) {
                    Some(row) => self.envelope(std::slice::from_ref(row), false, None, false),
                    None => Reply::error(404, "no such object"),
                }
            }
            _ => Reply::error(404, "Not Found"),
        }
    }

    fn page(
        &mut self,
        name: &str,
        (after, next, limit): (Option<i64>, Option<&String>, usize),
        paging: Paging,
        is_manifest: bool,
    ) -> Reply {
        if let Some(next) = next.filter(|_| paging != Paging::Pops)
            && self.given.contains(next)
            && !self.used.insert(next.clone())
        {
            self.wrong.push(format!("asked twice: {next}"));
        }
        let mut rows: VecDeque<Row> = match (paging, next) {
            (Paging::Pops, Some(next)) => match self.lists.remove(next) {
                Some(rows) => rows,
                None => return Reply::error(400, "no such list"),
            },
            (Paging::Place, Some(next)) => {
                let Some((stamp, order)) = next.trim_matches('=').split_once('+') else {
                    return Reply::error(400, "no such place");
                };
                let place: (i64, usize) = (stamp.parse().unwrap(), order.parse().unwrap());
                let rows = self.visible(&self.collections[name], after).into_iter();
                rows.filter(|row| (row.stamp, row.order) > place).collect()
            }
            _ => self.visible(&self.collections[name], after).into(),
        };
        let rest = rows.split_off(limit.min(rows.len()));
        let page: Vec<Row> = rows.into();
        let more = !rest.is_empty();
        let next = match paging {
            _ if !more => None,
            Paging::Silent => None,
            Paging::Place => page.last().map(|row| format!("{}+{}==", row.stamp, row.order)),
            Paging::Pops => {
                // One name for all pages.
                let token = next.cloned().unwrap_or_else(|| format!("list/{}", self.asked.len()));
                self.lists.insert(token.clone(), rest);
                Some(token)
            }
        };
        if let Some(next) = next.as_ref().filter(|_| paging == Paging::Place) {
            // Another reading may come to the same place.
            self.used.remove(next);
            self.given.insert(next.clone());
        }
        self.envelope(&page, more, next, is_manifest)
    }

    fn envelope(&self, rows: &[Row], more: bool, next: Option<String>, is_manifest: bool) -> Reply {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Reply::of(200, &json!({}));
        };
        let version = |row: &Row| {
            let version = row.version.unwrap_or(row.stamp);
            let finer = if self.ways.whole_seconds { version.rem_euclid(1_000_000) } else { 0 };
            version - finer
        };
        let texts = rows.iter().map(|row| match is_manifest {
            false => row.text.clone(),
            true => json!({"id": row.id, "date_added": time(row.stamp),
                "version": time(version(row)),
                "media_type": "application/stix+json;version=2.1"})
            .to_string(),
        });
        let next = next.map(|next| format!(r#","next":{}"#, json!(next))).unwrap_or_default();
        let objects = texts.collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"more":{more}{next},"objects":[{objects}]}}"#);
        let mut headers = vec![("Content-Type".to_owned(), ACCEPT.to_owned())];
        if self.ways.has_stamps {
            headers.push(("X-TAXII-Date-Added-First".to_owned(), time(first.stamp)));
            let stamps = self.collections.values().flat_map(|held| &held.rows).map(|row| row.stamp);
            let newest = stamps.max().filter(|_| self.ways.newest_is_last);
            let last = newest.unwrap_or(last.stamp);
            headers.push(("X-TAXII-Date-Added-Last".to_owned(), time(last)));
        }
        Reply { status: 200, headers, body, cut: None }
    }
}

fn document(name: &str, held: &Held) -> Value {
    json!({"id": held.id, "alias": name, "title": format!("Title of {name}"),
        "can_read": !held.is_hidden, "can_write": true})
}

fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .unwrap()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |it: &u8| char::from(*it).to_digit(16).unwrap() as u8;
                bytes.push(digit(high) * 16 + digit(low));
                rest = tail;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn serve(mut client: TcpStream, state: &Mutex<State>) {
    while let Some(request) = Message::read(&mut client) {
        let Reply { status, headers, body, cut } = state.lock().unwrap().answer(&request);
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} X\r\n{lines}content-length: {}\r\n\r\n", body.len());
        let bytes = [head.as_bytes(), body.as_bytes()].concat();
        let end = cut.map_or(bytes.len(), |cut| bytes.len().min(head.len() + cut));
        if client.write_all(&bytes[..end]).and_then(|()| client.flush()).is_err()
            || end < bytes.len()
        {
            return;
        }
    }
}
