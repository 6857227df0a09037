//! What was measured, for people and for programs.

mod chart;
mod growth;
mod json;
mod table;

pub(crate) use self::{
    chart::chart,
    growth::{Line, lines, series},
    json::json,
    table::table,
};
