import { assert, defined, nearestName } from '@holdfast/kernel';
import { ConfigurationInvalid } from './configuration.errors.js';
import type { Environment } from './environment.js';
import { kubernetesVariables } from './kubernetes-services.js';
import { type ConfigurationClass, type Variable, sectionsOf, variablesOf } from './variable.js';

const PREFIX = 'HOLDFAST_';

/**
 * The configuration that the environment describes, with defaults for what it does not say. `known` are the configurations of all
 * applications: a `HOLDFAST_` variable that none of them has is a typing error and refused, while one environment file may
 * still serve several applications. What Kubernetes tells of its services is not ours and ignored. Throws `ConfigurationInvalid` with every problem found.
 */
export function loadConfiguration<Configuration extends object>(
  configuration: ConfigurationClass<Configuration>,
  known: readonly ConfigurationClass[],
  environment: Environment,
): Configuration {
  const said = withoutIgnored(environment);
  const problems = unknownVariables(known, said);
  const loaded = read(configuration, said, problems);
  if (problems.length > 0) throw new ConfigurationInvalid(problems);
  return loaded;
}

/** `HOLDFAST_` variables that nobody has set for Holdfast, in the order of their names. */
export function ignoredVariables(environment: Environment = process.env): readonly string[] {
  return kubernetesVariables(environment, PREFIX);
}

function withoutIgnored(environment: Environment): Environment {
  const ignored = new Set(ignoredVariables(environment));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ignored.has(name)));
}

/** Every variable of a configuration and its sections, in the order of declaration. */
export function allVariables(configuration: ConfigurationClass): readonly Variable[] {
  return [
    ...variablesOf(configuration),
    ...sectionsOf(configuration).flatMap((section) => allVariables(section.type())),
  ];
}

function read<Configuration extends object>(
  configuration: ConfigurationClass<Configuration>,
  environment: Environment,
  problems: string[],
): Configuration {
  const loaded = new configuration();
  const invalid: string[] = [];
  for (const variable of variablesOf(configuration)) {
    const value = variable.convert(environment[variable.name] ?? variable.defaultText);
    Object.assign(loaded, { [variable.property]: value });
    if (!variable.accepts(value)) invalid.push(refusal(variable, environment));
  }
  problems.push(...invalid);
  if (invalid.length === 0) problems.push(...tooSmall(configuration, loaded, environment));
  for (const section of sectionsOf(configuration))
    Object.assign(loaded, { [section.property]: read(section.type(), environment, problems) });
  return loaded;
}

function refusal({ name, allowed, secret }: Variable, environment: Environment): string {
  const text = environment[name];
  assert(text !== undefined, `the default of ${name} is valid`);
  const shown = secret === true ? 'not of any use' : JSON.stringify(text);
  return `${name} is ${shown}, but must be ${allowed}`;
}

/** What each is allowed to be, but not beside each other. */
function tooSmall<Configuration extends object>(
  configuration: ConfigurationClass<Configuration>,
  loaded: Configuration,
  environment: Environment,
): readonly string[] {
  const variables = variablesOf(configuration);
  const valueOf = ({ property }: Variable) => Number(loaded[property as keyof Configuration]);
  const shown = ({ name, defaultText }: Variable) =>
    JSON.stringify(environment[name] ?? defaultText);
  return variables.flatMap((variable) => {
    const { name, atLeast } = variable;
    if (atLeast === undefined) return [];
    const other = defined(
      variables.find((candidate) => candidate.name === atLeast.name),
      `the variable ${atLeast.name}`,
    );
    if (valueOf(variable) >= atLeast.times * valueOf(other)) return [];
    const least = atLeast.times === 1 ? other.name : `${atLeast.times} times ${other.name}`;
    return [
      `${name} is ${shown(variable)}, but must be at least ${least}, which is ${shown(other)}`,
    ];
  });
}

function unknownVariables(
  known: readonly ConfigurationClass[],
  environment: Environment,
): string[] {
  const names = [...new Set(known.flatMap(allVariables).map((variable) => variable.name))];
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !names.includes(name))
    .sort()
    .map((name) => {
      const nearest = nearestName(name, names);
      return `${name} is not a variable of Holdfast${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
    });
}
