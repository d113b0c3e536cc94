//! When a study was worked on: the times in which at least one of its trials ran.

use spec::{TrialRecord, TrialState};

/// Spans of time that do not touch, in their order.
pub(crate) struct Busy {
    spans: Vec<Span>,
}

struct Span {
    start_ms: i64,
    end_ms: i64,
    /// How long was worked before it.
    before_ms: i64,
}

impl Busy {
    /// Trials that still run are taken to run until `now_ms`.
    pub(crate) fn new(trials: &[TrialRecord], now_ms: i64) -> Self {
        let ends = |trial: &TrialRecord| {
            let end = if trial.state.is_over() { trial.completed_ms? } else { now_ms };
            Some((trial.started_ms?, end))
        };
        let is_begun = |trial: &&TrialRecord| trial.state != TrialState::Waiting;
        let mut times: Vec<(i64, i64)> = trials.iter().filter(is_begun).filter_map(ends).collect();
        times.sort_unstable();
        let mut spans: Vec<Span> = Vec::new();
        for (start_ms, end_ms) in times {
            match spans.last_mut() {
                Some(last) if start_ms <= last.end_ms => last.end_ms = last.end_ms.max(end_ms),
                last => {
                    let before_ms = last.map_or(0, |last| last.before_ms.saturating_add(last.ms()));
                    spans.push(Span { start_ms, end_ms: end_ms.max(start_ms), before_ms });
                }
            }
        }
        Self { spans }
    }

    /// Of all of it.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds_until(i64::MAX)
    }

    /// How long was worked until a moment of Unix time.
    pub(crate) fn seconds_until(&self, ms: i64) -> f64 {
        let n_begun = self.spans.partition_point(|span| span.start_ms <= ms);
        let last = n_begun.checked_sub(1).map(|idx| &self.spans[idx]);
        let worked = |span: &Span| {
            let within = ms.min(span.end_ms).saturating_sub(span.start_ms);
            span.before_ms.saturating_add(within)
        };
        last.map_or(0.0, |span| worked(span) as f64 / 1000.0)
    }
}

impl Span {
    fn ms(&self) -> i64 {
        self.end_ms.saturating_sub(self.start_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::made_up::{complete, trial};

    #[test]
    fn a_pause_is_no_work_and_two_at_once_are_no_more_than_one() {
        let timed = |number: u64, start: i64, end: i64| TrialRecord {
            started_ms: Some(start),
            completed_ms: Some(end),
            ..complete(number, &[1.0])
        };
        let running = TrialRecord { state: TrialState::Running, started_ms: Some(90_000), ..trial(3) };
        let trials =
            [timed(0, 0, 20_000), timed(1, 10_000, 30_000), timed(2, 60_000, 70_000), running, trial(4)];
        let busy = Busy::new(&trials, 100_000);
        assert_eq!(busy.seconds(), 50.0);
        let until = [(-1, 0.0), (5_000, 5.0), (30_000, 30.0), (50_000, 30.0), (65_000, 35.0), (95_000, 45.0)];
        for (ms, expected) in until {
            assert_eq!(busy.seconds_until(ms), expected, "{ms}");
        }
        assert_eq!(Busy::new(&[], 0).seconds(), 0.0);
    }
}
