// Numbers, times and sizes as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export function count(value: number): string {
  return value > 0 && value < 10 ? short.format(value) : whole.format(value);
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  let left = value;
  while (left >= 1_024 && at < units.length - 1) {
    left /= 1_024;
    at++;
  }
  return `${short.format(left)} ${units[at]}`;
}

export function milliseconds(value: number): string {
  return `${short.format(value)} ms`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** @param at in milliseconds since 1970; 0: nobody knows */
export function time(at: number): string {
  return at === 0 ? '' : new Date(at).toLocaleString('sv');
}

/** @param others how many more there are */
export function rest(others: number, isPartial: boolean): string {
  const more = others > 0 ? `${count(others)} more are not shown. ` : '';
  return isPartial ? `${more}There was no time to look at all of them.` : more.trim();
}
