import { spawnSync } from 'node:child_process'

/**
 * The first version number that a program prints.
 *
 * @param args what makes it print that, default `--version`
 */
export function versionOf(file: string, args = ['--version'], env?: NodeJS.ProcessEnv): string {
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', ...(env && { env }) })
  return /\d+\.\d+[\w.-]*/.exec(stdout + stderr)?.[0] ?? 'unknown'
}
