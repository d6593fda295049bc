//! Jobs shared out to threads in a fixed way.

/// Runs jobs on threads, each taking every `threads`-th; the results stand in the order of the jobs.
pub(super) fn in_parallel<J: Send, R: Send>(threads: usize, jobs: Vec<J>, run: impl Fn(J) -> R + Sync) -> Vec<R> {
    if threads <= 1 {
        return jobs.into_iter().map(run).collect();
    }
    let count = jobs.len();
    let mut shares: Vec<Vec<J>> = (0..threads).map(|_| Vec::with_capacity(count / threads + 1)).collect();
    for (index, job) in jobs.into_iter().enumerate() {
        shares[index % threads].push(job);
    }
    let run = &run;
    let mut done: Vec<std::vec::IntoIter<R>> = std::thread::scope(|scope| {
        let handles: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(run).collect::<Vec<R>>().into_iter()))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    (0..count).filter_map(|index| done[index % threads].next()).collect()
}
