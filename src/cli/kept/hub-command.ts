import { existsSync } from 'node:fs'
import { letOthersIn } from '../../config/first-steps.ts'
import { hubInstance, type HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../../config/hub/hub-settings.ts'
import { isBehindProxy, servingOf } from '../../config/hub/serving.ts'
import { instanceFor } from '../../config/instance.ts'
import { restartAdvice } from '../../control/restart-advice.ts'
import { isSameFile } from '../../files/is-same-file.ts'
import type { Selection } from '../../platforms/selection/select.ts'
import type { HubContext } from '../../tasks/hub/hub-context.ts'
import { followHere, type Joining } from '../../tasks/hub/join-here.ts'
import type { HubTold } from '../../tasks/hub/start-hub.ts'
import { processHere } from '../../tasks/machine/process-here.ts'
import { startStep } from '../../tasks/machine/start-step.ts'
import { tilde } from '../../text/tilde.ts'
import { userPlugins } from '../plugins/ask-user-plugins.ts'
import { KeptCommand } from './kept-command.ts'

/** A command that acts on the hub of this user, as something that is kept. */
export abstract class HubCommand extends KeptCommand {
  // Said again: oclif’s manifest takes nothing from above a class that has no static of its own.
  static override enableJsonFlag = true

  protected readonly kind = 'hub'

  /**
   * @param settings default: as they are saved
   * @throws ConnectError HUB_SETTINGS_DAMAGED, PLATFORM_UNKNOWN, PLATFORM_UNSUPPORTED, PLATFORM_FAILED
   */
  protected hubContext(settings: HubSettings | undefined = readHubSettings()): {
    context: HubContext
    selection: Selection
  } {
    return this.contextOf(hubInstance(settings))
  }

  /** What to say of a hub that speaks HTTPS to what is most likely a reverse proxy for plain http. */
  protected behindProxy(settings: HubSettings): string | undefined {
    const serving = servingOf(settings)
    if (serving.tls !== 'own' || !isBehindProxy(serving)) return undefined
    const command = `connect ${(this.id ?? '').replaceAll(':', ' ')} --plain-http`
    return `The hub speaks HTTPS by a certificate of its own. A reverse proxy that shows another for ${serving.url} needs plain http. Run: ${command}`
  }

  /**
   * Has this machine find a hub that was started, where it has joined that before: it may speak https now, or
   * plain http, and did not then.
   */
  protected async follow(hub: HubInstance, { listen }: HubTold): Promise<Joining | null> {
    const joining = listen === null ? null : await followHere(hub, instanceFor())
    if (joining?.outcome === 'failed')
      this.printWarning(`Whether this machine finds the hub is not known: ${joining.reason}`)
    return joining
  }

  /**
   * After a start, by what has become of this machine: what it takes to have it there.
   *
   * @param url the address that machines are told, if it is known
   */
  protected async sayNext(outcome: Joining['outcome'] | undefined, url: string | null): Promise<void> {
    const agent = instanceFor()
    const isMember = outcome === 'joined' || outcome === 'member' || outcome === 'moved'
    if (isMember && (await processHere(agent)).state === 'stopped') {
      if (this.isWatched) this.tellStep(await startStep(agent, userPlugins(this.config)))
    } else if (outcome === 'moved')
      this.printError(`  The agent takes up the address once it starts anew. ${restartAdvice(agent)}`)
    else {
      const { command, note } = letOthersIn(url)
      this.suggestNext(command, note)
    }
  }

  /** What to say of a hub’s data that its next start leaves behind; to be asked before that. */
  protected leftBehind({ mainFile }: HubInstance): string | undefined {
    const before = hubInstance(readHubSettings())
    if (before.mainFile === mainFile || !existsSync(before.mainFile)) return undefined
    if (isSameFile(before.mainFile, mainFile)) return undefined
    const folder = tilde(before.dataFolder)
    return `The data of before stays in ${folder}: machines that have joined the hub there are not known here`
  }
}
