//! Dockerfile text as data: stages, instructions and byte spans, the ignore file and the build
//! context.
//!
//! The parser recovers from every error: one bad line becomes a [`Problem`] and hides nothing
//! else. It refuses to know what an exercise asks for.

mod ast;

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
