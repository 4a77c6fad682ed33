import { Flags } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../cli/hub/flags.ts'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { givenPath } from '../../files/given-path.ts'
import { DEFAULT_LISTEN, listenerOf } from '../../hub/listener.ts'
import { runHub } from '../../hub/run-hub.ts'
import { terminalLog } from '../../log/log.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'

export default class HubRun extends ConnectCommand {
  static override summary = 'Run a hub on this machine, until Ctrl-C'
  static override description =
    'It listens on loopback with plain http. To reach it from elsewhere, give it a certificate, or put a reverse proxy with TLS before it.'
  static override examples = [
    '<%= config.bin %> hub',
    '<%= config.bin %> hub --listen 127.0.0.1:7700 --data-dir /srv/hub',
    '<%= config.bin %> hub --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem',
  ]
  static override flags = {
    ...dataDirFlag,
    insecure: Flags.boolean({
      description: 'listen with plain http where other machines reach it: anyone on the way can read along',
    }),
    listen: Flags.string({
      description: 'address to listen on',
      default: DEFAULT_LISTEN,
      helpValue: 'HOST:PORT',
    }),
    'tls-cert': Flags.string({
      description: 'speak HTTPS with this certificate (PEM, full chain); read again when it changes',
      helpValue: 'FILE',
    }),
    'tls-key': Flags.string({
      description: 'the private key of the certificate (PEM, without a passphrase)',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(HubRun)
    const { 'tls-cert': cert, 'tls-key': key } = flags
    const listener = listenerOf({
      listen: flags.listen,
      insecure: flags.insecure,
      tlsCert: cert && givenPath(cert),
      tlsKey: key && givenPath(key),
    })
    for (const warning of listener.warnings) this.printError(warning)
    const folder = hubFolder(flags['data-dir'])
    const options = {
      instance: hubInstance({ dataDir: folder }),
      listener,
      mode: 'foreground',
      version: this.config.version,
      log: terminalLog((line) => this.print(line)),
      waitForOthers: false,
    } as const
    const onListening = ({ address }: { address: string }) => {
      this.print(`[ok] Hub listening on ${address}`)
      this.print(`  Data: ${tilde(folder)}`)
      const where = flags['data-dir'] === undefined ? '' : ` --data-dir ${shellQuote(flags['data-dir'])}`
      this.print(`  Let a machine join: connect hub token create${where}`)
    }
    await this.carryData(async (signal) => {
      await runHub({ ...options, onListening }, signal)
      this.print('Hub stopped')
    })
  }
}
