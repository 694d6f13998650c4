//! What PyMISP and misp-stix take for the same work, in the same run: before the same sandbox, behind the same meter.
//!
//! They come from the package index into an environment in target/peers; `PEERS=venv` names one that is there.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{
    dataset::{Size, eclecticiq},
    section::{Claim, Section, Table},
    shape, spent,
    trickle::{Trickle, WAIT, trickle},
};
use misp_trickle::remote::Encoding;
use misp_trickle_testing::{metered::Metered, proxy::Passed};

const SIZES: [u32; 3] = [100, 1_000, 5_000];
const MORE: [u32; 4] = [1, 10, 100, 1_000];
/// Events of a run that finds nothing new, and attributes of each.
const UNCHANGED: (u32, u32) = (50, 100);

pub(crate) fn measure(measures: bool) -> Section {
    let mut section = Section::new(
        "peers",
        "Peers",
        &[
            "PyMISP 2.5.34.4 and misp-stix 2026.10.12, by [benches/peers](../benches/peers). Bytes are those of both \
             directions on the connection, headers included, counted by a proxy before the sandbox; what PyMISP asks for \
             when it begins (27 kB) and what misp-trickle asks for once in a first run is not in them. Of an append PyMISP \
             is used in three ways: the whole event by `update_event`; `get_event`, a comparison, and `add_attribute` of a \
             list; and `add_attribute` blindly, which needs somebody who remembers what was sent.",
        ],
    );
    let Some(python) = python() else {
        crate::say(format_args!("  SKIPPED: no Python with PyMISP and misp-stix"));
        return Section::kept("peers").unwrap_or(section);
    };
    appends(&mut section, &python, if measures { &SIZES } else { &SIZES[..1] });
    nothing_new(&mut section, &python);
    bundles(&mut section, &python, if measures { &[100, 1_000, 3_000] } else { &[10] });
    section
}

/// An interpreter that has the peers.
fn python() -> Option<PathBuf> {
    if let Ok(folder) = env::var("PEERS") {
        return Some(Path::new(&folder).join("bin/python"));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/peers");
    let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let list = root.join("benches/peers/requirements.txt");
    let pip = ["install", "--quiet", "--disable-pip-version-check", "-r"];
    let is_there = run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        && run(Command::new(folder.join("bin/pip")).args(pip).arg(list));
    is_there.then(|| folder.join("bin/python"))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(name)
}

/// A script over PyMISP before a MISP of its own.
struct PyMisp {
    metered: Metered,
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl PyMisp {
    fn start(python: &Path) -> Self {
        let metered = Metered::start(Encoding::Plain, WAIT);
        let mut process = Command::new(python)
            .arg(script("append.py"))
            .args([&metered.url, metered.key()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script starts");
        let commands = process.stdin.take().expect("it is a pipe");
        let answers = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let mut script = Self { metered, process, commands, answers };
        script.wait();
        script
    }

    fn wait(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the script answers");
        assert!(!line.is_empty(), "the script ended");
    }

    /// What passes while it does something.
    fn does(&mut self, command: &str) -> Passed {
        let before = self.metered.proxy.passed();
        writeln!(self.commands, "{command}").expect("the script listens");
        self.wait();
        self.metered.proxy.passed().since(before)
    }

    fn end(mut self) {
        drop(self.commands);
        self.process.wait().expect("it ends");
    }
}

fn appends(section: &mut Section, python: &Path, sizes: &[u32]) {
    let columns =
        ["event of", "appended", "misp-trickle", "blind", "get, compare, add", "whole event"];
    let mut table = Table {
        caption: "Bytes of an append".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: Vec::new(),
    };
    for size in sizes {
        for more in MORE {
            let mut python = PyMisp::start(python);
            let mut by = |way: &str| {
                python.does(&format!("make 1 {size}"));
                python.does(&format!("{way} {more}")).bytes()
            };
            let [blind, compare, whole] = ["blind", "compare", "whole"].map(&mut by);
            python.end();
            let ours = Trickle::start("auto");
            let dataset = |observables| eclecticiq(Size { incidents: 1, observables });
            ours.sync(&dataset(*size));
            let ours = ours.sync(&dataset(size + more)).0.bytes();
            let row = [u64::from(*size), more.into(), ours, blind, compare, whole];
            crate::say(format_args!("  {row:?}"));
            table.rows.push(row.map(|it| it.to_string()).to_vec());
            claim_of_append(section, (*size, more), ours, [blind, compare]);
        }
    }
    section.tables.push(table);
}

fn claim_of_append(
    section: &mut Section,
    (size, more): (u32, u32),
    ours: u64,
    [blind, compare]: [u64; 2],
) {
    section.claims.push(Claim {
        what: format!("bytes of {more} more in an event of {size}, in parts of a blind append"),
        measured: ours as f64 / blind as f64,
        most: 1.0,
        goal: None,
        limit: format!(
            "`add_attribute`: 1; get, compare, add: {:.1}",
            compare as f64 / blind as f64
        ),
    });
}

fn nothing_new(section: &mut Section, python: &Path) {
    let (events, attributes) = UNCHANGED;
    let mut python = PyMisp::start(python);
    python.does(&format!("make {events} {attributes}"));
    let [look, again] = ["look", "again"].map(|way| python.does(way).bytes());
    python.end();
    let ours = Trickle::start("auto");
    let mut dataset = eclecticiq(Size { incidents: events, observables: attributes });
    ours.sync(&dataset);
    dataset.push(b'\n');
    let bytes = ours.sync(&dataset).0.bytes();
    section.tables.push(Table {
        caption: format!(
            "Bytes of a run that finds nothing new in {events} events of {attributes}"
        ),
        columns: ["misp-trickle", "get, compare", "whole events"].map(str::to_owned).to_vec(),
        rows: vec![vec![bytes.to_string(), look.to_string(), again.to_string()]],
    });
    section.claims.push(Claim {
        what: "bytes of a run that finds nothing new".to_owned(),
        measured: bytes as f64,
        most: 0.0,
        goal: None,
        limit: "nothing: 0".to_owned(),
    });
}

/// Mapping of STIX bundles: processor time and memory of whole processes.
fn bundles(section: &mut Section, python: &Path, sizes: &[u32]) {
    let columns = ["incidents with an indicator", "misp-trickle: s", "MB", "misp-stix: s", "MB"];
    let mut table = Table {
        caption: "Mapping a STIX 2.1 bundle".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: Vec::new(),
    };
    let folder = tempfile::tempdir().expect("a folder");
    for size in sizes {
        fs::write(folder.path().join("bundle.json"), shape::events(*size, 1)).expect("a file");
        let ours = spent::run(&mut trickle(folder.path(), &["map", "bundle.json", "--total"]));
        let mut command = Command::new(python);
        command.arg(script("map.py")).arg("bundle.json").current_dir(folder.path());
        let theirs = spent::run(&mut command);
        [&ours, &theirs].iter().for_each(|ran| assert_eq!(ran.code, Some(0), "{}", ran.words));
        assert_eq!(theirs.out.trim(), size.to_string(), "one attribute of each indicator");
        let figures = [&ours, &theirs].map(|ran| {
            [format!("{:.2}", ran.spent.seconds), format!("{:.0}", ran.spent.megabytes)]
        });
        table.rows.push([vec![size.to_string()], figures.concat()].concat());
        section.claims.push(Claim {
            what: format!("processor time of mapping {size} incidents, in parts of misp-stix"),
            measured: ours.spent.seconds / theirs.spent.seconds,
            most: 0.1,
            goal: None,
            limit: "misp-stix: 1".to_owned(),
        });
    }
    section.tables.push(table);
}
