//! Making a store of an export.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead},
    path::Path,
    time::Duration,
};

use uuid::Uuid;

use crate::{
    history::{Change, EventUpdate, LedgerError, RunRecord},
    model::{Encoder, EntityKey},
    plan::DestinationRecord,
    store::{
        OpenError, OpenMode, Owner, Store, StoreId,
        engine::Effort,
        event::layout,
        export::{
            EXPORT_SCHEMA, ExportCounts, Header, body_digest,
            change::ChangeLine,
            line::{Line, Wrong},
            sound,
        },
        lifecycle::{
            lock::Lock,
            open::{check_vacant, identity, is_store, open_engine},
            permissions,
            swap::{self, Aside, Fresh},
        },
        record::{
            AliasesV1, CursorV1, DestinationV2, RunV1, encode_changes,
            envelope::{Body, encode},
            keys::{self, Kind},
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
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is a store with something in it.
    #[error(
        "the store at {path} holds something already; import into an empty store, or into a new folder with --store PATH"
    )]
    NotEmpty {
        /// The store's folder.
        path: String,
    },
    /// A line that is not as it was written.
    #[error("line {line}: {what}; nothing was imported: take another copy of the export")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        what: Wrong,
    },
    /// The export was written by a later version.
    #[error("line 1: the export has the schema {schema:?}; use the version that wrote it")]
    Schema {
        /// The schema that it names.
        schema: String,
    },
    /// The export cannot be read.
    #[error("the export cannot be read: {0}; check where it comes from")]
    Read(io::Error),
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
    let mut lines = Lines { from, line: 0, bytes: Vec::new() };
    let header = lines.header()?;
    let mut reader = Reader {
        fresh: Fresh::begin(path)?,
        aliases: BTreeMap::new(),
        keys: BTreeSet::new(),
        counts: ExportCounts::default(),
        digest: body_digest(),
    };
    loop {
        let line = lines.next()?;
        if let Line::End(end) = line {
            let expected = (lines.line - 2, reader.digest.finish().to_string());
            if (end.lines, end.blake3) != expected {
                return Err(lines.wrong("the lines before it are not those that were written"));
            }
            break;
        }
        reader.digest.raw(&lines.bytes);
        let taken = reader.take(line).map_err(of)?;
        taken.map_err(|what| lines.wrong(&what))?;
    }
    if reader.counts != header.counts {
        return Err(lines.wrong("there are not as many records as the first line says"));
    }
    lines.nothing_more()?;
    reader.put_aliases().map_err(of)?;
    let store = StoreId(Uuid::new_v4());
    reader.fresh.finish(&identity(path, store)?, header.commits.max(1))?;
    swap::swap(path, Aside::Removed)?;
    let (engine, mut mark, _) = open_engine(path, Effort::Usual)?;
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
        if header.schema != EXPORT_SCHEMA && header.schema.starts_with("misp-trickle/export/") {
            return Err(ImportError::Schema { schema: header.schema });
        }
        sound::number(header.commits, "the number of a commit")
            .map_err(|what| self.wrong(&what))?;
        let sealed = header.clone().sealed().and_then(|sealed| serde_json::to_vec(&sealed));
        if header.schema != EXPORT_SCHEMA || sealed.ok().as_ref() != Some(&line) {
            return Err(self.wrong("it is not the first line of an export, or it is damaged"));
        }
        Ok(header)
    }

    fn next(&mut self) -> Result<Line, ImportError> {
        let line = self.read()?;
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
    Run(RunRecord),
    /// A destination.
    Destination(DestinationRecord),
    /// Changes, of a run and a commit.
    Changes(u64, u64),
    /// The run that a cursor was moved by.
    Cursor(u64),
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
    let parsed = Lines { from: &mut bytes, line: 0, bytes: Vec::new() }.next();
    Ok(match parsed.map_err(|error| error.to_string())? {
        Line::Event(line) => Told::Event(line.update()?),
        Line::Run(line) => Told::Run(line.record()?),
        Line::Destination(line) => Told::Destination(line.record()?.1),
        Line::Changes(line) => {
            let (run, commit) = line.numbers()?;
            Told::Changes(run.0, commit)
        }
        Line::Cursor(line) => Told::Cursor(line.cursor()?.run.0),
        Line::Rules(_) | Line::Alias(_) | Line::End(_) => Told::Other,
    })
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
    /// Takes one line in; the inner error is the line's, the outer the engine's.
    fn take(&mut self, line: Line) -> Result<Result<(), Wrong>, LedgerError> {
        let record = match self.record(line)? {
            Ok(record) => record,
            Err(wrong) => return Ok(Err(wrong)),
        };
        if let Some((key, body)) = record {
            self.fresh.record(key, &body)?;
        }
        Ok(Ok(()))
    }

    #[expect(clippy::type_complexity, reason = "a key and a body, two kinds of errors")]
    fn record(
        &mut self,
        line: Line,
    ) -> Result<Result<Option<(Vec<u8>, Body)>, Wrong>, LedgerError> {
        /// Hands the line's error out.
        macro_rules! right {
            ($read:expr) => {
                match $read {
                    Ok(read) => read,
                    Err(wrong) => return Ok(Err(wrong)),
                }
            };
        }
        let counts = &mut self.counts;
        let (key, body) = match line {
            Line::Destination(line) => {
                counts.destinations += 1;
                let (name, record) = right!(line.record());
                (keys::destination(&name), encode(&DestinationV2::of(&name, &record))?)
            }
            Line::Rules(line) => {
                counts.rules += 1;
                (keys::rules(&right!(line.fingerprint())), encode(&line.table)?)
            }
            Line::Run(line) => {
                counts.runs += 1;
                let record = right!(line.record());
                (keys::run(record.number), encode(&RunV1::of(&record))?)
            }
            Line::Changes(line) => {
                counts.changes += 1;
                let (run, commit) = right!(line.numbers());
                let key = keys::change_chunk(run, commit, line.part);
                let changes: Vec<Change> =
                    line.changes.into_iter().map(ChangeLine::change).collect();
                (key, encode_changes(&changes)?)
            }
            Line::Alias(line) => {
                counts.aliases += 1;
                let (alias, root) = (EntityKey::whole(&line.alias), EntityKey::whole(&line.root));
                let bucket = self.aliases.entry(keys::aliases(&alias)).or_default();
                if bucket.insert(alias, root).is_some() {
                    return Ok(Err("an alias stands there twice".to_owned()));
                }
                return Ok(Ok(None));
            }
            Line::Event(line) => {
                counts.events += 1;
                counts.attributes += line.attribute_count();
                let destination = right!(line.destination.name());
                let update = right!(line.update());
                let mut overlay = self.fresh.overlay();
                let key = keys::head_of(&destination, update.head.uuid);
                if !self.keys.insert(key.clone()) {
                    return Ok(Err(TWICE.to_owned()));
                }
                layout::put(&mut overlay, key, update)?;
                let writes = overlay.into_writes();
                self.fresh.take(writes)?;
                return Ok(Ok(None));
            }
            Line::Cursor(line) => {
                counts.cursors += 1;
                let key =
                    keys::cursor_of(&right!(line.feed.name()), &right!(line.destination.name()));
                let cursor = right!(line.cursor());
                (key, encode(&CursorV1::of(&cursor))?)
            }
            Line::End(_) => return Ok(Err("the last line stands before the end".to_owned())),
        };
        if !self.keys.insert(key.clone()) {
            return Ok(Err(TWICE.to_owned()));
        }
        Ok(Ok(Some((key, body))))
    }

    fn put_aliases(&mut self) -> Result<(), LedgerError> {
        for (key, aliases) in std::mem::take(&mut self.aliases) {
            self.fresh.record(key, &encode(&AliasesV1::of(&aliases))?)?;
        }
        Ok(())
    }
}
