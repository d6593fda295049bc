//! Matrices in slices.

/// A matrix in a slice, its rows or its columns contiguous; element `(i, j)` is `data[i * row + j * column]`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T = f32> {
    pub data: &'a [T],
    pub row: usize,
    pub column: usize,
}

impl<'a, T> View<'a, T> {
    /// Rows of `width` elements, end to end.
    pub fn rows(data: &'a [T], width: usize) -> Self {
        Self { data, row: width, column: 1 }
    }

    /// Rows that start `row` elements apart.
    pub fn strided(data: &'a [T], row: usize) -> Self {
        Self { data, row, column: 1 }
    }

    /// The same matrix with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { data: self.data, row: self.column, column: self.row }
    }

    /// The part that starts at an element.
    pub fn from(self, row: usize, column: usize) -> Self {
        let at = (row * self.row + column * self.column).min(self.data.len());
        Self { data: &self.data[at..], ..self }
    }

    /// Whether the slice has so many rows and columns.
    pub fn holds(self, rows: usize, columns: usize) -> bool {
        rows == 0 || columns == 0 || (rows - 1) * self.row + (columns - 1) * self.column < self.data.len()
    }
}

impl View<'_> {
    /// An element.
    #[cfg(test)]
    pub fn at(self, row: usize, column: usize) -> f32 {
        self.data[row * self.row + column * self.column]
    }
}
