/** Mesos keeps scalars as fixed-point numbers with three decimals; so does all arithmetic here. */
export function toThousandths(value: number): number {
  return Math.round(value * 1000);
}

export function fromThousandths(thousandths: number): number {
  return thousandths / 1000;
}
