// Where a browser finds what the modules of the packages import, that are served as files under /m.
export const imports = {
  '@halyard/client': '/m/client/dist/index.js',
  '@halyard/client/reload': '/m/client/dist/reload.js',
  '@halyard/protocol': '/m/protocol/dist/index.js',
  '@halyard/codec': '/m/codec/dist/index.js',
  '@halyard/codec/json': '/m/codec/dist/json-browser.js',
  '@halyard/codec/internal': '/m/codec/dist/internal.js',
  '@halyard/codec-msgpack': '/m/codec-msgpack/dist/msgpack-browser.js',
  '@msgpack/msgpack': '/m/codec-msgpack/node_modules/@msgpack/msgpack/dist.esm/index.mjs',
  '#debug': '/m/client/dist/debug-off.js',
  '#fetch': '/m/client/dist/fetch-browser.js',
  '#habits': '/m/client/dist/habits-off.js',
  '#websocket': '/m/client/dist/websocket-browser.js',
};
