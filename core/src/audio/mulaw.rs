//! G.711 mu-law: one byte a sample, about 14 bits of range.
//!
//! Source: ITU-T Recommendation G.711 (11/1988), table 2a, in its usual 16-bit form: the standard's
//! 14-bit values moved two bits to the left, so that the loudest code is ±32124.

/// The code of silence (positive zero).
pub const SILENCE: u8 = 0xFF;

/// The level of digital silence. No real signal reads lower: one quantisation step of mu-law,
/// sounding all the time, is about -72 dBFS.
pub const FLOOR_DBFS: f32 = -96.0;

static DECODED: [i16; 256] = decoded();

/// Decodes one code.
pub fn decode(code: u8) -> i16 {
    DECODED[usize::from(code)]
}

/// Measures the level of samples in dBFS: root mean square against 32,768, from
/// [`FLOOR_DBFS`] (also for no samples at all) to 0.
pub fn level_dbfs(samples: &[i16]) -> f32 {
    level_of(energy(samples), samples.len())
}

/// Sums the squares of samples, so that a level can be taken over several runs.
pub(super) fn energy(samples: &[i16]) -> u64 {
    samples
        .iter()
        .map(|&sample| u64::from(sample.unsigned_abs()).pow(2))
        .sum()
}

/// Turns a sum of squares over `count` samples into dBFS.
pub(super) fn level_of(energy: u64, count: usize) -> f32 {
    if energy == 0 || count == 0 {
        return FLOOR_DBFS;
    }
    let mean_square = energy as f64 / count as f64;
    let full_scale = 32_768.0_f64.powi(2);
    ((10.0 * (mean_square / full_scale).log10()) as f32).max(FLOOR_DBFS)
}

const fn decoded() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < table.len() {
        table[code] = expand(code as u8);
        code += 1;
    }
    table
}

/// The bits go over the line inverted: sign, three bits of segment, four bits within it. Segments
/// double in size; the bias of 33 (132 once moved to 16 bits) makes them join without a gap.
const fn expand(code: u8) -> i16 {
    const BIAS: i16 = 33 << 2;
    let bits = !code;
    let segment = (bits >> 4) & 0x07;
    let step = (bits & 0x0F) as i16;
    let magnitude = (((step << 3) + BIAS) << segment) - BIAS;
    if bits & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// The standard as its table is written, in 14-bit units: a segment starts where the one
    /// before ends and has sixteen steps twice as large.
    fn by_segments(code: u8) -> i16 {
        let rank = usize::from(0x7F - (code & 0x7F));
        let (segment, step) = (rank / 16, rank % 16);
        let mut start = 0_i32;
        for earlier in 0..segment {
            start += 16 * (2 << earlier) + if earlier == 0 { -1 } else { 0 };
        }
        // The lower edge of the first segment is the half-sized step around zero.
        let value = if segment == 0 {
            2 * step as i32
        } else {
            let size = 2 << segment;
            start + size * step as i32 + size / 2
        };
        let value = (value * 4) as i16;
        if code & 0x80 == 0 { -value } else { value }
    }

    #[test]
    fn all_codes_follow_the_segments_of_the_standard() {
        for code in 0..=u8::MAX {
            assert_eq!(decode(code), by_segments(code), "code {code:#04x}");
        }
    }

    #[test]
    fn well_known_codes() {
        let known = [
            (0xFF, 0),
            (0x7F, 0),
            (0xFE, 8),
            (0x7E, -8),
            (0x00, -32_124),
            (0x80, 32_124),
            (0x0F, -16_764),
            (0xEF, 132),
            (0xDF, 396),
        ];
        for (code, sample) in known {
            assert_eq!(decode(code), sample, "code {code:#04x}");
        }
    }

    #[test]
    fn levels_in_dbfs() {
        assert_eq!(level_dbfs(&[]), FLOOR_DBFS);
        assert_eq!(level_dbfs(&[0; 160]), FLOOR_DBFS);
        assert!((level_dbfs(&[i16::MIN; 160]) - 0.0).abs() < 0.001);
        assert!((level_dbfs(&[16_384; 160]) - -6.02).abs() < 0.01);
        assert!((level_dbfs(&[8, -8, 8, -8]) - -72.25).abs() < 0.01);
    }

    /// `sweep-r.u` of the ITU-T Software Tool Library holds codes, `sweep-r.u-u` what its own
    /// decoder makes of them: one 16-bit little-endian word a sample.
    #[test]
    fn decodes_the_sweep_of_the_itu_t_software_tool_library() {
        let data = std::env::var_os("HANDOFF_SHARED_DATA").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            PathBuf::from,
        );
        let folder = data.join("audio/itu_g711/g711");
        let words = |name: &str| -> Option<Vec<i16>> {
            let bytes = std::fs::read(folder.join(name)).ok()?;
            let pairs = bytes.chunks_exact(2);
            Some(
                pairs
                    .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
                    .collect(),
            )
        };
        let (Some(codes), Some(samples)) = (words("sweep-r.u"), words("sweep-r.u-u")) else {
            eprintln!("NOT RUN: no ITU-T vectors under {}", folder.display());
            return;
        };
        assert_eq!(codes.len(), samples.len());
        assert!(!codes.is_empty());
        for (index, (&code, &sample)) in codes.iter().zip(&samples).enumerate() {
            let code = u8::try_from(code).expect("a code is one byte");
            assert_eq!(decode(code), sample, "word {index}");
        }
    }
}
