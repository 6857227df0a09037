//! Connections of which nobody says anything: what a server keeps for them.

use super::{
    Meter, Outcome,
    dialect::{Dialect, Role},
    engine::Engine,
    stream::Target,
};
use crate::Result;

/// Connections before those that are measured, for what a server makes once.
const FIRST: usize = 500;

pub(super) fn run(
    target: &Target,
    dialect: Dialect,
    connections: usize,
    meter: &dyn Meter,
) -> Result<Outcome> {
    let mut engine = Engine::new()?;
    engine.open(target, dialect, Role::Member, FIRST)?;
    let before = meter.memory()?;
    engine.open(target, dialect, Role::Member, connections)?;
    let after = meter.memory()?;
    let bytes = after.saturating_sub(before) as f64 / connections as f64;
    Ok(Outcome { bytes: Some(bytes), ..Outcome::default() })
}
