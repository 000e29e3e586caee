use std::io::{self, BufRead, Read};

use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

pub(super) const MAGIC_LENGTH: usize = 6;
/// Memory that a decoder may take for its dictionary: what `zstd --ultra -22` and `xz -9` need, and some more.
const MEMORY_LIMIT: u64 = 192 << 20;

/// A reader of the plain bytes of what begins with `magic`, in any compression that the kernel's `lib/decompress.c` takes for an
/// initramfs, LZO excepted.
///
/// `reader` begins with the magic; it is left after the compressed data as far as the format has an end.
///
/// # Errors
/// When the format is unknown or its header damaged. [`is_damage`] tells the two apart, then and in what is read.
pub(super) fn reader<'a>(
    magic: &[u8; MAGIC_LENGTH],
    reader: &'a mut dyn BufRead,
) -> io::Result<Box<dyn Read + 'a>> {
    let memory_limit_kib = u32::try_from(MEMORY_LIMIT >> 10).unwrap_or(u32::MAX);
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::GzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstd::new(reader)?),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(lzma_rust2::XzReader::new_mem_limit(
            reader,
            false,
            memory_limit_kib,
        )),
        [0x5d, 0, 0, ..] => Box::new(
            lzma_rust2::LzmaReader::new_mem_limit(reader, memory_limit_kib, None)
                .map_err(|error| invalid(&error.to_string()))?,
        ),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::BzDecoder::new(reader)),
        [0x02, 0x21, 0x4c, 0x18, ..] => Box::new(Lz4Legacy::new(reader)?),
        _ => {
            let reason = format!("unknown compression (begins with {magic:02x?})");
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
    })
}

/// Whether such an error says that the data is cut short or corrupt, and not that a format or a size is past what bootproof reads.
pub(super) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof => true,
        // The LZMA decoder's word for a distance past the beginning; the host's errors have a number.
        Other => error.raw_os_error().is_none(),
        _ => false,
    }
}

/// Tells by the kind of an error what the decoder's own errors tell by their type.
struct Zstd<'a>(ruzstd::decoding::StreamingDecoder<&'a mut dyn BufRead, FrameDecoder>);

impl<'a> Zstd<'a> {
    fn new(reader: &'a mut dyn BufRead) -> io::Result<Self> {
        ruzstd::decoding::StreamingDecoder::new_with_max_window_size(reader, MEMORY_LIMIT)
            .map(Self)
            .map_err(zstd_error)
    }
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .read(buffer)
            .map_err(|error| match error.downcast::<FrameDecoderError>() {
                Ok(error) => zstd_error(error),
                Err(error) => error,
            })
    }
}

fn zstd_error(error: FrameDecoderError) -> io::Error {
    let kind = match &error {
        FrameDecoderError::WindowSizeTooBig { .. } | FrameDecoderError::DictNotProvided { .. } => {
            io::ErrorKind::Unsupported
        }
        _ => io_kind(&error).unwrap_or(io::ErrorKind::InvalidData),
    };
    io::Error::new(kind, error.to_string())
}

/// That of the host's own error below it, where there is one.
fn io_kind(error: &dyn std::error::Error) -> Option<io::ErrorKind> {
    let below = error.source()?;
    match below.downcast_ref::<io::Error>() {
        Some(error) => Some(error.kind()),
        None => io_kind(below),
    }
}

/// What `lz4 -l` writes, the only LZ4 format that the kernel takes: a magic, then blocks of at most 8 MiB, each after its compressed
/// size in 32 bits, little-endian (the "legacy frame" of LZ4's `lz4_Frame_format.md`).
struct Lz4Legacy<'a> {
    reader: &'a mut dyn BufRead,
    /// Room for one block, of which `position..end` is still to be read.
    block: Vec<u8>,
    position: usize,
    end: usize,
}

impl<'a> Lz4Legacy<'a> {
    const BLOCK: usize = 8 << 20;
    const MAGIC: u32 = 0x184c_2102;

    fn new(reader: &'a mut dyn BufRead) -> io::Result<Self> {
        reader.read_exact(&mut [0; 4])?;
        Ok(Self {
            reader,
            block: vec![0; Self::BLOCK],
            position: 0,
            end: 0,
        })
    }

    /// Decodes the next block; `false` at the end.
    fn next_block(&mut self) -> io::Result<bool> {
        let Some(size) = self.next_size()? else {
            return Ok(false);
        };
        let limit = lz4_flex::block::get_maximum_output_size(Self::BLOCK);
        if size as usize > limit {
            return Err(invalid("an LZ4 block is larger than the format allows"));
        }
        let mut compressed = vec![0; size as usize];
        self.reader.read_exact(&mut compressed)?;
        (self.position, self.end) = (0, 0);
        self.end = lz4_flex::block::decompress_into(&compressed, &mut self.block)
            .map_err(|error| invalid(&error.to_string()))?;
        Ok(true)
    }
}

impl Lz4Legacy<'_> {
    /// The size of the next block, past the magics of frames that follow upon each other; `None` at the end.
    fn next_size(&mut self) -> io::Result<Option<u32>> {
        loop {
            let mut size = [0; 4];
            let mut filled = 0;
            while filled < size.len() {
                match self.reader.read(&mut size[filled..])? {
                    // Padding of fewer than four zeros may follow the last block.
                    0 => return Ok(None),
                    read => filled += read,
                }
            }
            match u32::from_le_bytes(size) {
                0 => return Ok(None),
                Self::MAGIC => {}
                size => return Ok(Some(size)),
            }
        }
    }
}

impl Read for Lz4Legacy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.end {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let rest = &self.block[self.position..self.end];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        Ok(length)
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b"one text in every compression, one text in every compression";

    fn plain(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let magic = bytes[..MAGIC_LENGTH].try_into().unwrap();
        let mut input = bytes;
        let mut plain = Vec::new();
        reader(&magic, &mut input)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    fn gzip() -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2() -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(6));
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd() -> Vec<u8> {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(TEXT, level)
    }

    fn xz() -> Vec<u8> {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    }

    fn lz4_legacy() -> Vec<u8> {
        let block = lz4_flex::block::compress(TEXT);
        let mut bytes = vec![0x02, 0x21, 0x4c, 0x18];
        bytes.extend((block.len() as u32).to_le_bytes());
        bytes.extend(block);
        bytes
    }

    #[test]
    fn every_compression_gives_the_text_back() {
        for compressed in [gzip(), bzip2(), zstd(), xz(), lz4_legacy()] {
            assert_eq!(plain(&compressed).unwrap(), TEXT, "{compressed:02x?}");
        }
    }

    #[test]
    fn what_is_cut_short_or_overwritten_is_damage() {
        for compressed in [gzip(), bzip2(), zstd(), xz()] {
            let cut = plain(&compressed[..compressed.len() - 12]).unwrap_err();
            assert!(is_damage(&cut), "{compressed:02x?}: {cut} {:?}", cut.kind());
            let mut torn = compressed.clone();
            let middle = torn.len() / 2;
            torn[middle - 4..middle + 4].fill(0xff);
            if let Err(error) = plain(&torn) {
                assert!(is_damage(&error), "{compressed:02x?}: {error}");
            }
        }
    }

    #[test]
    fn a_window_past_the_limit_is_no_damage() {
        // A frame without a checksum whose window is 2^40 bytes.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf0, 0x01, 0x00, 0x00];
        assert!(!is_damage(&plain(&frame).unwrap_err()));
    }

    #[test]
    fn truncated_and_foreign_data_is_an_error_or_less_text() {
        for compressed in [gzip(), bzip2(), zstd(), xz(), lz4_legacy()] {
            let cut = &compressed[..compressed.len() / 2];
            assert!(plain(cut).map_or(true, |text| text.len() < TEXT.len()));
        }
        assert!(!is_damage(&plain(b"\x7fELF\x02\x01").unwrap_err()));
        let mut absurd = vec![0x02, 0x21, 0x4c, 0x18];
        absurd.extend(u32::MAX.to_le_bytes());
        assert!(plain(&absurd).is_err());
    }

    #[test]
    fn a_million_frames_without_a_block_need_no_stack() {
        let magics = [0x02, 0x21, 0x4c, 0x18].repeat(1_000_000);
        assert!(plain(&magics).unwrap().is_empty());
    }
}
