//! The whole agent over the sandbox, with something between them that answers in MISP's place.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use misp_trickle::{
    agent::{self, Silent, Summary},
    delivery::{Call, Exchange, Reply, TimedAttribute, Wire},
    model::Timestamp,
    remote::{self, Answer},
    source::SourceSpec,
};
use tempfile::TempDir;

use crate::world::{self, LocalWire, World, wait};

/// What stands between the program and MISP: gives a reply in MISP's place, or `None`.
type Obstacle = Box<dyn Fn(&Call, usize) -> Option<Reply> + Send + Sync>;

/// The sandbox behind an obstacle, with the time of each request.
pub struct Obstructed {
    inner: Arc<LocalWire>,
    obstacle: Obstacle,
    pub sent: Mutex<Vec<(i64, Call)>>,
}

impl Obstructed {
    pub fn new(
        world: &World,
        obstacle: impl Fn(&Call, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let decoded = move |call: &Call, number| {
            obstacle(call, number).map(|answer| remote::decode(call, &answer))
        };
        Self::with(world, Box::new(decoded))
    }

    /// The same with something that may give no answer at all.
    pub fn silent(
        world: &World,
        obstacle: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with(world, Box::new(move |call: &Call, _| obstacle(call)))
    }

    fn with(world: &World, obstacle: Obstacle) -> Arc<Self> {
        Arc::new(Self { inner: world.wire.clone(), obstacle, sent: Mutex::default() })
    }

    pub fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

impl Wire for Obstructed {
    async fn exchange(&self, call: &Call) -> Exchange {
        let number = {
            let mut sent = self.sent.lock().unwrap();
            sent.push((self.inner.clock.seconds(), call.clone()));
            sent.len()
        };
        match (self.obstacle)(call, number) {
            Some(reply) => Exchange {
                reply,
                requests: 1,
                bytes_sent: 1,
                bytes_received: 1,
                bytes_beside: 0,
                date: None,
            },
            None => self.inner.exchange(call).await,
        }
    }
}

/// Moves on by some seconds whenever somebody looks.
pub struct Hasty<'a>(pub &'a world::TestClock, pub AtomicI64);

impl agent::Clock for Hasty<'_> {
    fn now(&self) -> Timestamp {
        self.0.advance(self.1.load(Ordering::SeqCst));
        self.0.now()
    }
}

pub fn run<W: Wire + Send + Sync + 'static>(world: &mut World, wire: Arc<W>) -> Summary {
    let clock = Hasty(&world.clock, AtomicI64::new(5));
    let interrupt = AtomicBool::new(false);
    let run = agent::sync(&world.job, &mut world.ledger, wire, &clock, &Silent, &interrupt);
    wait(run).unwrap()
}

/// A dataset of so many incidents, each with so many domains.
pub fn dataset(folder: &TempDir, incidents: usize, domains: usize) -> PathBuf {
    let mut entities = Vec::new();
    for incident in 0..incidents {
        let mut extracts = Vec::new();
        for domain in 0..domains {
            extracts.push(format!(
                r#"{{"kind":"domain","value":"d{domain}.i{incident}.example.org","meta":{{"classification":"bad","confidence":"high"}}}}"#
            ));
        }
        let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{incident}").as_bytes());
        let mut entity = String::new();
        write!(entity, r#"{{"id":"{id}","data":{{"id":"{{https://x.example}}incident-{id}","type":"incident","title":"Incident","timestamp":"2024-05-14T11:00:00+00:00"}},"meta":{{"tlp_color":"GREEN"}},"extracts":[{}]}}"#, extracts.join(",")).unwrap();
        entities.push(entity);
    }
    let path = folder.path().join(format!("{incidents}x{domains}.json"));
    let entities = entities.join(",");
    let text =
        format!(r#"{{"content-type":"urn:eclecticiq.com:json:1.0","entities":[{entities}]}}"#);
    std::fs::write(&path, text).unwrap();
    path
}

pub fn world(path: PathBuf) -> World {
    let mut world = World::new("tageditor");
    world.job.source = SourceSpec::File(path);
    world
}

pub fn asks(call: &Call) -> bool {
    matches!(call, Call::Version | Call::Whoami | Call::FindTags(_))
}

/// What a request that writes carries.
pub fn carried(call: &Call) -> &[TimedAttribute] {
    match call {
        Call::AddEvent(new) => &new.attributes,
        Call::AppendQuietly { attributes, .. } | Call::AppendLoudly { attributes, .. } => {
            attributes
        }
        _ => &[],
    }
}

/// Attributes of a request that writes.
pub fn attributes(call: &Call) -> usize {
    carried(call).len()
}
