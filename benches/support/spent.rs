//! What processes of their own take, by the count of the kernel.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// How often a process is looked at for its memory: what it takes behind the last look is not seen.
const LOOK: Duration = Duration::from_millis(2);
/// The kernel counts in hundredths of a second, whatever its own clock does.
const TICKS: f64 = 100.0;

/// Processor time and the peak of memory.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) seconds: f64,
    pub(crate) megabytes: f64,
}

/// What a process said, and what it took.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) words: String,
    pub(crate) spent: Spent,
}

/// Runs a process to its end. No other child of this process may end meanwhile.
pub(crate) fn run(command: &mut Command) -> Ran {
    let before = of_children();
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let (mut out, mut words) = (process.stdout.take(), process.stderr.take());
    let out = thread::spawn(move || out.as_mut().map(std::io::read_to_string));
    let words = thread::spawn(move || words.as_mut().map(std::io::read_to_string));
    let mut megabytes = 0.0;
    while process.try_wait().expect("it is our child").is_none() {
        megabytes = peak(&process).unwrap_or(megabytes);
        thread::sleep(LOOK);
    }
    let status = process.wait().expect("it ended");
    let text = |thread: thread::JoinHandle<Option<std::io::Result<String>>>| {
        thread.join().ok().flatten().and_then(Result::ok).unwrap_or_default()
    };
    let spent = Spent { seconds: of_children() - before, megabytes };
    Ran { code: status.code(), out: text(out), words: text(words), spent }
}

/// Processor time in seconds of all children that ended.
fn of_children() -> f64 {
    processor(13)
}

/// Processor time in seconds of all threads of this process.
pub(crate) fn of_this_process() -> f64 {
    processor(11)
}

/// The sum of two fields of what the kernel tells, counted from behind the name.
fn processor(first: usize) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux tells of every process");
    let behind_name = stat.rsplit_once(')').expect("the name stands in brackets").1;
    let ticks = behind_name.split_whitespace().skip(first).take(2);
    ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Processor time in seconds of this thread.
pub(crate) fn of_this_thread() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells of threads");
    let nanoseconds = stat.split_whitespace().next().and_then(|it| it.parse::<f64>().ok());
    nanoseconds.expect("it begins with the time on a processor") / 1e9
}

fn peak(process: &Child) -> Option<f64> {
    let folder = Path::new("/proc").join(process.id().to_string());
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1e3)
}
