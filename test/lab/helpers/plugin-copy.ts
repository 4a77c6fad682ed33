import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../../helpers/cli.ts'
import type { Own } from './owned.ts'

/** An empty folder, which goes with the suite. */
export function pluginFolder(own: Own): string {
  return own(mkdtempSync(path.join(tmpdir(), 'pc-plugin-')), (it) => rmSync(it, { recursive: true }))
}

/** A plugin of this checkout, in a folder as its author has it after npm install. */
export function copyPlugin(own: Own, name: string): string {
  const folder = pluginFolder(own)
  const source = path.join(root, 'plugins', name)
  for (const file of globSync('*.{js,json}', { cwd: source }))
    cpSync(path.join(source, file), path.join(folder, file))
  mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true })
  symlinkSync(root, path.join(folder, 'node_modules', 'private-connect'))
  const types = path.join('node_modules', '@types', 'node')
  symlinkSync(path.join(root, types), path.join(folder, types))
  return folder
}
