// The document, as it is written to: names of rooms, users and clients come from anybody, and get there as text alone.

/** @returns the element of an id, which page.html has */
export function element<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

export function say(id: string, text: string): void {
  const node = element(id);
  // A screen reader says what has changed.
  if (node.textContent !== text) node.textContent = text;
}

/** What stands in a cell: a text, a number, or something to press. */
export interface Cell {
  readonly text: string;
  readonly kind?: 'number' | 'bad' | 'good';
  readonly press?: () => void;
}

export interface Row {
  /** The same row as before is known by it: what has the focus keeps it. */
  readonly key: string;
  /** The first is the head of the row. */
  readonly cells: readonly (Cell | string)[];
}

/** Makes the body of a table have these rows. */
export function fill(id: string, rows: readonly Row[]): void {
  const body = element<HTMLTableSectionElement>(id);
  const before = new Map(Array.from(body.rows, (row) => [row.dataset.key, row]));
  for (const [i, { key, cells }] of rows.entries()) {
    const row = before.get(key) ?? document.createElement('tr');
    before.delete(key);
    row.dataset.key = key;
    for (const [at, cell] of cells.entries()) fillCell(row, at, typeof cell === 'string' ? { text: cell } : cell);
    if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
  }
  for (const row of before.values()) row.remove();
}

function fillCell(row: HTMLTableRowElement, at: number, { text, kind, press }: Cell): void {
  let cell = row.cells[at];
  if (cell === undefined) {
    cell = document.createElement(at === 0 ? 'th' : 'td');
    if (at === 0) cell.scope = 'row';
    row.append(cell);
  }
  if (cell.className !== (kind ?? '')) cell.className = kind ?? '';
  let holder: HTMLElement = cell;
  if (press !== undefined) {
    const button = cell.querySelector('button') ?? document.createElement('button');
    button.type = 'button';
    button.onclick = press;
    if (button.parentElement !== cell) cell.replaceChildren(button);
    holder = button;
  }
  if (holder.textContent !== text) holder.textContent = text;
}

/** Makes a list of terms have these. */
export function fillTerms(id: string, terms: readonly (readonly [term: string, value: string])[]): void {
  const list = element(id);
  while (list.children.length > terms.length) list.lastElementChild?.remove();
  for (const [i, [term, value]] of terms.entries()) {
    let group = list.children[i];
    if (group === undefined) {
      group = document.createElement('div');
      group.append(document.createElement('dt'), document.createElement('dd'));
      list.append(group);
    }
    for (const [at, text] of [term, value].entries()) {
      const node = group.children[at] as HTMLElement;
      if (node.textContent !== text) node.textContent = text;
    }
  }
}
