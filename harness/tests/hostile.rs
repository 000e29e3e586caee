//! Closures that lie: `bootproof inspect` ends soon, within little memory, with a verdict and a clean terminal.

#[path = "hostile/store.rs"]
mod store;

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::Command;

use store::{Store, TOPLEVEL};

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let store = Store::new();
    let places = [
        "boot.json",
        "kernel",
        "initrd",
        "kernel-params",
        "etc/fstab",
        "etc/os-release",
        "etc/systemd/system/a.service",
        "etc/nginx/nginx.conf",
        "bin/switch-to-configuration",
        "activate",
        "init",
        "systemd/lib/systemd/systemd",
        "kernel-modules/lib/modules/6.6.63/modules.dep",
        "kernel-modules/lib/modules/6.6.63/modules.builtin",
        "sw/bin/a",
    ];
    store.unit("nginx.service", "[Service]\nExecStart=/nginx\n");
    for place in places {
        let host = store.file(place, "");
        fs::remove_file(&host).unwrap();
        let made = Command::new("mkfifo").arg(&host).status().unwrap();
        assert!(made.success());
    }
    store.inspect();
    for place in places {
        let host = store.host(place);
        fs::remove_file(&host).unwrap();
        // A socket is made under a name of at most 108 bytes.
        let short = store.root.path().join("socket");
        drop(UnixListener::bind(&short).unwrap());
        fs::rename(short, host).unwrap();
    }
    store.inspect();
    for place in places {
        store.link(place, "/dev/zero");
    }
    store.inspect();
    for place in places {
        fs::remove_file(store.host(place)).unwrap();
        fs::create_dir(store.host(place)).unwrap();
    }
    store.inspect();
}

#[test]
fn links_in_a_loop_and_out_of_the_store_lead_nowhere() {
    let store = Store::new();
    let secret = store.root.path().join("secret");
    let text = "[Service]\nExecStart=/stolen\n";
    fs::write(&secret, text).unwrap();
    for (name, target) in [
        ("loop.service", "loop.service"),
        ("a.service", "b.service"),
        ("b.service", "a.service"),
        ("up.service", "../../../../../../secret"),
        ("out.service", secret.to_str().unwrap()),
        ("stranger.service", "/nix/store/../../secret"),
        ("zero.service", "/dev/zero"),
        ("self.service", "/proc/self/environ"),
        (
            "far.service",
            "/nix/store/1fqyhyvhx6pzd1v5cv2x0rjx1ia4zgc5-gone/x",
        ),
    ] {
        store.link(&format!("etc/systemd/system/{name}"), target);
    }
    store.link("etc/fstab", &secret);
    store.link("etc/deep", "deep/deep/deep");
    store.link("sw/share", "../sw");
    store.link("sw/bin", "/nix/store");
    store.link("kernel-modules", "kernel-modules/x");
    let text = store.report("json");
    assert!(!text.contains("/stolen"), "{text}");
}

#[test]
fn sizes_without_end_are_refused() {
    let store = Store::new();
    for (place, size) in [
        ("etc/systemd/system/large.service", 100 << 20),
        ("etc/systemd/system/small.service.d/large.conf", 100 << 20),
        ("etc/fstab", 1 << 30),
        ("boot.json", 1 << 30),
        ("kernel-params", 1 << 30),
        ("system", 1 << 30),
        ("nixos-version", 1 << 30),
        ("initrd", 1 << 30),
        ("kernel", 1 << 30),
        ("bin/switch-to-configuration", 1 << 30),
        ("kernel-modules/lib/modules/6.6.63/modules.dep", 1 << 30),
        ("etc/nginx/nginx.conf", 1 << 30),
    ] {
        store.sparse(place, size);
    }
    store.unit("small.service", "[Service]\nExecStart=/gone\n");
    store.unit("nginx.service", "[Service]\nExecStart=/nginx\n");
    let json = store.inspect();
    for subject in ["large.service", "boot.json", "kernel", "fstab"] {
        assert!(names(&json["unproven"], subject), "{subject}: {json:#}");
    }
}

#[test]
fn one_large_unit_under_many_names_does_not_fill_the_memory() {
    let store = Store::new();
    let text = format!("[Service]\n{}", "a=b\n".repeat(250_000));
    store.unit("large", text);
    for n in 0..300 {
        store.link(&format!("etc/systemd/system/{n}.service"), "large");
        store.link(
            &format!("etc/systemd/system/0.service.d/{n}.conf"),
            "../large",
        );
    }
    store.inspect();
}

#[test]
fn commands_without_number_are_not_all_followed() {
    let store = Store::new();
    let script = format!("{TOPLEVEL}/sw/bin/script");
    let body = format!(
        "#!{script}\n{}exec {script}\n",
        format!("{script}\n").repeat(20)
    );
    store.program("sw/bin/script", body);
    let commands = format!("ExecStart={script}\n").repeat(10_000);
    store.unit("a.service", format!("[Service]\n{commands}"));
    let human = store.report("human");
    assert!(human.lines().count() < 200, "{human}");
}

#[test]
fn names_and_texts_cannot_steer_a_terminal() {
    let store = Store::new();
    let evil = "\x1b]0;evil\x07\u{202e}\u{200b}\u{9b}31m";
    store.unit(
        &format!("{evil}.service"),
        format!("[Service]\nExecStart=/gone{evil}\n"),
    );
    store.unit("two\nlines: pass.service", "[Service]\nExecStart=/gone\n");
    store.unit("default.target", format!("[Unit]\nWants={evil}.service\n"));
    store.file("kernel-params", format!("root={evil} init={evil}"));
    store.file("system", evil);
    store.file("nixos-version", evil);
    store.file(
        "boot.json",
        format!("{{\"{}\": 1}}", "\\u001b]0;evil\\u0007\\u202e"),
    );
    store.file("etc/fstab", format!("/dev/{evil} / {evil}\n"));
    store.file("etc/os-release", format!("VERSION_ID={evil}\0\n"));
    store.nginx(format!(
        "include {evil}; {evil} {{ http {{ server {{ listen {evil}; }} }}"
    ));
    store.link(&format!("etc/{evil}"), format!("{TOPLEVEL}/{evil}"));
    store.program("bin/switch-to-configuration", format!("#!{evil}\n"));
    store.file(
        &format!("kernel-modules/lib/modules/{evil}/modules.builtin"),
        evil,
    );
    store.inspect();
}

#[test]
fn an_nginx_that_includes_itself_ends() {
    let store = Store::new();
    let include = "include /etc/nginx/nginx.conf; include nginx.*; include sites/*;";
    store.nginx(format!("{include} server {{ listen 80; }}"));
    for n in 0..2_000 {
        store.link(&format!("etc/nginx/sites/{n}"), "../nginx.conf");
    }
    store.inspect();
}

#[test]
fn an_nginx_that_passes_on_to_every_port_is_searched_for_once() {
    let store = Store::new();
    let upstreams = (1..20_000).map(|n| format!("upstream u{n} {{ server 127.0.0.1:{n}; }}\n"));
    store.nginx(format!("http {{ {} }}", upstreams.collect::<String>()));
    for n in 0..20 {
        store.file(&format!("etc/{n}.conf"), "8 ".repeat(250_000));
    }
    store.inspect();
}

#[test]
fn few_bytes_of_initrd_that_stand_for_very_many_are_not_all_read() {
    let store = Store::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), 64 << 20),
        &mut encoder,
    )
    .unwrap();
    // Eight gigabytes.
    store.file("initrd", encoder.finish().unwrap().repeat(128));
    let json = store.inspect();
    assert!(
        names(&json["unproven"], "more data than is looked at"),
        "{json:#}"
    );
}

#[test]
fn a_boot_json_of_another_version_is_told_and_not_blamed() {
    let store = Store::new();
    store.file(
        "boot.json",
        r#"{"org.nixos.bootspec.v9": {"kernel": "/gone"}}"#,
    );
    let json = store.inspect();
    assert!(names(&json["unproven"], "boot.json"), "{json:#}");
    assert!(!names(&json["findings"], "boot.json"), "{json:#}");
}

/// Whether an entry of a list of the report has this text in it.
fn names(list: &serde_json::Value, text: &str) -> bool {
    let entries = list.as_array().unwrap();
    entries.iter().any(|entry| entry.to_string().contains(text))
}
