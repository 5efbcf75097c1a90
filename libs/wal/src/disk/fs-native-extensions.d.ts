/** The two calls used; the package ships no types. */
declare module 'fs-native-extensions' {
  /** An exclusive lock on the whole open file description (fcntl OFD on Linux). False when another holds it. */
  export function tryLock(descriptor: number): boolean;
  export function unlock(descriptor: number): void;
}
