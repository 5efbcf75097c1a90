/**
 * All that a process under test gets of the environment that the tests run in: nothing that configures it. Node keeps what it compiles where Jest's
 * workers do: a process that is started a hundred times is compiled once. What is killed keeps nothing; what ends by itself does.
 */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
}
