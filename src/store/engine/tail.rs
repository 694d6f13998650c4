//! The end of sled's log, read before sled opens it.
//!
//! To find the end, sled 0.34.7 follows its log from the last segment of which it knows that it was on the disk, up to
//! the first message that does not prove itself, and overwrites with zeros what stands behind. That may be torn by a
//! crash, damaged later, or left of what the segment held before it was given free, as none is cleared before it is used
//! again. A message
//! names its segment, and no two of the log have one number. So what stands behind the end is part of the log if it is a
//! message that names this segment.
//!
//! Not told from what was left before is a last message of which the header itself is damaged. Not looked at is what
//! stands between the segment in which the snapshot ends and the one from which the log is followed here: sled reads it
//! too, and drops the rest of a segment behind a message that does not prove itself, without a word.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use crate::store::engine::segments::{HEADER_BYTES, Headers, SEGMENT, SEGMENT_BYTES};

/// No message begins nearer to the end of a segment.
const MESSAGE_BYTES_LEAST: usize = 32;
/// All that are written.
const KINDS: std::ops::RangeInclusive<u8> = 1..=11;
/// Kind of the message that fills the rest of a segment.
const FILLER: u8 = 2;

/// Where the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// The place in the log behind the last message.
    pub(super) ends: i64,
    /// Whether part of the log stands behind it.
    pub(super) is_torn: bool,
}

/// Follows the log from the beginning of a segment.
pub(super) fn read(file: &mut File, headers: &Headers, from: i64) -> io::Result<Tail> {
    let mut begins = from;
    while let Some((place, _)) = headers.get(&begins) {
        let bytes = segment(file, *place)?;
        let number = u64::try_from(begins / SEGMENT).unwrap_or_default();
        if let Some(end) = end(&bytes, number) {
            let goes_on = headers.range(begins + 1..).next().is_some();
            let is_torn = goes_on || is_in_log(&bytes[end..], number);
            return Ok(Tail { ends: begins + i64::try_from(end).unwrap_or(SEGMENT), is_torn });
        }
        begins += SEGMENT;
    }
    Ok(Tail { ends: begins, is_torn: headers.range(begins..).next().is_some() })
}

fn segment(file: &mut File, place: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(place))?;
    file.take(SEGMENT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the messages of a segment end, unless it is full.
fn end(bytes: &[u8], segment: u64) -> Option<usize> {
    let mut at = HEADER_BYTES;
    let last = usize::try_from(SEGMENT_BYTES).unwrap_or(usize::MAX) - MESSAGE_BYTES_LEAST;
    while at <= last {
        let rest = bytes.get(at..).unwrap_or_default();
        match Message::read(rest, segment).filter(|message| message.is_sound(rest)) {
            None => return Some(at.min(bytes.len())),
            Some(message) if message.kind == FILLER => return None,
            Some(message) => at += message.header + message.body,
        }
    }
    None
}

/// Whether what stands behind the end is part of the log: a message that does not prove itself, or any that does.
fn is_in_log(rest: &[u8], segment: u64) -> bool {
    if rest.iter().all(|byte| *byte == 0) {
        return false;
    }
    let is_sound = |rest: &[u8]| Message::read(rest, segment).is_some_and(|it| it.is_sound(rest));
    Message::read(rest, segment).is_some() || (1..rest.len()).any(|at| is_sound(&rest[at..]))
}

/// What the header of a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Message {
    check: u32,
    kind: u8,
    /// Bytes of the header.
    header: usize,
    /// Bytes that follow it.
    body: usize,
}

impl Message {
    /// The message that these bytes begin with, if it can be one of the segment.
    fn read(bytes: &[u8], segment: u64) -> Option<Self> {
        let kind = *bytes.get(4).filter(|kind| KINDS.contains(kind))?;
        let check = u32::from_le_bytes(*bytes.first_chunk()?);
        let (body, at) = number(bytes, 5)?;
        let (of, at) = number(bytes, at)?;
        let (_page, header) = number(bytes, at)?;
        let body = usize::try_from(body).ok()?;
        (of == segment).then_some(Self { check, kind, header, body })
    }

    fn is_sound(self, bytes: &[u8]) -> bool {
        let body = self.header.checked_add(self.body).and_then(|end| bytes.get(self.header..end));
        body.is_some_and(|body| {
            let mut crc = flate2::Crc::new();
            crc.update(body);
            crc.update(&bytes[4..self.header]);
            !crc.sum() == self.check
        })
    }
}

/// A number as sled writes it, and where it ends: small ones in one byte, others with their length before them.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    let rest = &bytes[at + 1..];
    match first {
        0..=240 => Some((u64::from(first), at + 1)),
        241..=248 => {
            Some((240 + 256 * (u64::from(first) - 241) + u64::from(*rest.first()?), at + 2))
        }
        249 => Some((2288 + u64::from(u16::from_be_bytes(*rest.first_chunk()?)), at + 3)),
        250..=255 => {
            let length = usize::from(first) - 247;
            let mut all = [0; 8];
            all[..length].copy_from_slice(rest.get(..length)?);
            Some((u64::from_le_bytes(all), at + 1 + length))
        }
    }
}

/// What the log holds of the segment in which it ends: places in sled's file.
#[cfg(test)]
pub(in crate::store) fn end_of_log(db: &std::path::Path) -> io::Result<std::ops::Range<usize>> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let log = crate::store::engine::segments::Log::open(db)?.ok_or_else(wrong)?;
    let (begins, (place, _)) = log.headers().last_key_value().ok_or_else(wrong)?;
    let bytes = segment(&mut File::open(db)?, *place)?;
    let number = u64::try_from(begins / SEGMENT).unwrap_or_default();
    let place = usize::try_from(*place).unwrap_or_default();
    Ok(place..place + end(&bytes, number).unwrap_or(bytes.len()))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::store::engine::{
        Effort, Engine, Writes,
        segments::{Condition, Log},
        sled::{SledEngine, at_rest, snapshot},
    };

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let written: [(u64, &[u8]); 8] = [
            (0, &[0]),
            (240, &[240]),
            (241, &[241, 1]),
            (2_287, &[248, 255]),
            (2_288, &[249, 0, 0]),
            (67_823, &[249, 255, 255]),
            (67_824, &[250, 0xf0, 0x08, 0x01]),
            (u64::MAX, &[255, 255, 255, 255, 255, 255, 255, 255, 255]),
        ];
        for (expected, bytes) in written {
            assert_eq!(number(bytes, 0), Some((expected, bytes.len())));
            assert_eq!(number(&bytes[..bytes.len() - 1], 0), None, "{expected}");
        }
    }

    fn commit(path: &Path, session: u32) {
        let mut sound = |sign| panic!("{sign:?}, and nothing was wrong");
        let mut engine = SledEngine::open(path, Effort::Usual, &mut sound).unwrap();
        for step in 0..100_u32 {
            // No bytes that could be those of a header.
            let value = vec![0x80 | step.to_le_bytes()[0]; 5_000];
            let key = (session * 41 + step * 7) % 60;
            engine.commit(&Writes::from([(key.to_be_bytes().to_vec(), Some(value))])).unwrap();
        }
    }

    /// A file is written to for long: segments are given free and used again, and hold what they held.
    #[test]
    fn what_a_segment_held_before_is_no_part_of_the_log_and_a_torn_message_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine");
        let db = path.join("db");
        let (mut left, mut torn) = (0, 0);
        for step in 0.. {
            if left > 1 && torn > 50 {
                return;
            }
            assert!(step < 500, "{left} ends with something behind, {torn} torn");
            commit(&path, step);
            let _resting = at_rest(&path).unwrap();
            let reached = snapshot(&path).unwrap().map(|(place, _)| place);
            let condition = || Log::open(&db).unwrap().unwrap().condition(reached).unwrap();
            assert_eq!(condition(), Condition::Sound, "{step}");
            let whole = fs::read(&db).unwrap();
            let segment = end_of_log(&db).unwrap();
            let rest = &whole[segment.end..(segment.start + (512 << 10)).min(whole.len())];
            left += u32::from(rest.iter().any(|byte| *byte != 0));
            if segment.len() < 3_000 {
                continue;
            }
            // Part of the last message, and something before it.
            for back in [1, 2_000, segment.len() - HEADER_BYTES - 20] {
                let mut damaged = whole.clone();
                damaged[segment.end - back] ^= 4;
                fs::write(&db, damaged).unwrap();
                let found = condition();
                assert_ne!(found, Condition::Sound, "{step}, {back} bytes before {segment:?}");
                torn += 1;
            }
            fs::write(&db, whole).unwrap();
        }
    }
}
