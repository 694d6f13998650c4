//! Files that somebody names, read whole, and never without end.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// What somebody names a file for, which says how much may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A key, a token, a password or the value of a header.
    Secret,
    /// A configuration, mapping rules, certificates, or the keys of a sandbox.
    Settings,
    /// A plan, or a dataset that a sandbox shows.
    Data,
}

impl Holds {
    /// Most bytes of it, and the same for people.
    const fn limit(self) -> (u64, &'static str) {
        match self {
            Self::Secret => (64 << 10, "64 KiB"),
            Self::Settings => (4 << 20, "4 MiB"),
            Self::Data => (256 << 20, "256 MiB"),
        }
    }
}

/// The bytes of a file or pipe.
///
/// # Errors
/// If it cannot be read, or has more than it may: that of a device has no end.
pub fn read_file(path: &Path, holds: Holds) -> io::Result<Vec<u8>> {
    let (bytes_max, shown) = holds.limit();
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 <= bytes_max {
        return Ok(bytes);
    }
    let what = format!(
        "it holds more than {shown}, which is the most that is read here; name the right file"
    );
    Err(io::Error::new(io::ErrorKind::FileTooLarge, what))
}

/// As [`read_file`], for text.
///
/// # Errors
/// As there, and if it is not UTF-8.
pub fn read_text(path: &Path, holds: Holds) -> io::Result<String> {
    String::from_utf8(read_file(path, holds)?).map_err(|error| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is not UTF-8: {}", error.utf8_error()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_no_further() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, vec![b'x'; 64 << 10]).unwrap();
        assert_eq!(read_text(&path, Holds::Secret).unwrap().len(), 64 << 10);
        std::fs::write(&path, vec![b'x'; (64 << 10) + 1]).unwrap();
        let error = read_file(&path, Holds::Secret).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("64 KiB") && error.to_string().contains("name"));
        assert!(read_file(&path, Holds::Settings).is_ok());
        std::fs::write(&path, b"\xff").unwrap();
        let error = read_text(&path, Holds::Settings).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        for holds in [Holds::Secret, Holds::Settings] {
            let error = read_file(Path::new("/dev/zero"), holds).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert_eq!(read_text(Path::new("/dev/null"), Holds::Settings).unwrap(), "");
    }
}
