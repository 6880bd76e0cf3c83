/** Sets of whole numbers as ranges, both ends inclusive. */
import type { Range } from '../types/messages.ts';

/** Sorted, without overlaps, adjacent ranges joined. */
export function normalizeRanges(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].filter(({ begin, end }) => begin <= end).sort((a, b) => a.begin - b.begin);
  const joined: Range[] = [];
  for (const { begin, end } of sorted) {
    const last = joined.at(-1);
    if (last && begin <= last.end + 1) last.end = Math.max(last.end, end);
    else joined.push({ begin, end });
  }
  return joined;
}

/** What of `ranges` is not in `removed`. */
export function subtractRanges(ranges: readonly Range[], removed: readonly Range[]): Range[] {
  let left = normalizeRanges(ranges);
  for (const cut of normalizeRanges(removed)) {
    left = left.flatMap(({ begin, end }) =>
      [
        { begin, end: Math.min(end, cut.begin - 1) },
        { begin: Math.max(begin, cut.end + 1), end },
      ].filter((rest) => rest.begin <= rest.end),
    );
  }
  return left;
}

export function rangesContain(ranges: readonly Range[], wanted: readonly Range[]): boolean {
  return subtractRanges(wanted, ranges).length === 0;
}

export function rangesFrom(numbers: readonly number[]): Range[] {
  return normalizeRanges(numbers.map((number) => ({ begin: number, end: number })));
}

/** The first `count` numbers, fewer if there are not as many. */
export function firstNumbers(ranges: readonly Range[], count: number): number[] {
  const numbers: number[] = [];
  for (const { begin, end } of normalizeRanges(ranges)) {
    for (let number = begin; number <= end && numbers.length < count; number += 1) numbers.push(number);
  }
  return numbers;
}
