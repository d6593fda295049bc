//! Where results are written.

/// The rows of a result matrix, or of some of its columns.
pub(crate) enum Rows<'a, 'c> {
    /// Rows that start `row` floats apart.
    Strided {
        /// The first row's first element is the first.
        data: &'a mut [f32],
        /// Floats from one row to the next.
        row: usize,
    },
    /// The columns of each row that one thread of several writes.
    Columns {
        /// All rows.
        rows: &'a mut [&'c mut [f32]],
        /// Column of a row's slice that counts as the first.
        first: usize,
    },
}

impl<'a, 'c> Rows<'a, 'c> {
    /// Rows that start `row` floats apart.
    pub fn strided(data: &'a mut [f32], row: usize) -> Self {
        Self::Strided { data, row }
    }

    /// The columns from `first` on.
    #[inline(always)]
    pub fn from(&mut self, first: usize) -> Rows<'_, 'c> {
        match self {
            // A matrix without rows has no columns to start from.
            Self::Strided { data, row } => Rows::Strided { data: data.get_mut(first..).unwrap_or_default(), row: *row },
            Self::Columns { rows, first: before } => Rows::Columns { rows, first: *before + first },
        }
    }

    /// A row from its first column on; more than its columns may follow.
    #[inline(always)]
    pub fn row(&mut self, index: usize) -> &mut [f32] {
        match self {
            Self::Strided { data, row } => &mut data[index * *row..],
            Self::Columns { rows, first } => &mut rows[index][*first..],
        }
    }
}

/// Cuts every row of a dense matrix into columns of these widths: one list of row parts a width.
pub(crate) fn split_columns(data: &mut [f32], row: usize, widths: impl Iterator<Item = usize>) -> Vec<Vec<&mut [f32]>> {
    let mut rest: Vec<&mut [f32]> = data.chunks_exact_mut(row).collect();
    let cut = |width| rest.iter_mut().map(|row| row.split_off_mut(..width).expect("columns of the row")).collect();
    widths.map(cut).collect()
}
