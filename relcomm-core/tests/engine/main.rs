//! The engine, driven through its public interface under a paused clock: no socket is opened.

mod support;
mod route;
mod places;
mod posts;
mod overlap;
mod times;
mod order;
mod steps;
