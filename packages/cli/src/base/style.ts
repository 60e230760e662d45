// Colours, where they are wanted: on a terminal, unless NO_COLOR is set.

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
}

export function styleOf(stream: { readonly isTTY?: boolean }): Style {
  const isPlain = stream.isTTY !== true || (process.env.NO_COLOR ?? '') !== '';
  const paint =
    (on: number, off: number): Paint =>
    (text) =>
      isPlain ? text : `\u001b[${on}m${text}\u001b[${off}m`;
  return {
    ...{ bold: paint(1, 22), dim: paint(2, 22) },
    ...{ red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39), blue: paint(34, 39) },
  };
}
