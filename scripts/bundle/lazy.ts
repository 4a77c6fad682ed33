import { createRequire } from 'node:module'
import type { Plugin } from 'rolldown'

/** What a CommonJS module requires by one of these names is loaded when something of it is first used. */
export const lazy = (names: RegExp): Plugin => ({
  name: 'lazy',
  async resolveId(id, importer) {
    if (!names.test(id) || importer?.startsWith('\0')) return null
    return `\0${(await this.resolve(id, importer, { skipSelf: true }))?.id}`
  },
  load(id) {
    if (!id.startsWith('\0')) return null
    const name = id.slice(1)
    const keys = Object.keys(createRequire(import.meta.filename)(name) as object)
    const getters = keys.map((key) => `get ${key}() { return require(${JSON.stringify(name)}).${key} }`)
    return `module.exports = { ${getters.join(', ')} }`
  },
})
