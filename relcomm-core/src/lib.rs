//! relcomm
pub mod document;
pub mod template;
