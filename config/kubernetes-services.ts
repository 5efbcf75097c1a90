import type { Environment } from './environment.js';

const HOST_SUFFIX = '_SERVICE_HOST';
const ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/**
 * The variables with this prefix that Kubernetes tells a container of the services of its namespace. For a service `holdfast` these are
 * `HOLDFAST_SERVICE_HOST`, `HOLDFAST_SERVICE_PORT`, `HOLDFAST_SERVICE_PORT_<name of a port>`, `HOLDFAST_PORT` and
 * `HOLDFAST_PORT_7400_TCP`, alone and with `_PROTO`, `_PORT`, `_ADDR`. A service is known by host, port and the address that belongs to both;
 * a variable that only looks like one of these is none, and neither is a `_PORT` with a number.
 */
export function kubernetesVariables(environment: Environment, prefix: string): readonly string[] {
  const services = Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && name.endsWith(HOST_SUFFIX))
    .map((name) => name.slice(0, -HOST_SUFFIX.length))
    .filter((service) => isService(service, environment));
  return Object.keys(environment)
    .filter((name) => services.some((service) => isOf(service, name, environment[name] ?? '')))
    .sort();
}

function isService(name: string, environment: Environment): boolean {
  const port = environment[`${name}_SERVICE_PORT`] ?? '';
  return ['TCP', 'UDP', 'SCTP'].some((protocol) =>
    ADDRESS.test(environment[`${name}_PORT_${port}_${protocol}`] ?? ''),
  );
}

function isOf(service: string, name: string, value: string): boolean {
  if (!name.startsWith(`${service}_`)) return false;
  const rest = name.slice(service.length);
  if (rest === '_PORT') return ADDRESS.test(value);
  return /^(?:_SERVICE_HOST|_SERVICE_PORT(?:_[A-Z0-9_]+)?|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_PROTO|_PORT|_ADDR)?)$/.test(
    rest,
  );
}
