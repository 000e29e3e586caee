use crate::vocabulary::ElfClass;

/// A file that is executed on the way from a command line to a running program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub path: String,
    pub role: Role,
    /// `None` for scripts, and where nothing could be read.
    pub class: Option<ElfClass>,
    pub fault: Option<Fault>,
}

impl Hop {
    pub(in crate::closure) fn new(path: &str, role: Role) -> Self {
        Self {
            path: path.to_owned(),
            role,
            class: None,
            fault: None,
        }
    }
}

/// Who asks for the file to be executed, which decides how it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// systemd itself: a failure is `203/EXEC`.
    Command,
    /// The kernel, for a script's first line: a failure is `203/EXEC` of the script.
    Interpreter,
    /// A script or a wrapper, by `exec`: a failure is its own, with a shell exit code 126 or 127.
    Replacement,
    /// A shell script, as a line of its own outside any block: a failure is the shell's, which `-e` makes the script's.
    Call,
}

/// Why a file cannot be executed, whatever the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Not in the closure.
    Missing,
    /// In a directory that is neither the store's nor filled by activation: the machine's disk may have it.
    Elsewhere,
    /// No execute permission, or no regular file.
    NotExecutable,
    /// Neither ELF nor a script with an interpreter: `Exec format error`.
    NotAProgram,
    /// ELF headers that lead nowhere.
    Damaged,
    /// The loader that an ELF file names (`PT_INTERP`) is not in the closure.
    NoLoader(String),
    /// Libraries that the loader would not find.
    NoLibraries(Vec<String>),
    /// Scripts that start each other without an end.
    Endless,
}

/// What executing a path leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::closure) struct Trace {
    pub(in crate::closure) hops: Vec<Hop>,
    /// Where it leaves the closure: state that is made at run time, which nothing is known of.
    pub(in crate::closure) unseen: Option<String>,
}
