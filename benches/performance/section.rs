//! A section of the page: what was measured, where, when, by which command, and what is claimed of it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};

/// A measurement, as it is kept beside the page.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// What was done, for a reader who wants to judge the figures.
    pub(crate) text: Vec<String>,
    pub(crate) command: String,
    pub(crate) machine: String,
    pub(crate) date: String,
    pub(crate) claims: Vec<Claim>,
    pub(crate) tables: Vec<Table>,
    pub(crate) plots: Vec<Plot>,
}

/// A figure, and what it may be at most.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) most: f64,
    /// What it is to be one day, where that is less.
    pub(crate) goal: Option<f64>,
    /// What the limit is: a peer, the machine, or what follows from the size.
    pub(crate) limit: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Lines over two logarithmic axes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Plot {
    /// Of its file, without the ending.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Claim {
    pub(crate) fn holds(&self) -> bool {
        self.measured <= self.most
    }
}

impl Section {
    /// An empty section of this machine and day, made by a part of this bench.
    pub(crate) fn new(part: &str, title: &str, text: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            text: text.iter().map(|line| (*line).to_owned()).collect(),
            command: format!("cargo bench --bench performance -- {part}"),
            machine: machine(),
            date: jiff::Timestamp::now().to_string().chars().take(10).collect(),
            ..Self::default()
        }
    }

    /// Keeps it beside the page.
    pub(crate) fn keep(&self, part: &str) -> io::Result<()> {
        fs::create_dir_all(folder())?;
        let text = serde_json::to_string_pretty(self).expect("plain values are JSON");
        fs::write(folder().join(format!("{part}.json")), text + "\n")
    }

    /// What was kept of a part, if it ever ran.
    pub(crate) fn kept(part: &str) -> Option<Self> {
        let text = fs::read_to_string(folder().join(format!("{part}.json"))).ok()?;
        Some(serde_json::from_str(&text).expect("the part wrote it"))
    }
}

/// Where the figures and plots stand.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance")
}

fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (processor, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kilobytes = field(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    let kernel = read("/proc/sys/kernel/osrelease");
    // What a distributor adds to the version says nothing of speed.
    let kernel = kernel.split('.').take(2).collect::<Vec<_>>().join(".");
    let rust = Command::new("rustc").arg("--version").output().ok();
    let rust = rust.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "{count} processors ({}), {:.0} GB of memory, Linux {}, {}",
        field(&processor, "model name"),
        kilobytes / 1e6,
        kernel.trim(),
        rust.unwrap_or_default()
    )
}
