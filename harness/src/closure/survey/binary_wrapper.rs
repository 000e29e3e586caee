use crate::closure::execution::script::names_libraries;
use crate::closure::files::{ClosureFiles, Resolved};
use crate::closure::unit_file::split_words;

/// A wrapper has some tens of kilobytes.
const WRAPPER_LIMIT: u64 = 128 << 10;
/// What nixpkgs' `make-binary-wrapper.sh` compiles in beside the code: the command that made the wrapper.
const MARK: &[u8] = b"makeCWrapper ";

/// What a wrapper executes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) program: String,
    /// The wrapper sets the loader's own variables.
    pub(super) own_library_path: bool,
}

/// What a wrapper of nixpkgs' `makeBinaryWrapper` executes; `None` for every other ELF file.
pub(super) fn wrapped(files: &ClosureFiles, elf: &Resolved) -> Option<Wrapped> {
    if elf.host.symlink_metadata().ok()?.len() > WRAPPER_LIMIT {
        return None;
    }
    let bytes = files.header(&elf.logical, WRAPPER_LIMIT).ok()?;
    let at = bytes.windows(MARK.len()).position(|w| w == MARK)? + MARK.len();
    let command = bytes[at..].split(|byte| *byte == 0).next()?;
    let command = String::from_utf8_lossy(command);
    let (first, _) = command.split_once('\n')?;
    let program = split_words(first).into_iter().next()?;
    program.starts_with("/nix/store/").then(|| Wrapped {
        program,
        own_library_path: names_libraries(&command),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};
    use crate::vocabulary::ElfClass;

    #[test]
    fn the_command_that_made_a_wrapper_names_its_program() {
        let fake = FakeClosure::new();
        let of = |text: &str| {
            let mut image = elf(ElfClass::X86_64);
            image.extend(text.bytes());
            let path = fake.program("app", "bin/app", image);
            let closure = fake.closure();
            let files = ClosureFiles::new(&closure);
            wrapped(&files, &files.resolve(&path).unwrap())
        };
        let text = "\0generated\n\nmakeCWrapper '/nix/store/a/bin/.app' \\\n --set A b\n\0";
        let expected = |own_library_path| Wrapped {
            program: "/nix/store/a/bin/.app".to_owned(),
            own_library_path,
        };
        assert_eq!(of(text), Some(expected(false)));
        let text = "\0makeCWrapper /nix/store/a/bin/.app \\\n --prefix LD_LIBRARY_PATH : b\n";
        assert_eq!(of(text), Some(expected(true)));
        assert_eq!(of("\0makeCWrapper 'relative'\n"), None);
        assert_eq!(of("\0makeCWrapper '/nix/store/unended"), None);
        assert_eq!(of("\0"), None);
    }
}
