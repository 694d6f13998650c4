//! A TAXII 2.1 server in memory, with a clock that is moved by hand and whatever real ones do: pages that are handed out
//! once, one stamp for many objects, objects that are seen long after their stamp. It looks at each request, and says
//! which is none that all servers take.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use misp_trickle::model::Timestamp;
use serde_json::{Value, json};

use crate::front::Message;

/// Where the API root is.
pub const ROOT: &str = "/api1/";
/// Stands before what stands for a page behind one without objects.
const GAP: &str = "behind a gap ";
const ACCEPT: &str = "application/taxii+json;version=2.1";
const PARAMETERS: [&str; 7] = [
    "added_after",
    "limit",
    "next",
    "match[id]",
    "match[type]",
    "match[version]",
    "match[spec_version]",
];

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// By a place in the order of stamps, which holds for ever.
    Place,
    /// By a list on the server, from which each request takes what it gets.
    Pops,
    /// It says that there is more, and not how to ask for it.
    Silent,
}

/// What a server does its own way.
#[derive(Debug, Clone)]
pub struct Ways {
    pub objects: Paging,
    pub manifest: Paging,
    /// Most objects on a page.
    pub page_max: usize,
    /// All of a request to add has one stamp.
    pub one_stamp: bool,
    /// Answers have `Date`, and the stamps of pages.
    pub has_date: bool,
    pub has_stamps: bool,
    /// Seconds that stamps are ahead of `Date`.
    pub stamps_ahead: i64,
    /// Each page says that the newest stamp of all is its last.
    pub newest_is_last: bool,
    /// Before each page but the first comes one without objects.
    pub has_gaps: bool,
    /// Manifests have versions in whole seconds.
    pub whole_seconds: bool,
    /// A collection that may not be read has nothing in it, and says 404.
    pub hides: bool,
    /// What `Authorization` has to be.
    pub authorization: Option<String>,
    pub version: &'static str,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            objects: Paging::Place,
            manifest: Paging::Place,
            page_max: 4,
            one_stamp: false,
            has_date: true,
            has_stamps: true,
            stamps_ahead: 0,
            newest_is_last: false,
            has_gaps: false,
            whole_seconds: false,
            hides: true,
            authorization: None,
            version: ACCEPT,
        }
    }
}

/// What becomes of an answer.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// It breaks off after so many bytes of its body.
    Cut(usize),
    /// This comes in its place, after it was made.
    Say(u16, &'static str, &'static str),
}

/// A version of an object.
#[derive(Debug, Clone)]
struct Row {
    id: String,
    version: Option<i64>,
    text: String,
    stamp: i64,
    /// When others see it.
    seen_from: i64,
    order: usize,
}

#[derive(Debug, Default)]
struct Held {
    id: String,
    is_hidden: bool,
    rows: Vec<Row>,
}

/// All that there is.
pub struct State {
    pub ways: Ways,
    now: i64,
    order: usize,
    collections: BTreeMap<String, Held>,
    lists: BTreeMap<String, VecDeque<Row>>,
    /// What stood for pages, and what of it was asked for.
    given: BTreeSet<String>,
    used: BTreeSet<String>,
    /// Which requests get which trouble: part of their target, how many get through before, how many have it.
    troubles: Vec<(String, usize, usize, Trouble)>,
    /// Targets of requests.
    pub asked: Vec<String>,
    /// Requests that not all servers take.
    pub wrong: Vec<String>,
}

/// The server; it listens as long as the process lives.
#[derive(Clone)]
pub struct Taxii {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

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

impl Taxii {
    /// Starts one with these collections: alias and id are made of their names.
    pub fn start(ways: Ways, collections: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = collections.iter().map(|name| {
            let held = Held { id: format!("id-of-{name}"), ..Held::default() };
            ((*name).to_owned(), held)
        });
        let state = State {
            ways,
            now: 1_796_000_000_000_000,
            order: 0,
            collections: held.collect(),
            lists: BTreeMap::new(),
            given: BTreeSet::new(),
            used: BTreeSet::new(),
            troubles: Vec::new(),
            asked: Vec::new(),
            wrong: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = shared.clone();
                thread::spawn(move || serve(client, &state));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}{ROOT}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn advance(&self, seconds: i64) {
        self.state().now += seconds * 1_000_000;
    }

    /// Adds objects, in one request, which others see after so many seconds.
    pub fn post(&self, collection: &str, objects: &[Value], late: i64) {
        let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
        self.post_texts(collection, &texts, late);
    }

    /// The same with objects that may be damaged, as they are.
    pub fn post_texts(&self, collection: &str, objects: &[String], late: i64) {
        let mut state = self.state();
        let seen_from = state.now + late * 1_000_000;
        for text in objects {
            if !state.ways.one_stamp {
                state.now += 1;
            }
            state.order += 1;
            let (stamp, order) = (state.now + state.ways.stamps_ahead * 1_000_000, state.order);
            let object: Value = serde_json::from_str(text).unwrap_or_default();
            let time = object["modified"].as_str().or(object["created"].as_str());
            let version = time.and_then(|time| Some(Timestamp::parse(time).ok()?.micros()));
            let id = object["id"].as_str().unwrap_or_default().to_owned();
            let seen_from = seen_from.max(state.now);
            let row = Row { id, version, text: text.clone(), stamp, seen_from, order };
            let rows = &mut state.collections.get_mut(collection).unwrap().rows;
            // The same version is known.
            let is_known =
                |it: &Row| !row.id.is_empty() && it.id == row.id && it.version == row.version;
            if !rows.iter().any(is_known) {
                rows.push(row);
            }
        }
        state.now += 1;
    }

    /// Puts other text in the place of an object, with the stamp that it has.
    pub fn mend(&self, collection: &str, old: &str, new: &Value) {
        for row in &mut self.state().collections.get_mut(collection).unwrap().rows {
            if row.text == old {
                row.text = new.to_string();
                row.id = new["id"].as_str().unwrap_or_default().to_owned();
                let time = new["modified"].as_str().and_then(|time| Timestamp::parse(time).ok());
                row.version = time.map(Timestamp::micros);
            }
        }
    }

    /// Removes an object, or only its newest version.
    pub fn delete(&self, collection: &str, id: &str, newest_alone: bool) {
        let mut state = self.state();
        let rows = &mut state.collections.get_mut(collection).unwrap().rows;
        let newest = rows.iter().filter(|row| row.id == id).map(|row| row.version).max();
        rows.retain(|row| row.id != id || newest_alone && Some(row.version) != newest);
    }

    /// Whether a collection may not be read.
    pub fn hide(&self, collection: &str, is_hidden: bool) {
        self.state().collections.get_mut(collection).unwrap().is_hidden = is_hidden;
    }

    /// Makes a collection anew: nothing is in it.
    pub fn recreate(&self, collection: &str) {
        let held = Held { id: format!("new-id-of-{collection}"), ..Held::default() };
        self.state().collections.insert(collection.to_owned(), held);
    }

    /// Has requests in whose target this stands come to grief, after some that do not.
    pub fn trouble(&self, target: &str, after: usize, times: usize, trouble: Trouble) {
        self.state().troubles.push((target.to_owned(), after, times, trouble));
    }

    pub fn clear(&self) {
        self.state().troubles.clear();
    }

    /// Ids of all objects.
    pub fn ids(&self, collection: &str) -> Vec<String> {
        let state = self.state();
        let rows = state.collections[collection].rows.iter();
        rows.map(|row| row.id.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Ids of what can be seen, in any collection.
    pub fn seen(&self) -> BTreeSet<String> {
        let state = self.state();
        let rows = state.collections.values().flat_map(|held| state.visible(held, None));
        rows.map(|row| row.id).collect()
    }

    /// A bundle of all that can be seen.
    pub fn whole(&self) -> String {
        let state = self.state();
        let rows = state.collections.values().flat_map(|held| state.visible(held, None));
        let texts: Vec<String> = rows.map(|row| row.text).collect();
        format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, texts.join(","))
    }

    /// Targets that were asked for since this was asked, below the API root.
    pub fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut self.state().asked);
        asked.iter().map(|target| target.replacen(ROOT, "", 1)).collect()
    }
}

impl State {
    /// The newest version of each object that can be seen, in the order of stamps, behind one.
    fn visible(&self, held: &Held, added_after: Option<i64>) -> Vec<Row> {
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

fn serve(mut client: TcpStream, state: &Mutex<State>) {
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
