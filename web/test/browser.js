// The little of a browser that modules ask for when they are loaded; put before each test.
Object.assign(globalThis, {
  addEventListener() {},
  location: { hash: '' },
  matchMedia: () => ({ matches: false, addEventListener() {} }),
  devicePixelRatio: 1,
});
