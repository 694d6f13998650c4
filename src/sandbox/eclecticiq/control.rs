//! What somebody at the platform does: a person, its schedule, its housekeeping, or bad luck.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Timestamp, Words};

use super::{
    Dataset, Platform,
    faults::Fault,
    feeds::Family,
    intel::Intel,
    packaging::{Status, Which},
    setup::{Leaving, Permission},
};

/// Something to do, as JSON: `{"do": "package"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// The feed runs, from beginning to end.
    Package,
    /// A run begins, and some of its content blocks can be had.
    Begin,
    /// The run under way ends well.
    Finish,
    /// The run under way fails.
    Fail,
    /// From now on a new dataset waits for `package`.
    Hold,
    /// The feed is deleted, and another made under its number, which runs once.
    Recreate {
        /// Whether its content blocks are numbered from 1 again.
        #[serde(default)]
        from_one: bool,
    },
    /// Content blocks are thrown away.
    Purge {
        /// Their numbers; all if none is named.
        #[serde(default)]
        blocks: Vec<u64>,
        /// Whether lists name them all the same.
        #[serde(default)]
        listed: bool,
    },
    /// Entities or relationships are saved anew, as they are.
    Touch {
        /// Their ids.
        ids: Vec<String>,
        /// Their time of the last change. Without it: later than all others.
        #[serde(default)]
        at: Option<String>,
    },
    /// What becomes of entities that leave the dataset: `deleted` or `kept`.
    Leaving {
        /// The word.
        entities: String,
    },
    /// What the token may read, in the words of the platform; all the rest it may not.
    Permit {
        /// Such as `read entities`.
        permissions: Vec<String>,
    },
    /// Time passes on the platform.
    Wait {
        /// So much.
        seconds: u32,
    },
    /// Something goes wrong with some requests.
    Fault(Fault),
    /// Nothing goes wrong any more.
    Clear,
}

impl Platform {
    /// Another dataset, which the feed packages at once unless somebody told it to wait.
    pub fn replace(&mut self, dataset: Dataset, now: Timestamp) {
        self.dataset = dataset;
        if let Some(intel) = &mut self.intel {
            intel.take(&self.dataset, now, self.setup.leaving);
        }
        if !self.holds {
            self.package(now);
        }
    }

    /// Does something.
    ///
    /// # Errors
    /// What cannot be done, in words.
    pub fn control(&mut self, command: Command, now: Timestamp) -> Result<(), String> {
        match command {
            Command::Package => self.package(now),
            Command::Begin => self.feed.begin(&self.dataset, &self.setup, now),
            Command::Finish if self.feed.status == Status::Running => {
                self.feed.finish(self.setup.strategy);
            }
            Command::Fail if self.feed.status == Status::Running => self.feed.fail(),
            Command::Finish | Command::Fail => return Err("no run is under way".to_owned()),
            Command::Hold => self.holds = true,
            Command::Recreate { from_one } => {
                self.feed.recreate(now, from_one);
                self.package(now);
            }
            Command::Purge { blocks, listed } => self.feed.purge(&blocks, listed),
            Command::Touch { ids, at } => {
                let at = at
                    .map(|text| Timestamp::parse(&text))
                    .transpose()
                    .map_err(|error| error.to_string())?;
                self.know(now);
                if let Some(intel) = &mut self.intel {
                    intel.touch(&ids, at, now);
                }
            }
            Command::Leaving { entities } => {
                self.setup.leaving = match &*entities {
                    "deleted" => Leaving::Deleted,
                    "kept" => Leaving::Kept,
                    _ => return Err(format!("{entities:?} is neither deleted nor kept")),
                }
            }
            Command::Permit { permissions } => {
                let known = |word: &String| {
                    Permission::of_word(word).ok_or_else(|| format!("no permission {word:?}"))
                };
                self.setup.permissions = permissions.iter().map(known).collect::<Result<_, _>>()?;
            }
            Command::Wait { seconds } => self.ahead += i64::from(seconds),
            Command::Fault(fault) => self.faults.add(fault),
            Command::Clear => self.faults.clear(),
        }
        Ok(())
    }

    pub(super) fn package(&mut self, now: Timestamp) {
        self.feed.begin(&self.dataset, &self.setup, now);
        self.feed.finish(self.setup.strategy);
        self.holds = false;
    }

    /// Works out what the public API tells of, once somebody wants to know.
    pub(super) fn know(&mut self, now: Timestamp) {
        self.intel.get_or_insert_with(|| Intel::of(&self.dataset, now));
    }

    /// How things stand.
    pub(super) fn standing(&self) -> Value {
        let numbers =
            |which| self.feed.listed(which).into_iter().map(|(_, block)| block).collect::<Vec<_>>();
        json!({
            "feed": self.feed_document(Family::Public),
            "blocks": numbers(Which::All),
            "latest_blocks": numbers(Which::Latest),
            "elements": self.dataset.all().len(),
            "faults": self.faults.list(),
            "requests": self.requests,
        })
    }
}
