//! What no closure should hold, and any may.

use std::fs::{self, File};

use super::{Survey, survey};
use crate::closure::testing::FakeClosure;

const UNITS: &str = "etc/systemd/system";

fn surveyed(fake: &FakeClosure) -> Survey {
    survey(&fake.closure())
}

fn host(fake: &FakeClosure, below: &str) -> std::path::PathBuf {
    let toplevel = fake.store_path("toplevel");
    let store = fake.root().join("nix/store");
    store.join(toplevel.base_name()).join(below)
}

#[test]
fn a_unit_of_100_megabytes_is_refused_and_named() {
    let fake = FakeClosure::new();
    fake.file(&format!("{UNITS}/sane.service"), "[Service]\n");
    fake.file(&format!("{UNITS}/huge.service"), "");
    let huge = host(&fake, &format!("{UNITS}/huge.service"));
    let file = File::options().write(true).open(huge).unwrap();
    file.set_len(100 << 20).unwrap();
    let survey = surveyed(&fake);
    assert!(survey.units.contains_key("sane.service"));
    let [(unit, reason)] = &survey.unreadable[..] else {
        panic!("{:?}", survey.unreadable);
    };
    assert_eq!(unit, "huge.service");
    assert!(reason.contains("is larger than"), "{reason}");
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let fake = FakeClosure::new();
    let unit = b"[Service]\0\nExecStart=\0/nix/store/\0\nExecStart=%\0\n\0[Unit\n=\n";
    fake.file(&format!("{UNITS}/nul.service"), unit);
    fake.file(&format!("{UNITS}/raw.service"), [0xff; 300]);
    fake.file("kernel-params", [0; 300]);
    fake.file("boot.json", [0; 300]);
    let survey = surveyed(&fake);
    assert!(survey.units.contains_key("nul.service"));
    let unreadable: Vec<_> = survey.unreadable.iter().map(|(unit, _)| unit).collect();
    assert_eq!(unreadable, ["raw.service"]);
}

#[test]
fn a_path_longer_than_the_kernel_takes_is_counted_as_unread() {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

    let fake = FakeClosure::new();
    let name = "d".repeat(250);
    let open = |at, name: &str| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(at, name, flags, Mode::empty()).unwrap()
    };
    let top = host(&fake, "etc");
    let mut at = open(CWD, top.to_str().unwrap());
    for _ in 0..20 {
        mkdirat(&at, &*name, 0o755.into()).unwrap();
        at = openat(&at, &*name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    }
    let survey = surveyed(&fake);
    assert_eq!(survey.census.unread, 1);
    assert!(survey.dangling.is_empty());
    fs::remove_dir_all(fake.root()).unwrap();
}

#[test]
fn links_in_a_loop_end() {
    let fake = FakeClosure::new();
    fake.link("toplevel", "sw/a", "b");
    fake.link("toplevel", "sw/b", "a");
    fake.link("toplevel", "sw/up/up", "..");
    fake.link("toplevel", "systemd", "systemd");
    fake.link("toplevel", &format!("{UNITS}/loop.service"), "loop.service");
    let survey = surveyed(&fake);
    let places: Vec<_> = survey.dangling.iter().map(|d| d.place.as_str()).collect();
    assert_eq!(places, ["etc/systemd/system/loop.service", "sw/a", "sw/b"]);
    assert_eq!(survey.census.links, 5);
    assert_eq!(survey.systemd, None);
}
