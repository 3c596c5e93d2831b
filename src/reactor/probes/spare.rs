//! Lanes between two runs: a rule has one only while its run is under way or its connection is kept, so that there are
//! as many as there are connections, and not as many as there are rules.

use std::time::Instant;

use super::lane::Lane;
use crate::probe::{Kind, Plan};

/// Lanes of one kind that are kept at most; in steady state as many are given back as are taken.
const KEPT_MAX: usize = 128;

/// Lanes that no rule has at present. The one that was given back last, whose memory is the warmest, goes first.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "a lane goes from hand to hand and is too large to be moved itself")]
pub(super) struct Spare {
    dialogues: Vec<Box<Lane>>,
    exchanges: Vec<Box<Lane>>,
}

impl Spare {
    /// A lane for a run of this plan.
    pub(super) fn take(&mut self, plan: &Plan, now: Instant) -> Box<Lane> {
        let of_kind = match plan.kind() {
            Kind::Dialogue => &mut self.dialogues,
            Kind::Http => &mut self.exchanges,
        };
        of_kind.pop().unwrap_or_else(|| Box::new(Lane::new(plan, now)))
    }

    /// A lane is not needed any more: its run is over, and it has no connection.
    pub(super) fn give_back(&mut self, mut lane: Box<Lane>) {
        lane.is_queued = false;
        let of_kind = match lane.conversation.kind() {
            Kind::Dialogue => &mut self.dialogues,
            Kind::Http => &mut self.exchanges,
        };
        if of_kind.len() < KEPT_MAX {
            of_kind.push(lane);
        }
    }
}
