import { homedir } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { releaseHubName } from '../../config/claimed-names.ts'
import { absentData, isDataAbsent } from '../../config/hub/absent-data.ts'
import type { HubInstance } from '../../config/hub/hub-instance.ts'
import {
  readHubSettings,
  removeHubSettings,
  writeHubSettings,
  type HubSettings,
} from '../../config/hub/hub-settings.ts'
import { servingOf } from '../../config/hub/serving.ts'
import { unlessSilent } from '../../control/ask-process.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { hubStatus } from '../../hub/control/client.ts'
import type { HubStatus } from '../../hub/control/schema.ts'
import type { CertificateFiles } from '../../hub/tls/certificate.ts'
import type { Daemon } from '../../platforms/platform.ts'
import { refuseOtherFolder } from './beside.ts'
import { startFlags } from './start-flags.ts'
import { executableOf, keptEnvironment, type Kept, type KeptContext } from '../steps/kept.ts'

/** What every action on the hub of this user works on. */
export interface HubContext extends KeptContext {
  readonly instance: HubInstance
}

/** How long the hub may take to say how it is, while it starts; in ms. */
const HEAR_MS = 1000

/** What is to be kept alive: it reads its settings by itself. @throws ConnectError RUN_FROM_CACHE */
export function hubDaemonOf(context: HubContext): Daemon {
  const { node, script } = executableOf(context)
  return {
    command: [node, script, 'hub'],
    env: keptEnvironment(process.env),
    cwd: homedir(),
    logFile: context.instance.logFile,
  }
}

/** What a command says of the settings: those that it gives, and what becomes of the others. */
export interface GivenSettings {
  readonly given: HubSettings
  /** The others are forgotten, and not as they were saved. */
  readonly reset?: boolean
}

/**
 * The settings as they are to be.
 *
 * @throws ConnectError HUB_SETTINGS_DAMAGED, and BAD_TARGET, BAD_HUB_URL, BAD_VALUE, INSECURE_HUB if no hub
 * can be run with them
 */
export function settingsWith({ given, reset = false }: GivenSettings): HubSettings {
  const wanted = { ...(reset ? {} : readHubSettings()), ...given }
  servingOf(wanted)
  return wanted
}

/** Before a hub that runs is stopped for another certificate. @throws ConnectError BAD_CERTIFICATE */
async function checkCertificate(files: CertificateFiles): Promise<void> {
  const { readCertificate } = await import('../../hub/tls/certificate.ts')
  readCertificate(files)
}

/** Whether somebody has said that the hub is to begin in a folder, rather than to go on there. */
function mayBeNew({ dataDir }: HubSettings, { reset = false }: GivenSettings): boolean {
  return reset || dataDir !== readHubSettings()?.dataDir
}

/** Before the settings name it: what is not there later was there once, see absent-data.ts. */
async function makeData({ dataFolder }: HubInstance): Promise<void> {
  const { Store } = await import('../../hub/store/store.ts')
  ensurePrivateFolder(dataFolder)
  const store = await Store.open(dataFolder)
  store.close()
}

/** The hub is up once it answers: it listens by then. */
export function keptHub(instance: HubInstance, settings: GivenSettings): Kept<HubStatus> {
  let replaced: { readonly saved: HubSettings | undefined } | undefined
  return {
    isShared: true,
    startFlags: startFlags(settings),
    async refuse() {
      await refuseOtherFolder(instance)
      const { tls } = servingOf(settingsWith(settings))
      if (typeof tls === 'object') await checkCertificate(tls)
    },
    isChanged() {
      const wanted = settingsWith(settings)
      // One that waits for its data is not to be left waiting where it is to begin anew.
      const isNew = isDataAbsent(wanted) && mayBeNew(wanted, settings)
      return isNew || !isDeepStrictEqual(wanted, readHubSettings() ?? {})
    },
    async prepare() {
      const saved = readHubSettings()
      const wanted = settingsWith(settings)
      if (isDataAbsent(wanted)) {
        if (!mayBeNew(wanted, settings)) throw absentData(instance.dataFolder)
        await makeData(instance)
      }
      // Nothing is installed under it, see platforms/selection/hub-name.ts.
      releaseHubName()
      if (isDeepStrictEqual(wanted, saved ?? {})) return false
      writeHubSettings(wanted)
      replaced = { saved }
      return true
    },
    undo() {
      if (!replaced) return false
      if (replaced.saved) writeHubSettings(replaced.saved)
      else removeHubSettings()
      replaced = undefined
      return true
    },
    async hear(pid) {
      const status = await unlessSilent(hubStatus(instance, HEAR_MS))
      return status?.agent.pid === pid ? status : undefined
    },
  }
}
