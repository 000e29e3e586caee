use std::fs;

use super::tracer::Tracer;
use crate::closure::executable::SCRIPT_LIMIT;
use crate::closure::execution::hop::{Fault, Hop, Role};
use crate::closure::files::ClosureFiles;
use crate::vocabulary::{ElfClass, STORE_DIR, StorePath};

/// What stage 2 becomes: `init` itself where stage 1 is systemd, for which NixOS copies the program there; else what the script `init`
/// ends with (`boot.systemdExecutable`). Empty where `init` does not tell.
pub(super) fn read(files: ClosureFiles, tracer: &mut Tracer) -> Vec<Hop> {
    let init = files.in_toplevel("init");
    let Ok(header) = files.header(&init, 64) else {
        return Vec::new();
    };
    if ElfClass::of_header(&header).is_some() {
        return tracer.trace(&init, false).hops;
    }
    let script = files.header(&init, SCRIPT_LIMIT).unwrap_or_default();
    let script = String::from_utf8_lossy(&script);
    let Some(program) = becomes(&script, files.closure().toplevel.as_str()) else {
        return Vec::new();
    };
    let trace = tracer.trace(&program, false);
    if trace.unseen.is_some() && is_systemd_of_another_closure(files, &program) {
        return vec![Hop {
            fault: Some(Fault::Missing),
            ..Hop::new(&program, Role::Command)
        }];
    }
    trace.hops
}

/// The program of the last `exec` of a stage 2, where it is named by a path that its text tells.
fn becomes(script: &str, toplevel: &str) -> Option<String> {
    let line = script
        .lines()
        .rev()
        .find_map(|line| line.trim_start().strip_prefix("exec "))?;
    let word = line.split_whitespace().next()?.trim_matches('"');
    let below = ["/run/current-system/", "$systemConfig/", "${systemConfig}/"]
        .iter()
        .find_map(|start| word.strip_prefix(start));
    match below {
        Some(below) => Some(format!("{toplevel}/{below}")),
        None => word.starts_with(STORE_DIR).then(|| word.to_owned()),
    }
}

/// Whether a program is below `toplevel/systemd`, and that a link to a store path which the closure does not contain.
fn is_systemd_of_another_closure(files: ClosureFiles, program: &str) -> bool {
    let toplevel = files.closure().host_path(&files.closure().toplevel);
    let target = fs::read_link(toplevel.join("systemd")).unwrap_or_default();
    let linked = target.to_str().and_then(|t| StorePath::split(t).ok());
    program.starts_with(&files.in_toplevel("systemd/"))
        && linked.is_some_and(|(path, _)| !files.closure().contains(&path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::testing::{FakeClosure, elf};

    fn pid_1(fake: &FakeClosure) -> Vec<Hop> {
        let closure = fake.closure();
        let files = ClosureFiles::new(&closure);
        read(files, &mut Tracer::new(files))
    }

    #[test]
    fn a_script_ends_with_it() {
        let toplevel = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-system";
        let systemd = format!("{toplevel}/systemd/lib/systemd/systemd");
        for line in [
            "    exec /run/current-system/systemd/lib/systemd/systemd \"$@\"",
            "exec \"$systemConfig/systemd/lib/systemd/systemd\" \"$@\"",
        ] {
            let script = format!("exec 1>&$logOutFd 2>&$logErrFd\nexec {{logOutFd}}>&-\n{line}\n");
            assert_eq!(becomes(&script, toplevel), Some(systemd.clone()), "{line}");
        }
        for line in ["exec systemd", "exec $SYSTEMD_EXECUTABLE", "exec 1>&2", ""] {
            assert_eq!(becomes(line, toplevel), None, "{line}");
        }
    }

    #[test]
    fn an_init_that_is_a_program_is_it() {
        let fake = FakeClosure::new();
        let init = fake.program("toplevel", "init", elf(ElfClass::X86_64));
        let hops = pid_1(&fake);
        assert_eq!(hops.len(), 1);
        assert_eq!(hops[0].path, init);
    }

    #[test]
    fn a_systemd_that_is_not_in_the_closure_is_missing() {
        let fake = FakeClosure::new();
        let text = "#!/nix/store/x\nexec /run/current-system/systemd/lib/systemd/systemd\n";
        fake.file("init", text);
        assert_eq!(pid_1(&fake)[0].fault, Some(Fault::Missing));
        let gone = "/nix/store/0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone";
        fake.link("toplevel", "systemd", gone);
        assert_eq!(pid_1(&fake)[0].fault, Some(Fault::Missing));
    }
}
