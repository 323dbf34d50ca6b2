//! relcomm
