//! What keeps a store's keys and values, where sled is held against redb.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use misp_trickle::{
    model::Timestamp,
    store::{OpenMode, Owner, Store},
};

use crate::redb_engine::RedbEngine;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    Sled,
    Redb,
}

impl Keeper {
    pub fn named(name: &str) -> Self {
        if name == Self::Redb.name() { Self::Redb } else { Self::Sled }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }

    /// Makes a store in a folder that is not there yet.
    pub fn create(self, path: &Path) -> Store {
        match self {
            Self::Sled => Store::create(path, owner()).unwrap(),
            Self::Redb => {
                fs::create_dir(path).unwrap();
                // The name of a new folder has to outlive the power too.
                File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
                self.open(path)
            }
        }
    }

    /// Opens a store that is there.
    pub fn open(self, path: &Path) -> Store {
        let opened = match self {
            Self::Sled => Store::open(path, OpenMode::ReadWrite, owner(), Duration::ZERO),
            Self::Redb => Store::over(Box::new(RedbEngine::open(&file_of(path)).unwrap())),
        };
        opened.unwrap_or_else(|error| panic!("the store does not open: {error}"))
    }

    /// Makes its files as small as they can be.
    pub fn shrink(self, path: &Path) {
        match self {
            Self::Sled => drop(self.open(path).gc().unwrap()),
            Self::Redb => RedbEngine::compact(&file_of(path)).unwrap(),
        }
    }
}

fn file_of(path: &Path) -> PathBuf {
    path.join("redb")
}

fn owner() -> Owner {
    let now = Timestamp::from_seconds(1_720_000_000);
    Owner { pid: std::process::id(), host: "test".to_owned(), command: "test".to_owned(), now }
}
