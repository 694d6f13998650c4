//! What there is to deliver: a dataset in a file, and one that a platform packages into its outgoing feed.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use misp_trickle::{
    model::Timestamp,
    sandbox::eclecticiq::{Dataset, Platform, Setup, Strategy, TOKEN, serve},
};
use misp_trickle_testing::program::Place;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};
use uuid::Uuid;

use crate::{dice::Dice, proxy::FaultyProxy};

/// Incidents of each feed that change at a time; one of them is in both.
const INCIDENTS: u64 = 4;
/// Edits after which one of them changes no more: what was lost of it then stays lost.
const EDITS: i64 = 4;

/// Type and value as MISP has them.
pub(super) type Typed = (String, String);

/// Incidents with their values.
pub(super) type Incidents = BTreeMap<Uuid, BTreeSet<Typed>>;

pub(super) struct Feeds {
    _runtime: Runtime,
    platform: Arc<Mutex<Platform>>,
    /// Before the platform.
    pub(super) proxy: Arc<FaultyProxy>,
    file: Incidents,
    packaged: Incidents,
    /// How often something was edited, which is the time of its entities.
    edits: i64,
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

impl Feeds {
    /// Each run of the feed packages what is new, or, by every second seed, all.
    pub(super) fn start(seed: u64) -> Self {
        let strategy = if seed.is_multiple_of(2) { Strategy::Replace } else { Strategy::Append };
        let setup = Setup { block_elements: NonZeroUsize::new(1), ..Setup::new(12, strategy) };
        let empty = Dataset::read(document(&Incidents::new(), 0).as_bytes()).unwrap();
        let platform = Platform::new("https://ic.example", setup, empty, now());
        let platform = Arc::new(Mutex::new(platform));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let proxy = FaultyProxy::before(listener.local_addr().unwrap(), seed ^ 0x00f0_0d00);
        drop(runtime.spawn(serve(listener, platform.clone())));
        let (file, packaged) = (Incidents::new(), Incidents::new());
        Self { _runtime: runtime, platform, proxy, file, packaged, edits: 0 }
    }

    /// Both get new values, and sometimes a new incident; the platform's feed may run more than once.
    pub(super) fn edit(&mut self, dice: &mut Dice, place: &Place) {
        grow(&mut self.file, "file", self.edits, dice);
        for _ in 0..=dice.below(3) {
            grow(&mut self.packaged, "platform", self.edits, dice);
            self.edits += 1;
            let text = document(&self.packaged, self.edits);
            let dataset = Dataset::read(text.as_bytes()).unwrap();
            self.platform.lock().unwrap().replace(dataset, now());
        }
        self.write(place);
    }

    pub(super) fn write(&self, place: &Place) {
        place.write("token", TOKEN);
        place.write("day.json", &document(&self.file, self.edits));
    }

    /// What a destination is to hold.
    pub(super) fn wanted(&self, has_both: bool) -> Incidents {
        let mut wanted = self.file.clone();
        for (incident, values) in self.packaged.iter().filter(|_| has_both) {
            wanted.entry(*incident).or_default().extend(values.iter().cloned());
        }
        wanted
    }

    /// How many entities the platform packaged.
    pub(super) fn packaged(&self) -> usize {
        self.packaged.len()
    }
}

/// Values for one to three incidents of a feed.
fn grow(incidents: &mut Incidents, feed: &str, edits: i64, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let number = (edits / EDITS).unsigned_abs() + dice.below(INCIDENTS);
        let of = if number.is_multiple_of(INCIDENTS) { "both" } else { feed };
        let name = format!("incident {number} of {of}");
        let incident = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let values = incidents.entry(incident).or_default();
        for _ in 0..1 + dice.below(8) {
            let number = dice.below(2_000);
            values.insert(match dice.chance(70) {
                true => ("domain".to_owned(), format!("v{number}.example.org")),
                false => ("md5".to_owned(), format!("{number:032x}")),
            });
        }
    }
}

fn document(incidents: &Incidents, edits: i64) -> String {
    let entities: Vec<Value> = incidents.iter().map(|it| entity(it, edits)).collect();
    json!({"content-type": "urn:eclecticiq.com:json:1.0", "entities": entities}).to_string()
}

/// An incident as EclecticIQ has it. Who edits it makes a version of it, with a later time.
fn entity((incident, values): (&Uuid, &BTreeSet<Typed>), edits: i64) -> Value {
    let extract = |(kind, value): &Typed| {
        let kind = if kind == "md5" { "hash-md5" } else { "domain" };
        json!({"kind": kind, "value": value, "meta": {"classification": "bad", "confidence": "high"}})
    };
    let (minute, second) = (edits / 60, edits % 60);
    json!({
        "id": incident.to_string(),
        "data": {"id": format!("{{https://x.example}}incident-{incident}"),
            "type": "incident", "title": format!("Incident {incident}"),
            "timestamp": format!("2024-05-14T11:{minute:02}:{second:02}+00:00")},
        "meta": {"tlp_color": "GREEN"},
        "extracts": values.iter().map(extract).collect::<Vec<_>>(),
    })
}
