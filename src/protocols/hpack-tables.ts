/** HPACK's static table and Huffman code (RFC 7541 appendices A and B). */

/** Names of the static table, in index order. */
const staticNames = `
  :authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status
  accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow
  authorization cache-control content-disposition content-encoding content-language content-length content-location
  content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match
  if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range
  referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via
  www-authenticate
`;

/** Non-empty values by index. */
const staticValues: Readonly<Record<number, string>> = {
  2: 'GET',
  3: 'POST',
  4: '/',
  5: '/index.html',
  6: 'http',
  7: 'https',
  8: '200',
  9: '204',
  10: '206',
  11: '304',
  12: '400',
  13: '404',
  14: '500',
  16: 'gzip, deflate',
};

export type Header = readonly [name: string, value: string];

/** Starts at index 1. */
export const staticTable: readonly Header[] = staticNames
  .trim()
  .split(/\s+/)
  .map((name, i) => [name, staticValues[i + 1] ?? '']);

/** Huffman code lengths in bits: byte values 0 to 255, then EOS. */
export const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
