use std::os::unix::fs::PermissionsExt as _;

use super::libraries::Libraries;
use super::script::{called, interpreter, is_shell, names_libraries};
use crate::closure::executable::{MAX_DEPTH, SCRIPT_LIMIT, last_exec};
use crate::closure::files::{ClosureFiles, FileError};
use crate::vocabulary::{ElfClass, StorePath};

/// A file that is executed on the way from a command line to a running program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub path: String,
    pub role: Role,
    /// `None` for scripts, and where nothing could be read.
    pub class: Option<ElfClass>,
    pub fault: Option<Fault>,
}

/// Who asks for the file to be executed, which decides how it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// systemd itself: a failure is `203/EXEC`.
    Command,
    /// The kernel, for a script's first line: a failure is `203/EXEC` of the script.
    Interpreter,
    /// A script, by `exec`: a failure is the shell's, exit code 126 or 127.
    Replacement,
    /// A shell script, as a line of its own outside any block: a failure is the shell's, which `-e` makes the script's.
    Call,
}

/// Why a file cannot be executed, whatever the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Not in the closure.
    Missing,
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

/// Where the trace of a command ends outside the closure: state that is made at run time, which nothing is known of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) hops: Vec<Hop>,
    pub(super) unseen: Option<String>,
}

/// Follows executables: scripts to their interpreters and to what they `exec`, ELF files to loader and libraries.
pub(super) struct Tracer<'a> {
    files: ClosureFiles<'a>,
    libraries: Libraries<'a>,
}

/// More files than are executed on the way to any service.
const MAX_HOPS: usize = 200;
/// Directories of a NixOS machine that are filled at activation or at run time, and what activation makes elsewhere.
const MADE_AT_RUN_TIME: &[&str] = &[
    "/run/",
    "/var/",
    "/etc/",
    "/home/",
    "/root/",
    "/tmp/",
    "/srv/",
    "/opt/",
    "/mnt/",
    "/proc/",
    "/sys/",
    "/dev/",
    "/nix/var/",
];
const MADE_BY_ACTIVATION: &[&str] = &["/bin/sh", "/usr/bin/env"];

impl<'a> Tracer<'a> {
    pub(super) fn new(files: ClosureFiles<'a>) -> Self {
        Self {
            files,
            libraries: Libraries::new(files),
        }
    }

    /// Follows the execution of `path`. With `own_library_path` the environment names libraries, and none is called missing.
    pub(super) fn trace(&mut self, path: &str, own_library_path: bool) -> Trace {
        let mut trace = Trace {
            hops: Vec::new(),
            unseen: None,
        };
        self.follow(path, Role::Command, 0, own_library_path, &mut trace);
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
        trace.hops.push(Hop {
            path: path.to_owned(),
            role,
            class: None,
            fault: None,
        });
        if depth > MAX_DEPTH {
            trace.hops[at].fault = Some(Fault::Endless);
            return;
        }
        let resolved = match self.files.resolve(path) {
            Ok(resolved) => resolved,
            Err(error) => {
                let leads_out = matches!(error, FileError::Outside(_)) && self.is_of_closure(path);
                let loops = matches!(error, FileError::LinkLoop(_));
                if leads_out || (is_made_later(path) && !loops) {
                    trace.hops.pop();
                    trace.unseen = Some(path.to_owned());
                } else {
                    trace.hops[at].fault = Some(Fault::Missing);
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
            return;
        }
        let script = self.files.header(path, SCRIPT_LIMIT).unwrap_or_default();
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

fn is_made_later(path: &str) -> bool {
    if path.starts_with("/run/current-system/") {
        return false;
    }
    MADE_BY_ACTIVATION.contains(&path) || MADE_AT_RUN_TIME.iter().any(|dir| path.starts_with(dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};

    fn trace(fake: &FakeClosure, path: &str) -> Trace {
        let closure = fake.closure();
        Tracer::new(ClosureFiles::new(&closure)).trace(path, false)
    }

    fn faults(fake: &FakeClosure, path: &str) -> Vec<Option<Fault>> {
        trace(fake, path)
            .hops
            .into_iter()
            .map(|h| h.fault)
            .collect()
    }

    #[test]
    fn a_start_script_leads_to_interpreter_and_program() {
        let fake = FakeClosure::new();
        let bash = fake.program("bash", "bin/bash", elf(ElfClass::I386));
        let app = fake.program("app", "bin/app", elf(ElfClass::X86_64));
        let text = format!("#!{bash}\nset -e\nexec {app} --port 80\n");
        let script = fake.program("unit-script", "bin/start", text);
        let hops = trace(&fake, &script).hops;
        let seen: Vec<_> = hops.iter().map(|h| (h.role, h.class)).collect();
        assert_eq!(
            seen,
            [
                (Role::Command, None),
                (Role::Interpreter, Some(ElfClass::I386)),
                (Role::Replacement, Some(ElfClass::X86_64)),
            ]
        );
        assert!(hops.iter().all(|hop| hop.fault.is_none()), "{hops:?}");
    }

    #[test]
    fn what_a_start_script_calls_is_followed_outside_blocks() {
        let fake = FakeClosure::new();
        let bash = fake.program("bash", "bin/bash", elf(ElfClass::I386));
        let app = fake.program("app", "bin/app", elf(ElfClass::X86_64));
        let other = fake.program("other", "bin/other", elf(ElfClass::X86_64));
        let text = format!(
            "#!{bash} -e\nif true; then\n  {other}\nfi\n{other} || true\n{app} --port 80\n"
        );
        let script = fake.program("unit-script", "bin/start", text);
        let called: Vec<_> = trace(&fake, &script)
            .hops
            .into_iter()
            .filter(|hop| hop.role == Role::Call)
            .map(|hop| hop.path)
            .collect();
        assert_eq!(called, [app]);
    }

    #[test]
    fn each_reason_not_to_run_is_told_apart() {
        let fake = FakeClosure::new();
        let plain = fake.store_file("plain", "bin/x", elf(ElfClass::I386));
        assert_eq!(faults(&fake, &plain), [Some(Fault::NotExecutable)]);
        let text = fake.program("text", "bin/x", "no first line");
        assert_eq!(faults(&fake, &text), [Some(Fault::NotAProgram)]);
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/bin/x";
        assert_eq!(faults(&fake, gone), [Some(Fault::Missing)]);
        let script = fake.program("script", "bin/x", format!("#!{gone}\n"));
        assert_eq!(faults(&fake, &script), [None, Some(Fault::Missing)]);
        assert_eq!(faults(&fake, "/usr/bin/x"), [Some(Fault::Missing)]);
        let path = fake.path_of("loop", "x");
        fake.program("loop", "x", format!("#!{path}\n"));
        assert!(faults(&fake, &path).contains(&Some(Fault::Endless)));
    }

    #[test]
    fn what_is_made_at_run_time_is_no_fault() {
        let fake = FakeClosure::new();
        let unseen = trace(&fake, "/run/wrappers/bin/sudo");
        assert!(unseen.hops.is_empty());
        assert_eq!(unseen.unseen.as_deref(), Some("/run/wrappers/bin/sudo"));
        let script = fake.program("script", "x", "#!/usr/bin/env python3\n");
        assert_eq!(faults(&fake, &script), [None]);
    }

    #[test]
    fn damaged_headers_are_a_fault_and_no_panic() {
        let fake = FakeClosure::new();
        for offset in [0u64, 1, 63, 64, 1 << 20, u64::MAX - 8] {
            let mut image = elf(ElfClass::X86_64);
            image[32..40].copy_from_slice(&offset.to_le_bytes());
            image[54..56].copy_from_slice(&56u16.to_le_bytes());
            image[56..58].copy_from_slice(&u16::MAX.to_le_bytes());
            let path = fake.program("damaged", "bin/x", image);
            assert_eq!(faults(&fake, &path), [Some(Fault::Damaged)], "{offset}");
        }
    }

    #[test]
    fn loader_and_libraries_must_be_in_the_closure() {
        use crate::closure::testing::dynamic_elf;
        let fake = FakeClosure::new();
        let loader = fake.path_of("libc", "lib/ld.so");
        let runpath = format!("$ORIGIN/../lib:{}", fake.path_of("libc", "lib"));
        let program = dynamic_elf(&loader, &["liba.so", "libc.so.6"], &runpath);
        let program = fake.program("app", "bin/app", program);
        assert_eq!(faults(&fake, &program), [Some(Fault::NoLoader(loader))]);

        fake.program("libc", "lib/ld.so", elf(ElfClass::X86_64));
        fake.store_file("libc", "lib/libc.so.6", elf(ElfClass::X86_64));
        let missing = Fault::NoLibraries(vec!["liba.so".to_owned()]);
        assert_eq!(faults(&fake, &program), [Some(missing.clone())]);
        fake.store_file("app", "lib/liba.so", elf(ElfClass::I386));
        assert_eq!(faults(&fake, &program), [Some(missing)]);
        fake.store_file("app", "lib/liba.so", elf(ElfClass::X86_64));
        assert_eq!(faults(&fake, &program), [None]);

        let driver = dynamic_elf(
            &fake.path_of("libc", "lib/ld.so"),
            &["libcuda.so.1"],
            "/run/opengl-driver/lib",
        );
        let driver = fake.program("gpu", "bin/gpu", driver);
        assert_eq!(faults(&fake, &driver), [None]);
    }
}
