// How long a text is on the wire. More platforms have Blob than TextEncoder.

/** @returns bytes of UTF-8 */
export const textBytes = (text: string): number => new Blob([text]).size;
