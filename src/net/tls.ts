/** Loads node:tls, which is 3 MB of memory that a link without TLS never needs. */
export function loadTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls')
}
