//! The engine, driven through its public interface under a paused clock: no socket is opened.

mod support;
mod route;
mod places;
mod posts;
mod overlap;
mod times;
mod late;
mod languages;
mod windows;
mod order;
mod steps;
mod retries;
mod permits;
mod protocol;
mod quotas;
mod doubt;
mod chaos;
mod corrections;
mod crash;
mod together;
mod words;
mod evidence;
mod hands;
mod texts;
