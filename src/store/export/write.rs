//! Writing an export.

use std::io::{self, Write};

use crate::{
    history::{EventUpdate, Ledger, LedgerError},
    model::Timestamp,
    store::{
        Store,
        event::layout,
        export::{EXPORT_SCHEMA, ExportCounts, Header, body_digest, line::Line},
        record::{
            CursorV2, DestinationV3, HeadV4, RunV3, decode_changes, decode_losses,
            envelope::damaged,
            keys::{self, Kind},
        },
        upkeep::check::prove,
    },
};

/// Why an export could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What takes the export refuses.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl Store {
    /// Writes everything that the store knows as JSON lines. The key of a MISP is not among it: the store
    /// never has one.
    ///
    /// # Errors
    /// If the store is damaged, or if the lines are not taken.
    pub fn export(&self, to: &mut dyn Write, now: Timestamp) -> Result<ExportCounts, ExportError> {
        let counts = self.export_counts()?;
        let header = Header {
            schema: EXPORT_SCHEMA.to_owned(),
            store: self.id().to_string(),
            exported: now.to_string(),
            commits: self.counters.sequence,
            counts,
            blake3: String::new(),
        };
        let mut first = serde_json::to_vec(&header.sealed().map_err(io::Error::from)?)
            .map_err(io::Error::from)?;
        first.push(b'\n');
        to.write_all(&first)?;
        let mut writer = Writer { to, digest: body_digest(EXPORT_SCHEMA), lines: 0 };
        self.export_records(&mut writer)?;
        writer.end()?;
        Ok(counts)
    }

    fn export_counts(&self) -> Result<ExportCounts, LedgerError> {
        let count = |kind| self.counters.count(kind).unwrap_or_default();
        let mut attributes = 0;
        let overlay = self.read();
        self.engine.scan(Kind::Head.prefix(), &mut |key, value| {
            let body = overlay.body(key, value)?;
            let head = HeadV4::read(&body)?;
            attributes += head.base.slots.iter().map(|slot| slot.count).sum::<u64>();
            Ok(())
        })?;
        Ok(ExportCounts {
            destinations: count(Kind::Destination),
            rules: count(Kind::Rules),
            runs: count(Kind::Run),
            changes: count(Kind::Changes),
            aliases: self.aliases()?.len() as u64,
            events: count(Kind::Head),
            attributes,
            cursors: count(Kind::Cursor),
            losses: count(Kind::Losses),
        })
    }

    fn export_records(&self, writer: &mut Writer<'_>) -> Result<(), ExportError> {
        const ORDER: [Kind; 7] = [
            Kind::Destination,
            Kind::Rules,
            Kind::Run,
            Kind::Changes,
            Kind::Head,
            Kind::Losses,
            Kind::Cursor,
        ];
        for kind in ORDER {
            if kind == Kind::Head {
                for (alias, root) in self.aliases()? {
                    writer.line(&Line::Alias { alias, root })?;
                }
            }
            let mut refused = None;
            self.engine.scan(kind.prefix(), &mut |key, value| {
                // What takes the lines may refuse; the rest of the scan then has nothing to do.
                if refused.is_none() {
                    refused = writer.line(&self.line(kind, key, value)?).err();
                }
                Ok(())
            })?;
            if let Some(error) = refused {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn line(&self, kind: Kind, key: &[u8], value: &[u8]) -> Result<Line, LedgerError> {
        let overlay = self.read();
        let body = prove(&overlay, kind, key, value)?;
        let strange = || damaged(format!("{} is no key of {}", keys::shown(key), kind.name()));
        Ok(match kind {
            Kind::Destination => {
                let stored = DestinationV3::read(&body)?;
                Line::Destination { name: stored.name(), record: Box::new(stored.record()) }
            }
            Kind::Rules => {
                let fingerprint = keys::rules_fingerprint(key).ok_or_else(strange)?;
                Line::Rules { fingerprint, table: body.decode("a rule table")? }
            }
            Kind::Run => Line::Run(Box::new(RunV3::read(&body)?)),
            Kind::Changes => {
                let (run, commit, part) = keys::change_numbers(key).ok_or_else(strange)?;
                let mut changes = Vec::new();
                decode_changes(&body, &mut changes)?;
                Line::Changes { run, commit, part, changes }
            }
            Kind::Head => {
                let (destination, _) = keys::head_names(key).ok_or_else(strange)?;
                let event = layout::event(&overlay, key, &body)?;
                Line::Event { destination, update: Box::new(EventUpdate::whole(event)) }
            }
            Kind::Losses => {
                let (destination, place) = keys::loss_names(key).ok_or_else(strange)?;
                Line::Losses { destination, place, losses: decode_losses(&body)? }
            }
            Kind::Cursor => {
                let (feed, destination) = keys::cursor_names(key).ok_or_else(strange)?;
                let cursor = CursorV2::read(&body)?;
                Line::Cursor { feed, destination, cursor }
            }
            Kind::Object | Kind::Alias | Kind::Index | Kind::Meta => return Err(strange()),
        })
    }
}

struct Writer<'w> {
    to: &'w mut dyn Write,
    digest: crate::model::Encoder,
    lines: u64,
}

impl Writer<'_> {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.digest.raw(&bytes);
        self.lines += 1;
        self.to.write_all(&bytes)
    }

    fn end(self) -> io::Result<()> {
        let end = Line::End { lines: self.lines, blake3: self.digest.finish().to_string() };
        let mut bytes = serde_json::to_vec(&end)?;
        bytes.push(b'\n');
        self.to.write_all(&bytes)?;
        self.to.flush()
    }
}
