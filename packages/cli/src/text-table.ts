/** Columns as wide as their widest cell, two blanks apart. Control characters are shown, not sent to the terminal. */
export function textTable(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(printable));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A driver may name its volumes as it likes; a line feed in a name would look like another row. */
function printable(text: string): string {
  const shown = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return text.replace(/\p{Cc}/gu, shown);
}
