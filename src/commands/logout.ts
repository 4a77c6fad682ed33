import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { readConfig } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { logout } from '../hub-client/logout.ts'

export default class Logout extends ConnectCommand {
  static override summary = 'Leave the hub: forget this machine’s credential, here and there'
  static override enableJsonFlag = true
  static override flags = configFlag

  async run() {
    const { flags } = await this.parse(Logout)
    const instance = instanceFor(flags.config)
    const config = readConfig(instance)
    if (!config) {
      this.print('Not logged in')
      return { loggedOut: false, hubForgot: null }
    }
    const untold = await logout(instance, config)
    if (untold) this.printWarning(`The hub could not be told: ${untold.message}`)
    this.print(`[ok] Logged out of ${config.hub}`)
    return { loggedOut: true, hubForgot: untold === undefined }
  }
}
