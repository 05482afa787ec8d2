/** Why a file can not be opened for writing, in words. Null: for a rare reason. `code`: of open(2). */
export const openFault = (code: string): string | null =>
  Object.hasOwn(openFaults, code) ? openFaults[code as keyof typeof openFaults] : null;

export const openFaults = {
  EACCES: 'this user may not write there (EACCES)',
  ENOENT: 'there is no such folder (ENOENT)',
  ENOTDIR: 'there is no such folder (ENOTDIR)',
  EISDIR: 'is a folder (EISDIR)',
  EROFS: 'is on a file system that is read-only (EROFS)',
  ENXIO: 'is a pipe that nobody reads (ENXIO)',
} as const;
