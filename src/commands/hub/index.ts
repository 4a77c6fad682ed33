import { ConnectCommand } from '../../cli/command.ts'
import { newHubFolder } from '../../cli/hub/data-folder.ts'
import { givenSettings, serveFlags } from '../../cli/hub/serve-flags.ts'
import { letOthersIn } from '../../config/first-steps.ts'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { servingOf } from '../../config/hub/serving.ts'
import { insecureWarning } from '../../hub/insecure-warning.ts'
import { runHub } from '../../hub/run-hub.ts'
import type { Hub } from '../../hub/server.ts'
import { terminalLog } from '../../log/log.ts'
import { refuseBesideHub } from '../../tasks/hub/beside.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'

export default class HubRun extends ConnectCommand {
  static override summary =
    'Run a hub on this machine, until Ctrl-C; or keep one running: install, start, stop, status, logs'
  static override description =
    'It listens on loopback with plain http. On an address that other machines reach it speaks HTTPS: with a certificate that you give, or one that it makes for itself and renews.'
  static override examples = [
    '<%= config.bin %> hub',
    '<%= config.bin %> hub --listen 0.0.0.0:7700',
    '<%= config.bin %> hub --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem',
    '<%= config.bin %> hub --listen 127.0.0.1:7700 --data-dir /srv/hub --url https://hub.example.com',
  ]
  static override flags = serveFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(HubRun)
    const serving = servingOf(
      { ...givenSettings(flags), dataDir: newHubFolder(flags['data-dir']) },
      'foreground',
    )
    const warning = insecureWarning(serving)
    if (warning !== undefined) this.printError(warning)
    const options = {
      instance: hubInstance({ dataDir: serving.folder }),
      serving,
      mode: 'foreground',
      version: this.config.version,
      log: terminalLog((line) => this.print(line)),
      waitForOthers: false,
    } as const
    await refuseBesideHub(options.instance)
    const onListening = (hub: Hub) => {
      this.print(`[ok] Hub listening on ${hub.address}`)
      if (serving.url !== undefined) this.print(`  Address for others: ${serving.url}`)
      this.#printAuthority(hub)
      this.print(`  Data: ${tilde(serving.folder)}`)
      const where = flags['data-dir'] === undefined ? '' : ` --data-dir ${shellQuote(flags['data-dir'])}`
      const { command, note } = letOthersIn(serving.url ?? hub.address)
      this.tellNext(`${command}${where}`, note)
    }
    await this.carryData(async (signal) => {
      await runHub({ ...options, onListening }, signal)
      this.print('Hub stopped')
    })
  }

  /** Where the hub has made its certificate itself: what machines have to trust, and how they know it. */
  #printAuthority(hub: Hub): void {
    const { certificate } = hub.status()
    if (!certificate?.authority) return
    this.print(`  Authority of its certificate: ${tilde(certificate.authority)}`)
    this.print(`  Its SHA-256: ${certificate.fingerprint}`)
  }
}
