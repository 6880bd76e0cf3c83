/** One cell of the capability table: what holds, how it reads in the table, and how we know. */
export interface Fact<T> {
  readonly value: T;
  /** The cell, a few words. */
  readonly says: string;
  /** observed with …, read in …, by design of ours. */
  readonly source: string;
}

export function fact<T>(value: T, says: string, source: string): Fact<T> {
  return { value, says, source };
}

export function yes(source: string, says = 'yes'): Fact<boolean> {
  return fact(true, says, source);
}

export function no(source: string, says = 'no'): Fact<boolean> {
  return fact(false, says, source);
}
