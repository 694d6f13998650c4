//! At which destinations a mirror has begun: where what left the source may be taken off.

use std::io::{Read as _, Write as _};

use serde::{Deserialize, Serialize};

use super::{Mirror, MirrorError, SourceIdentity};
use crate::model::{Context, DestinationName, Encoder};

const ENDING: &str = ".begun.json";
/// While one is written: of each destination another, as deliveries to several begin at the same time.
const ENDING_WRITING: &str = ".begun.new";
/// More than any has, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// What a file says.
#[derive(PartialEq, Serialize, Deserialize)]
struct Begun {
    source: SourceIdentity,
    destination: String,
}

impl Mirror {
    /// Whether it was said of this mirror, as one of this source, that it has [begun](Self::begin_at) at a destination.
    /// A mirror that was lost or is of another source has not.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn has_begun_at(
        &self,
        source: &SourceIdentity,
        destination: &DestinationName,
    ) -> Result<bool, MirrorError> {
        let name = name(destination, ENDING);
        let names = self.files.names().map_err(|error| MirrorError::io("", "listed", error))?;
        if !names.contains(&name) {
            return Ok(false);
        }
        let mut text = Vec::new();
        let read = self.files.read(&name);
        let read = read.and_then(|file| file.take(BYTES_MAX).read_to_end(&mut text));
        read.map_err(|error| MirrorError::io(&name, "read", error))?;
        let found: Option<Begun> = serde_json::from_slice(&text).ok();
        Ok(found == Some(begun(source, destination)))
    }

    /// Says so, durably.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn begin_at(
        &self,
        source: &SourceIdentity,
        destination: &DestinationName,
    ) -> Result<(), MirrorError> {
        let (name, writing) = (name(destination, ENDING), name(destination, ENDING_WRITING));
        let text = serde_json::to_vec(&begun(source, destination)).expect("it has text alone");
        let written = self.files.write(&writing, 0).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync()
        });
        let renamed = written.and_then(|()| self.files.rename(&writing, &name));
        renamed.map_err(|error| MirrorError::io(&name, "written", error))
    }
}

fn begun(source: &SourceIdentity, destination: &DestinationName) -> Begun {
    Begun { source: source.clone(), destination: destination.to_string() }
}

fn name(destination: &DestinationName, ending: &str) -> String {
    format!("{}{ending}", Encoder::new(Context::Name).text(destination.as_str()).finish())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read},
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::mirror::{Files, Output, memory::MemoryFiles};

    /// Files whose first renaming comes after another delivery has begun.
    struct Overtaken(MemoryFiles, Mutex<Option<(Mirror, DestinationName)>>);

    impl Files for Overtaken {
        fn names(&self) -> io::Result<Vec<String>> {
            self.0.names()
        }

        fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
            self.0.read(name)
        }

        fn write(&self, name: &str, keep: u64) -> io::Result<Box<dyn Output>> {
            self.0.write(name, keep)
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            if let Some((mirror, destination)) = self.1.lock().unwrap().take() {
                mirror.begin_at(mirror.of(), &destination).unwrap();
            }
            self.0.rename(from, to)
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            self.0.remove(name)
        }
    }

    #[test]
    fn deliveries_to_several_destinations_begin_at_the_same_time() {
        let (files, source) = (MemoryFiles::default(), SourceIdentity::new("eiq-feed"));
        let (one, two) = (DestinationName::new("one"), DestinationName::new("two"));
        let plain = Mirror::new(Arc::new(files.clone()), source.clone());
        let overtakes = Mutex::new(Some((plain.clone(), two.clone())));
        let overtaken = Mirror::new(Arc::new(Overtaken(files, overtakes)), source.clone());
        overtaken.begin_at(&source, &one).unwrap();
        for destination in [one, two] {
            assert!(plain.has_begun_at(&source, &destination).unwrap(), "{destination}");
        }
    }

    #[test]
    fn it_is_said_of_one_source_and_one_destination() {
        let files = MemoryFiles::default();
        let source = SourceIdentity::new("taxii2");
        let mirror = Mirror::new(Arc::new(files.clone()), source.clone());
        let (main, partner) = (DestinationName::new("main"), DestinationName::new("partner"));
        assert!(!mirror.has_begun_at(&source, &main).unwrap());
        files.die_after(4);
        mirror.begin_at(&source, &main).unwrap_err();
        files.restart(&mut |_| 0);
        mirror.begin_at(&source, &main).unwrap();
        files.restart(&mut |_| 0);
        assert!(mirror.has_begun_at(&source, &main).unwrap());
        assert!(!mirror.has_begun_at(&source, &partner).unwrap());
        let other = source.clone().with("created_at", "2026-01-01");
        assert!(!mirror.has_begun_at(&other, &main).unwrap());
        files.spoil(&name(&main, ENDING), Some(b"{".to_vec()));
        assert!(!mirror.has_begun_at(&source, &main).unwrap());
        assert!(mirror.fold().unwrap().is_empty());
    }
}
