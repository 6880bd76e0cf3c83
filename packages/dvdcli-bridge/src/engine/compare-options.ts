/** Whether a volume that is there is the one that was asked for. Pure. */

/** An option that was asked for and that the volume does not have. */
export interface OptionDifference {
  readonly option: string;
  readonly asked: string;
  /** undefined: the volume was made without it. */
  readonly has: string | undefined;
}

/**
 * The Engine leaves new options of a volume that exists aside, without a word. Options that were not asked for are the
 * business of whoever made the volume. The Engine forgets options when a driver once did not answer (null): undefined,
 * nothing can be compared.
 */
export function optionDifferences(
  asked: Readonly<Record<string, string>>,
  has: Readonly<Record<string, string>> | null | undefined,
): readonly OptionDifference[] | undefined {
  const wanted = Object.entries(asked);
  if (wanted.length === 0) return [];
  if (has === null || has === undefined) return undefined;
  return wanted
    .map(([option, value]) => ({
      option,
      asked: value,
      has: Object.hasOwn(has, option) ? has[option] : undefined,
    }))
    .filter((difference) => difference.has !== difference.asked);
}

export function describeDifferences(differences: readonly OptionDifference[]): string {
  return differences
    .map(({ option, asked, has }) => `${option}=${asked} was asked for, it has ${has ?? 'no such option'}`)
    .join('; ');
}
