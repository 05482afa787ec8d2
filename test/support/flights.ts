/** Openings that tests send by hand. */
export const httpRequest = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
export const redisPing = '*1\r\n$4\r\nPING\r\n';
export const sshBanner = 'SSH-2.0-test\r\n';
