//! The engine's records with the writes of one commit laid over them: what is read is as it will be.
//!
//! Long bodies are packed by zstd and cut into objects here, so that no value outgrows what the engine
//! takes. Whoever replaces a record or a pack gives its old objects up in the same step.

use std::cell::RefCell;

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::get_frame_content_size,
};

use crate::{
    history::LedgerError,
    model::Digest,
    store::{
        engine::{Engine, VALUE_BYTES_MAX, Writes},
        record::{
            envelope::{
                BODY_BYTES_MAX, Body, Form, OBJECT_FRAME_BYTES, Place, RECORD_FRAME_BYTES, Record,
                bytes_of, damaged, parse, seal, seal_object, unseal, unseal_object,
            },
            keys,
        },
    },
};

/// Bodies up to this length stay as they are: there is little to win.
const PLAIN_BYTES_MAX: usize = 2 << 10;
const ZSTD_LEVEL: i32 = 3;
/// Version of the objects that a long record is cut into. They are bytes; the record says what is in them.
const PART_VERSION: u8 = 1;

/// Reads through, and gathers writes until they are committed.
pub(crate) struct Overlay<'e> {
    engine: &'e dyn Engine,
    writes: Writes,
    packer: RefCell<Option<Compressor<'static>>>,
    unpacker: RefCell<Option<Decompressor<'static>>>,
}

impl<'e> Overlay<'e> {
    /// Nothing written yet.
    pub(crate) fn over(engine: &'e dyn Engine) -> Self {
        Self {
            engine,
            writes: Writes::new(),
            packer: RefCell::default(),
            unpacker: RefCell::default(),
        }
    }

    pub(crate) const fn engine(&self) -> &'e dyn Engine {
        self.engine
    }

    /// What was written, ready to be committed.
    pub(crate) fn into_writes(self) -> Writes {
        self.writes
    }

    /// The body of a record, if there is one.
    pub(crate) fn record(&self, key: &[u8]) -> Result<Option<Body>, LedgerError> {
        match self.get(key)? {
            Some(value) => self.body(key, &value).map(Some),
            None => Ok(None),
        }
    }

    /// The body of a record whose value was read already, as in a scan.
    pub(crate) fn body(&self, key: &[u8], value: &[u8]) -> Result<Body, LedgerError> {
        let Record { version, form, payload } = unseal(key, value)?;
        let bytes = match form {
            Form::Plain => payload.to_vec(),
            Form::Packed => self.unpack(payload, || keys::shown(key))?,
            Form::Parts => self.pack(&long_record(key), &digests(key, payload)?)?.bytes,
            Form::Lists => {
                let list = self.joined(&long_list(key), &digests(key, payload)?)?.bytes;
                self.pack(&long_record(key), &digests(key, &list)?)?.bytes
            }
        };
        Ok(Body { version, bytes })
    }

    /// Writes a record; an earlier one under this key is replaced, its objects included.
    pub(crate) fn put_record(&mut self, key: Vec<u8>, body: &Body) -> Result<(), LedgerError> {
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
                if list.len() <= room {
                    seal(&key, *version, Form::Parts, &list)
                } else {
                    let lists = self.put_parts(&long_list(&key), PART_VERSION, &list);
                    seal(&key, *version, Form::Lists, &bytes_of(&raw(&lists))?)
                }
            }
        };
        self.writes.insert(key, Some(sealed));
        Ok(())
    }

    /// Removes a record, its objects included.
    pub(crate) fn remove_record(&mut self, key: Vec<u8>) -> Result<(), LedgerError> {
        let old = self.record_parts(&key)?;
        self.free(&long_record(&key), &old);
        self.writes.insert(key, None);
        Ok(())
    }

    /// The objects that a record is cut into; none for most.
    pub(crate) fn record_parts(&self, key: &[u8]) -> Result<Vec<Digest>, LedgerError> {
        let Some(value) = self.get(key)? else {
            return Ok(Vec::new());
        };
        match unseal(key, &value)? {
            Record { form: Form::Parts, payload, .. } => digests(key, payload),
            Record { form: Form::Lists, payload, .. } => {
                let mut parts = digests(key, payload)?;
                let list = self.joined(&long_list(key), &parts)?.bytes;
                parts.extend(digests(key, &list)?);
                Ok(parts)
            }
            Record { form: Form::Plain | Form::Packed, .. } => Ok(Vec::new()),
        }
    }

    /// Writes a body as objects that nothing but the caller's list of digests finds again.
    pub(crate) fn put_pack(
        &mut self,
        place: &Place<'_>,
        body: &Body,
    ) -> Result<Vec<Digest>, LedgerError> {
        let packed = self.compress(&body.bytes)?;
        Ok(self.put_parts(place, body.version, &packed))
    }

    /// The body that [`Self::put_pack`] wrote.
    pub(crate) fn pack(&self, place: &Place<'_>, parts: &[Digest]) -> Result<Body, LedgerError> {
        let Body { version, bytes } = self.joined(place, parts)?;
        Ok(Body { version, bytes: self.unpack(&bytes, || place.shown())? })
    }

    /// What was cut into these objects.
    fn joined(&self, place: &Place<'_>, parts: &[Digest]) -> Result<Body, LedgerError> {
        let mut bytes = Vec::new();
        let mut of_all = None;
        let near = place.near();
        for (part, digest) in parts.iter().enumerate() {
            let value = self.get(&keys::object(near, digest))?.ok_or_else(|| {
                damaged(format!("object {} ({}) is missing", digest.short(), place.shown()))
            })?;
            let (version, payload) = unseal_object(place, part, digest, &value)?;
            bytes.extend_from_slice(payload);
            of_all = Some(version);
        }
        let version = of_all.ok_or_else(|| damaged(format!("{} has no object", place.shown())))?;
        Ok(Body { version, bytes })
    }

    /// Gives objects up. Their place is taken by others, or by the same ones if those are put after this.
    pub(crate) fn free(&mut self, place: &Place<'_>, parts: &[Digest]) {
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
        let wrong = |what: &str| damaged(format!("{} cannot be unpacked: {what}", whose()));
        let length = match get_frame_content_size(packed) {
            Ok(length) => usize::try_from(length.unwrap_or(0)).unwrap_or(usize::MAX),
            Err(_) => return Err(wrong("it does not say how long it is")),
        };
        if length > BODY_BYTES_MAX {
            return Err(wrong("it is longer than any that is written"));
        }
        let mut plain = Vec::new();
        plain.try_reserve_exact(length).map_err(|error| packing(&error.into()))?;
        unpacker
            .decompress_to_buffer(packed, &mut plain)
            .map_err(|error| wrong(&error.to_string()))?;
        Ok(plain)
    }
}

const fn long_record(key: &[u8]) -> Place<'_> {
    Place { key, role: "the record", number: 0, at: &[] }
}

/// Where the list of a record's objects is, if it is long itself.
const fn long_list(key: &[u8]) -> Place<'_> {
    Place { key, role: "the list of the record", number: 0, at: &[] }
}

fn digests(key: &[u8], payload: &[u8]) -> Result<Vec<Digest>, LedgerError> {
    let digests: Vec<[u8; 32]> = parse(payload, &keys::shown(key))?;
    Ok(digests.into_iter().map(Digest::from_bytes).collect())
}

/// Digests as they are stored.
pub(crate) fn raw(digests: &[Digest]) -> Vec<[u8; 32]> {
    digests.iter().map(|digest| *digest.as_bytes()).collect()
}

fn packing(error: &std::io::Error) -> LedgerError {
    LedgerError::Io { path: "a record".to_owned(), doing: "packed", cause: error.to_string() }
}
