// The little of node that the tests use: no package of types for it.
declare module 'node:assert/strict' {
  interface Assert {
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): asserts value;
    match(text: string, pattern: RegExp): void;
    throws(run: () => unknown): void;
  }
  const assert: Assert;
  export default assert;
}
declare module 'node:test' {
  export function test(name: string, run: () => void | Promise<void>): void;
  export function afterEach(run: () => void): void;
}
