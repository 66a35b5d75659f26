//! Neighbouring runs become one: section by section, in the order of each, with a block of every run in memory.

use std::path::Path;

use annals_model::Seq;

use super::Trouble;
use super::count::{Count, Counts, Summing, WHOLE};
use super::file::{Items, Run, Unusable, Writer};
use super::item::{ByDate, BySeq, Item, Replaced, Term};

/// Writes runs, which follow each other in the log, as one; pieces of up to `most` records become one, too.
pub fn write(runs: &[Run], path: &Path, most: u64) -> Result<(), Trouble> {
    let mut timelines: Vec<String> = runs.iter().flat_map(|run| &run.timelines).cloned().collect();
    timelines.sort_unstable();
    timelines.dedup();
    // The order of a run's timelines is that of their names, so what is in order stays in order.
    let number =
        |name: &String| timelines.binary_search(name).ok().and_then(|index| u32::try_from(index).ok());
    let numbers: Vec<Vec<u32>> =
        runs.iter().map(|run| run.timelines.iter().filter_map(number).collect()).collect();
    let renumber = |run: usize, own: u32| numbers[run].get(own as usize).copied().unwrap_or(u32::MAX);

    let mut writer = Writer::create(path)?;
    let mut section = writer.section::<ByDate>();
    let renumbered = |run, mut item: ByDate| {
        item.row.timeline = renumber(run, item.row.timeline);
        item
    };
    in_order(runs, renumbered, |item| item.row.order(), |_| true, |item| Ok(section.push(item)?))?;
    section.finish()?;
    let mut section = writer.section::<BySeq>();
    one_by_one(runs, |run, mut item: BySeq| {
        item.0.timeline = renumber(run, item.0.timeline);
        Ok(section.push(item)?)
    })?;
    section.finish()?;
    let mut section = writer.section::<Replaced>();
    one_by_one(runs, |run, mut item: Replaced| {
        item.timeline = renumber(run, item.timeline);
        Ok(section.push(item)?)
    })?;
    section.finish()?;
    let pieces = counts(runs, renumber, most, &mut writer)?;
    terms(runs, &mut writer)?;
    let (first, last) =
        (runs.first().map_or(Seq(1), |run| run.first), runs.last().map_or(Seq(0), |run| run.last));
    writer.finish((first, last), &timelines, &pieces)?;
    Ok(())
}

/// Hands over the items of one run after the other, with the number of the run.
fn one_by_one<T: Item>(
    runs: &[Run],
    mut visit: impl FnMut(usize, T) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    for (number, run) in runs.iter().enumerate() {
        let mut items = run.each();
        while let Some(item) = items.next()? {
            visit(number, item)?;
        }
    }
    Ok(())
}

/// Hands over the items of all runs in order, each as `prepare` makes it, as far as `goes_on` says; of equal ones
/// those of earlier runs come first.
fn in_order<T: Item, K: Ord>(
    runs: &[Run],
    prepare: impl Fn(usize, T) -> T,
    key: impl Fn(&T) -> K,
    goes_on: impl Fn(&T) -> bool,
    mut visit: impl FnMut(T) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut sources: Vec<Items<'_, T>> = runs.iter().map(Run::each).collect();
    let next = |number: usize, source: &mut Items<'_, T>| -> Result<Option<(K, T)>, Unusable> {
        let item = source.next()?.filter(&goes_on).map(|item| prepare(number, item));
        Ok(item.map(|item| (key(&item), item)))
    };
    let mut heads = Vec::with_capacity(sources.len());
    for (number, source) in sources.iter_mut().enumerate() {
        heads.push(next(number, source)?);
    }
    loop {
        let filled = heads.iter().enumerate().filter_map(|(number, head)| Some((&head.as_ref()?.0, number)));
        let Some((_, least)) = filled.min() else { return Ok(()) };
        let head = next(least, &mut sources[least])?;
        if let Some((_, item)) = std::mem::replace(&mut heads[least], head) {
            visit(item)?;
        }
    }
}

/// Adds the counts of the runs up; gives where the new pieces end.
fn counts(
    runs: &[Run],
    renumber: impl Fn(usize, u32) -> u32,
    most: u64,
    writer: &mut Writer,
) -> Result<Vec<Seq>, Trouble> {
    let mut section = writer.section::<Count>();
    let mut summing = Summing::default();
    let renumbered = |run, mut count: Count| {
        count.key.2 = renumber(run, count.key.2);
        count
    };
    let mut before: Option<Count> = None;
    let mut add = |count: Option<Count>| match (&mut before, count) {
        (Some(before), Some(count)) if before.key == count.key => {
            before.net += count.net;
            Ok(())
        }
        (before, count) => {
            let done = std::mem::replace(before, count);
            let done = done.and_then(|done| summing.next(done.key, done.net));
            done.map_or(Ok(()), |done| section.push(done))
        }
    };
    in_order(
        runs,
        renumbered,
        |count| count.key,
        |count| count.key.0 == WHOLE,
        |count| Ok(add(Some(count))?),
    )?;
    add(None)?;
    let mut ends = Vec::new();
    pieces(runs, renumbered, most, |last, counts| {
        ends.push(last);
        let scope = WHOLE + u32::try_from(ends.len()).unwrap_or(u32::MAX);
        for ((kind, timeline, at), net) in counts.0 {
            summing.next((scope, kind, timeline, at), net).map_or(Ok(()), |count| section.push(count))?;
        }
        Ok(())
    })?;
    section.finish()?;
    Ok(ends)
}

/// Hands over the pieces of the runs, small neighbours together: where each ends, and its counts.
fn pieces(
    runs: &[Run],
    renumbered: impl Fn(usize, Count) -> Count,
    most: u64,
    mut visit: impl FnMut(Seq, Counts) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut first = runs.first().map_or(1, |run| run.first.0);
    let mut piece: Option<(Seq, Counts)> = None;
    for (number, run) in runs.iter().enumerate() {
        let mut items = run.each::<Count>();
        let mut next = items.next()?;
        for (scope, last) in (WHOLE + 1..).zip(&run.pieces) {
            if let Some((end, counts)) = piece.take_if(|_| last.0 + 1 - first > most) {
                first = end.0 + 1;
                visit(end, counts)?;
            }
            let (end, counts) = piece.get_or_insert_with(|| (*last, Counts::default()));
            *end = *last;
            while let Some(count) = next.take_if(|count| count.key.0 <= scope) {
                if count.key.0 == scope {
                    let Count { key: (_, kind, timeline, at), net, .. } = renumbered(number, count);
                    counts.add_all([((kind, timeline, at), net)]);
                }
                next = items.next()?;
            }
        }
    }
    piece.map_or(Ok(()), |(end, counts)| visit(end, counts))
}

fn terms(runs: &[Run], writer: &mut Writer) -> Result<(), Trouble> {
    let mut section = writer.section::<Term>();
    let mut before: Option<Term> = None;
    let take = |term: Term| {
        match before.as_mut().filter(|before| before.key == term.key) {
            Some(before) => before.seqs.extend(term.seqs),
            None => before.replace(term).map_or(Ok(()), |done| section.push(done))?,
        }
        Ok(())
    };
    in_order(runs, |_, term| term, |term: &Term| term.key.clone(), |_| true, take)?;
    before.map_or(Ok(()), |done| section.push(done))?;
    section.finish()?;
    Ok(())
}
