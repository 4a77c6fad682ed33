import { existsSync } from 'node:fs'
import { isDataAbsent } from '../../config/hub/absent-data.ts'
import { hubInstance, type HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { findProcess, folderAwaited } from '../../control/find-process.ts'
import { askHub, type HubAnswer } from '../hub/ask-hub.ts'
import { asHere, UNKNOWN, type ProcessHere } from './process-here.ts'

/** The hub of this user on this machine; `none` where there has never been one. */
export interface HubHere extends Omit<ProcessHere, 'state'> {
  readonly state: ProcessHere['state'] | 'none'
  /** Why its state is unknown, it does not answer, or can’t run; null otherwise. */
  readonly reason: string | null
  /** The folder of its data while it waits for that; null otherwise. */
  readonly waitsFor: string | null
  /** The address that others are told, or the one that it is to listen on; null if neither is known. */
  readonly address: string | null
  /** Machines that have joined; null unless it runs and says so. */
  readonly joined: number | null
  /** Those of them whose agent is connected. */
  readonly online: number | null
}

function whyAbsent(waitsFor: string | null): string {
  return waitsFor === null ? 'its data is not where it was' : `waiting for its data folder ${waitsFor}`
}

export const UNKNOWN_HUB: HubHere = { ...UNKNOWN, waitsFor: null, address: null, joined: null, online: null }

/** The hub, and what it says of itself. */
export interface HubReport {
  readonly hub: HubHere
  readonly instance: HubInstance
  /** Undefined if none runs. */
  readonly said: HubAnswer | undefined
  /** It does not answer, and its data is not where it was: see absent-data.ts. */
  readonly isDataAbsent: boolean
}

/** @throws ConnectError as hubReport */
export async function hubHere(): Promise<HubHere> {
  return (await hubReport()).hub
}

/** @throws ConnectError HUB_SETTINGS_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER, FILE_UNTRUSTED */
export async function hubReport(): Promise<HubReport> {
  const settings = readHubSettings()
  const instance = hubInstance(settings)
  const process = await findProcess(instance)
  const found = asHere(process)
  const waitsFor = folderAwaited(process)
  const isNone = found.state === 'stopped' && !settings && !existsSync(instance.mainFile)
  const said = found.state === 'stopped' ? undefined : await askHub(instance)
  const isAbsent = !said?.status && isDataAbsent(settings)
  const hub: HubHere = {
    ...found,
    state: isNone ? 'none' : found.state,
    reason: found.reason ?? (isAbsent ? whyAbsent(waitsFor) : said?.silence) ?? null,
    waitsFor,
    address: said?.status?.url ?? settings?.url ?? settings?.listen ?? null,
    joined: said?.status?.joined ?? null,
    online: said?.status?.online ?? null,
  }
  return { hub, instance, said, isDataAbsent: isAbsent }
}
