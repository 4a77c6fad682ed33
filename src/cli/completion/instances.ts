import { existsSync } from 'node:fs'
import { namedInstances } from '../../config/instance.ts'
import type { Candidate } from './shells/reply.ts'

/** What `--config` may be given, beside any other file. */
export function configFiles(): Candidate[] {
  const files = namedInstances().map(({ configFile }) => configFile)
  return files.filter((file) => existsSync(file)).map((value) => ({ value, about: 'another instance' }))
}
