//! A question over the socket and its answer: a verb with its arguments, and what it prints, as it prints it.

use serde::{Deserialize, Serialize};

use crate::cli::screen::ReaderText;

/// The form of both.
pub(crate) const PROTOCOL: u32 = 3;

/// A verb that somebody asks the owner of the store to carry out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// [`PROTOCOL`].
    pub(crate) protocol: u32,
    /// The random name of the store that is meant; none of those who may not see it, and know the socket.
    pub(crate) store: Option<String>,
    /// The arguments of the command line, without the program's name.
    pub(crate) args: Vec<String>,
    /// What is in the file that the verb reads: the owner opens none of its caller's files.
    pub(crate) input: Option<String>,
    /// Who reads the answer; nobody where it is a program.
    #[serde(default)]
    pub(in crate::cli) reader: Option<ReaderText>,
}

/// Where a part of an answer belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// To standard output.
    Data = 0,
    /// To standard error.
    Talk = 1,
    /// To the file that the verb writes.
    File = 2,
    /// The last part: one byte, the exit code.
    End = 3,
}

/// The channel, and four bytes of length.
const HEAD_BYTES: usize = 5;
/// More than any part has.
const PART_BYTES_MAX: usize = 64 << 10;

impl Channel {
    /// Bytes as they travel; of many only the first are taken.
    pub(crate) fn part(self, bytes: &[u8]) -> (Vec<u8>, usize) {
        let taken = bytes.len().min(PART_BYTES_MAX);
        let length = u32::try_from(taken).expect("a part is short");
        let mut part = vec![self as u8];
        part.extend_from_slice(&length.to_be_bytes());
        part.extend_from_slice(&bytes[..taken]);
        (part, taken)
    }

    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Data,
            1 => Self::Talk,
            2 => Self::File,
            3 => Self::End,
            _ => return None,
        })
    }
}

/// Takes parts out of what arrives.
#[derive(Default)]
pub(crate) struct Parts(Vec<u8>);

impl Parts {
    /// More arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next part, if all of it is here.
    ///
    /// # Errors
    /// If that is no part.
    pub(crate) fn next(&mut self) -> Result<Option<(Channel, Vec<u8>)>, String> {
        let Some((head, rest)) = self.0.split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let [channel, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        let channel = Channel::of(channel).filter(|_| length <= PART_BYTES_MAX);
        let channel = channel.ok_or("it answers something else")?;
        let Some(part) = rest.get(..length) else { return Ok(None) };
        let part = part.to_vec();
        self.0.drain(..HEAD_BYTES + length);
        Ok(Some((channel, part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_arrive_as_they_were_sent_however_they_are_cut() {
        let long = vec![7; PART_BYTES_MAX + 1];
        let sent = [(Channel::Data, &b"\xc3"[..]), (Channel::Talk, b""), (Channel::File, &long)];
        let sent = sent.map(|(channel, bytes)| (channel, channel.part(bytes)));
        let travels: Vec<u8> = sent.iter().flat_map(|(_, (part, _))| part.clone()).collect();
        assert_eq!(sent[2].1.1, PART_BYTES_MAX, "the rest is another part");
        for cut in [1, 4, 5, 6, 1_000, travels.len()] {
            let (mut parts, mut arrived) = (Parts::default(), Vec::new());
            for piece in travels.chunks(cut) {
                parts.push(piece);
                while let Some(part) = parts.next().unwrap() {
                    arrived.push(part);
                }
            }
            let [(a, data), (b, talk), (c, file)] = &arrived[..] else { panic!("{cut}") };
            assert_eq!([a, b, c], [&Channel::Data, &Channel::Talk, &Channel::File]);
            assert_eq!(
                (&data[..], &talk[..], file.len()),
                (&b"\xc3"[..], &b""[..], PART_BYTES_MAX)
            );
        }
    }

    #[test]
    fn what_is_no_part_is_said_and_not_waited_for() {
        for wrong in [&b"HTTP/1.1"[..], &[0, 255, 0, 0, 0], &[4, 0, 0, 0, 0]] {
            let mut parts = Parts::default();
            parts.push(wrong);
            parts.next().unwrap_err();
        }
    }
}
