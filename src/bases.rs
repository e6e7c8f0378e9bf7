//! Base images: which there are, what stands for them where no registry is in reach, and how they
//! are built from distribution packages.
//!
//! [`Service`] is the door. `list` tells what is there, `resolve` what a reference uses now, and
//! `ensure` makes one reference usable: the vendor's image where it is on the engine, its stand-in
//! where that is, the registry's where one answers, and else a local build. `pull` brings the
//! vendor's image and tells what the registry says of its quota. `export` and `import`
//! carry images to machines that have neither registry nor mirror.
//!
//! A stand-in never takes a vendor's name: it is `loadline.local/NAME:TAG`, and whoever shows it
//! says that it is a stand-in. Nothing here needs root beyond the engine's socket.

pub mod apt;
pub mod archive;
pub mod build;
pub mod catalogue;
pub mod deb;
pub mod distroless;
mod error;
pub mod fat;
pub mod generate;
mod host;
pub mod layer;
pub mod loader_cache;
pub mod pack;
mod pipe;
mod progress;
pub mod python;
mod quota;
pub mod reference;
mod refusal;
pub mod resolve;
mod service;
pub mod unpack;

pub use error::BaseError;
pub use host::Authorities;
pub use host::authorities;
pub use pack::PackError;
pub use pack::PackedImage;
pub use progress::Phase;
pub use progress::Progress;
pub use quota::Quota;
pub use service::Listed;
pub use service::Options;
pub use service::Ready;
pub use service::Service;
pub use service::State;
