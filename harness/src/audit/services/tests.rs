use super::*;

const TOPLEVEL: &str = "/nix/store/00000000000000000000000000000000-nixos-system";

fn frame(name: &str, body: &str, end: &str) -> String {
    format!("=m {name}\n{body}\n=m end {end}\n")
}

fn elf(class: u8, machine: u8) -> String {
    format!("7f 45 4c 46 {class:02x} 01 01 00 00 00 00 00 00 00 00 00 02 00 {machine:02x} 00")
}

fn services(answer: &str) -> (BTreeMap<String, Service>, BTreeSet<String>) {
    let mut frames = Frames::default();
    let base = frame("units", "", "0")
        + &frame(
            "wants default.target.wants",
            "a.service\nt@one.service",
            "0",
        );
    frames.add(&(base + answer), "m");
    read(&frames, TOPLEVEL).unwrap()
}

#[test]
fn commands_are_asked_for_and_then_followed_behind_scripts() {
    let unit = frame(
        "unit a.service",
        "[Unit]\nConditionPathExists=/x\n[Service]\nExecStartPre=-/nix/store/x/ignored\nExecStart=/nix/store/s/start --x",
        "0",
    );
    let (first, unasked) = services(&unit);
    assert!(first["a.service"].wanted && first["a.service"].conditional);
    assert_eq!(Vec::from_iter(unasked), ["/nix/store/s/start"]);
    let script = frame("program /nix/store/s/start", "23 21 2f", "0")
        + &frame(
            "script /nix/store/s/start",
            "#!/nix/store/b/bash -e\nexec /nix/store/p/run\n",
            "0",
        );
    let (_, unasked) = services(&(unit.clone() + &script));
    assert_eq!(
        Vec::from_iter(unasked),
        ["/nix/store/b/bash", "/nix/store/p/run"]
    );
    let rest = frame("program /nix/store/b/bash", &elf(1, 3), "0")
        + &frame("program /nix/store/p/run", &elf(2, 62), "0");
    let (services, unasked) = services(&(unit + &script + &rest));
    assert!(unasked.is_empty());
    let images: Vec<Image> = services["a.service"]
        .programs
        .iter()
        .map(|p| p.image)
        .collect();
    assert_eq!(
        images,
        [Image::Elf(ElfClass::I386), Image::Elf(ElfClass::X86_64)]
    );
}

#[test]
fn instances_have_their_templates_and_drop_ins_come_last() {
    let answer = frame(
        "unit t@.service",
        "[Service]\nExecStart=/run/current-system/sw/bin/x %i",
        "0",
    ) + &frame("unit b.service", "[Service]\nExecStart=/nix/store/old", "0")
        + &frame(
            "drop-in b.service x.conf",
            "[Service]\nExecStart=\nExecStart=/nix/store/new",
            "0",
        );
    let (services, unasked) = services(&answer);
    assert_eq!(
        Vec::from_iter(services.keys()),
        ["b.service", "t@one.service"]
    );
    let program = format!("{TOPLEVEL}/sw/bin/x");
    assert_eq!(Vec::from_iter(unasked), [&program, "/nix/store/new"]);
}

#[test]
fn what_is_not_there_is_missing_and_what_is_made_later_is_left_out() {
    let answer = frame(
        "unit a.service",
        "[Service]\nExecStart=/nix/store/gone\nExecStart=/run/wrappers/bin/x\nExecStart=/bin/%i",
        "0",
    ) + &frame("program /nix/store/gone", "", "absent");
    let (services, unasked) = services(&answer);
    assert!(unasked.is_empty());
    assert_eq!(services["a.service"].programs[0].image, Image::Missing);
    assert_eq!(services["a.service"].programs.len(), 1);
}

#[test]
fn scripts_that_start_each_other_end() {
    let answer = frame("unit a.service", "[Service]\nExecStart=/nix/store/s", "0")
        + &frame("program /nix/store/s", "23 21", "0")
        + &frame(
            "script /nix/store/s",
            "#!/nix/store/s\nexec /nix/store/s\n",
            "0",
        );
    let (services, _) = services(&answer);
    assert_eq!(services["a.service"].programs[0].image, Image::Unknown);
}
