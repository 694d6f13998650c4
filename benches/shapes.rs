//! Work in hostile shapes: by which power of the size time and memory of a run grow.
//!
//! `cargo bench --bench shapes`, with the name of a shape behind `--` for that one alone, and a number behind that for
//! another first size. Each shape is made in
//! four sizes, each twice the one before; what is printed is processor time and the peak of memory of a process
//! of its own, and the exponents between the last two sizes: 1 is in step with the size, 2 is its square.

#[path = "support/dataset.rs"]
#[expect(dead_code, reason = "the other benches count by it")]
mod dataset;
#[path = "support/shape.rs"]
mod shape;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

use dataset::{Size, eclecticiq};
use misp_trickle::sandbox::{self, Keys, Misp, Request};

/// How often a process is looked at: what it takes behind the last look is not seen.
const LOOK: Duration = Duration::from_millis(2);
const STEPS: u32 = 4;
const NOW: i64 = 1_720_000_000;

/// A hostile shape: a name, the first size, and what is run.
struct Shape {
    name: &'static str,
    first: u32,
    run: fn(&Stage, u32) -> Spent,
}

const SHAPES: [Shape; 6] = [
    Shape {
        name: "tags x values, all tags sent",
        first: 500,
        run: |stage, size| stage.map(&shape::tags(size)),
    },
    Shape {
        name: "damaged elements after a large one",
        first: 10_000,
        run: |stage, size| stage.map(&shape::damaged(size)),
    },
    Shape {
        name: "a hub of incidents, plan",
        first: 2_000,
        run: |stage, size| stage.plan(&shape::hub(size)),
    },
    Shape {
        name: "what a hub of incidents was done to, depth 2, plan",
        first: 2_000,
        run: |stage, size| stage.plan(&shape::impacted(size)),
    },
    Shape { name: "lost events", first: 100, run: Stage::lost },
    Shape {
        name: "one event of many attributes",
        first: 40_000,
        run: |stage, size| {
            let size = Size { incidents: 1, observables: size };
            stage.sync(&eclecticiq(size))
        },
    },
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // Without it, it is only tried whether all of them run.
    let measures = arguments.iter().any(|argument| argument == "--bench");
    let mut words = arguments.iter().filter(|argument| !argument.starts_with("--"));
    let (wanted, first) = (words.next(), words.next().and_then(|word| word.parse::<u32>().ok()));
    for shape in SHAPES {
        if wanted.is_some_and(|wanted| !shape.name.contains(wanted.as_str())) {
            continue;
        }
        say(format_args!("{}", shape.name));
        let sizes = (0..STEPS).map(|step| first.unwrap_or(shape.first) << step);
        let sizes: Vec<u32> = if measures { sizes.collect() } else { vec![10, 20] };
        let mut spent = Vec::new();
        for size in sizes {
            let now = (shape.run)(&Stage::new(), size);
            say(format_args!("  {size:>8}  {:>8.2} s  {:>8.1} MB", now.seconds, now.megabytes));
            spent.push(now);
        }
        if let [.., before, last] = &spent[..] {
            let power = |one: f64, other: f64| (other / one).log2();
            let (time, memory) =
                (power(before.seconds, last.seconds), power(before.megabytes, last.megabytes));
            say(format_args!("  exponents: time {time:.2}, memory {memory:.2}"));
        }
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn say(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}

/// What a process took.
#[derive(Clone, Copy, Default)]
struct Spent {
    seconds: f64,
    megabytes: f64,
}

/// A folder with a configuration, and a sandbox that it leads to.
struct Stage {
    _runtime: Runtime,
    misp: Arc<Mutex<Misp>>,
    keys: Keys,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let keys = Keys::demo("bench");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let misp = Arc::new(Mutex::new(Misp::new(&url, keys.clone())));
        runtime.spawn(sandbox::serve(listener, misp.clone()));
        let config = format!(
            "version = 1\n[source]\npath = \"dataset.json\"\n[store]\npath = \"store\"\n\
             [mapping]\ndepth = 2\n[destinations.main]\nurl = \"{url}\"\napi_key_env = \"MISP_API_KEY\"\n\
             [destinations.main.policy]\nallow_tlp = [\"green\"]\n\
             [destinations.main.event]\ninclude_tags = \"all\"\n"
        );
        let stage = Self { _runtime: runtime, misp, keys, folder };
        fs::write(stage.path("misp-trickle.toml"), config).expect("the configuration is written");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn map(&self, dataset: &[u8]) -> Spent {
        self.run(&["map", "dataset.json"], dataset)
    }

    fn plan(&self, dataset: &[u8]) -> Spent {
        self.run(&["plan"], dataset)
    }

    fn sync(&self, dataset: &[u8]) -> Spent {
        self.run(&["sync"], dataset)
    }

    /// Events of which a third is gone from MISP when all of them get another value.
    fn lost(&self, size: u32) -> Spent {
        self.sync(&shape::events(size, 1));
        let events = self.misp.lock().expect("nobody panicked").events();
        for event in events.iter().step_by(3) {
            self.delete(&format!("/events/delete/{}", event.uuid));
        }
        self.misp.lock().expect("nobody panicked").set_blocklist([]);
        self.sync(&shape::events(size, 2))
    }

    fn delete(&self, path: &str) {
        let key = self.keys.get("admin").expect("a role of the sandbox");
        let headers =
            [("Authorization", key), ("Accept", "application/json"), ("User-Agent", "bench")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (method, path) = ("POST".to_owned(), path.to_owned());
        let request = Request { method, path, headers, body: Vec::new() };
        let reply = self.misp.lock().expect("nobody panicked").handle(&request, NOW);
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }

    fn run(&self, arguments: &[&str], dataset: &[u8]) -> Spent {
        fs::write(self.path("dataset.json"), dataset).expect("the dataset is written");
        let mut process = Command::new(env!("CARGO_BIN_EXE_misp-trickle"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MISP_API_KEY", self.keys.get("sync").expect("a role of the sandbox"))
            .env_remove("MISP_TRICKLE_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut spent = Spent::default();
        let mut words = process.stderr.take().expect("it is a pipe");
        let reader = thread::spawn(move || std::io::read_to_string(&mut words).unwrap_or_default());
        while process.try_wait().expect("it is our child").is_none() {
            spent = look(&process).unwrap_or(spent);
            thread::sleep(LOOK);
        }
        let status = process.wait().expect("it ended");
        let words = reader.join().unwrap_or_default();
        let expected = [Some(0), Some(3)].contains(&status.code());
        assert!(
            expected,
            "{arguments:?}: {status}: {}",
            words.chars().take(2_000).collect::<String>()
        );
        spent
    }
}

/// Processor time and the peak of memory of a process so far.
fn look(process: &Child) -> Option<Spent> {
    /// The kernel counts in hundredths of a second, whatever its own clock does.
    const TICKS: f64 = 100.0;
    let folder = Path::new("/proc").join(process.id().to_string());
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let behind_name = stat.rsplit_once(')')?.1;
    let ticks =
        behind_name.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<f64>().ok());
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(Spent { seconds: ticks.sum::<f64>() / TICKS, megabytes: kilobytes / 1e3 })
}
