//! Files that are read or written whole: a reader never sees half of one, and none takes more memory than its kind needs.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, is no file, or is longer.
pub(super) fn read(place: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // A pipe of that name would be waited for.
    if !fs::metadata(place)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(place)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {limit} bytes"),
        ));
    }
    Ok(bytes)
}

/// Writes a file that everybody may read. It is on the disk, and whole, before it has its name; another one of that name is replaced.
///
/// # Errors
/// When its directory is not there, or cannot be written to.
pub(super) fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match place.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".bootproof-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(place)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_no_further() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("file");
        write(&place, b"12345").unwrap();
        assert_eq!(read(&place, 5).unwrap(), b"12345");
        let error = read(&place, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(read(directory.path(), 5).is_err());
    }

    #[test]
    fn a_written_file_replaces_another_and_everybody_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("file");
        fs::write(&place, "older and longer").unwrap();
        write(&place, b"new").unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"new");
        let mode = fs::metadata(&place).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
