// Writes oclif.manifest.json; with --check says whether it is fresh.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Plugin } from '@oclif/core'

const root = path.dirname(import.meta.dirname)
const file = path.join(root, 'oclif.manifest.json')

/** The manifest as the built commands make it. */
export async function generateManifest(): Promise<string> {
  const plugin = new Plugin({
    errorOnManifestCreate: true,
    ignoreManifest: true,
    respectNoCacheDefault: true,
    root,
    type: 'core',
  })
  await plugin.load()
  // oclif lists the commands as the folder happens to.
  const commands = Object.entries(plugin.manifest.commands).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify({ ...plugin.manifest, commands: Object.fromEntries(commands) }, null, 2)}\n`
}

if (import.meta.main) {
  const fresh = await generateManifest()
  if (!process.argv.includes('--check')) writeFileSync(file, fresh)
  else if (readFileSync(file, 'utf8') !== fresh) {
    console.error('[x] oclif.manifest.json is stale. Run: npm run manifest')
    process.exit(1)
  }
}
