import { existsSync } from 'node:fs'
import { hubInstance, type HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../../config/hub/hub-settings.ts'
import { isSameFile } from '../../files/is-same-file.ts'
import type { Selection } from '../../platforms/selection/select.ts'
import type { HubContext } from '../../tasks/hub/hub-context.ts'
import { tilde } from '../../text/tilde.ts'
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

  /** What to say of a hub’s data that its next start leaves behind; to be asked before that. */
  protected leftBehind({ mainFile }: HubInstance): string | undefined {
    const before = hubInstance(readHubSettings())
    if (before.mainFile === mainFile || !existsSync(before.mainFile)) return undefined
    if (isSameFile(before.mainFile, mainFile)) return undefined
    const folder = tilde(before.folder)
    return `The data of before stays in ${folder}: machines that have joined the hub there are not known here`
  }
}
