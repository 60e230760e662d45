// A person's picture: the first letter of the name, in the name's own colour.
import { make } from './dom';

export function face(name: string): HTMLElement {
  const letter = [...new Intl.Segmenter().segment(name)][0]?.segment ?? '?';
  const element = make('span', { className: 'face', ariaHidden: 'true' }, letter.toLocaleUpperCase());
  element.style.setProperty('--hue', `${hueOf(name)}`);
  return element;
}

function hueOf(name: string): number {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360_007;
  return hash % 360;
}
