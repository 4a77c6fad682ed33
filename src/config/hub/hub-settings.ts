import path from 'node:path'
import { homedir } from 'node:os'
import * as v from 'valibot'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readJson } from '../../files/read-json.ts'
import { removeFile } from '../../files/remove-file.ts'
import { dataFolder } from '../instance.ts'

const VERSION = 1

/** An absolute path. */
const File = v.pipe(v.string(), v.startsWith('/', 'not an absolute path'))

/** What the hub of this user is run with, as the flags of `hub install` and `hub start` have said. */
const HubSettings = v.object({
  version: v.literal(VERSION),
  /** HOST:PORT; without it 127.0.0.1:7700. */
  listen: v.exactOptional(v.string()),
  /** Where hub.db lies; without it beside these settings. */
  dataDir: v.exactOptional(File),
  /** The certificate and its key, where somebody has given them. */
  tlsCert: v.exactOptional(File),
  tlsKey: v.exactOptional(File),
  /** Plain http on loopback: any user can take its port while it is down, and nobody can tell. */
  plainHttp: v.exactOptional(v.boolean()),
  /** Plain http on an address that others reach was accepted. */
  insecure: v.exactOptional(v.boolean()),
  /** The address that others are told. */
  url: v.exactOptional(v.string()),
})
export type HubSettings = Omit<v.InferOutput<typeof HubSettings>, 'version'>

/** The folder of the hub of this user; its data lies there too, unless --data-dir said otherwise. */
export function hubHome(home = homedir()): string {
  return path.join(dataFolder(home), 'hub')
}

export function hubSettingsFile(home = homedir()): string {
  return path.join(hubHome(home), 'config.json')
}

/**
 * @returns undefined if nothing was saved
 * @throws ConnectError HUB_SETTINGS_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER, FILE_UNTRUSTED
 */
export function readHubSettings(home = homedir()): HubSettings | undefined {
  const file = readJson(hubSettingsFile(home), HubSettings, {
    version: VERSION,
    damaged: 'HUB_SETTINGS_DAMAGED',
  })
  if (!file) return undefined
  const { version: _, ...settings } = file
  return settings
}

/** As if nothing had ever been saved. @throws ConnectError WRITE_FAILED */
export function removeHubSettings(home = homedir()): void {
  removeFile(hubSettingsFile(home))
}

/** Only the holder of the hub's command lock writes. @throws ConnectError WRITE_FAILED */
export function writeHubSettings(settings: HubSettings, home = homedir()): void {
  ensurePrivateFolder(dataFolder(home))
  ensurePrivateFolder(hubHome(home))
  writeFileAtomic(hubSettingsFile(home), hubSettingsText(settings))
}

/** Settings as the text of their file. */
export function hubSettingsText(settings: HubSettings): string {
  return `${JSON.stringify({ version: VERSION, ...settings }, null, 2)}\n`
}
