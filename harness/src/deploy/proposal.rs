use crate::gate::Found;
use crate::receipt::PublicKey;
use crate::vocabulary::{StorePath, Verdict};

/// What was proven last for a host that runs `current`: the candidate of the newest receipt that a trusted key has signed, that says `pass`,
/// and that is of this host and baseline. The gate decides on it like on any other.
pub fn proposed(
    found: &[Found],
    trusted: &[PublicKey],
    host: &str,
    current: &StorePath,
) -> Option<StorePath> {
    let sealed = found.iter().filter_map(|file| file.sealed.as_ref().ok());
    sealed
        .filter(|sealed| sealed.signed_by(trusted).is_some())
        .map(|sealed| &sealed.receipt)
        .filter(|receipt| {
            let baseline = receipt.baseline.as_ref().map(|b| &b.toplevel);
            receipt.verdict == Verdict::Pass
                && receipt.host.as_deref() == Some(host)
                && baseline == Some(current)
        })
        .max_by_key(|receipt| receipt.made_at)
        .map(|receipt| receipt.candidate.toplevel.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::testing::{identity, key, receipt};
    use crate::receipt::{Receipt, SealError, Sealed, SecretKey};

    fn found(receipt: &Receipt, key: &SecretKey) -> Found {
        let name = "r".to_owned();
        let sealed = Sealed::seal(receipt, key);
        Found { name, sealed }
    }

    fn proposes(changes: &[fn(&mut Receipt)]) -> Option<StorePath> {
        let ci = key("ci-1", 1);
        let receipts = changes.iter().map(|change| {
            let mut receipt = receipt();
            change(&mut receipt);
            found(&receipt, &ci)
        });
        let all: Vec<Found> = receipts.collect();
        proposed(&all, &[ci.public()], "web", &identity("old").toplevel)
    }

    #[test]
    fn the_newest_that_counts_is_proposed() {
        let newest = proposes(&[
            |_| {},
            |r| {
                r.made_at = "2026-11-22T10:30:00Z".parse().unwrap();
                r.candidate = identity("newer");
            },
            |r| r.candidate = identity("other"),
        ]);
        assert_eq!(newest, Some(identity("newer").toplevel));
    }

    #[test]
    fn what_the_gate_would_refuse_is_not_proposed() {
        assert_eq!(proposes(&[]), None);
        assert_eq!(proposes(&[|r| r.verdict = Verdict::Fail]), None);
        assert_eq!(proposes(&[|r| r.host = Some("db".to_owned())]), None);
        assert_eq!(proposes(&[|r| r.host = None]), None);
        assert_eq!(proposes(&[|r| r.baseline = None]), None);
        assert_eq!(proposes(&[|r| r.baseline = Some(identity("x"))]), None);
        let stranger = found(&receipt(), &key("ci-1", 2));
        let damaged = Found {
            name: "d".to_owned(),
            sealed: Err(SealError::NoReceipt),
        };
        let trusted = [key("ci-1", 1).public()];
        let current = identity("old").toplevel;
        assert_eq!(
            proposed(&[stranger, damaged], &trusted, "web", &current),
            None
        );
    }
}
