//! Collections of a TAXII server, pulled into a mirror: what comes to it is what one whole read of them gives.

#![allow(clippy::unwrap_used)]

mod chance;
mod damage;
mod doctor;
mod manifest;
mod pulls;
mod troubles;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use misp_trickle::{
    mirror::{Fold, Mirror, Pulled, memory::MemoryFiles},
    model::{Backoff, Secret},
    source::{
        Look,
        peer::{Access, Credentials, Rests},
        taxii2::{MEDIA_TYPE, Settings, Taxii2, TaxiiError},
    },
};
use misp_trickle_testing::{
    direct::direct,
    program,
    stix::{id, incident, incidents, read},
    taxii::{Paging, Taxii, Trouble, Ways},
    told::told,
};
use serde_json::json;
use tokio::runtime::Runtime;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// A client whose rests pass at once, by the server's clock.
#[derive(Clone)]
struct Hurried {
    rests: Arc<Mutex<Vec<Duration>>>,
    taxii: Taxii,
}

impl Rests for Hurried {
    async fn rest(&self, span: Duration) {
        self.rests.lock().unwrap().push(span);
        self.taxii.advance(i64::try_from(span.as_secs()).unwrap());
    }
}

struct World {
    runtime: Runtime,
    taxii: Taxii,
    url: String,
    files: MemoryFiles,
    settings: Settings,
    credentials: Option<Credentials>,
    rests: Arc<Mutex<Vec<Duration>>>,
    tries_max: u32,
    timeout: Duration,
    notes: Vec<String>,
}

impl World {
    fn new(ways: Ways, collections: &[&str]) -> Self {
        let taxii = Taxii::start(ways, collections);
        Self {
            runtime: Runtime::new().unwrap(),
            url: taxii.url(),
            taxii,
            files: MemoryFiles::default(),
            settings: Settings {
                collections: collections.iter().map(|name| (*name).to_owned()).collect(),
                overlap: Duration::from_mins(10),
                manifest_every: Some(Duration::from_hours(24)),
            },
            credentials: None,
            rests: Arc::default(),
            tries_max: 5,
            timeout: Duration::from_secs(20),
            notes: Vec::new(),
        }
    }

    fn one(ways: Ways) -> Self {
        Self::new(ways, &["reports"])
    }

    fn source(&self) -> Taxii2<Hurried> {
        let access = Access {
            connection: direct(&self.url, self.timeout),
            credentials: self.credentials.clone(),
            accept: MEDIA_TYPE,
            backoff: Backoff { base_ms: 1_000, max_ms: 8_000, tries_max: self.tries_max, seed: 7 },
            name: "the TAXII server",
        };
        let time = Hurried { rests: self.rests.clone(), taxii: self.taxii.clone() };
        Taxii2::with_time(&access, self.settings.clone(), time).unwrap()
    }

    fn mirror(&self) -> Mirror {
        Mirror::new(Arc::new(self.files.clone()), self.source().identity())
    }

    /// One pull of a process of its own.
    fn pull(&mut self) -> (Result<Pulled, TaxiiError>, Fold) {
        let mut source = self.source();
        let (pulled, fold) = self.runtime.block_on(self.mirror().pull(&mut source)).unwrap();
        self.notes = source.notes().to_vec();
        let wrong = self.taxii.state().wrong.clone();
        assert_eq!(wrong, [""; 0], "{:#?}", self.taxii.asked());
        (pulled, fold)
    }

    #[track_caller]
    fn pulled(&mut self) -> (Pulled, Fold) {
        let (pulled, fold) = self.pull();
        (pulled.unwrap_or_else(|error| panic!("{error}: {:#?}", self.taxii.asked())), fold)
    }

    fn fault(&mut self) -> String {
        self.pull().0.unwrap_err().to_string()
    }

    /// What the mirror comes to.
    fn told(&self, fold: &Fold) -> BTreeSet<String> {
        told(self.mirror().facts(fold).unwrap())
    }

    /// Whether the mirror comes to what one whole read gives.
    #[track_caller]
    fn is_whole(&self, fold: &Fold) {
        assert_eq!(self.told(fold), read(&self.taxii.whole()));
    }
}
