//! Event files, which TensorBoard reads: records of scalars, one for each epoch.
//!
//! A file is a row of records as TensorFlow's `record_writer.cc` frames them: the length of the data (u64), the masked
//! CRC-32C of these 8 bytes (u32), the data, its masked CRC-32C (u32), all little endian
//! (<https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h>). The data is a message
//! `Event` of `event.proto`; the first one names the version of the format.

mod proto;

use prost::Message;
use proto::{Event, Summary, Value};
use spec::EpochRecord;

/// What the first event of a file says.
const FILE_VERSION: &str = "brain.Event:2";
/// Bytes of a record before and after its data.
const HEAD_LEN: usize = 12;
const TAIL_LEN: usize = 4;

/// The first record of a file; `wall_time` is in seconds since 1970.
pub fn head(wall_time: f64) -> Vec<u8> {
    let version = Event { file_version: Some(FILE_VERSION.into()), ..Event::default() };
    framed(&Event { wall_time, ..version }.encode_to_vec())
}

/// An epoch's scalars as one record, whose step is the epoch's number: `loss/train`, `accuracy/train`,
/// `loss/validation` and `accuracy/validation` where there is such a part, `accuracy/test`, `learning_rate` and
/// `images_per_s`, each rounded to f32.
pub fn epoch(wall_time: f64, record: &EpochRecord) -> Vec<u8> {
    let value = |(tag, value): (&str, f64)| Value { tag: tag.into(), simple_value: Some(value as f32) };
    let summary = Summary { value: scalars(record).into_iter().map(value).collect() };
    let event = Event { wall_time, step: record.epoch as i64, file_version: None, summary: Some(summary) };
    framed(&event.encode_to_vec())
}

fn scalars(record: &EpochRecord) -> Vec<(&'static str, f64)> {
    let validation =
        [("loss/validation", record.validation_loss), ("accuracy/validation", record.validation_accuracy)];
    let mut scalars = vec![("loss/train", record.loss), ("accuracy/train", record.train_accuracy)];
    scalars.extend(validation.into_iter().filter_map(|(tag, value)| Some((tag, value?))));
    let test = Some(record.test_accuracy).filter(|accuracy| accuracy.is_finite());
    scalars.extend(test.map(|accuracy| ("accuracy/test", accuracy)));
    scalars.extend([("learning_rate", record.learning_rate), ("images_per_s", record.images_per_s)]);
    scalars
}

/// What a file holds of a run that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Bytes of the head and of the epochs that stay; what follows is cut short, or was taken back.
    pub len: usize,
    /// Epochs that stay.
    pub n_epochs: usize,
}

/// How much of a file belongs to the run of which `epochs` are done: its head, and the first epochs as far as they
/// follow each other without a gap and tell the same. `None`: the first record is none of [`head`], or the first epoch
/// is another run's.
pub fn kept(file: &[u8], epochs: &[EpochRecord]) -> Option<Kept> {
    let (event, head_len) = record(file)?;
    if event.file_version.as_deref() != Some(FILE_VERSION) {
        return None;
    }
    let mut kept = Kept { len: head_len, n_epochs: 0 };
    for epoch in epochs {
        let Some((event, len)) = record(&file[kept.len..]) else { break };
        if !tells_of(&event, epoch) {
            break;
        }
        kept = Kept { len: kept.len + len, n_epochs: kept.n_epochs + 1 };
    }
    let is_foreign = kept.n_epochs == 0 && record(&file[head_len..]).is_some();
    (!is_foreign).then_some(kept)
}

fn tells_of(event: &Event, epoch: &EpochRecord) -> bool {
    let values = event.summary.iter().flat_map(|summary| &summary.value);
    let said = values.map(|value| (value.tag.as_str(), value.simple_value.unwrap_or_default().to_bits()));
    let expected = scalars(epoch).into_iter().map(|(tag, value)| (tag, (value as f32).to_bits()));
    event.step == epoch.epoch as i64 && said.eq(expected)
}

fn framed(data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(HEAD_LEN + data.len() + TAIL_LEN);
    record.extend(len);
    record.extend(masked_crc(&len).to_le_bytes());
    record.extend(data);
    record.extend(masked_crc(data).to_le_bytes());
    record
}

/// The first record and its length in bytes; `None` where it is not whole.
fn record(bytes: &[u8]) -> Option<(Event, usize)> {
    let (len, rest) = bytes.split_first_chunk::<8>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    if masked_crc(len) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (data, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    let (crc, _) = rest.split_first_chunk::<4>()?;
    if masked_crc(data) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((Event::decode(data).ok()?, HEAD_LEN + data.len() + TAIL_LEN))
}

/// `((crc >> 15) | (crc << 17)) + 0xa282ead8`: a CRC of data that holds a CRC is weak, so it is stored masked
/// (TensorFlow's `crc32c.h`).
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(n: usize) -> Vec<EpochRecord> {
        let epoch = |epoch: usize| EpochRecord {
            epoch,
            learning_rate: f64::NAN,
            loss: 1.0 / epoch as f64,
            train_accuracy: 0.5,
            validation_loss: Some(0.7),
            validation_accuracy: None,
            test_accuracy: 0.25,
            train_s: 1.0,
            eval_s: 0.1,
            images_per_s: 6e4,
        };
        (1..=n).map(epoch).collect()
    }

    fn file(epochs: &[EpochRecord]) -> Vec<u8> {
        let rest = epochs.iter().flat_map(|record| epoch(1.5, record));
        head(1.0).into_iter().chain(rest).collect()
    }

    #[test]
    fn the_head_is_that_of_the_format() {
        // A double at tag 1 and a string at tag 3.
        let data = b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2";
        let bytes = head(1.0);
        assert_eq!(bytes[..8], 24u64.to_le_bytes());
        assert_eq!(&bytes[12..36], data);
        assert_eq!(bytes.len(), 40);
    }

    #[test]
    fn sums_are_masked_as_tensorflow_does() {
        // The CRC-32C of 32 zeros (RFC 3720, B.4) is 8a9136aa.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked_crc(&[0; 32]), 0x6d55_1522u32.wrapping_add(0xa282_ead8));
    }

    #[test]
    fn a_run_goes_on_where_its_file_ends() {
        let epochs = epochs(3);
        let whole = file(&epochs);
        let start = head(1.0).len();
        assert_eq!(kept(&whole, &epochs), Some(Kept { len: whole.len(), n_epochs: 3 }));
        // The checkpoint tells of fewer epochs.
        let two = file(&epochs[..2]).len();
        assert_eq!(kept(&whole, &epochs[..2]), Some(Kept { len: two, n_epochs: 2 }));
        assert_eq!(kept(&whole[..start], &[]), Some(Kept { len: start, n_epochs: 0 }));
        // A run of which no epoch is kept has told of none.
        assert_eq!(kept(&whole, &[]), None);
        for len in 0..whole.len() {
            let expected = (len >= start).then(|| {
                let n_epochs = (0..=3).rev().find(|&n| file(&epochs[..n]).len() <= len).unwrap();
                Kept { len: file(&epochs[..n_epochs]).len(), n_epochs }
            });
            assert_eq!(kept(&whole[..len], &epochs), expected, "cut at {len}");
        }
    }

    #[test]
    fn another_runs_file_is_told() {
        let mut other = epochs(3);
        other[0].loss = 9.0;
        assert_eq!(kept(&file(&other), &epochs(3)), None);
        assert_eq!(kept(b"", &epochs(3)), None);
        assert_eq!(kept(b"something else that is long enough", &epochs(3)), None);
        assert_eq!(kept(&epoch(1.0, &other[0]), &epochs(3)), None);
    }
}
