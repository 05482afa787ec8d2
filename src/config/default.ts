/** The demonstration that runs when nothing is configured: three services in this process, on one port. */
export const defaultConfig = `
listeners:
  - { name: demo, address: "127.0.0.1:9090", on_unknown: echo }
protocols:
  - { name: HTTP, handler: "builtin:http" }
  - { name: Redis, handler: "builtin:redis" }
upstreams:
  echo: { handler: "builtin:echo" }
`;
