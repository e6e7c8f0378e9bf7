//! Base images: which there are, what stands for them where no registry is in reach, and how they
//! are built from distribution packages.

pub mod apt;
pub mod archive;
pub mod catalogue;
pub mod deb;
pub mod distroless;
pub mod fat;
pub mod generate;
pub mod layer;
pub mod python;
pub mod reference;
pub mod resolve;
pub mod unpack;
