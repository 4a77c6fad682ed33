import { Flags } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { dataDirFlag, hubFolder } from '../../cli/hub/flags.ts'
import { isLoopback } from '../../config/hub-url.ts'
import { formatTarget, parseListenAddress } from '../../config/target.ts'
import { ConnectError } from '../../errors.ts'
import { givenPath } from '../../files/given-path.ts'
import { startHub } from '../../hub/server.ts'
import type { CertificateFiles } from '../../hub/tls/certificate.ts'
import { printable } from '../../text/printable.ts'
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
      default: '127.0.0.1:7700',
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
    const { host, port } = parseListenAddress(flags.listen)
    const tls = certificateFiles(flags['tls-cert'], flags['tls-key'])
    if (!tls && !isLoopback(host)) {
      if (!flags.insecure) {
        throw new ConnectError('INSECURE_HUB', `The hub would speak plain http on ${flags.listen}`, {
          hints: [
            'Give it a certificate with --tls-cert and --tls-key, or put a reverse proxy with TLS before it; or accept the risk with --insecure.',
          ],
        })
      }
      this.printError(
        `[!] The hub speaks plain http on ${flags.listen}: anyone on the way can read the traffic`,
      )
    }
    const folder = hubFolder(flags['data-dir'])
    const log = (line: string) => this.print(`[${new Date().toTimeString().slice(0, 8)}] ${printable(line)}`)
    await this.carryData(async (signal) => {
      const hub = await startHub({ folder, host, port, tls, version: this.config.version, log })
      this.print(
        `[ok] Hub listening on ${tls ? 'https' : 'http'}://${formatTarget({ host, port: hub.port })}`,
      )
      this.print(`  Data: ${tilde(folder)}`)
      const where = flags['data-dir'] === undefined ? '' : ` --data-dir ${shellQuote(flags['data-dir'])}`
      this.print(`  Let a machine join: connect hub token create${where}`)
      try {
        const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        await Promise.race([stopped, hub.failed])
      } finally {
        await hub.close()
      }
      this.print('Hub stopped')
    })
  }
}

/** @throws ConnectError BAD_VALUE if one is given without the other */
function certificateFiles(cert: string | undefined, key: string | undefined): CertificateFiles | undefined {
  if (cert !== undefined && key !== undefined) return { cert: givenPath(cert), key: givenPath(key) }
  if (cert === undefined && key === undefined) return undefined
  const [given, missing] = cert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key']
  throw new ConnectError('BAD_VALUE', `${given} is of no use without ${missing}`, {
    hints: ['Give both: --tls-cert FILE --tls-key FILE'],
  })
}
