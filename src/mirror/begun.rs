//! At which destinations a mirror has begun: where what left the source may be taken off.

use std::io::{Read as _, Write as _};

use serde::{Deserialize, Serialize};

use super::{Mirror, MirrorError, SourceIdentity};
use crate::model::{Context, DestinationName, Encoder};

const ENDING: &str = ".begun.json";
/// While one is written.
const WRITING: &str = "begun.new";
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
        let name = name(destination);
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
        let name = name(destination);
        let text = serde_json::to_vec(&begun(source, destination)).expect("it has text alone");
        let written = self.files.write(WRITING, 0).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync()
        });
        let renamed = written.and_then(|()| self.files.rename(WRITING, &name));
        renamed.map_err(|error| MirrorError::io(&name, "written", error))
    }
}

fn begun(source: &SourceIdentity, destination: &DestinationName) -> Begun {
    Begun { source: source.clone(), destination: destination.to_string() }
}

fn name(destination: &DestinationName) -> String {
    format!("{}{ENDING}", Encoder::new(Context::Name).text(destination.as_str()).finish())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mirror::memory::MemoryFiles;

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
        files.spoil(&name(&main), Some(b"{".to_vec()));
        assert!(!mirror.has_begun_at(&source, &main).unwrap());
        assert!(mirror.fold().unwrap().is_empty());
    }
}
