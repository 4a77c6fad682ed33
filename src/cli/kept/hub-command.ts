import { hubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../../config/hub/hub-settings.ts'
import type { Selection } from '../../platforms/selection/select.ts'
import type { HubContext } from '../../tasks/hub/hub-context.ts'
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
}
