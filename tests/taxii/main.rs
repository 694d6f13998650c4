//! Collections of real servers: OpenTAXII and medallion, as they come from the package index.
//!
//! `TAXII_SERVERS` names a virtual environment of Python that holds `tests/taxii/servers/requirements.txt`; without it
//! these tests say that they did nothing. `.ci/run` makes one.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails or says so by it")]

mod cutter;
mod medallion;
mod opentaxii;
mod postgres;
mod servers;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use misp_trickle::{
    mirror::{Fold, Mirror, Pulled, memory::MemoryFiles},
    model::{Backoff, Secret},
    source::{
        peer::{Access, Credentials},
        taxii2::{MEDIA_TYPE, Settings, Taxii2, TaxiiError},
    },
};
use misp_trickle_testing::{direct::direct, told::told};

/// Whoever pulls a collection into a mirror of his own, without much patience.
struct Reader {
    url: String,
    settings: Settings,
    files: MemoryFiles,
}

impl Reader {
    fn new(url: &str, collection: &str, overlap: Duration) -> Self {
        let collections = vec![collection.to_owned()];
        let settings = Settings { collections, overlap, manifest_every: None };
        Self { url: url.to_owned(), settings, files: MemoryFiles::default() }
    }

    fn pull(&self) -> (Result<Pulled, TaxiiError>, Fold) {
        let password = Secret::new("admin-pw".to_owned());
        let access = Access {
            connection: direct(&self.url, Duration::from_secs(30)),
            credentials: Some(Credentials::User { name: "admin".to_owned(), password }),
            accept: MEDIA_TYPE,
            backoff: Backoff { base_ms: 10, max_ms: 50, tries_max: 5, seed: 7 },
            name: "the TAXII server",
        };
        let mut source = Taxii2::new(&access, self.settings.clone()).unwrap();
        let mut mirror = Mirror::new(Arc::new(self.files.clone()), source.identity());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(mirror.pull(&mut source)).unwrap()
    }

    /// What the mirror comes to.
    fn told(&self, fold: &Fold) -> BTreeSet<String> {
        let of = fold.source().unwrap().clone();
        let mirror = Mirror::new(Arc::new(self.files.clone()), of);
        told(mirror.facts(fold).unwrap())
    }
}
