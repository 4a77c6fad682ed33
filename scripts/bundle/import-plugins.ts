import path from 'node:path'
import type { Plugin } from 'rolldown'

/**
 * An `import` of Node.js's own modules evaluates all that they export, and so loads what any of that needs:
 * 2 ms for node:fs, 27 for node:http. Without it they are there at once.
 */
export const builtins: Plugin = {
  name: 'builtins',
  renderChunk: (code) =>
    code.replaceAll(
      /^import (?:(\w+|\* as \w+)(?:, )?)?(?:(\{[^}]*\}) )?(?: ?from )"(node:[^"]+)";$/gm,
      (_, whole: string | undefined, names: string | undefined, name: string) => {
        const loaded = `process.getBuiltinModule("${name}")`
        const targets = [whole?.replace('* as ', ''), names?.replaceAll(' as ', ': ')]
        return targets.flatMap((target) => (target ? [`const ${target} = ${loaded};`] : [])).join(' ')
      },
    ),
}

/** What an `import()` takes from a chunk that holds more comes by one that only passes it on: not here. */
export const straight: Plugin = {
  name: 'straight',
  generateBundle(_, bundle) {
    const targets = new Map<string, string>()
    for (const [name, chunk] of Object.entries(bundle)) {
      if (chunk.type !== 'chunk' || chunk.isEntry) continue
      const [, target] = /^export \{ (?:(?! as )[^}])+ \} from "\.\/([^"]+)";\s*$/.exec(chunk.code) ?? []
      if (target === undefined) continue
      targets.set(path.posix.basename(name), target)
      delete bundle[name]
    }
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue
      chunk.code = chunk.code.replaceAll(
        /(?<=import\("[^"]*\/)[^"/]+(?="\))/g,
        (name) => targets.get(name) ?? name,
      )
    }
  },
}
