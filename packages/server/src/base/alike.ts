// Whether a name that was typed is another one with a mistake in it.

/** @returns whether one text is the other with one letter more, less, or another one, or with two of them in each other's place */
export function isAlike(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let same = 0;
  while (a[same] === b[same]) same++;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  const isSwapped = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  return isSwapped || [restA, restA.slice(1)].some((rest) => rest === restB.slice(1)) || restA.slice(1) === restB;
}
