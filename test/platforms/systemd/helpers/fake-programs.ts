import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { scratchFolder } from '../../../fixtures/scratch.ts'
import type { Sample } from './sample.ts'

/** How a program behaves: as on a real machine, by a shell script, or as one that never answers. */
export type Behaviour = Sample | { readonly script: string }

/**
 * Programs that stand for systemd's own.
 *
 * @returns an environment in which they, and nothing else, are found; it has a folder where a user manager
 * seems to listen
 */
export function fakePrograms(
  programs: Readonly<Record<string, Behaviour>>,
  manager = true,
): NodeJS.ProcessEnv {
  const folder = scratchFolder()
  const bin = path.join(folder, 'bin')
  mkdirSync(bin)
  for (const name of ['sh', 'cat', 'sleep']) symlinkSync(`/bin/${name}`, path.join(bin, name))
  for (const [name, behaviour] of Object.entries(programs)) {
    const script = 'script' in behaviour ? behaviour.script : repeating(path.join(folder, name), behaviour)
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  if (manager) {
    mkdirSync(path.join(folder, 'run', 'systemd'), { recursive: true, mode: 0o700 })
    writeFileSync(path.join(folder, 'run', 'systemd', 'private'), '')
  }
  return { PATH: bin, XDG_RUNTIME_DIR: path.join(folder, 'run') }
}

function repeating(file: string, { code, stdout, stderr }: Sample): string {
  writeFileSync(`${file}.stdout`, stdout)
  writeFileSync(`${file}.stderr`, stderr)
  return `cat '${file}.stdout'; cat '${file}.stderr' >&2; exit ${code}`
}
