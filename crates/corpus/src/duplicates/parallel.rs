//! The same work on many things, on all processors.

use std::thread;

/// Fewer things than this are done before threads are up.
const FEW: usize = 512;

/// What `work` makes of each thing, in order.
pub(super) fn map<'t, T: Sync, R: Send>(things: &'t [T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    if things.len() < FEW || threads == 1 {
        return things.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let share = |things: &'t [T]| scope.spawn(move || -> Vec<R> { things.iter().map(work).collect() });
        let shares: Vec<_> = things.chunks(things.len().div_ceil(threads)).map(share).collect();
        shares
            .into_iter()
            .flat_map(|share| share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_stand_in_the_order_of_the_things() {
        let things: Vec<usize> = (0..10_000).collect();
        assert_eq!(super::map(&things, |thing| thing * 2), things.iter().map(|thing| thing * 2).collect::<Vec<_>>());
    }
}
