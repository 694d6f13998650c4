//! A TAXII 2.1 server in memory, with a clock that is moved by hand and whatever real ones do: pages that are handed out
//! once, one stamp for many objects, objects that are seen long after their stamp. It looks at each request, and says
//! which is none that all servers take.

mod answer;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use misp_trickle::model::Timestamp;
use serde_json::Value;

/// Where the API root is.
pub const ROOT: &str = "/api1/";
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
            version: answer::ACCEPT,
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
                thread::spawn(move || answer::serve(client, &state));
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
