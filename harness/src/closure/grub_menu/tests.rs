use super::*;

/// In the manner of NixOS: a default in a condition, generations in a submenu, a specialisation beside the first.
const NIXOS: &str = r#"
# Automatically generated.
search --set=drive1 --fs-uuid 4d3f
search --set=drive2 --label nixos
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${saved_entry}" ]; then
  set default="${saved_entry}"
  set timeout=1
else
  set default=0
  set timeout=5
fi
if [ "${grub_platform}" = "efi" ]; then
  function setup { set gfxmode=auto; menuentry "no entry" { true; } }
fi
menuentry "NixOS" --class nixos --unrestricted {
  search --set=drive1 --fs-uuid 4d3f
  linux ($drive2)/nix/store/k-linux/bzImage init=/nix/store/a-nixos/init loglevel=4 dyndbg="file a.c +p"
  initrd ($drive1)//kernels/i-initrd ($drive1)//kernels/secrets
}
submenu "NixOS - All configurations" --class submenu {
  menuentry "NixOS - Configuration 2" --class nixos {
    linux ($drive2)/nix/store/k-linux/bzImage init=/nix/store/a-nixos/init
    initrd ($drive1)//kernels/i-initrd
  }
  submenu "NixOS - Configuration 1" {
    menuentry "Xen" { multiboot /xen.gz dom0_mem=1; module /k init=/nix/store/b/init; module /i }
  }
}
"#;

fn titles(entries: &[GrubEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.title.as_str()).collect()
}

fn started(entry: &GrubEntry) -> &Start {
    match &entry.does {
        Does::Start(start) => start,
        Does::Opens(_) => panic!("{} is a submenu", entry.title),
    }
}

#[test]
fn the_menu_of_a_nixos_machine_is_read() {
    let menu = parse(NIXOS);
    assert!(menu.problems.is_empty());
    assert_eq!(menu.default.as_deref(), Some("0"));
    assert_eq!(
        titles(&menu.entries),
        ["NixOS", "NixOS - All configurations"]
    );
    let start = started(menu.default_entry().unwrap());
    let kernel = "($drive2)/nix/store/k-linux/bzImage";
    assert_eq!(start.kernel.as_deref(), Some(kernel));
    assert_eq!(start.init(), Some("/nix/store/a-nixos/init"));
    assert_eq!(start.params[2], "dyndbg=file a.c +p");
    assert_eq!(start.initrds.len(), 2);
}

#[test]
fn a_default_may_lead_through_submenus_by_number_title_or_id() {
    let mut menu = parse(NIXOS);
    for (default, init) in [
        ("1>0", Some("/nix/store/a-nixos/init")),
        ("1>NixOS - Configuration 1>Xen", Some("/nix/store/b/init")),
        ("1>1>0", Some("/nix/store/b/init")),
        ("1", None),
        ("1>", None),
        // What names no entry means the first.
        ("7", Some("/nix/store/a-nixos/init")),
        ("gone", Some("/nix/store/a-nixos/init")),
        ("1>NixOS - Configuration 1>gone", Some("/nix/store/b/init")),
    ] {
        menu.default = Some(default.to_owned());
        let entry = menu.default_entry().map(started);
        assert_eq!(entry.and_then(Start::init), init, "{default}");
    }
}

#[test]
fn a_title_with_a_bracket_or_a_number_is_named_as_grub_names_it() {
    let mut menu =
        parse("menuentry a {}\nmenuentry '1>2' {}\nmenuentry 'b>c' {}\nmenuentry '2 d' {}");
    for (default, title) in [
        ("b>>c", "b>c"),
        ("1>2", "1>2"),
        ("2 d", "b>c"),
        ("x>y", "a"),
    ] {
        menu.default = Some(default.to_owned());
        assert_eq!(menu.default_entry().unwrap().title, title, "{default}");
    }
    assert_eq!(parse("").default_entry(), None);
}

#[test]
fn a_hypervisor_starts_the_kernel() {
    let mut menu = parse(NIXOS);
    menu.default = Some("1>1>0".to_owned());
    let start = started(menu.default_entry().unwrap());
    assert_eq!(start.hypervisor.as_deref(), Some("/xen.gz"));
    assert_eq!(start.kernel.as_deref(), Some("/k"));
    assert_eq!(start.initrds, ["/i"]);
}

#[test]
fn an_entry_of_grub_mkconfig_has_its_id() {
    let menu = parse(
        "menuentry 'Debian' --class gnu $menuentry_id_option 'gnulinux-simple' {\n\tif true; then insmod x; fi\n\
         \tlinux /vmlinuz root=/dev/vda1 ro\n}\nset default=\"gnulinux-simple\"\nmenuentry \"Shut down\" --hotkey=s { halt }",
    );
    let entry = menu.default_entry().unwrap();
    assert_eq!(entry.title, "Debian");
    assert_eq!(started(entry).kernel.as_deref(), Some("/vmlinuz"));
    assert_eq!(started(&menu.entries[1]), &Start::default());
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    let menu = parse("} menuentry a { linux /k");
    assert_eq!(titles(&menu.entries), ["a"]);
    assert_eq!(menu.problems.len(), 1);
    let deep = parse(&"submenu a {".repeat(100_000));
    assert!(!deep.problems.is_empty());
    let many = parse(&"menuentry a {}\n".repeat(MAX_ENTRIES + 1));
    assert_eq!(many.entries.len(), MAX_ENTRIES);
    assert!(!many.problems.is_empty());
    assert_eq!(parse(""), GrubMenu::default());
}
