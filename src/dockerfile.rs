//! Dockerfile text as data: stages, instructions and byte spans, the ignore file and the build
//! context.
//!
//! The parser recovers from every error: one bad line becomes a [`Problem`] and hides nothing
//! else. It refuses to know what an exercise asks for.

mod architecture;
mod arguments;
mod ast;
mod check;
pub mod context;
mod directives;
mod expand;
mod findings;
mod flags;
mod form;
mod heredoc;
mod highlight;
pub mod ignore;
mod lines;
pub mod lint;
mod parse;
mod reference;
mod rewrite;
mod scope;
mod shell;
mod stages;
mod words;

pub use architecture::Decides;
pub use architecture::HardCoded;
pub use architecture::hard_coded;
pub use ast::Body;
pub use ast::Command;
pub use ast::Directive;
pub use ast::Dockerfile;
pub use ast::Flag;
pub use ast::Heredoc;
pub use ast::Instruction;
pub use ast::Keyword;
pub use ast::Pair;
pub use ast::Problem;
pub use ast::Span;
pub use ast::Stage;
pub use ast::Word;
pub use expand::ExpandError;
pub use expand::Expanded;
pub use expand::expand;
pub(crate) use flags::mount_option;
pub use highlight::Role;
pub use highlight::highlight;
pub use ignore::Ignore;
pub use lines::Places;
pub use reference::ImageName;
pub use rewrite::rewrite;
pub use rewrite::without_syntax;
pub use scope::BuildArgs;
pub use scope::Scope;
pub use stages::ExternalReference;
pub use stages::ReferenceUse;
pub use stages::external_references;
pub(crate) use stages::from_flags;
