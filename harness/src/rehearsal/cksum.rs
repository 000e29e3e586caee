//! The checksum that every system's `cksum` prints: POSIX's CRC, over the content and then its length (IEEE Std 1003.1, `cksum`).

use std::io::{self, Read};

use crc::{CRC_32_CKSUM, Crc};

static CKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_CKSUM);

/// The checksum and the number of bytes of what is read.
pub(super) fn cksum(mut content: impl Read) -> io::Result<(u32, u64)> {
    let mut buffer = vec![0; 1 << 16];
    let mut digest = CKSUM.digest();
    let mut bytes = 0_u64;
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(&buffer[..read]);
        bytes += read as u64;
    }
    let mut length = bytes;
    while length > 0 {
        digest.update(&[length as u8]);
        length >>= 8;
    }
    Ok((digest.finalize(), bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn it_is_what_cksum_prints() {
        assert_eq!(cksum(&b"123456789"[..]).unwrap(), (930_766_865, 9));
        assert_eq!(cksum(&b""[..]).unwrap(), (4_294_967_295, 0));
        let content: Vec<u8> = (0..200_000_u32).map(|n| (n * 7) as u8).collect();
        let mut child = Command::new("cksum")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&content).unwrap();
        let output = child.wait_with_output().unwrap().stdout;
        let (sum, bytes) = cksum(content.as_slice()).unwrap();
        let said = String::from_utf8(output).unwrap();
        assert_eq!(said.trim(), format!("{sum} {bytes}"));
    }
}
