//! Maps of what an image names: many small look-ups by paths, names and hashes. The hash is a fast
//! one whose seed is another with each start, so that no image can be made to collide.

use foldhash::fast::RandomState;

/// A map.
pub(super) type Map<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A set.
pub(super) type Set<T> = std::collections::HashSet<T, RandomState>;
