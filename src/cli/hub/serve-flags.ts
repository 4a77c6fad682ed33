import { Flags } from '@oclif/core'
import type { HubSettings } from '../../config/hub/hub-settings.ts'
import { DEFAULT_LISTEN } from '../../config/hub/serving.ts'
import { givenPath } from '../../files/given-path.ts'
import { givenDataFolder } from './data-folder.ts'
import { dataDirFlag } from './flags.ts'

/** How a hub is to serve. */
export const serveFlags = {
  ...dataDirFlag,
  insecure: Flags.boolean({
    description: 'speak plain http where other machines reach it: anyone on the way can read along',
  }),
  listen: Flags.string({
    description: `address to listen on (default: ${DEFAULT_LISTEN})`,
    helpValue: 'HOST:PORT',
  }),
  'plain-http': Flags.boolean({
    description: 'speak plain http on loopback, for a reverse proxy on this machine that has a certificate',
  }),
  'tls-cert': Flags.string({
    description: 'speak HTTPS with this certificate (PEM, full chain); read again when it changes',
    helpValue: 'FILE',
  }),
  'tls-key': Flags.string({
    description: 'the private key of the certificate (PEM, without a passphrase)',
    helpValue: 'FILE',
  }),
  url: Flags.string({
    description: 'the address that other machines are told, if it is not the one that it listens on',
    helpValue: 'URL',
  }),
}

export interface ServeFlags {
  readonly 'data-dir'?: string | undefined
  readonly insecure?: boolean
  readonly listen?: string | undefined
  readonly 'plain-http'?: boolean
  readonly 'tls-cert'?: string | undefined
  readonly 'tls-key'?: string | undefined
  readonly url?: string | undefined
}

/** The settings that flags speak of; those that were not given are not there. */
export function givenSettings(flags: ServeFlags): HubSettings {
  const files = { tlsCert: flags['tls-cert'], tlsKey: flags['tls-key'] }
  return {
    ...(flags['data-dir'] !== undefined && { dataDir: givenDataFolder(flags['data-dir']) }),
    ...(flags.listen !== undefined && { listen: flags.listen }),
    ...(flags.url !== undefined && { url: flags.url }),
    ...(flags['plain-http'] && { plainHttp: true }),
    ...(flags.insecure && { insecure: true }),
    ...Object.fromEntries(
      Object.entries(files).flatMap(([name, file]) => (file === undefined ? [] : [[name, givenPath(file)]])),
    ),
  }
}
