#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use super::binary_wrapper;
use super::run_time::{Origin, RunTime};
use crate::closure::executable::{MAX_DEPTH, SCRIPT_LIMIT, last_exec};
use crate::closure::execution::hop::{Fault, Hop, Role, Trace};
use crate::closure::execution::libraries::{ElfFiles as _, Libraries};
use crate::closure::execution::script::{called, interpreter, is_shell, names_libraries};
use crate::closure::files::{ClosureFiles, FileError};
use crate::vocabulary::{ElfClass, StorePath};

/// More files than are executed on the way to any service.
const MAX_HOPS: usize = 200;
/// Bytes of scripts that are read for all traces together; those of a large server have some megabytes.
const MAX_SCRIPTS: usize = 1 << 30;
/// Traces that are kept, because many units start the same programs.
const MAX_TRACES: usize = 20_000;

/// Follows executables: scripts to their interpreters and to what they `exec`, wrappers to what they wrap, ELF files to loader and
/// libraries.
pub(super) struct Tracer<'a> {
    files: ClosureFiles<'a>,
    libraries: Libraries<'a>,
    run_time: RunTime,
    scripts_left: usize,
    traces: BTreeMap<(String, bool), Trace>,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(files: ClosureFiles<'a>) -> Self {
        Self {
            files,
            libraries: Libraries::new(files),
            run_time: RunTime::read(files),
            scripts_left: MAX_SCRIPTS,
            traces: BTreeMap::new(),
        }
    }

    pub(super) fn run_time(&self) -> &RunTime {
        &self.run_time
    }

    /// Follows the execution of `path`. With `own_library_path` the environment names libraries, and none is called missing.
    pub(super) fn trace(&mut self, path: &str, own_library_path: bool) -> Trace {
        let key = (path.to_owned(), own_library_path);
        if let Some(known) = self.traces.get(&key) {
            return known.clone();
        }
        let mut trace = Trace::default();
        self.follow(path, Role::Command, 0, own_library_path, &mut trace);
        if self.traces.len() < MAX_TRACES {
            self.traces.insert(key, trace.clone());
        }
        trace
    }

    fn follow(
        &mut self,
        path: &str,
        role: Role,
        depth: usize,
        own_library_path: bool,
        trace: &mut Trace,
    ) {
        let at = trace.hops.len();
        if at > MAX_HOPS {
            return;
        }
        if depth <= MAX_DEPTH
            && let Some(chain) = self.run_time.wrappers.get(path).cloned()
        {
            return self.follow_wrapper(&chain, role, depth, trace);
        }
        trace.hops.push(Hop::new(path, role));
        if depth > MAX_DEPTH {
            trace.hops[at].fault = Some(Fault::Endless);
            return;
        }
        let resolved = match self.files.resolve(path) {
            Ok(resolved) => resolved,
            Err(error) => {
                match self.origin(path, &error) {
                    Origin::RunTime => {
                        trace.hops.pop();
                        trace.unseen = Some(path.to_owned());
                    }
                    Origin::None => trace.hops[at].fault = Some(Fault::Missing),
                    Origin::Unknown => trace.hops[at].fault = Some(Fault::Elsewhere),
                }
                return;
            }
        };
        let executable = resolved
            .host
            .symlink_metadata()
            .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
        if !executable {
            trace.hops[at].fault = Some(Fault::NotExecutable);
            return;
        }
        let header = self.files.header(path, 64).unwrap_or_default();
        if let Some(class) = ElfClass::of_header(&header) {
            trace.hops[at].class = Some(class);
            trace.hops[at].fault = self.fault_of_elf(&resolved.logical, own_library_path);
            if let Some(wrapped) = binary_wrapper::wrapped(&self.files, &resolved) {
                let own_library_path = own_library_path || wrapped.own_library_path;
                self.follow(
                    &wrapped.program,
                    Role::Replacement,
                    depth + 1,
                    own_library_path,
                    trace,
                );
            }
            return;
        }
        let script = self.files.header(path, SCRIPT_LIMIT).unwrap_or_default();
        let Some(left) = self.scripts_left.checked_sub(script.len()) else {
            trace.hops[at].fault = Some(Fault::Endless);
            return;
        };
        self.scripts_left = left;
        let script = String::from_utf8_lossy(&script).into_owned();
        let Some(interpreter) = interpreter(&script) else {
            trace.hops[at].fault = Some(Fault::NotAProgram);
            return;
        };
        let own_library_path = own_library_path || names_libraries(&script);
        self.follow(
            interpreter,
            Role::Interpreter,
            depth + 1,
            own_library_path,
            trace,
        );
        if is_shell(interpreter) {
            for program in called(&script) {
                self.follow(&program, Role::Call, depth + 1, own_library_path, trace);
            }
        }
        if let Some(program) = last_exec(&script) {
            self.follow(
                &program,
                Role::Replacement,
                depth + 1,
                own_library_path,
                trace,
            );
        }
    }

    /// The wrapper that a boot copies, then what it executes.
    fn follow_wrapper(&mut self, chain: &[String], role: Role, depth: usize, trace: &mut Trace) {
        for (index, program) in chain.iter().enumerate() {
            let role = if index == 0 { role } else { Role::Replacement };
            self.follow(program, role, depth + 1, false, trace);
        }
    }

    fn origin(&self, path: &str, error: &FileError) -> Origin {
        match error {
            FileError::LinkLoop(_) => Origin::None,
            FileError::Outside(_) if self.is_of_closure(path) => Origin::RunTime,
            _ => self.run_time.origin(path),
        }
    }

    fn is_of_closure(&self, path: &str) -> bool {
        StorePath::split(path).is_ok_and(|(path, _)| self.files.closure().contains(&path))
    }

    fn fault_of_elf(&mut self, logical: &str, own_library_path: bool) -> Option<Fault> {
        let Some(needs) = self.libraries.needs(logical) else {
            return Some(Fault::Damaged);
        };
        let loader = needs.interpreter.clone()?;
        if !self.files.is_there(&loader) {
            // `/lib64/ld-linux-x86-64.so.2` is there with `programs.nix-ld` or a stub, which activation makes.
            return loader
                .starts_with("/nix/store/")
                .then_some(Fault::NoLoader(loader));
        }
        if own_library_path {
            return None;
        }
        let missing = self.libraries.missing(logical);
        (!missing.is_empty()).then_some(Fault::NoLibraries(missing))
    }
}
