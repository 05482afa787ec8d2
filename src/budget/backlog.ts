/** listen(2) backlog per socket; the kernel caps it at net.core.somaxconn. */
export const BACKLOG = 4096;
