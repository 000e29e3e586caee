//! What is wrong with an executable, in words that follow upon its name.

use crate::closure::Fault;

/// `is a damaged ELF file`, for the file at `path`.
pub(super) fn words(fault: &Fault, path: &str) -> String {
    match fault {
        Fault::Missing => format!("names {path}, which is not in the closure"),
        Fault::Elsewhere => format!("names {path}, of which the closure says nothing"),
        Fault::NotExecutable => "has no execute permission".to_owned(),
        Fault::NotAProgram => "is neither an ELF file nor a script".to_owned(),
        Fault::Damaged => "is a damaged ELF file".to_owned(),
        Fault::NoLoader(_) => "needs a loader that is not in the closure".to_owned(),
        Fault::NoLibraries(names) => format!("does not find {}", names.join(", ")),
        Fault::Endless => "is a script that starts itself".to_owned(),
    }
}
