use super::files::{ClosureFiles, FileError};
use super::unit_file::split_words;
use crate::vocabulary::ElfClass;

/// A start script of NixOS is below 100 kB; of a larger script only this much is read.
pub(super) const SCRIPT_LIMIT: u64 = 1 << 20;
/// Files that are looked at for one program: each script may lead to two others.
const MAX_FILES: usize = 16;
/// A unit's start script runs a wrapper that runs a program: three levels, and some more.
pub(super) const MAX_DEPTH: usize = 6;

/// The class of the program that runs when `path` is executed.
///
/// For a script it is the class of what its last `exec` line replaces it with, because NixOS wraps services in start scripts
/// and programs in wrappers; without such a line it is that of the interpreter.
///
/// # Errors
/// When the file is outside the closure, or neither ELF nor script.
pub(super) fn class_of(files: &ClosureFiles, path: &str) -> Result<ElfClass, FileError> {
    class_at_depth(files, path, 0, &mut 0)
}

fn class_at_depth(
    files: &ClosureFiles,
    path: &str,
    depth: usize,
    seen: &mut usize,
) -> Result<ElfClass, FileError> {
    let not_understood = |reason: &str| FileError::Format {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    *seen += 1;
    if depth > MAX_DEPTH || *seen > MAX_FILES {
        return Err(not_understood("too many scripts start each other"));
    }
    if let Some(class) = ElfClass::of_header(&files.header(path, 64)?) {
        return Ok(class);
    }
    let script = files.header(path, SCRIPT_LIMIT)?;
    let script = String::from_utf8_lossy(&script);
    let interpreter = script
        .strip_prefix("#!")
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| not_understood("neither an ELF file nor a script"))?;
    let replaced = last_exec(&script)
        .map(|program| class_at_depth(files, &program, depth + 1, seen))
        .and_then(Result::ok);
    match replaced {
        Some(class) => Ok(class),
        None => class_at_depth(files, interpreter, depth + 1, seen),
    }
}

/// The program of the last line that begins with `exec`, if it is a store path.
pub fn last_exec(script: &str) -> Option<String> {
    let line = script
        .lines()
        .rev()
        .find_map(|line| line.trim_start().strip_prefix("exec "))?;
    let mut words = split_words(line).into_iter();
    let program = loop {
        let word = words.next()?;
        match word.as_str() {
            "-a" => drop(words.next()),
            "-c" | "-l" | "-cl" => {}
            _ => break word,
        }
    };
    program.starts_with("/nix/store/").then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};

    fn class(fake: &FakeClosure, path: &str) -> Result<ElfClass, FileError> {
        let closure = fake.closure();
        class_of(&ClosureFiles::new(&closure), path)
    }

    #[test]
    fn start_scripts_and_wrappers_lead_to_the_program() {
        let fake = FakeClosure::new();
        let bash = fake.store_file("bash", "bin/bash", elf(ElfClass::I386));
        let program = fake.store_file("app", "bin/.app-wrapped", elf(ElfClass::X86_64));
        let wrapper = format!("#! {bash} -e\nexport A=b\nexec -a \"$0\" \"{program}\"  \"$@\" \n");
        let wrapper = fake.store_file("app", "bin/app", wrapper);
        let start = format!("#!{bash}\nset -e\nexec {wrapper} --port 80\n");
        let start = fake.store_file("unit-script-app-start", "bin/app-start", start);
        assert_eq!(class(&fake, &start).unwrap(), ElfClass::X86_64);
    }

    #[test]
    fn a_script_that_does_not_exec_is_its_interpreter() {
        let fake = FakeClosure::new();
        let bash = fake.store_file("bash", "bin/bash", elf(ElfClass::I386));
        for body in ["echo done", "exec \"$program\"", "exec /nix/store/gone"] {
            let script = fake.store_file("script", "start", format!("#!{bash}\n{body}\n"));
            assert_eq!(class(&fake, &script).unwrap(), ElfClass::I386, "{body}");
        }
    }

    #[test]
    fn loops_and_other_files_are_errors() {
        let fake = FakeClosure::new();
        let path = fake.path_of("script", "start");
        fake.store_file("script", "start", format!("#!{path}\nexec {path}\n"));
        assert!(class(&fake, &path).is_err());
        let text = fake.store_file("text", "", "only text");
        assert!(class(&fake, &text).is_err());
        assert!(class(&fake, "/bin/sh").is_err());
    }
}
