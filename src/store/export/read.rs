//! Making a store of an export.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, BufRead},
    path::Path,
    time::Duration,
};

use uuid::Uuid;

use crate::{
    history::{EventUpdate, LedgerError, PlaceLosses, RunRecord},
    model::{Encoder, EntityKey, Fault},
    plan::DestinationRecord,
    store::{
        OpenError, OpenMode, Owner, Store, StoreId,
        engine::Effort,
        event::layout,
        export::{
            EXPORT_SCHEMA, ExportCounts, FIRST_SCHEMA, Header, body_digest, first,
            line::{Line, Wrong},
            sound,
        },
        lifecycle::{
            folder::{check_vacant, identity, is_store},
            lock::Lock,
            opened::{Opened, open_engine},
            permissions,
            swap::{self, Aside, Fresh},
        },
        record::{
            AliasesV1, CursorV2, DestinationV3, RunV3, encode_changes, encode_losses,
            envelope::encode,
            keys::{self, Kind, Name},
        },
    },
};

/// Longest line that is read, in bytes: an event of some hundred thousand attributes.
const LINE_BYTES_MAX: u64 = 1 << 30;
const TWICE: &str = "what it is of stands there twice";

/// Why an export could not be imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store cannot be made.
    Store(#[from] OpenError),
    /// There is a store with something in it.
    NotEmpty {
        /// The store's folder.
        path: String,
    },
    /// A line that is not as it was written.
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        what: Wrong,
    },
    /// The export was written by a later version.
    Schema {
        /// The schema that it names.
        schema: String,
    },
    /// The export cannot be read.
    Read(io::Error),
}

impl ImportError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.fault(),
            Self::NotEmpty { path } => Fault::new(
                "the store holds something already",
                "import into an empty store, or into a new folder with --store PATH",
            )
            .at(path),
            Self::Line { line, what } => {
                let cure = "nothing was imported: take another copy of the export";
                Fault::new(what.to_string(), cure).at(format_args!("line {line}"))
            }
            Self::Schema { schema } => Fault::new(
                format!("the export has the schema {schema:?}"),
                "use the version that wrote it",
            )
            .at("line 1"),
            Self::Read(error) => Fault::new(
                format!("the export cannot be read: {error}"),
                "check where it comes from",
            ),
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The store that was made; it has a name of its own.
    pub store: StoreId,
    /// The name of the store that was exported.
    pub from: String,
    /// When it was exported.
    pub exported: String,
    /// What it holds.
    pub counts: ExportCounts,
}

impl Store {
    /// Makes a store of an export in a folder that holds none, or an empty one. It is there whole, or
    /// not at all.
    ///
    /// # Errors
    /// If the folder holds anything else, if another process has it, if a line is damaged or the last one is
    /// missing, or if the operating system refuses.
    pub fn import(
        path: &Path,
        owner: Owner,
        wait: Duration,
        from: &mut dyn BufRead,
    ) -> Result<ImportReport, ImportError> {
        check_room(path, &owner, wait)?;
        permissions::create_folder(path).map_err(|error| OpenError::io(path, "created", &error))?;
        let _lock = Lock::take(path, owner, wait)?;
        let imported = import(path, from);
        if imported.is_err() {
            swap::discard(path)?;
        }
        imported
    }
}

/// Whether the folder is empty, or holds a store that is.
fn check_room(path: &Path, owner: &Owner, wait: Duration) -> Result<(), ImportError> {
    if !path.exists() {
        return Ok(());
    }
    if !is_store(path) {
        return Ok(check_vacant(path)?);
    }
    let store = Store::open(path, OpenMode::ReadOnly, owner.clone(), wait)?;
    let empty = Kind::ALL.into_iter().all(|kind| store.counters.count(kind).unwrap_or(0) == 0);
    if empty { Ok(()) } else { Err(ImportError::NotEmpty { path: path.display().to_string() }) }
}

fn import(path: &Path, from: &mut dyn BufRead) -> Result<ImportReport, ImportError> {
    let of = |error| ImportError::Store(OpenError::of(&path.display().to_string(), error));
    let mut lines = Lines { from, line: 0, bytes: Vec::new(), first: false };
    let header = lines.header()?;
    lines.first = header.schema == FIRST_SCHEMA;
    let mut reader = Reader {
        fresh: Fresh::begin(path)?,
        aliases: BTreeMap::new(),
        keys: BTreeSet::new(),
        counts: ExportCounts::default(),
        digest: body_digest(&header.schema),
    };
    loop {
        let line = lines.next()?;
        if let Line::End { lines: count, blake3 } = line {
            let expected = (lines.line - 2, reader.digest.finish().to_string());
            if (count, blake3) != expected {
                return Err(lines.wrong("the lines before it are not those that were written"));
            }
            break;
        }
        reader.digest.raw(&lines.bytes);
        reader.take(line).map_err(|refused| match refused {
            Refused::Line(what) => lines.wrong(&what),
            Refused::Store(error) => of(error),
        })?;
    }
    if reader.counts != header.counts {
        return Err(lines.wrong("there are not as many records as the first line says"));
    }
    lines.nothing_more()?;
    reader.put_aliases().map_err(of)?;
    let store = StoreId(Uuid::new_v4());
    reader.fresh.finish(&identity(path, store)?, header.commits.max(1), false)?;
    swap::swap(path, Aside::Removed)?;
    let Opened { engine, mut mark, .. } = open_engine(path, Effort::Usual, None)?;
    drop(engine);
    mark.set(header.commits.max(1));
    let Header { store: from, exported, counts, .. } = header;
    Ok(ImportReport { store, from, exported, counts })
}

struct Lines<'r> {
    from: &'r mut dyn BufRead,
    /// Number of the line that was read last, from 1.
    line: u64,
    /// The line with its end.
    bytes: Vec<u8>,
    /// They are of the first format.
    first: bool,
}

impl Lines<'_> {
    fn wrong(&self, what: &str) -> ImportError {
        ImportError::Line { line: self.line, what: what.to_owned() }
    }

    /// Reads the next line; it has to be one.
    fn read(&mut self) -> Result<&[u8], ImportError> {
        self.bytes.clear();
        self.line += 1;
        self.fill().map_err(ImportError::Read)?;
        match self.bytes.split_last() {
            Some((b'\n', line)) => Ok(line),
            _ if self.bytes.len() as u64 == LINE_BYTES_MAX => {
                Err(self.wrong("the line is longer than any that is written"))
            }
            _ => Err(self.wrong("the export is cut off here")),
        }
    }

    /// Reads up to the end of the line, of the export, or of what a line may be.
    fn fill(&mut self) -> io::Result<()> {
        let room = usize::try_from(LINE_BYTES_MAX).unwrap_or(usize::MAX);
        while self.bytes.last() != Some(&b'\n') && self.bytes.len() < room {
            let piece = match self.from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            if piece.is_empty() {
                return Ok(());
            }
            let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let piece = &piece[..end.min(room - self.bytes.len())];
            self.bytes.try_reserve(piece.len())?;
            self.bytes.extend_from_slice(piece);
            let taken = piece.len();
            self.from.consume(taken);
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Header, ImportError> {
        let line = self.read()?.to_vec();
        let header: Header =
            serde_json::from_slice(&line).map_err(|error| self.wrong(&told(&error)))?;
        let known = [EXPORT_SCHEMA, FIRST_SCHEMA].contains(&&*header.schema);
        if !known && header.schema.starts_with("misp-trickle/export/") {
            return Err(ImportError::Schema { schema: header.schema });
        }
        sound::number(header.commits, "the number of a commit")
            .map_err(|what| self.wrong(&what))?;
        let sealed = header.clone().sealed().and_then(|sealed| serde_json::to_vec(&sealed));
        if !known || sealed.ok().as_ref() != Some(&line) {
            return Err(self.wrong("it is not the first line of an export, or it is damaged"));
        }
        Ok(header)
    }

    fn next(&mut self) -> Result<Line, ImportError> {
        let first = self.first;
        let line = self.read()?;
        if first {
            return first::read(line).map_err(|error| self.wrong(&told(&error)));
        }
        let parsed = serde_json::from_slice::<Line>(line);
        let same = |parsed: &Line| serde_json::to_vec(parsed).is_ok_and(|again| again == line);
        match parsed {
            Ok(parsed) if same(&parsed) => Ok(parsed),
            Ok(_) => Err(self.wrong("it is not as it was written")),
            Err(error) => Err(self.wrong(&told(&error))),
        }
    }

    fn nothing_more(&mut self) -> Result<(), ImportError> {
        self.line += 1;
        let rest = self.from.fill_buf().map_err(ImportError::Read)?;
        if rest.is_empty() { Ok(()) } else { Err(self.wrong("something follows the last line")) }
    }
}

/// The error without the number of the line, which is always 1 in its text.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    format!("it cannot be read: {what}, at byte {}", error.column())
}

/// What a line of an export holds, where the program could have written it.
#[derive(Debug)]
#[doc(hidden)]
pub enum Told {
    /// An event with its attributes.
    Event(EventUpdate),
    /// A run.
    Run(Box<RunRecord>),
    /// A destination.
    Destination(DestinationRecord),
    /// Changes, of a run and a commit.
    Changes(u64, u64),
    /// The run that a cursor was moved by.
    Cursor(u64),
    /// What did not reach MISP.
    Losses(PlaceLosses),
    /// Something without numbers.
    Other,
}

/// Reads one line, as an import does.
///
/// # Errors
/// In words, if an import would refuse it.
#[doc(hidden)]
pub fn told_by(line: &[u8]) -> Result<Told, String> {
    let mut bytes = line;
    let lines = &mut Lines { from: &mut bytes, line: 0, bytes: Vec::new(), first: false };
    Ok(match lines.next().map_err(|error| error.to_string())? {
        Line::Event { mut update, .. } => {
            sound::event(&mut update)?;
            Told::Event(*update)
        }
        Line::Run(mut record) => {
            sound::run(&mut record)?;
            Told::Run(record)
        }
        Line::Destination { mut record, .. } => {
            sound::destination(&mut record)?;
            Told::Destination(*record)
        }
        Line::Changes { run, commit, .. } => {
            sound::run_number(run)?;
            sound::number(commit, "the number of a commit")?;
            Told::Changes(run.0, commit)
        }
        Line::Cursor { cursor, .. } => {
            sound::cursor(&cursor)?;
            Told::Cursor(cursor.run.0)
        }
        Line::Losses { place, mut losses, .. } => {
            sound::losses(&place, &mut losses)?;
            Told::Losses(losses)
        }
        Line::Rules { .. } | Line::Alias { .. } | Line::End { .. } => Told::Other,
    })
}

/// Why a line is not taken.
enum Refused {
    /// It is wrong.
    Line(Wrong),
    /// The new store takes nothing.
    Store(LedgerError),
}

impl From<Wrong> for Refused {
    fn from(wrong: Wrong) -> Self {
        Self::Line(wrong)
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        Self::Store(error)
    }
}

struct Reader {
    fresh: Fresh,
    /// Gathered, for they stand together in buckets.
    aliases: BTreeMap<Vec<u8>, BTreeMap<EntityKey, EntityKey>>,
    /// The keys of all other records, lest one comes twice.
    keys: BTreeSet<Vec<u8>>,
    counts: ExportCounts,
    digest: Encoder,
}

impl Reader {
    /// Takes one line in.
    fn take(&mut self, line: Line) -> Result<(), Refused> {
        let counts = &mut self.counts;
        let (key, body) = match line {
            Line::Destination { name, mut record } => {
                counts.destinations += 1;
                sound::destination(&mut record)?;
                (keys::destination(&name), encode(&DestinationV3::of(&name, &record))?)
            }
            Line::Rules { fingerprint, table } => {
                counts.rules += 1;
                (keys::rules(&fingerprint), encode(&table)?)
            }
            Line::Run(mut record) => {
                counts.runs += 1;
                sound::run(&mut record)?;
                (keys::run(record.number), encode(&RunV3::of(&record))?)
            }
            Line::Changes { run, commit, part, mut changes } => {
                counts.changes += 1;
                sound::run_number(run)?;
                sound::number(commit, "the number of a commit")?;
                changes.iter_mut().for_each(|change| change.kind.shorten());
                (keys::change_chunk(run, commit, part), encode_changes(&changes)?)
            }
            Line::Alias { alias, root } => {
                counts.aliases += 1;
                let bucket = self.aliases.entry(keys::aliases(&alias)).or_default();
                return match bucket.insert(alias, root) {
                    None => Ok(()),
                    Some(_) => Err("an alias stands there twice".to_owned().into()),
                };
            }
            Line::Event { destination, update } => return self.take_event(&destination, *update),
            Line::Cursor { feed, destination, cursor } => {
                counts.cursors += 1;
                sound::cursor(&cursor)?;
                (keys::cursor_of(&feed, &destination), encode(&CursorV2::of(&cursor))?)
            }
            Line::Losses { destination, place, mut losses } => {
                counts.losses += 1;
                sound::losses(&place, &mut losses)?;
                (keys::losses_at(&destination, &place), encode_losses(&losses)?)
            }
            Line::End { .. } => {
                return Err("the last line stands before the end".to_owned().into());
            }
        };
        self.is_new(&key)?;
        Ok(self.fresh.record(key, &body)?)
    }

    fn take_event(&mut self, destination: &Name, mut update: EventUpdate) -> Result<(), Refused> {
        self.counts.events += 1;
        self.counts.attributes += update.attributes.len() as u64;
        sound::event(&mut update)?;
        let key = keys::head_of(destination, update.head.uuid);
        self.is_new(&key)?;
        let mut overlay = self.fresh.overlay();
        // The index is made anew when the store is next opened to be written to.
        drop(layout::put(&mut overlay, key, update)?);
        let writes = overlay.into_writes();
        Ok(self.fresh.take(writes)?)
    }

    fn is_new(&mut self, key: &[u8]) -> Result<(), Wrong> {
        if self.keys.insert(key.to_vec()) { Ok(()) } else { Err(TWICE.to_owned()) }
    }

    fn put_aliases(&mut self) -> Result<(), LedgerError> {
        for (key, aliases) in std::mem::take(&mut self.aliases) {
            self.fresh.record(key, &encode(&AliasesV1::of(&aliases))?)?;
        }
        Ok(())
    }
}
