use super::super::devices::forwards;
use super::*;
use crate::testing;
use crate::vocabulary::FileSystem;

fn mounted(device: &str, mount_point: &str) -> FileSystem {
    FileSystem {
        device: device.to_owned(),
        mount_point: mount_point.to_owned(),
        fs_type: "ext4".to_owned(),
        options: Vec::new(),
    }
}

#[test]
fn the_machine_has_what_specialisations_mount_and_the_ports_that_they_serve() {
    let (mut plan, _) = testing::specialised_recording(&["gaming"]);
    let root = mounted("/dev/disk/by-label/nixos", "/");
    plan.candidate.file_systems = vec![root.clone()];
    plan.baseline = None;
    let plain = disk_key(&plan, &layout(&plan).unwrap());
    let closure = &mut plan.specialisations[0].closure;
    closure.file_systems = vec![root, mounted("/dev/disk/by-label/games", "/games")];
    closure.http[0].listener.port = 8443;
    let all = layout(&plan).unwrap();
    let mounts: Vec<&str> = all
        .partitions
        .iter()
        .map(|p| p.mount_point.as_str())
        .collect();
    assert_eq!(mounts, ["/", "/games"]);
    assert_ne!(disk_key(&plan, &all), plain);
    let ports: Vec<u16> = forwards(&plan).iter().map(|f| f.guest_port).collect();
    assert_eq!(ports, [80, 8443]);
}
