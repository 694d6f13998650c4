//! The engine's records with the writes of one commit laid over them: what is read is as it will be.
//!
//! Long bodies are packed by zstd and cut into objects here, so that no value outgrows what the engine
//! takes. Whoever replaces a record or a pack gives its old objects up in the same step.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use crate::{history::LedgerError, model::Digest};

use super::{
    engine::{Engine, VALUE_BYTES_MAX, Writes},
    envelope::{
        BODY_BYTES_MAX, Body, Form, OBJECT_FRAME_BYTES, Place, RECORD_FRAME_BYTES, Record,
        bytes_of, damaged, parse, seal, seal_object, unseal, unseal_object,
    },
    keys,
};

/// Bodies up to this length stay as they are: there is little to win.
const PLAIN_BYTES_MAX: usize = 2 << 10;
const ZSTD_LEVEL: i32 = 3;
/// Version of the objects that a long record is cut into. They are bytes; the record says what is in them.
const PART_VERSION: u8 = 1;

/// Reads through, and gathers writes until they are committed.
pub(super) struct Overlay<'e> {
    engine: &'e dyn Engine,
    writes: Writes,
    packer: RefCell<Option<Compressor<'static>>>,
    unpacker: RefCell<Option<Decompressor<'static>>>,
}

impl<'e> Overlay<'e> {
    /// Nothing written yet.
    pub(super) fn over(engine: &'e dyn Engine) -> Self {
        Self {
            engine,
            writes: Writes::new(),
            packer: RefCell::default(),
            unpacker: RefCell::default(),
        }
    }

    pub(super) const fn engine(&self) -> &'e dyn Engine {
        self.engine
    }

    /// What was written, ready to be committed.
    pub(super) fn into_writes(self) -> Writes {
        self.writes
    }

    /// The body of a record, if there is one.
    pub(super) fn record(&self, key: &[u8]) -> Result<Option<Body>, LedgerError> {
        match self.get(key)? {
            Some(value) => self.body(key, &value).map(Some),
            None => Ok(None),
        }
    }

    /// The body of a record whose value was read already, as in a scan.
    pub(super) fn body(&self, key: &[u8], value: &[u8]) -> Result<Body, LedgerError> {
        let Record { version, form, payload } = unseal(key, value)?;
        let bytes = match form {
            Form::Plain => payload.to_vec(),
            Form::Packed => self.unpack(payload, || keys::shown(key))?,
            Form::Parts => {
                let parts = parts_of(key, payload)?;
                self.pack(&long_record(key), &parts)?.bytes
            }
        };
        Ok(Body { version, bytes })
    }

    /// Writes a record; an earlier one under this key is replaced, its objects included.
    pub(super) fn put_record(&mut self, key: Vec<u8>, body: &Body) -> Result<(), LedgerError> {
        let old = self.record_parts(&key)?;
        self.free(&long_record(&key), &old);
        let room = VALUE_BYTES_MAX - RECORD_FRAME_BYTES;
        let Body { version, bytes } = body;
        let sealed = if bytes.len() <= PLAIN_BYTES_MAX {
            seal(&key, *version, Form::Plain, bytes)
        } else {
            let packed = self.compress(bytes)?;
            if packed.len() <= room {
                seal(&key, *version, Form::Packed, &packed)
            } else {
                let place = long_record(&key);
                let list = bytes_of(&raw(&self.put_parts(&place, PART_VERSION, &packed)))?;
                if list.len() > room {
                    return Err(too_long(&place, packed.len()));
                }
                seal(&key, *version, Form::Parts, &list)
            }
        };
        self.writes.insert(key, Some(sealed));
        Ok(())
    }

    /// The objects that a record is cut into; none for most.
    pub(super) fn record_parts(&self, key: &[u8]) -> Result<Vec<Digest>, LedgerError> {
        let Some(value) = self.get(key)? else {
            return Ok(Vec::new());
        };
        match unseal(key, &value)? {
            Record { form: Form::Parts, payload, .. } => parts_of(key, payload),
            _ => Ok(Vec::new()),
        }
    }

    /// Writes a body as objects that nothing but the caller's list of digests finds again.
    pub(super) fn put_pack(
        &mut self,
        place: &Place<'_>,
        body: &Body,
    ) -> Result<Vec<Digest>, LedgerError> {
        let packed = self.compress(&body.bytes)?;
        Ok(self.put_parts(place, body.version, &packed))
    }

    /// The body that [`Self::put_pack`] wrote.
    pub(super) fn pack(&self, place: &Place<'_>, parts: &[Digest]) -> Result<Body, LedgerError> {
        let mut packed = Vec::new();
        let mut of_all = None;
        let near = place.near();
        for (part, digest) in parts.iter().enumerate() {
            let value = self.get(&keys::object(near, digest))?.ok_or_else(|| {
                damaged(format!("object {} ({}) is missing", digest.short(), place.shown()))
            })?;
            let (version, payload) = unseal_object(place, part, digest, &value)?;
            packed.extend_from_slice(payload);
            of_all = Some(version);
        }
        let version = of_all.ok_or_else(|| damaged(format!("{} has no object", place.shown())))?;
        Ok(Body { version, bytes: self.unpack(&packed, || place.shown())? })
    }

    /// Gives objects up. Their place is taken by others, or by the same ones if those are put after this.
    pub(super) fn free(&mut self, place: &Place<'_>, parts: &[Digest]) {
        let near = place.near();
        for digest in parts {
            self.writes.insert(keys::object(near, digest), None);
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.engine.get(key),
        }
    }

    fn put_parts(&mut self, place: &Place<'_>, version: u8, packed: &[u8]) -> Vec<Digest> {
        let near = place.near();
        let chunks = packed.chunks(VALUE_BYTES_MAX - OBJECT_FRAME_BYTES).enumerate();
        let sealed = chunks.map(|(part, payload)| {
            let (digest, value) = seal_object(place, part, version, payload);
            self.writes.insert(keys::object(near, &digest), Some(value));
            digest
        });
        sealed.collect()
    }

    fn compress(&self, body: &[u8]) -> Result<Vec<u8>, LedgerError> {
        let mut packer = self.packer.borrow_mut();
        let packer = match &mut *packer {
            Some(packer) => packer,
            none => none.insert(Compressor::new(ZSTD_LEVEL).map_err(|error| packing(&error))?),
        };
        packer.compress(body).map_err(|error| packing(&error))
    }

    fn unpack(&self, packed: &[u8], whose: impl Fn() -> String) -> Result<Vec<u8>, LedgerError> {
        let mut unpacker = self.unpacker.borrow_mut();
        let unpacker = match &mut *unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(Decompressor::new().map_err(|error| packing(&error))?),
        };
        unpacker
            .decompress(packed, BODY_BYTES_MAX)
            .map_err(|error| damaged(format!("{} cannot be unpacked: {error}", whose())))
    }
}

const fn long_record(key: &[u8]) -> Place<'_> {
    Place { key, role: "the record", number: 0, at: &[] }
}

fn parts_of(key: &[u8], payload: &[u8]) -> Result<Vec<Digest>, LedgerError> {
    let digests: Vec<[u8; 32]> = parse(payload, &keys::shown(key))?;
    Ok(digests.into_iter().map(Digest::from_bytes).collect())
}

/// Digests as they are stored.
pub(super) fn raw(digests: &[Digest]) -> Vec<[u8; 32]> {
    digests.iter().map(|digest| *digest.as_bytes()).collect()
}

fn too_long(place: &Place<'_>, length: usize) -> LedgerError {
    LedgerError::Io {
        path: place.shown(),
        doing: "written",
        cause: format!("it takes {length} bytes, more than a record can be"),
    }
}

fn packing(error: &std::io::Error) -> LedgerError {
    LedgerError::Io { path: "a record".to_owned(), doing: "packed", cause: error.to_string() }
}
