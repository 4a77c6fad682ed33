import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'vitest'
import { emptyHome } from '../../fixtures/joined.ts'
import type { Home } from '../home.ts'
import type { Registry } from './registry.ts'

/** A home whose npm asks this registry; the test is skipped where there is no npm. */
export function homeWithNpm(registry: Registry | undefined, context: TestContext, name?: string): Home {
  if (spawnSync('npm', ['--version']).error) context.skip('npm is not installed')
  const home = emptyHome(name)
  mkdirSync(home.folder, { recursive: true })
  const settings = ['update-notifier=false', ...(registry ? [`registry=${registry.url}`] : [])]
  writeFileSync(path.join(home.folder, '.npmrc'), `${settings.join('\n')}\n`)
  return home
}

const dataFolder = (home: Home) => path.join(home.folder, '.local/share/private-connect')

/** The folders that plugins were installed into. */
export function installFolders(home: Home): string[] {
  const folder = path.join(dataFolder(home), 'plugins')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((entry) => entry.startsWith('plugin-'))
    .map((entry) => path.join(folder, entry))
}

/** The names of the plugins in oclif’s list. */
export function listedNames(home: Home): string[] {
  const file = path.join(dataFolder(home), 'package.json')
  if (!existsSync(file)) return []
  const { oclif } = JSON.parse(readFileSync(file, 'utf8')) as { oclif: { plugins: { name: string }[] } }
  return oclif.plugins.map(({ name }) => name)
}
