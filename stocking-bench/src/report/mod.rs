//! What was measured, for people and for programs.

mod chart;
mod comparison;
mod growth;
mod json;
mod table;

pub(crate) use self::{
    chart::chart,
    comparison::{Comparison, Figures},
    growth::{Line, lines, series},
    json::json,
    table::table,
};
