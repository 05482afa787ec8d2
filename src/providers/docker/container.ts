/** A container as far as it matters here, from one entry of the Engine API's `GET /containers/json`. Pure. */
import { visible } from '../../base/text.js';

export interface Container {
  readonly id: string;
  /** Without the slash that the API puts before it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since the epoch: the older of two replicas says what their alias is. */
  readonly created: number;
  /** Whether it can be an endpoint at all: it runs, or is paused. */
  readonly isUp: boolean;
  /** Whether it may get new sessions: it runs, and its own health check, if it has one, says that it is well. */
  readonly isWell: boolean;
  /** In the order of their names. */
  readonly networks: readonly Network[];
  /** It has no network of its own: its ports are those of the machine. */
  readonly isOnHost: boolean;
  /** Ports that its image or its start exposes. */
  readonly ports: readonly Port[];
}

export interface Network {
  readonly name: string;
  /** IPv4 before IPv6. */
  readonly address: string;
}

export interface Port {
  readonly port: number;
  readonly transport: string;
}

export const containerLimits = {
  /** Of one container. */
  labelsMax: 4096,
  networksMax: 64,
  portsMax: 1024,
  /** Characters of its name; what is longer is cut. */
  nameMax: 128,
} as const;

type Raw = Readonly<Record<string, unknown>>;

/** Null: it is not what the API says of a container. */
export function containerOf(entry: unknown): Container | null {
  const { Id: id, Names: names, Labels: labels, Created: created, State: state, ...rest } = mappingOf(entry);
  const [first] = listOf(names);
  if (typeof id !== 'string' || id === '') return null;
  return {
    id,
    name: nameOf(typeof first === 'string' ? first : id.slice(0, ID_SHOWN)),
    labels: labelsOf(labels),
    created: typeof created === 'number' ? created : 0,
    isUp: state === 'running' || state === 'paused',
    isWell: state === 'running' && isHealthy(rest),
    networks: networksOf(rest.NetworkSettings),
    isOnHost: mappingOf(rest.HostConfig).NetworkMode === 'host',
    ports: portsOf(rest.Ports),
  };
}

/** As docker shows an id. */
const ID_SHOWN = 12;

const nameOf = (text: string): string => visible(text.slice(0, containerLimits.nameMax).replace(/^\//, ''));

const mappingOf = (value: unknown): Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function labelsOf(value: unknown): Record<string, string> {
  const texts = Object.entries(mappingOf(value)).filter(([, text]) => typeof text === 'string');
  return Object.fromEntries(texts.slice(0, containerLimits.labelsMax)) as Record<string, string>;
}

/** Docker up to API 1.51 says it only in the words of `Status`: `Up 5 minutes (healthy)`; podman not at all. */
function isHealthy({ Health: health, Status: status }: Raw): boolean {
  const said = mappingOf(health).Status;
  if (typeof said === 'string' && said !== '') return said === 'healthy' || said === 'none';
  return typeof status !== 'string' || !/\((?:unhealthy|health: starting|starting)\)/.test(status);
}

function networksOf(settings: unknown): Network[] {
  return Object.entries(mappingOf(mappingOf(settings).Networks))
    .slice(0, containerLimits.networksMax)
    .flatMap(([name, network]) => {
      const { IPAddress: ipv4, GlobalIPv6Address: ipv6 } = mappingOf(network);
      const address = [ipv4, ipv6].find((text) => typeof text === 'string' && text !== '');
      return typeof address === 'string' ? [{ name, address }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A port that is published for IPv4 and for IPv6 is listed twice. */
function portsOf(value: unknown): Port[] {
  const found = new Map<string, Port>();
  for (const entry of listOf(value).slice(0, containerLimits.portsMax)) {
    const { PrivatePort: port, Type: transport } = mappingOf(entry);
    if (typeof port === 'number' && typeof transport === 'string')
      found.set(`${port}/${transport}`, { port, transport });
  }
  return [...found.values()];
}
