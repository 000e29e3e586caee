//! The test disk before a bootloader is installed on it: partitions, file systems, stores.
//!
//! It is an entry of the cache of its own until the installation is done: one that was interrupted, or that the guest failed, begins
//! here again and not from nothing.

use super::ladder::shell_files;
use super::nix_database;
use super::provision::DISK_FILE;
use super::recorder::Recorder;
use super::run::{Closures, RunError};
use crate::image::{self, Cache, CacheEntry, Layout, Reservation, RootTree, Use};
use crate::vocabulary::ClosureFacts;

/// Gives the fresh disk of the test disk that `key` names, building it where the cache has none. Who makes that test disk is the only one
/// who asks.
pub(super) async fn fresh_disk(
    installed: &ClosureFacts,
    closures: &Closures,
    layout: &Layout,
    cache: &Cache,
    key: &str,
    recorder: &mut Recorder<'_>,
) -> Result<Use, RunError> {
    let reservation = match cache.entry(&format!("fresh-{key}"))? {
        CacheEntry::Ready(fresh) => {
            recorder.working("go on with the disk that an earlier run built");
            return Ok(fresh);
        }
        CacheEntry::Missing(reservation) => reservation,
    };
    let tree = RootTree {
        store_paths: closures.store_paths.clone(),
        toplevel: installed.toplevel.to_string(),
        files: shell_files()
            .into_iter()
            .chain(nix_database::file(&closures.registration))
            .collect(),
        seeds: closures.seeds.clone(),
    };
    recorder.working(&format!(
        "build the test disk from {} store paths",
        tree.store_paths.len()
    ));
    let (layout, key) = (layout.clone(), key.to_owned());
    // The reservation goes along: an interrupted run must not remove the workshop while the disk is still being built in it.
    let building = tokio::task::spawn_blocking(move || {
        let workshop = reservation.workshop();
        let built = image::build(&workshop.join(DISK_FILE), &tree, &layout, workshop, &key);
        (reservation, built)
    });
    let (reservation, built) = building.await?;
    built?;
    Ok(reservation.publish()?)
}

/// Copies a fresh disk to where the installation changes it. Gives the reservation back, in whose workshop that is.
pub(super) async fn copied(fresh: &Use, reservation: Reservation) -> Result<Reservation, RunError> {
    let from = fresh.place().join(DISK_FILE);
    let copying = tokio::task::spawn_blocking(move || {
        let to = reservation.workshop().join(DISK_FILE);
        let copied = image::copy_sparse(&from, &to);
        (reservation, copied)
    });
    let (reservation, copied) = copying.await?;
    copied?;
    Ok(reservation)
}
