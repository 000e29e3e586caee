//! The lab's mutations as they are made: `scenarios/lab/build/mutate.sh` on a part in a temporary directory, without Nix.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const OLD: &str = "0fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5";
const NEW: &str = "1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5";

/// A part, and what becomes of it.
struct Part {
    store: tempfile::TempDir,
}

impl Part {
    fn new() -> Self {
        let part = Self {
            store: tempfile::tempdir().unwrap(),
        };
        let original = part.path(OLD);
        fs::create_dir_all(original.join("lib/modules/6.1")).unwrap();
        let script = format!("#!{}/bin/sh\nport 8081\n", original.display());
        fs::write(original.join("start"), script).unwrap();
        fs::set_permissions(original.join("start"), Permissions::from_mode(0o555)).unwrap();
        fs::write(original.join("lib/modules/6.1/a.ko"), b"\x7fELF\x02\0a").unwrap();
        fs::write(part.store.path().join("elsewhere"), "text").unwrap();
        symlink("../elsewhere", original.join("link")).unwrap();
        symlink("..", original.join("beside")).unwrap();
        symlink(original.join("start"), original.join("self")).unwrap();
        part
    }

    fn path(&self, hash: &str) -> PathBuf {
        self.store.path().join(format!("{hash}-part"))
    }

    fn mutate(&self, steps: &str) -> Output {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/lab");
        let file = self.store.path().join("steps");
        fs::write(&file, format!("{steps}\n")).unwrap();
        Command::new("bash")
            .args(["-euo", "pipefail"])
            .arg(lab.join("build/mutate.sh"))
            .env("LC_ALL", "C")
            .env("original", self.path(OLD))
            .env("out", self.path(NEW))
            .env("stepsPath", file)
            .env("patchFunction", lab.join("build/patch-function.pl"))
            .output()
            .unwrap()
    }

    /// The file of the copy, after these steps.
    fn mutated(steps: &str, file: &str) -> String {
        let part = Self::new();
        let output = part.mutate(steps);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{steps}: {told}");
        let content = fs::read(part.path(NEW).join(file)).unwrap();
        String::from_utf8_lossy(&content).into_owned()
    }
}

#[test]
fn a_copy_speaks_of_itself_and_not_of_its_original() {
    let part = Part::new();
    assert!(part.mutate("remove lib").status.success());
    let copy = part.path(NEW);
    let text = fs::read_to_string(copy.join("start")).unwrap();
    assert!(text.contains(NEW) && !text.contains(OLD), "{text}");
    assert_eq!(
        fs::read_link(copy.join("self")).unwrap(),
        copy.join("start")
    );
    assert!(!copy.join("lib").exists() && part.path(OLD).join("lib").exists());
}

#[test]
fn each_change_changes_what_it_says() {
    let module = "lib/modules/6.1/a.ko";
    for (steps, file, expected) in [
        (
            "rename 'lib/modules/*' lib/modules/6.2",
            "lib/modules/6.2/a.ko",
            "\x7fELF\x02\0a",
        ),
        ("write new/file 'a text'", "new/file", "a text"),
        (
            "write 'lib/modules/*/config' x",
            "lib/modules/6.1/config",
            "x",
        ),
        ("append link ' more'", "link", "text more"),
        (
            "replace 'lib/**/*.ko' $'\\x02' $'\\x01'",
            module,
            "\x7fELF\x01\0a",
        ),
        ("truncate 'lib/**/*.ko' 3", module, "\x7fEL"),
        ("link start ../elsewhere", "start", "text"),
    ] {
        assert_eq!(Part::mutated(steps, file), expected, "{steps}");
    }
    let text = Part::mutated("replace start 8081 18081", "start");
    assert!(text.ends_with("port 18081\n"), "{text}");
    let part = Part::new();
    assert!(part.mutate("mode start 0444").status.success());
    let mode = part
        .path(NEW)
        .join("start")
        .metadata()
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o111, 0);
}

#[test]
fn a_change_that_changes_nothing_fails() {
    for steps in [
        "remove gone",
        "remove 'gone*'",
        "rename start link",
        "write link text",
        "append start ''",
        "replace start 8082 8083",
        "replace start 8081 8081",
        "replace 'lib/**/*.ko' ELF longer",
        "mode start 0755",
        "link link ../elsewhere",
        "truncate start 1000",
        "truncate lib 0",
        "remove ../elsewhere",
        "write ../other x",
        "rename start ../other",
        "write beside/new x",
    ] {
        let part = Part::new();
        let output = part.mutate(steps);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{steps}");
        assert!(told.contains("mutation of"), "{steps}: {told}");
        let elsewhere = fs::read_to_string(part.store.path().join("elsewhere"));
        assert_eq!(elsewhere.unwrap(), "text");
    }
}

/// A relocatable file with a function that begins with a traced call, has 8 bytes of its own and then a relocation; signed as a kernel
/// module is.
fn module() -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let [source, object] = ["module.s", "module.o"].map(|name| directory.path().join(name));
    let text = ".globl start\n.type start,@function\nstart:\n.byte 0xe8\n.long __fentry__ - . - 4\n.fill 8,1,0x90\n\
                .byte 0xe8\n.long elsewhere - . - 4\n.fill 8,1,0x90\n.size start, . - start\n";
    std::fs::write(&source, text).unwrap();
    let made = Command::new("cc")
        .arg("-c")
        .arg(&source)
        .arg("-o")
        .arg(&object)
        .status();
    assert!(made.unwrap().success());
    let mut module = fs::read(object).unwrap();
    module.extend(b"SIGNATURE\0\0\0\0\0\0\0\0\0\0\0\x09~Module signature appended~\n");
    module
}

#[test]
fn a_function_of_a_module_is_patched_after_its_traced_call_and_the_signature_goes() {
    let part = Part::new();
    fs::write(part.path(OLD).join("lib/modules/6.1/a.ko"), module()).unwrap();
    let output = part.mutate("patch 'lib/modules/*/a.ko' 'start' '0f0b'");
    assert!(output.status.success(), "{output:?}");
    let patched = fs::read(part.path(NEW).join("lib/modules/6.1/a.ko")).unwrap();
    let code = [0xe8, 0, 0, 0, 0, 0x0f, 0x0b, 0x90];
    assert!(patched.windows(8).any(|bytes| bytes == code));
    assert!(
        !patched
            .windows(9)
            .any(|bytes| bytes == b"signature" || bytes == b"SIGNATURE")
    );
}

#[test]
fn a_relocation_in_the_way_becomes_one_of_no_kind() {
    let part = Part::new();
    fs::write(part.path(OLD).join("lib/modules/6.1/a.ko"), module()).unwrap();
    let output = part.mutate("patch lib/modules/6.1/a.ko start 90909090909090909090");
    assert!(output.status.success(), "{output:?}");
    let patched = part.path(NEW).join("lib/modules/6.1/a.ko");
    let told = Command::new("readelf").arg("-rW").arg(patched).output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    let kinds: Vec<&str> = told
        .split_whitespace()
        .filter(|word| word.starts_with("R_X86_64"))
        .collect();
    assert_eq!(kinds.len(), 2, "{told}");
    assert_eq!(kinds[1], "R_X86_64_NONE", "{told}");
}

#[test]
fn a_function_that_is_not_there_and_a_file_that_is_no_module_are_refused() {
    for (steps, why) in [
        (
            "patch lib/modules/6.1/a.ko stop 90",
            "no function is called stop",
        ),
        ("patch start start 90", "no 64-bit ELF file"),
    ] {
        let part = Part::new();
        fs::write(part.path(OLD).join("lib/modules/6.1/a.ko"), module()).unwrap();
        let output = part.mutate(steps);
        assert!(!output.status.success(), "{steps}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(why), "{steps}: {told}");
    }
}
