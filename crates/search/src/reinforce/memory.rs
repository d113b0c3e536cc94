//! What was learned, as bytes: a version, little-endian numbers, and a digest of all that.

use super::adam::Adam;
use super::baseline::Baseline;
use super::digest::Digest;
use super::learned::Learned;
use crate::StepLog;

const VERSION: u64 = 1;

/// The bytes of what was learned.
pub(super) fn encode(learned: &Learned) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40 * learned.params.len() + 400 * learned.log.len());
    let out = &mut bytes;
    put(out, VERSION);
    put(out, learned.digest.0);
    put(out, learned.baseline.sum.to_bits());
    put(out, learned.baseline.weight.to_bits());
    put(out, learned.adam.n_updates);
    for values in [&learned.params, &learned.previous, &learned.adam.m, &learned.adam.v] {
        put_floats(out, values);
    }
    put(out, learned.log.len() as u64);
    learned.log.iter().for_each(|log| put_log(out, log));
    put(out, Digest::of_bytes(out).0);
    bytes
}

/// The inverse of [`encode`]; `None` where bytes are damaged or of another version.
pub(super) fn decode(bytes: &[u8]) -> Option<Learned> {
    let (content, digest) = bytes.split_last_chunk::<8>()?;
    if Digest::of_bytes(content).0 != u64::from_le_bytes(*digest) {
        return None;
    }
    let mut reader = Reader { rest: content };
    if reader.number()? != VERSION {
        return None;
    }
    let digest = Digest(reader.number()?);
    let baseline = Baseline { sum: reader.float()?, weight: reader.float()? };
    let n_updates = reader.number()?;
    let (params, previous) = (reader.floats()?, reader.floats()?);
    let adam = Adam { n_updates, m: reader.floats()?, v: reader.floats()? };
    let log = (0..reader.number()?).map(|_| reader.log()).collect::<Option<_>>()?;
    let fits = [&previous, &adam.m, &adam.v].iter().all(|values| values.len() == params.len());
    (fits && reader.rest.is_empty()).then_some(Learned { params, previous, adam, baseline, digest, log })
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    put(out, values.len() as u64);
    values.iter().for_each(|value| put(out, value.to_bits()));
}

fn put_log(out: &mut Vec<u8>, log: &StepLog) {
    for number in [log.step, log.first_trial, log.n_samples, log.n_refused, log.n_unique] {
        put(out, number);
    }
    put_floats(out, log.baseline.as_slice());
    put_floats(out, &log.rewards);
    put(out, log.gradient_norm.to_bits());
    put(out, log.entropy.len() as u64);
    for (name, entropy) in &log.entropy {
        put(out, name.len() as u64);
        out.extend(name.as_bytes());
        put(out, entropy.to_bits());
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn float(&mut self) -> Option<f64> {
        self.number().map(f64::from_bits)
    }

    fn floats(&mut self) -> Option<Vec<f64>> {
        (0..self.number()?).map(|_| self.float()).collect()
    }

    fn text(&mut self) -> Option<String> {
        let n = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn log(&mut self) -> Option<StepLog> {
        Some(StepLog {
            step: self.number()?,
            first_trial: self.number()?,
            n_samples: self.number()?,
            n_refused: self.number()?,
            n_unique: self.number()?,
            baseline: self.floats()?.first().copied(),
            rewards: self.floats()?.try_into().ok()?,
            gradient_norm: self.float()?,
            entropy: (0..self.number()?)
                .map(|_| Some((self.text()?, self.float()?)))
                .collect::<Option<_>>()?,
        })
    }
}
