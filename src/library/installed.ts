import { readFileSync } from 'node:fs'
import path from 'node:path'

/** The package's folder, where bin/ lies. */
export const root = path.resolve(import.meta.dirname, '..', '..')

export function ownVersion(): string {
  return (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version
}
