use super::*;
use crate::closure::testing::{cpio_archive, cpio_of, elf};

const LINK: u32 = 0o120_777;
const PROGRAM: u32 = 0o100_755;

fn of(archive: &[u8]) -> InitrdFiles {
    crate::closure::initrd::parse(&mut &*archive).programs
}

fn seen(archive: &[u8]) -> Vec<(String, Option<ElfClass>, Option<Fault>)> {
    let hops = of(archive).hops.into_iter();
    hops.map(|hop| (hop.path, hop.class, hop.fault)).collect()
}

#[test]
fn a_script_leads_through_links_to_the_shell_of_the_initrd() {
    let busybox = elf(ElfClass::I386);
    let archive = cpio_of(&[
        ("bin", LINK, b"usr/bin"),
        ("init", LINK, b"/nix/store/x-stage-1-init.sh"),
        ("nix/store/x-stage-1-init.sh", PROGRAM, b"#! /bin/ash -e\n"),
        ("usr/bin/ash", LINK, b"busybox"),
        ("usr/bin/busybox", PROGRAM, &busybox),
    ]);
    assert_eq!(
        seen(&archive),
        [
            ("/init".to_owned(), None, None),
            ("/bin/ash".to_owned(), Some(ElfClass::I386), None),
        ]
    );
}

#[test]
fn a_program_needs_the_loader_that_it_names() {
    use crate::closure::testing::dynamic_elf;
    let image = dynamic_elf("/nix/store/g/lib/ld.so", &["libc.so.6"], "");
    let without = [("init", PROGRAM, image.as_slice())];
    let missing = Fault::NoLoader("/nix/store/g/lib/ld.so".to_owned());
    assert_eq!(seen(&cpio_of(&without))[0].2, Some(missing));
    let with = [without[0], ("nix/store/g/lib/ld.so", PROGRAM, b"\x7fELF")];
    assert_eq!(seen(&cpio_of(&with))[0].2, None);
}

#[test]
fn each_reason_not_to_run_is_told_apart() {
    let fault = |files: &[(&str, u32, &[u8])]| seen(&cpio_of(files)).pop().unwrap().2;
    assert_eq!(fault(&[]), Some(Fault::Missing));
    assert_eq!(fault(&[("init", LINK, b"init")]), Some(Fault::Missing));
    assert_eq!(
        fault(&[("init", 0o100_644, b"#!/x")]),
        Some(Fault::NotExecutable)
    );
    assert_eq!(
        fault(&[("init", PROGRAM, b"text")]),
        Some(Fault::NotAProgram)
    );
    assert_eq!(
        fault(&[("init", PROGRAM, b"#!/init\n")]),
        Some(Fault::Endless)
    );
    let damaged = cpio_archive(&["a", "b"]);
    let read = of(&damaged[..160]);
    assert!(read.hops.is_empty() && read.unreadable.is_some());
}

#[test]
fn microcode_before_the_archive_is_passed_over() {
    let init = elf(ElfClass::X86_64);
    let mut bytes = cpio_archive(&["kernel/x86/microcode/GenuineIntel.bin"]);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes.extend(cpio_of(&[("./init", PROGRAM, &init)]));
    assert_eq!(seen(&bytes)[0].1, Some(ElfClass::X86_64));
}
