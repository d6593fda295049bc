//! Union-find: which things belong together, learnt pair by pair.

/// A forest of things, each pointing towards the head of its set.
pub(crate) struct Union {
    parents: Vec<usize>,
}

impl Union {
    /// So many things, each alone.
    pub(crate) fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    /// The first thing of the set that this one belongs to.
    pub(crate) fn head(&mut self, thing: usize) -> usize {
        let mut thing = thing;
        while self.parents[thing] != thing {
            self.parents[thing] = self.parents[self.parents[thing]];
            thing = self.parents[thing];
        }
        thing
    }

    /// Puts the sets of two things together; whether they were two.
    pub(crate) fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.head(one), self.head(other));
        // The smaller number is the head, whatever the order in which pairs came.
        self.parents[one.max(other)] = one.min(other);
        one != other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_the_same_in_whatever_order_they_are_joined() {
        let mut pairs = [(4, 2), (7, 4), (1, 0), (6, 5), (5, 1)];
        let heads = |pairs: &[(usize, usize)]| -> Vec<usize> {
            let mut union = Union::new(8);
            assert!(pairs.iter().all(|(a, b)| union.join(*a, *b)));
            (0..8).map(|thing| union.head(thing)).collect()
        };
        let expected = [0, 0, 2, 3, 2, 0, 0, 2];
        assert_eq!(heads(&pairs), expected);
        pairs.reverse();
        assert_eq!(heads(&pairs), expected);
        let mut union = Union::new(2);
        assert!(union.join(0, 1) && !union.join(1, 0));
    }
}
