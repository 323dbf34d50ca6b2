//! Release communications as an artifact and a closed loop.

pub mod id;
pub mod clock;
pub mod receipt;
pub mod mechanism;
pub mod release;
pub mod communique;
pub mod stakeholder;
pub mod document;
pub mod template;
pub mod plan;
pub mod validate;
pub mod channel;
pub mod prepare;
pub mod course;
pub mod journal;
pub mod dispatch;
pub mod report;
