//! What holds of the machines whatever happens to them, in whatever order.

#[path = "course_properties/arbitrary.rs"]
mod arbitrary;
#[path = "course_properties/delivery.rs"]
mod delivery;
#[path = "course_properties/gate.rs"]
mod gate;
#[path = "course_properties/lane.rs"]
mod lane;
#[path = "course_properties/head.rs"]
mod head;
