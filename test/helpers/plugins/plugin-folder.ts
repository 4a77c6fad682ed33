import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { scratchFolder } from '../../fixtures/scratch.ts'

export interface PluginWish {
  readonly name?: string
  readonly version?: string
  /** The name of the platform that it brings. */
  readonly platform?: string
  /** The code of its description, in place of one that is good. */
  readonly description?: string
  /** More of package.json. */
  readonly more?: object
  /** More files, or others. */
  readonly files?: Readonly<Record<string, string>>
}

/** Writes a plugin, as its author would, to a folder. */
export function writePlugin(wish: PluginWish = {}, folder = path.join(scratchFolder(), 'plugin')): string {
  const { name = 'private-connect-testinit', version = '1.0.0', platform = 'testinit', more = {} } = wish
  const files: Record<string, string> = {
    'package.json': JSON.stringify({
      name,
      version,
      type: 'module',
      oclif: { hooks: { 'connect:platforms': './description.js' } },
      ...more,
    }),
    'description.js': wish.description ?? descriptionOf(platform),
    ...wish.files,
  }
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), content)
  }
  return folder
}

/** A platform that is installed where a file says so. */
export function descriptionOf(platform: string, more = ''): string {
  return `
    import { existsSync } from 'node:fs'
    import path from 'node:path'
    export default async () => ({
      apiVersion: 1,
      name: '${platform}',
      summary: 'kept by ${platform}',
      probe: async () => ({ available: true }),
      isInstalled: async ({ instance }) =>
        existsSync(path.join(instance.folder, instance.name + '.${platform}')),
      load: async () => ({
        status: async () => ({ state: 'stopped', installed: false, autostart: 'never' }),
      }),
      ${more}
    })`
}

/** A command of a plugin’s, as a class that needs no oclif of its own. */
export const HELLO_COMMAND = `
  export default class Hello {
    static id = 'testinit:hello'
    static summary = 'Say hello'
    static flags = {}
    static args = {}
    static aliases = []
    static async run() {
      process.stdout.write('hello from the plugin\\n')
    }
  }`
