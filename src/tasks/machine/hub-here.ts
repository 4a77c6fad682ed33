import { existsSync } from 'node:fs'
import path from 'node:path'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { processHere, UNKNOWN, type ProcessHere } from './process-here.ts'

/** The hub of this user on this machine; `none` where there has never been one. */
export interface HubHere extends Omit<ProcessHere, 'state'> {
  readonly state: ProcessHere['state'] | 'none'
  /** The address that others are told, else the one that it listens on, as far as that is settled. */
  readonly address: string | null
}

export const UNKNOWN_HUB: HubHere = { ...UNKNOWN, address: null }

/** @throws ConnectError HUB_SETTINGS_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER, FILE_UNTRUSTED */
export async function hubHere(): Promise<HubHere> {
  const settings = readHubSettings()
  const instance = hubInstance(settings)
  const found = await processHere(instance)
  const isNone = found.state === 'stopped' && !settings && !existsSync(path.join(instance.folder, 'hub.db'))
  return {
    ...found,
    state: isNone ? 'none' : found.state,
    address: settings?.url ?? settings?.listen ?? null,
  }
}
