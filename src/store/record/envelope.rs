//! How a value is wrapped: a version, a body in bincode, and a proof that both are what was written.
//!
//! - A record stands under a name: version byte, form byte, payload, and 8 bytes of BLAKE3 over key and
//!   all before them. A record cannot be read under another's key.
//! - An object stands under its digest: version byte, 16 bytes that say where it is used, payload. Of its
//!   own digest it needs no copy.
//!
//! Bodies are bincode 1.3 with variable-length integers and no trailing bytes. bincode finds no field by
//! name: a struct that has been written never changes, a new version of it is a new struct, which says
//! so by [`Stored::VERSION`].

use bincode::Options;
use serde::{Deserialize, Serialize};

use crate::{
    history::LedgerError,
    model::{Context, Digest, Encoder},
    store::record::keys,
};

/// The latest version of any struct. A reader refuses a later one as newer, not as damaged.
pub(crate) const NEWEST: u8 = 4;
/// Longest body, unpacked. It bounds what a damaged length can make us allocate.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

const CHECK_BYTES: usize = 8;
const PLACE_BYTES: usize = 16;
/// Bytes of an object that are not payload.
pub(crate) const OBJECT_FRAME_BYTES: usize = 1 + PLACE_BYTES;
/// Bytes of a record that are not payload.
pub(crate) const RECORD_FRAME_BYTES: usize = 2 + CHECK_BYTES;

/// How the payload of a record holds its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// Packed by zstd.
    Packed,
    /// Packed by zstd and cut into objects; the payload is the list of their digests.
    Parts,
    /// The same, and the list is cut into objects too; the payload is the list of their digests. 0.1.0 did not
    /// write it.
    Lists,
}

impl Form {
    const fn byte(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Packed => 1,
            Self::Parts => 2,
            Self::Lists => 3,
        }
    }

    const fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Plain),
            1 => Some(Self::Packed),
            2 => Some(Self::Parts),
            3 => Some(Self::Lists),
            _ => None,
        }
    }
}

/// A record as it stands in the engine, its proof checked.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) version: u8,
    pub(crate) form: Form,
    pub(crate) payload: &'a [u8],
}

/// A body and the version of the struct that is in it.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) version: u8,
    pub(crate) bytes: Vec<u8>,
}

/// A struct that stands in records or objects, in one version of what it is of.
pub(crate) trait Stored {
    /// The version; a reader takes no other for it.
    const VERSION: u8 = 1;
}

impl Stored for &str {}
impl Stored for String {}

impl Body {
    /// Reads the struct. `what` names it to people.
    pub(crate) fn decode<'a, T: Stored + Deserialize<'a>>(
        &'a self,
        what: &str,
    ) -> Result<T, LedgerError> {
        check_version(self.version, T::VERSION, what)?;
        parse(&self.bytes, what)
    }

    /// Reads the version of the struct that is written now, or the one before it.
    pub(crate) fn decode_either<'a, Now, Before>(&'a self, what: &str) -> Result<Now, LedgerError>
    where
        Now: Stored + Deserialize<'a> + From<Before>,
        Before: Stored + Deserialize<'a>,
    {
        if self.version == Before::VERSION {
            return self.decode::<Before>(what).map(Now::from);
        }
        self.decode(what)
    }
}

/// The body of a value.
pub(crate) fn encode<T: Stored + Serialize>(value: &T) -> Result<Body, LedgerError> {
    Ok(Body { version: T::VERSION, bytes: bytes_of(value)? })
}

/// A value in bincode, as bodies are.
pub(crate) fn bytes_of<T: Serialize>(value: &T) -> Result<Vec<u8>, LedgerError> {
    options().serialize(value).map_err(|error| LedgerError::Io {
        path: "a record".to_owned(),
        doing: "written",
        cause: error.to_string(),
    })
}

/// What [`bytes_of`] wrote. `what` names it to people.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, LedgerError> {
    let read = options().deserialize(bytes);
    read.map_err(|error| damaged(format!("{what} cannot be read: {error}")))
}

/// Wraps the payload of a record, whose body is in this version.
pub(crate) fn seal(key: &[u8], version: u8, form: Form, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(payload.len() + RECORD_FRAME_BYTES);
    value.extend([version, form.byte()]);
    value.extend_from_slice(payload);
    let check = record_check(key, &value);
    value.extend_from_slice(&check);
    value
}

/// Unwraps a record and checks that it is what was written under this key.
pub(crate) fn unseal<'a>(key: &[u8], value: &'a [u8]) -> Result<Record<'a>, LedgerError> {
    let wrong = |how: &str| damaged(format!("the record {} {how}", keys::shown(key)));
    let (content, check) =
        value.split_last_chunk::<CHECK_BYTES>().ok_or_else(|| wrong("is cut off"))?;
    if *check != record_check(key, content) {
        return Err(wrong("does not match its digest"));
    }
    let [version, form, payload @ ..] = content else {
        return Err(wrong("is cut off"));
    };
    check_known(*version, &format!("the record {}", keys::shown(key)))?;
    let form = Form::of(*form).ok_or_else(|| wrong("has an unknown form"))?;
    Ok(Record { version: *version, form, payload })
}

/// Where an object is used: in one place of one record. No two places share an object, so that one that
/// was replaced is needed by nobody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The key of the record that it belongs to.
    pub(crate) key: &'a [u8],
    /// What it holds of that record.
    pub(crate) role: &'static str,
    /// Which of several by number: a level, a place in a list.
    pub(crate) number: u64,
    /// Which of several by key: where a range begins.
    pub(crate) at: &'a [u8],
}

impl Place<'_> {
    fn tag(&self, part: usize) -> [u8; PLACE_BYTES] {
        let digest = Encoder::new(Context::Object)
            .text("place")
            .bytes(self.key)
            .text(self.role)
            .u64(self.number)
            .bytes(self.at)
            .u64(part as u64)
            .finish();
        *digest.as_bytes().first_chunk().expect("a digest is longer than a place")
    }

    /// What the keys of its objects begin with: 4 bytes for the record, and where the range begins.
    pub(crate) fn near(&self) -> [u8; keys::NEAR_BYTES] {
        let record = Encoder::new(Context::Object).text("near").bytes(self.key).finish();
        let (mut near, half) = ([0; keys::NEAR_BYTES], keys::NEAR_BYTES / 2);
        near[..half].copy_from_slice(&record.as_bytes()[..half]);
        for (near, at) in near[half..].iter_mut().zip(self.at) {
            *near = *at;
        }
        near
    }

    pub(crate) fn shown(&self) -> String {
        format!("{} of {}", self.role, keys::shown(self.key))
    }
}

/// Wraps one part of a pack, whose body is in this version: the digest that names it, and its bytes.
pub(crate) fn seal_object(
    place: &Place<'_>,
    part: usize,
    version: u8,
    payload: &[u8],
) -> (Digest, Vec<u8>) {
    let mut value = Vec::with_capacity(payload.len() + OBJECT_FRAME_BYTES);
    value.push(version);
    value.extend_from_slice(&place.tag(part));
    value.extend_from_slice(payload);
    (object_digest(&value), value)
}

/// Unwraps one part of a pack, and checks that it is the object of this digest, used in this place.
pub(crate) fn unseal_object<'a>(
    place: &Place<'_>,
    part: usize,
    digest: &Digest,
    value: &'a [u8],
) -> Result<(u8, &'a [u8]), LedgerError> {
    let wrong = |how: &str| damaged(format!("object {} ({}) {how}", digest.short(), place.shown()));
    if object_digest(value) != *digest {
        return Err(wrong("does not match its digest"));
    }
    let (version, rest) = value.split_first().ok_or_else(|| wrong("is empty"))?;
    check_known(*version, &place.shown())?;
    let (tag, payload) =
        rest.split_first_chunk::<PLACE_BYTES>().ok_or_else(|| wrong("is cut off"))?;
    if *tag != place.tag(part) {
        return Err(wrong("belongs elsewhere"));
    }
    Ok((*version, payload))
}

/// The digest that names an object.
pub(crate) fn object_digest(value: &[u8]) -> Digest {
    Encoder::new(Context::Object).text("object").bytes(value).finish()
}

pub(crate) fn damaged(what: String) -> LedgerError {
    LedgerError::Damaged { what }
}

/// What was read, or nothing where it is damaged. Other errors stay errors.
pub(crate) fn undamaged<T>(read: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(LedgerError::Damaged { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn check_known(version: u8, what: &str) -> Result<(), LedgerError> {
    match version {
        0 => Err(damaged(format!("{what} has no version"))),
        1..=NEWEST => Ok(()),
        _ => Err(LedgerError::Newer { what: what.to_owned() }),
    }
}

/// Earlier versions are read by those who know them; one that comes here is of something that never had it.
fn check_version(version: u8, expected: u8, what: &str) -> Result<(), LedgerError> {
    match version {
        0 => Err(damaged(format!("{what} has no version"))),
        _ if version == expected => Ok(()),
        _ if version > expected => Err(LedgerError::Newer { what: what.to_owned() }),
        _ => Err(damaged(format!("{what} never had version {version}"))),
    }
}

fn record_check(key: &[u8], content: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Encoder::new(Context::Record).bytes(key).bytes(content).finish();
    *digest.as_bytes().first_chunk().expect("a digest is longer than a check")
}

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_limit(BODY_BYTES_MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_under_its_own_key_only() {
        let value = seal(b"r/1", 1, Form::Plain, b"body");
        assert_eq!(unseal(b"r/1", &value).unwrap().payload, b"body");
        assert!(matches!(unseal(b"r/2", &value), Err(LedgerError::Damaged { .. })));
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_seen() {
        let value = seal(b"r/1", 1, Form::Plain, b"body");
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(unseal(b"r/1", &flipped), Err(LedgerError::Damaged { .. })), "{bit}");
        }
        for length in 0..value.len() {
            assert!(unseal(b"r/1", &value[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_later_version_is_newer_and_not_damaged() {
        let mut value = seal(b"r/1", 1, Form::Plain, b"body");
        value.truncate(value.len() - CHECK_BYTES);
        value[0] = NEWEST + 1;
        let check = record_check(b"r/1", &value);
        value.extend_from_slice(&check);
        let error = unseal(b"r/1", &value).unwrap_err();
        assert!(matches!(&error, LedgerError::Newer { .. }), "{error}");
        assert!(error.to_string().contains("newer misp-trickle"), "{error}");
    }

    #[test]
    fn a_struct_is_read_in_its_own_version_only() {
        let body = |version| Body { version, bytes: bytes_of(&"it").unwrap() };
        assert!(body(1).decode::<&str>("it").is_ok());
        assert!(matches!(body(2).decode::<&str>("it"), Err(LedgerError::Newer { .. })));
        assert!(matches!(body(0).decode::<&str>("it"), Err(LedgerError::Damaged { .. })));
    }

    #[test]
    fn an_object_belongs_to_one_place() {
        let place = Place { key: b"h/1", role: "bucket", number: 0, at: b"x" };
        let (digest, value) = seal_object(&place, 0, 1, b"payload");
        assert_eq!(unseal_object(&place, 0, &digest, &value).unwrap().1, b"payload");
        assert!(unseal_object(&place, 1, &digest, &value).is_err());
        let elsewhere = Place { key: b"h/2", ..place };
        assert!(unseal_object(&elsewhere, 0, &digest, &value).is_err());
        assert_ne!(seal_object(&elsewhere, 0, 1, b"payload").0, digest);
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut body = encode(&String::from("it")).unwrap();
        assert_eq!(body.decode::<&str>("it").unwrap(), "it");
        body.bytes.push(0);
        assert!(body.decode::<&str>("it").is_err());
    }
}
