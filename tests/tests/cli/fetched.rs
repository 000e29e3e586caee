//! Closures that Nix fetches: from an exported file, a binary cache, and a host; with the real Nix.

use std::fs;
use std::path::Path;

use bootproof_tests::executable::write_executable;
use bootproof_tests::{NixStore, Sandbox};
use predicates::prelude::*;
use predicates::str::contains;

/// A sandbox whose two toplevels Nix knows.
fn registered() -> (Sandbox, NixStore) {
    let sandbox = Sandbox::new();
    let store = NixStore::of(&[&sandbox.toplevel, &sandbox.baseline]);
    (sandbox, store)
}

fn inspect(sandbox: &Sandbox, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = sandbox.bootproof(["inspect", "--format=json"]);
    command
        .env("NIX_CONF_DIR", "/no-nix-configuration")
        .args(arguments);
    command
}

fn is_of(toplevel: &str) -> impl Predicate<str> {
    contains(format!("\"toplevel\": \"{toplevel}\""))
}

#[test]
fn an_exported_closure_is_imported_once_into_a_store_of_its_own() {
    let (sandbox, store) = registered();
    let file = sandbox.place("closure.nixexport");
    store.export(&sandbox.toplevel.path, &file);
    let arguments = ["--exported", file.to_str().unwrap()];
    inspect(&sandbox, &arguments)
        .assert()
        .stdout(is_of(&sandbox.toplevel.path))
        .stderr(contains("importing"));
    inspect(&sandbox, &arguments)
        .assert()
        .stdout(is_of(&sandbox.toplevel.path))
        .stderr(contains("importing").not());
    assert_eq!(sandbox.cached_disks().len(), 1);
}

#[test]
fn of_two_exported_closures_the_candidate_has_to_be_named() {
    let (sandbox, store) = registered();
    let files = ["new", "old"].map(|name| sandbox.place(name));
    store.export(&sandbox.toplevel.path, &files[0]);
    store.export(&sandbox.baseline.path, &files[1]);
    let [new, old] = files.each_ref().map(|file| file.to_str().unwrap());
    let both = ["--exported", new, "--exported", old];
    inspect(&sandbox, &both)
        .assert()
        .code(2)
        .stderr(contains("several toplevels").and(contains("--toplevel")));
    let (new, old) = (&sandbox.toplevel.path, &sandbox.baseline.path);
    inspect(&sandbox, &[&both[..], &[new, "--baseline", old]].concat())
        .assert()
        .stdout(is_of(new));
}

#[test]
fn half_a_closure_and_a_file_of_something_else_are_refused() {
    let (sandbox, store) = registered();
    let whole = sandbox.place("whole");
    store.export(&sandbox.toplevel.path, &whole);
    let bytes = fs::read(&whole).unwrap();
    let bad = sandbox.place("bad");
    for content in [&bytes[..bytes.len() / 2], b"hello", b""] {
        fs::write(&bad, content).unwrap();
        inspect(&sandbox, &["--exported", bad.to_str().unwrap()])
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains("bad").or(contains("bootable NixOS toplevel")));
        assert_eq!(sandbox.workshops(), [""; 0]);
    }
}

#[test]
fn a_binary_cache_in_a_directory_is_fetched_from_if_its_key_is_trusted() {
    let (sandbox, store) = registered();
    let cache = sandbox.place("binary-cache");
    let toplevel = sandbox.toplevel.path.as_str();
    let public = store.binary_cache(toplevel, &cache, &sandbox.place("key"));
    let url = format!("file://{}", cache.display());
    let private = sandbox.place("private");
    let arguments = [
        toplevel,
        "--store",
        private.to_str().unwrap(),
        "--from-cache",
        &url,
    ];
    inspect(&sandbox, &arguments)
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("--cache-key").and(contains("not signed").or(contains("signature"))));
    let mut trusted = inspect(&sandbox, &arguments);
    trusted
        .args(["--cache-key", &public])
        .assert()
        .stdout(is_of(toplevel));
    // What is there needs no cache.
    fs::remove_dir_all(&cache).unwrap();
    inspect(&sandbox, &arguments)
        .assert()
        .stdout(is_of(toplevel));
}

/// An `ssh` whose every host is this one, with the store at `root` and `toplevel` running.
fn install_host(sandbox: &Sandbox, root: &Path, toplevel: &str) {
    let script =
        |place: &Path, text: String| write_executable(place, &format!("#!/bin/sh\n{text}"));
    let there = sandbox.place("there");
    fs::create_dir(&there).unwrap();
    let store = "PATH=${PATH#*:}\nexec nix-store --option build-users-group '' --store";
    script(
        &there.join("nix-store"),
        format!("{store} '{}' \"$@\"\n", root.display()),
    );
    script(&there.join("readlink"), format!("echo {toplevel}\n"));
    let last = "for last; do :; done";
    script(
        &sandbox.place("bin").join("ssh"),
        format!(
            "{last}\ncase \"$*\" in *nix-store*) last='nix-store --serve --write';; esac\nexport PATH={}:${{PATH#*:}}\n\
             exec sh -c \"$last\"\n",
            there.display()
        ),
    );
}

#[test]
fn the_baseline_is_what_a_host_runs_and_is_copied_from_there() {
    let (sandbox, store) = registered();
    let baseline = sandbox.baseline.path.as_str();
    install_host(&sandbox, store.root(), baseline);
    let here = sandbox.place("here");
    let file = sandbox.place("candidate");
    store.export(&sandbox.toplevel.path, &file);
    fs::create_dir(&here).unwrap();
    let mut import = std::process::Command::new("nix-store");
    import.arg("--store").arg(&here);
    import.args(["--option", "build-users-group", "", "--import"]);
    import.stdin(fs::File::open(&file).unwrap());
    assert!(import.output().unwrap().status.success());

    let arguments = [
        "inspect",
        sandbox.toplevel.path.as_str(),
        "--store",
        here.to_str().unwrap(),
        "--from-host",
        "ssh://root@web",
    ];
    sandbox
        .bootproof(arguments)
        .assert()
        .stderr(contains(format!(
            "copying the baseline {baseline} from ssh://root@web"
        )))
        .stderr(contains("nothing was looked at").not());
    assert!(here.join(baseline.trim_start_matches('/')).exists());
    sandbox
        .bootproof(arguments)
        .assert()
        .stderr(contains("copying").not());

    install_nothing(&sandbox);
    sandbox
        .bootproof(arguments)
        .assert()
        .code(2)
        .stderr(contains("is it NixOS?"));
}

/// From now on the host is no NixOS.
fn install_nothing(sandbox: &Sandbox) {
    write_executable(&sandbox.place("there/readlink"), "#!/bin/sh\nexit 1\n");
}

/// Nothing of nixpkgs: a toplevel of a few files, built in Nix's sandbox by the host's shell.
const FLAKE: &str = r#"{
  outputs = { self }: {
    nixosConfigurations.web.config.system.build.toplevel = derivation {
      name = "nixos-system-web-24.11";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "PATH=/bin:/usr/bin; mkdir -p $out/etc; for f in init kernel initrd system; do echo $f > $out/$f; done" ];
    };
  };
}
"#;

#[test]
fn a_flake_is_built_by_the_real_nix() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.place("flake")).unwrap();
    fs::write(sandbox.place("flake/flake.nix"), FLAKE).unwrap();
    fs::create_dir(sandbox.place("built")).unwrap();
    let flake = format!("path:{}#web", sandbox.place("flake").display());
    let store = sandbox.place("built");
    inspect(
        &sandbox,
        &["--flake", &flake, "--store", store.to_str().unwrap()],
    )
    .env(
        "NIX_CONFIG",
        "build-users-group =\nsandbox = true\nsandbox-paths = /bin /usr /lib /lib64\nsubstituters =\nfilter-syscalls = false",
    )
    .assert()
    .stdout(contains("-nixos-system-web-24.11\""));
}
