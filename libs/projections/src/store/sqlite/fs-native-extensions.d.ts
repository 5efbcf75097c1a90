/** Locks on a range of bytes, beside the whole-file calls that the log uses; the package ships no types. */
declare module 'fs-native-extensions' {
  export function tryLock(descriptor: number, offset: number, length: number): boolean;
  export function unlock(descriptor: number, offset: number, length: number): void;
}
