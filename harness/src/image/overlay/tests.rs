use super::*;
use crate::image::{CacheEntry, Spare};

fn base(cache: &Cache, content: &str) -> (Use, PathBuf) {
    let entry = match cache.entry("k-nixos").unwrap() {
        CacheEntry::Ready(entry) => entry,
        CacheEntry::Missing(reservation) => {
            let disk = File::create(reservation.workshop().join("disk.raw")).unwrap();
            disk.set_len(1 << 20).unwrap();
            io::Write::write_all(&mut &disk, content.as_bytes()).unwrap();
            reservation.publish().unwrap()
        }
    };
    let disk = entry.place().join("disk.raw");
    (entry, disk)
}

#[test]
fn a_kept_disk_is_booted_again_without_being_changed() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(&directory.path().join("cache")).unwrap();
    let run = directory.path().join("run");
    fs::create_dir(&run).unwrap();
    let (entry, disk) = base(&cache, "first");
    let mut overlay = Overlay::on(entry, disk, &run, false).unwrap();
    assert_eq!(fs::read_dir(&run).unwrap().count(), 0);
    assert!(matches!(again(&run, &cache), Err(NotKept::NoDisk { .. })));
    let place = overlay.keep().unwrap();
    drop(overlay);
    let before = fs::read(&place).unwrap();
    let second = again(&run, &cache).unwrap();
    assert_eq!(cache.shrink(0, Spare::InUse).unwrap(), []);
    drop(second);
    assert_eq!(fs::read(&place).unwrap(), before);

    // The same name, and another content.
    assert_eq!(cache.emptied(Spare::InUse).len(), 1);
    assert!(matches!(again(&run, &cache), Err(NotKept::NoBase { .. })));
    drop(base(&cache, "again"));
    let told = again(&run, &cache).unwrap_err().to_string();
    assert!(told.contains("rehearse again"), "{told}");
}

#[test]
fn a_disk_that_names_another_file_of_the_host_is_not_booted() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(&directory.path().join("cache")).unwrap();
    let run = directory.path().join("run");
    fs::create_dir(&run).unwrap();
    let (entry, disk) = base(&cache, "first");
    Overlay::on(entry, disk, &run, false)
        .unwrap()
        .keep()
        .unwrap();
    let secret = directory.path().join("secret");
    fs::write(&secret, vec![b'x'; 1 << 20]).unwrap();
    fs::remove_file(run.join(OVERLAY_FILE)).unwrap();
    create(&secret, "raw", &run.join(OVERLAY_FILE)).unwrap();
    assert!(matches!(again(&run, &cache), Err(NotKept::NoBase { .. })));
    fs::write(run.join(OVERLAY_FILE), "text").unwrap();
    assert!(matches!(
        again(&run, &cache),
        Err(NotKept::Malformed { .. })
    ));
    for text in ["", "{}", "[", "{\"format_version\":2}"] {
        fs::write(run.join(KEPT_FILE), text).unwrap();
        assert!(matches!(
            again(&run, &cache),
            Err(NotKept::Malformed { .. })
        ));
    }
}
