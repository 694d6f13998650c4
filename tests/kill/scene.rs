//! A MISP, a dataset that changes, an analyst, and the place where the program runs and is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, atomic::Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use misp_trickle::{
    history::Ledger,
    model::{DestinationName, EventUuid},
    sandbox::{Keys, Misp, Request, serve},
    store::{OpenError, OpenMode, Store},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};
use uuid::Uuid;

use crate::{Life, child, dice::Dice, proxy::FaultyProxy, sabotage::Sabotage};

/// An incident's event, and a value in it.
pub(crate) type Place = (Uuid, String);

/// Rounds after which other incidents take the place of the old ones, so that events stay small.
const GENERATION: u64 = 6;
/// Faults per hundred requests while the program is being killed.
const PERCENT: u64 = 25;
/// The same where a mistake has to be found soon.
const PERCENT_OF_SABOTAGE: u64 = 50;

/// What an analyst did.
#[derive(Default)]
pub(crate) struct Analyst {
    pub(crate) deleted: BTreeSet<Place>,
    /// Gone from MISP, and so no reason to miss it.
    pub(crate) excused: BTreeSet<Place>,
    pub(crate) comments: BTreeMap<Uuid, String>,
}

pub(crate) struct Scene {
    _runtime: Runtime,
    folder: TempDir,
    keys: Keys,
    url: String,
    pub(crate) misp: Arc<Mutex<Misp>>,
    pub(crate) proxy: Arc<FaultyProxy>,
    pub(crate) dataset: BTreeMap<Uuid, BTreeSet<String>>,
    pub(crate) ever: BTreeSet<Place>,
    pub(crate) analyst: Analyst,
    /// What the ledger said to be in MISP, when it was looked at.
    pub(crate) claimed: BTreeSet<(Uuid, Uuid)>,
    sabotage: Option<Sabotage>,
    dice: Dice,
    /// Processes that were killed before they ended by themselves.
    pub(crate) killed: u64,
}

impl Life for Scene {
    fn round(&mut self, number: u64) {
        Self::round(self, number);
    }

    fn come_to_rest(&mut self) {
        Self::come_to_rest(self);
    }

    fn told(&self) -> String {
        format!("{} killed", self.killed)
    }
}

impl Scene {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let server = listener.local_addr().unwrap();
        let keys = Keys::demo("tests");
        let misp = Arc::new(Mutex::new(Misp::new(&format!("http://{server}"), keys.clone())));
        drop(runtime.spawn(serve(listener, misp.clone())));
        let proxy = FaultyProxy::before(server, seed);
        let url = format!("http://{}/", proxy.address);
        proxy.renews.store(sabotage == Some(Sabotage::NewerTimestampOnRetry), Ordering::SeqCst);
        let folder = TempDir::new().unwrap();
        child::write_configuration(folder.path(), &url);
        let scene = Self {
            _runtime: runtime,
            folder,
            keys,
            url,
            misp,
            proxy,
            dataset: BTreeMap::new(),
            ever: BTreeSet::new(),
            analyst: Analyst::default(),
            claimed: BTreeSet::new(),
            sabotage,
            dice: Dice::new(seed),
            killed: 0,
        };
        scene.request("admin", "/tags/add", &json!({"name": "tlp:green"}).to_string());
        scene
    }

    /// One round: the dataset changes, and the program is killed some times while it delivers it.
    fn round(&mut self, number: u64) {
        if number.is_multiple_of(GENERATION) {
            self.dataset.clear();
        }
        let percent = if self.sabotage.is_some() { PERCENT_OF_SABOTAGE } else { PERCENT };
        self.proxy.percent.store(percent, Ordering::SeqCst);
        for turn in 0..=self.dice.below(4) {
            if turn == 0 || self.dice.chance(60) {
                self.edit(number / GENERATION);
            }
            self.run_and_kill();
            self.look(false);
            if self.dice.chance(60) {
                self.act();
            }
            self.proxy.empty();
            self.look(false);
        }
        self.proxy.percent.store(0, Ordering::SeqCst);
        if self.dice.chance(40) {
            self.come_to_rest();
        }
    }

    /// The faults stop: the program runs to its end, everything is there, and nothing is left to be asked.
    fn come_to_rest(&mut self) {
        self.proxy.percent.store(0, Ordering::SeqCst);
        let mut tries = 0;
        while self.sync_to_the_end() != 0 {
            tries += 1;
            assert!(tries < 4, "it never settles: {}", self.log());
        }
        self.look(true);
        self.everything_is_there();
        let before = self.proxy.requests.load(Ordering::SeqCst);
        assert_eq!(self.sync_to_the_end(), 0, "{}", self.log());
        let after = self.proxy.requests.load(Ordering::SeqCst);
        assert_eq!(before, after, "a second run asks: {}", self.log());
        let check = child::binary(self.path(), self.key(), "check").status().unwrap();
        assert!(check.success(), "check: {}", self.log());
    }

    fn everything_is_there(&self) {
        let misp = self.misp.lock().unwrap();
        for (incident, values) in &self.dataset {
            let there = misp.attributes(*incident);
            for value in values {
                let is_there = there.iter().any(|it| it.value == *value && !it.deleted);
                let place = (*incident, value.clone());
                assert!(is_there || self.analyst.excused.contains(&place), "{place:?} is missing");
            }
        }
    }

    fn sync_to_the_end(&mut self) -> i32 {
        let mut command = if self.sabotage == Some(Sabotage::ClaimBeforeProof) {
            self.library()
        } else {
            child::binary(self.path(), self.key(), "sync")
        };
        let code = command.status().unwrap().code().unwrap();
        assert!(matches!(code, 0 | 3), "sync ended with {code}: {}", self.log());
        code
    }

    fn library(&self) -> Command {
        let claims = self.sabotage == Some(Sabotage::ClaimBeforeProof);
        child::library(self.path(), self.key(), &self.url, claims)
    }

    /// Starts the program, and kills it after some time or some requests.
    fn run_and_kill(&mut self) {
        let as_library = self.dice.chance(40) || self.sabotage == Some(Sabotage::ClaimBeforeProof);
        let mut command = if as_library {
            self.library()
        } else {
            child::binary(self.path(), self.key(), "sync")
        };
        let forgets = self.sabotage == Some(Sabotage::SkipSync);
        let saved = if forgets { self.save() } else { None };
        let begun = Instant::now();
        let (time, requests) = match self.dice.below(2) {
            0 => (Duration::from_millis(1 + self.dice.below(120)), u64::MAX),
            _ => (Duration::from_millis(400), 1 + self.dice.below(9)),
        };
        let last = self.proxy.requests.load(Ordering::SeqCst).saturating_add(requests);
        // Between a request and its effect, or after it.
        let late = Duration::from_micros(self.dice.below(4_000));
        let mut running = command.spawn().unwrap();
        let ended = loop {
            if let Some(status) = running.try_wait().unwrap() {
                break Some(status);
            }
            if self.proxy.requests.load(Ordering::SeqCst) >= last {
                thread::sleep(late);
                break None;
            }
            if begun.elapsed() >= time {
                break None;
            }
            thread::sleep(Duration::from_micros(500));
        };
        match ended {
            // Done, something pending, or no MISP to be found: no fault of the store's.
            Some(status) => {
                let code = status.code().unwrap();
                assert!(matches!(code, 0 | 3 | 5), "it ended with {code}: {}", self.log());
            }
            None => {
                running.kill().unwrap();
                running.wait().unwrap();
                self.killed += 1;
                if let Some(saved) = saved {
                    self.put_back(&saved);
                }
            }
        }
    }

    /// What is on its way in the proxy's threads gets there, or is lost with its connection.
    fn quieten(&self) {
        let mut last = self.misp.lock().unwrap().counters().total();
        loop {
            thread::sleep(Duration::from_millis(3));
            let now = self.misp.lock().unwrap().counters().total();
            let busy = self.proxy.busy.load(Ordering::SeqCst) > 0;
            if now == last && !busy {
                return;
            }
            last = now;
        }
    }

    fn look(&mut self, whole: bool) {
        self.quieten();
        self.look_at_misp();
        self.look_at_the_store(whole);
    }

    fn edit(&mut self, generation: u64) {
        for _ in 0..=self.dice.below(3) {
            let name = format!("incident-{generation}-{}", self.dice.below(3));
            let incident = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
            let values = self.dataset.entry(incident).or_default();
            let gone: Vec<String> =
                values.iter().filter(|_| self.dice.chance(10)).cloned().collect();
            gone.iter().for_each(|value| assert!(values.remove(value)));
            for _ in 0..1 + self.dice.below(25) {
                values.insert(format!("v{}.example.org", self.dice.below(120)));
            }
        }
        for (incident, values) in &self.dataset {
            self.ever.extend(values.iter().map(|value| (*incident, value.clone())));
        }
        self.write();
    }

    fn write(&self) {
        let mut entities = Vec::new();
        for (incident, values) in &self.dataset {
            let extract = |value: &String| {
                json!({"kind": "domain", "value": value,
                    "meta": {"classification": "bad", "confidence": "high"}})
            };
            let extracts: Vec<_> = values.iter().map(extract).collect();
            entities.push(json!({
                "id": incident.to_string(),
                "data": {"id": format!("{{https://x.example}}incident-{incident}"),
                    "type": "incident", "title": format!("Incident {incident}"),
                    "timestamp": "2024-05-14T11:00:00+00:00"},
                "meta": {"tlp_color": "GREEN"},
                "extracts": extracts,
            }));
        }
        let dataset = json!({"content-type": "urn:eclecticiq.com:json:1.0", "entities": entities});
        fs::write(self.path().join("dataset.json"), dataset.to_string()).unwrap();
    }

    /// The analyst comments on, deletes or adds something.
    fn act(&mut self) {
        let under_way = self.proxy.under_way();
        let misp = self.misp.lock().unwrap();
        let mut live = Vec::new();
        for incident in self.dataset.keys() {
            let all = misp.attributes(*incident).into_iter().filter(|it| !it.deleted);
            live.extend(all.map(|attribute| (*incident, attribute)));
        }
        drop(misp);
        // What is still on its way may come to stand on an edit.
        let overtaken = live.iter().filter(|(event, it)| under_way.contains(&(*event, it.uuid)));
        let overtaken: Vec<_> = overtaken.cloned().collect();
        let (among, what) =
            if overtaken.is_empty() { (live, self.dice.below(4)) } else { (overtaken, 0) };
        let Some((event, attribute)) = self.dice.pick(&among).cloned() else { return };
        let uuid = attribute.uuid;
        match what {
            0 | 1 => {
                let comment = format!("analyst {}", self.dice.below(1_000_000));
                let body = json!({"comment": comment}).to_string();
                self.request("orgadmin", &format!("/attributes/edit/{uuid}"), &body);
                self.analyst.comments.insert(uuid, comment);
            }
            2 => self.delete(event, uuid, attribute.value),
            _ => {
                let value = format!("v{}.example.org", self.dice.below(120));
                let body = json!({"type": "domain", "value": value}).to_string();
                self.raw("orgadmin", &format!("/attributes/add/{event}"), &body);
            }
        }
    }

    fn delete(&mut self, event: Uuid, attribute: Uuid, value: String) {
        let hard = self.dice.chance(30);
        let suffix = if hard { "/1" } else { "" };
        // What the ledger does not know as delivered is not missed there: it may come again. An analyst's
        // own value, deleted before the program saw it, is none of ours.
        let ours = attribute.get_version_num() == 5;
        let known = (ours && !hard) || self.is_confirmed(event, attribute);
        self.request("orgadmin", &format!("/attributes/delete/{attribute}{suffix}"), "{}");
        self.analyst.comments.remove(&attribute);
        if known || !hard {
            self.analyst.excused.insert((event, value.clone()));
        }
        if known {
            self.analyst.deleted.insert((event, value));
        }
    }

    fn is_confirmed(&self, event: Uuid, attribute: Uuid) -> bool {
        let Some(store) = self.store() else { return false };
        let event = store.event(&DestinationName::new("main"), EventUuid::new(event)).unwrap();
        let mut all = event.iter().flat_map(|event| event.attributes.values());
        all.any(|it| it.attribute.uuid.uuid() == attribute && it.standing.is_in_misp())
    }

    fn request(&self, role: &str, path: &str, body: &str) {
        let (status, answer) = self.raw(role, path, body);
        assert_eq!(status, 200, "{path}: {answer}");
    }

    fn raw(&self, role: &str, path: &str, body: &str) -> (u16, String) {
        let headers = [
            ("Authorization", self.keys.get(role).unwrap()),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers,
            body: body.as_bytes().to_vec(),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let reply = self.misp.lock().unwrap().handle(&request, i64::try_from(now).unwrap());
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    }

    pub(crate) fn store(&self) -> Option<Store> {
        open(&self.path().join("state"))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn key(&self) -> &str {
        self.keys.get("sync").unwrap()
    }

    /// What the last process said.
    fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// A copy of the store as it is, for a disk that forgets; `None` if there is no store yet.
    fn save(&self) -> Option<PathBuf> {
        drop(self.store()?);
        let copy = self.path().join("saved");
        fs::remove_dir_all(&copy).ok();
        copy_folder(&self.path().join("state"), &copy);
        Some(copy)
    }

    fn put_back(&self, saved: &Path) {
        let state = self.path().join("state");
        fs::remove_dir_all(&state).ok();
        copy_folder(saved, &state);
    }
}

/// The store in a folder, to be looked at; `None` if there is none yet.
pub(crate) fn open(folder: &Path) -> Option<Store> {
    match Store::open(folder, OpenMode::ReadOnly, child::owner(), Duration::from_secs(5)) {
        Ok(store) => Some(store),
        Err(OpenError::NoStore { .. }) => None,
        Err(error) => panic!("the store does not open: {error}"),
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries.map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
