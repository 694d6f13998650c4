//! Headers of the segments of sled's file, which it needs to go by the log alone.
//!
//! sled 0.34.7 cuts its file into segments, each with a place in the log (an LSN) and, in its header, how far the
//! log was on the disk when the segment was begun. Where there is no snapshot it follows the log from the segment of
//! the farthest such place. That segment may have been given free, as all in it was written anew since; then sled
//! takes the log for empty, opens as a new store, and overwrites the headers of what is there. So before it is
//! opened without a snapshot, the header of the segment behind is made to say that the log was on the disk up to its
//! own beginning, which is true: without that it would not have been begun.
//!
//! Where there is a snapshot and the header of the segment in which the log ends is damaged, sled goes on in that
//! segment and leaves the header as it is: what it takes from then on it does not find when it is opened again.
//!
//! What sled does to damaged files it does before it says that they are: so they are looked at before.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::store::engine::tail;

/// Bytes of a segment, sled's default.
pub(super) const SEGMENT_BYTES: u64 = 512 << 10;
pub(super) const SEGMENT: i64 = SEGMENT_BYTES as i64;
pub(super) const HEADER_BYTES: usize = 20;
/// Numbers are stored with all bits but the sign turned, so that zeros are no header.
const TURNED: i64 = i64::MAX;

/// What the header of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Where in the log the segment begins.
    begins: i64,
    /// How far the log was on the disk.
    stable: i64,
}

impl Header {
    fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (check, said) = bytes.split_first_chunk()?;
        let number = |at: usize| -> Option<i64> {
            let bytes = said.get(at..)?.first_chunk()?;
            Some(i64::from_le_bytes(*bytes) ^ TURNED)
        };
        let sound = u32::from_le_bytes(*check) == !checksum(said);
        let header = Self { begins: number(0)?, stable: number(8)? };
        (sound && header.begins >= 0).then_some(header)
    }

    fn written(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[4..12].copy_from_slice(&(self.begins ^ TURNED).to_le_bytes());
        bytes[12..].copy_from_slice(&(self.stable ^ TURNED).to_le_bytes());
        let check = !checksum(&bytes[4..]);
        bytes[..4].copy_from_slice(&check.to_le_bytes());
        bytes
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// In which condition a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing is wrong.
    Sound,
    /// Something stands behind its end that is part of it. Where a process was killed while it wrote, that was never
    /// acknowledged.
    Torn,
    /// A header is neither sound nor empty, or the log ends before a place that it had reached.
    Damaged,
}

/// The log in sled's file.
pub(crate) struct Log {
    file: File,
    headers: Headers,
    /// Whether a header is neither sound nor empty.
    is_damaged: bool,
}

impl Log {
    /// Reads the headers of the segments, if there is a file.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn open(db: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::options().read(true).write(true).open(db) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let (headers, is_damaged) = headers(&mut file)?;
        Ok(Some(Self { file, headers, is_damaged }))
    }

    /// In which condition its headers and its end are (`tail`). It had reached the place in the name of the snapshot; such
    /// a place at the end of a segment is that of the next, which may not be begun.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn condition(&mut self, snapshot: Option<i64>) -> io::Result<Condition> {
        if self.is_damaged {
            return Ok(Condition::Damaged);
        }
        let reached = snapshot.unwrap_or_default().max(0);
        let first = reached / SEGMENT * SEGMENT;
        let stable = self.headers.range(first..).map(|(_, (_, header))| header.stable);
        let from = stable.max().unwrap_or_default().max(first) / SEGMENT * SEGMENT;
        let tail = tail::read(&mut self.file, &self.headers, from)?;
        Ok(match tail.is_torn {
            _ if tail.ends < reached => Condition::Damaged,
            true => Condition::Torn,
            false => Condition::Sound,
        })
    }

    #[cfg(test)]
    pub(super) fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Whether sled can follow it without a snapshot.
    pub(crate) fn is_followable(&self) -> bool {
        lacking(&self.headers).is_none()
    }

    /// Makes the headers such that it can.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn make_followable(mut self) -> io::Result<()> {
        if let Some((place, header)) = lacking(&self.headers) {
            self.file.seek(SeekFrom::Start(place))?;
            self.file.write_all(&header.written())?;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// By where they begin in the log: the place in the file, and the header.
pub(super) type Headers = BTreeMap<i64, (u64, Header)>;

/// The sound headers, and whether there are others, or two of one place.
fn headers(file: &mut File) -> io::Result<(Headers, bool)> {
    let (mut headers, mut is_damaged) = (Headers::new(), false);
    let mut place = 0;
    let mut bytes = [0; HEADER_BYTES];
    loop {
        file.seek(SeekFrom::Start(place))?;
        match file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok((headers, is_damaged));
            }
            Err(error) => return Err(error),
        }
        match Header::read(&bytes) {
            Some(header) => is_damaged |= headers.insert(header.begins, (place, header)).is_some(),
            None => is_damaged |= bytes != [0; HEADER_BYTES],
        }
        place += SEGMENT_BYTES;
    }
}

/// The header that has to be written, if the segment is gone from which sled would follow the log.
fn lacking(headers: &Headers) -> Option<(u64, Header)> {
    let farthest = headers.values().map(|(_, header)| header.stable).max()?.max(0);
    let from = farthest / SEGMENT * SEGMENT;
    if headers.contains_key(&from) {
        return None;
    }
    let (begins, (place, header)) = headers.range(from..).next()?;
    Some((*place, Header { stable: *begins, ..*header }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::LedgerError,
        store::engine::{Effort, Engine, Writes, sled::SledEngine},
    };
    use std::fs;

    #[test]
    fn a_header_is_read_back_and_damage_is_none() {
        let header = Header { begins: 0x80_000, stable: 0x7f_fff };
        let bytes = header.written();
        assert_eq!(Header::read(&bytes), Some(header));
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::read(&flipped), None, "{bit}");
        }
        assert_eq!(Header::read(&[0; HEADER_BYTES]), None);
    }

    fn snapshots(folder: &Path) -> Vec<std::path::PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."))
            .collect()
    }

    /// At each length of the log, also where all of an earlier segment was written anew.
    #[test]
    fn nothing_is_lost_with_the_snapshot_however_long_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("engine"), folder.path().join("other"));
        let mut sound =
            |sign| -> Result<(), LedgerError> { panic!("{sign:?}, and nothing was wrong") };
        let mut mended = 0;
        for step in 0..220_u32 {
            {
                let mut engine = SledEngine::open(&path, Effort::Usual, &mut sound).unwrap();
                let value = (0..6_000_u32).map(|at| (at * 7 + step).to_le_bytes()[0]).collect();
                engine.commit(&Writes::from([(step.to_be_bytes().to_vec(), Some(value))])).unwrap();
            }
            if step % 3 == 0 {
                drop(SledEngine::open(&path, Effort::Usual, &mut sound).unwrap());
            }
            if step < 20 || step % 4 > 0 {
                continue;
            }
            drop(fs::remove_dir_all(&other));
            fs::create_dir_all(&other).unwrap();
            for file in ["db", "conf"] {
                fs::copy(path.join(file), other.join(file)).unwrap();
            }
            // Cut off, or not there at all.
            if step % 8 == 0 {
                let whole = fs::read(&snapshots(&path)[0]).unwrap();
                let name = snapshots(&path)[0].file_name().unwrap().to_owned();
                fs::write(other.join(name), &whole[..whole.len() / 2]).unwrap();
            }
            let mut doubted = false;
            let mut doubt = |_| {
                doubted = true;
                Ok(())
            };
            let engine = SledEngine::open(&other, Effort::Usual, &mut doubt).unwrap();
            mended += u32::from(doubted);
            let mut found = 0_u32;
            engine
                .scan(b"", &mut |key, value| {
                    assert_eq!((key, value.len()), (&found.to_be_bytes()[..], 6_000));
                    found += 1;
                    Ok(())
                })
                .unwrap();
            assert_eq!(found, step + 1, "{:?}", snapshots(&path));
        }
        assert!(mended > 20, "{mended}");
    }
}
