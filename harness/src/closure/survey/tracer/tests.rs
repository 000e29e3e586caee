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
    let text =
        format!("#!{bash} -e\nif true; then\n  {other}\nfi\n{other} || true\n{app} --port 80\n");
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
fn compiled_wrappers_lead_to_what_they_wrap() {
    let fake = FakeClosure::new();
    let app = fake.program("app", "bin/.app", elf(ElfClass::I386));
    let mut image = elf(ElfClass::X86_64);
    image.extend(format!("\nmakeCWrapper '{app}' \\\n    --set A 'b'\n\n").bytes());
    let wrapper = fake.program("app", "bin/app", image);
    let hops = trace(&fake, &wrapper).hops;
    let seen: Vec<_> = hops.iter().map(|hop| (hop.role, hop.class)).collect();
    let i386 = (Role::Replacement, Some(ElfClass::I386));
    assert_eq!(seen, [(Role::Command, Some(ElfClass::X86_64)), i386]);
}

#[test]
fn a_security_wrapper_of_itself_ends() {
    let fake = FakeClosure::new();
    let line = "cp /run/wrappers/bin/x \"$wrapperDir/x\"\n";
    fake.file("activate", line);
    let found = faults(&fake, "/run/wrappers/bin/x");
    assert_eq!(found, [Some(Fault::Endless)]);
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
