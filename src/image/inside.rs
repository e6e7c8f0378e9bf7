//! What is inside an image: what a container of it could do, what its programs need and lack, and
//! what people expect to be there.
//!
//! Judged from the pass over the image alone: nothing is executed.

pub mod privileged;
