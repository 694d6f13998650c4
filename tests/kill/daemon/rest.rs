//! The faults stop, and everything must come to rest: all is there, and every question has its answer.

use std::{
    collections::BTreeSet,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use misp_trickle::{mirror::Mirror, model::FeedName, store::MirrorFolder};

use super::{Daemons, Running};

/// From a signal to the end of the daemon.
const SOON: Duration = Duration::from_secs(10);

impl Daemons {
    pub(super) fn come_to_rest(&mut self) {
        self.fault(0);
        let mut daemon = self.start();
        let begun = Instant::now();
        while !self.is_ready() {
            daemon.has_not_ended(self);
            assert!(begun.elapsed() < SOON, "the daemon is never ready: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
        self.sync_until_done();
        daemon.has_not_ended(self);
        self.end(daemon);
        self.look();
        for destination in &self.destinations {
            destination.holds_all(&self.feeds);
        }
        self.nothing_is_left_to_do();
        self.the_history_opens();
        self.the_mirror_folds();
    }

    /// Somebody asks the daemon until nothing is pending.
    fn sync_until_done(&self) {
        for _ in 0..4 {
            let seen = self.place.run(&["sync"]);
            match seen.code {
                0 => return,
                3 => {}
                code => panic!("sync ends with {code}: {}\n{}", seen.all(), self.log()),
            }
        }
        panic!("it never settles: {}", self.log());
    }

    fn end(&self, mut daemon: Running) {
        let pid = daemon.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = daemon.0.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < SOON, "the daemon does not end: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(0), "{}", self.log());
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }

    fn nothing_is_left_to_do(&self) {
        let asked = || -> u64 { self.destinations.iter().map(|it| it.sandbox.requests()).sum() };
        let before = asked();
        self.place.run(&["sync"]).code(0);
        assert_eq!(asked(), before, "a second run asks a MISP");
        self.place.run(&["check"]).code(0);
        self.place.run(&["verify"]).code(0);
    }

    fn the_history_opens(&self) {
        let log = self.place.json(&["log", "-n", "10000"]);
        let runs = log["runs"].as_array().unwrap();
        assert!(!runs.is_empty());
        for run in runs.iter().rev().take(20) {
            self.place.run(&["show", &run["run"].to_string()]).code(0);
        }
        self.place.run(&["status"]).code(0);
    }

    fn the_mirror_folds(&self) {
        let folder = MirrorFolder::of(&self.place.path("state"), &FeedName::new("platform"));
        let mirror = Mirror::newest(Arc::new(folder));
        let fold = mirror.fold().unwrap();
        assert!(fold.strays().is_empty(), "{:?}", fold.strays());
        assert!(fold.damaged().is_empty() && !fold.is_behind(), "{:?}", fold.damaged());
        let mut entities = BTreeSet::new();
        mirror
            .objects(&fold, |object| {
                entities.insert(object.id.to_owned());
            })
            .unwrap();
        assert_eq!(entities.len(), self.feeds.packaged());
    }
}
